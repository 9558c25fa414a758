"""The page of alerts: rules, gates, channels, standings and history, line by line."""

import pytest
from msgspec.structs import replace

from quantui.collector.alert_pages import AlertsPage, ChannelRow, GateTally, RuleView, StandingRow
from quantui.collector.snapshot import GateView
from quantui.ui.render.glyphs import GLYPHS
from quantui.ui.render.lines import Role, joined
from quantui.ui.render.pages import alerts
from quantui.ui.render.pages.sheet import Room, Sheet, View
from tests.ui.fakes import T0, alerts_page

RULE = RuleView("zscore", 2.0, 1.25, 0.5, 300.0, ("correlation",), None, ("bell",), 15.0)
PAIR = "ETHUSDT/BTCUSDT"


def drawn(page: AlertsPage, width: int = 80, glyphs: str = "braille") -> Sheet:
    return alerts.sheet(page, View(), Room(width, 23), GLYPHS[glyphs])


def texts(page: AlertsPage, width: int = 80) -> list[str]:
    sheet = drawn(page, width)
    return [joined(line).rstrip() for line in (*sheet.head, *sheet.body)]


def of_rule(rule: RuleView, pairs: int = 1, z_bound: float | None = 15.43) -> list[str]:
    return texts(AlertsPage("1m", 240, pairs=pairs, z_bound=z_bound, rules=(rule,)))


def standing_of(row: StandingRow) -> tuple[str, Role]:
    """What is said of a row, and how it looks."""
    sheet = drawn(AlertsPage("1m", 240, bar_ms=T0, rules=(RULE,), rows=(row,)))
    (line,) = (line for line in sheet.body if joined(line).startswith("ETH/BTC"))
    return line[1].text.strip(), line[1].role


def test_a_rule_says_its_levels_what_silences_it_and_what_chance_would_give() -> None:
    said = of_rule(RULE, 4)
    assert "zscore     |z| >= 2.0 fires, <= 1.25 arms again, <= 0.5 exit; one alert in 5m" in said
    assert "           silenced by correlation; told by bell, log" in said
    assert "           by chance 15/day a pair, 60 for 4, before gates; |z| at most 15.4" in said
    fast = of_rule(replace(RULE, false_alarms=920.0), 4)
    assert "           by chance 920/day a pair, 3.70k for 4, before gates; |z| at most 15.4" in fast
    assert "           by chance 15/day a pair, before gates; |z| at most 15.4" in of_rule(RULE)


def test_what_is_not_known_or_cannot_be_is_said_of_a_rule() -> None:
    own = of_rule(replace(RULE, silencing=(), correlation=0.85, cooldown_s=0.0, false_alarms=None, notify=()), z_bound=None)
    assert "zscore     |z| >= 2.0 fires, <= 1.25 arms again, <= 0.5 exit" in own
    assert "           silenced by correlation below 0.85; told by log" in own
    assert "           by chance: not known for this re-arm level or estimator" in own
    assert "           silenced by no gate; told by bell, log" in of_rule(replace(RULE, silencing=()))
    assert "           cannot fire: |z| is at most 1.50 here" in of_rule(RULE, z_bound=1.5)
    assert not any("cannot fire" in line for line in of_rule(RULE, z_bound=2.0)), "at the bound it can"


@pytest.mark.parametrize(("seconds", "said"), [(90.0, "90s"), (150.0, "150s"), (300.0, "5m"), (5400.0, "90m"), (7200.0, "2h")])
def test_a_cool_down_is_written_as_it_was_chosen(seconds: float, said: str) -> None:
    assert any(line.endswith(f"; one alert in {said}") for line in of_rule(replace(RULE, cooldown_s=seconds)))


@pytest.mark.parametrize(
    ("tally", "said", "role"),
    [
        (GateTally("beta", 3.0, passing=4), "✓ beta <= 3 4/4 pass", Role.GOOD),
        (GateTally("correlation", 0.7, True, True, 3, 1), "× correlation >= 0.7 3/4 pass", Role.WARN),
        (GateTally("beta_se", 1.0, passing=3, unknown=1), "○ beta se <= 1 |beta| 3/4 pass", Role.DIM),
        (GateTally("liquidity", 1e6, True, False, 4), "○ liquidity >= 1.00M off", Role.DIM),
    ],
)
def test_a_gate_has_sign_word_and_colour(tally: GateTally, said: str, role: Role) -> None:
    sheet = drawn(AlertsPage("1m", 240, gates=(tally,)))
    assert [(line[1].text, line[1].role) for line in sheet.body if line and line[0].text.startswith("gates")] == [(said, role)]


@pytest.mark.parametrize(
    ("row", "said", "role"),
    [
        (ChannelRow("desktop", "on", 3, 0, 2), "● desktop on 3 sent 0 failed 2 dropped", Role.GOOD),
        (ChannelRow("desktop", "failing", 0, 1, 0, "ended with 1"), "× desktop failing 0 sent 1 failed 0 dropped", Role.BAD),
        (ChannelRow("desktop", "none", detail="no notify-send"), "○ desktop not here", Role.DIM),
        (ChannelRow("bell", "off", detail="[ui] bell = false"), "○ bell off", Role.DIM),
        (ChannelRow("terminal", "on", 7, detail="osc9"), "● terminal on by osc9 7 sent", Role.GOOD),
        (ChannelRow("log", "on", 44), "● log on 44 kept", Role.GOOD),
    ],
)
def test_a_channel_has_its_state_and_only_counts_that_are_known(row: ChannelRow, said: str, role: Role) -> None:
    sheet = drawn(AlertsPage("1m", 240, channels=(row,)))
    assert [(line[1].text, line[1].role) for line in sheet.body if line and line[0].text.startswith("channels")] == [(said, role)]
    why = f"           {row.name}: {row.detail}"
    assert (why in [joined(line) for line in sheet.body]) == bool(row.detail and row.state != "on")


WEAK = GateView("correlation", False, 0.61, 0.7)


@pytest.mark.parametrize(
    ("row", "said", "role"),
    [
        (StandingRow(PAIR, "zscore", "armed"), "● armed", Role.GOOD),
        (StandingRow(PAIR, "zscore", "fired", side="SHORT_SPREAD"), "▲ fired SHORT, re-arms at 1.25", Role.BAD),
        (StandingRow(PAIR, "zscore", "fired", side="LONG_SPREAD"), "▼ fired LONG, re-arms at 1.25", Role.BAD),
        (StandingRow(PAIR, "zscore", "blocked", blocking=(WEAK,)), "× blocked: correlation 0.610<0.7", Role.WARN),
        (
            StandingRow(PAIR, "zscore", "unknown", blocking=(GateView("correlation", None, None, 0.7),)),
            "○ correlation not known",
            Role.WARN,
        ),
        (StandingRow(PAIR, "zscore", "cooling", until_ms=T0 + 180_000), "○ cooling down until 00:03:00", Role.WARN),
        (StandingRow(PAIR, "zscore", "unusable", note="gap"), "▲ not judged: gap in the window", Role.WARN),
        (StandingRow(PAIR, "zscore", "waiting"), "○ waits for the next bar", Role.DIM),
        (StandingRow(PAIR, "zscore", "warming up", n=87, need=240, note="warming up"), "○ warming up 87/240", Role.DIM),
        (StandingRow(PAIR, "zscore", "warming up", need=240, note="waiting for data"), "○ waiting for data 0/240", Role.DIM),
        (StandingRow(PAIR, "zscore", "warming up", need=240, note="unknown symbol"), "▲ unknown symbol 0/240", Role.WARN),
        (StandingRow(PAIR, "zscore", "no value", n=240, need=240), "○ no value", Role.DIM),
    ],
)
def test_a_standing_has_sign_word_and_colour(row: StandingRow, said: str, role: Role) -> None:
    assert standing_of(row) == (said, role)


def test_the_distance_is_to_the_threshold_and_never_rounded_onto_it() -> None:
    page = alerts_page()
    rows = {line.split()[0]: line for line in texts(page) if "/" in line.split(" ")[0]}
    assert rows["ETH/BTC"].split()[1:3] == ["+1.34", "0.66"]
    assert rows["SOL/ETH"].split()[1:4] == ["+2.41", "past", "0.41"]
    assert rows["LINK/ETH"].split()[1:3] == ["-", "-"]
    assert rows["DOT/ATOM"].split()[1:3] == ["+2.00", "<0.01"]
    at_it = replace(page, rows=(StandingRow(PAIR, "zscore", "blocked", 2.0, 0.0, blocking=(WEAK,)),))
    assert any("+2.00 past 0.00" in line for line in texts(at_it))


def test_a_trade_has_its_time_today_and_its_day_before() -> None:
    row = StandingRow(PAIR, "zscore", "armed", 1.0, 1.0, trade="LONG_SPREAD", since_ms=T0 + 60_000)
    page = AlertsPage("1m", 240, bar_ms=T0 + 120_000, rules=(RULE,), rows=(row,))
    assert any(line.endswith("LONG 00:01") for line in texts(page))
    page = replace(page, bar_ms=T0 + 90_000_000)
    assert any(line.endswith("LONG 08-09") for line in texts(page))


def test_a_wide_terminal_names_the_gates_that_only_warn_and_the_orders() -> None:
    page = alerts_page()
    narrow, wide = texts(page), texts(page, 120)
    assert any(line.startswith("SOL/ETH") and line.endswith("cointegration .310>0.05") for line in wide)
    assert any("sell 52% ETH at 2,613.24, buy 48% BTC at 61,685.99" in line for line in wide)
    assert any("correlation >= 0.7 4/6 pass 1 fail 1 not known" in line for line in wide)
    assert not any("sell 52%" in line or ".310>0.05" in line for line in narrow)


def test_the_history_says_each_thing_once_and_whole() -> None:
    said = texts(alerts_page())
    first = said.index("time UTC       pair      kind          z  said: 44, newest first")
    assert said[first + 1] == "08-08 23:57:00 SOL/ETH   ▲ SHORT   +2.04  corr .83 p .007"
    assert said[first + 2] == "08-08 23:45:00 ETH/BTC   ✓ EXIT    -0.01"
    assert said[first + 3 : first + 5] == [
        "08-08 23:43:20 -         ▲ gap         -  BNBUSDT: 412 trades lost, 23:41:02 to",
        "                                          23:41:07",
    ]
    assert sum("▼ LONG    -2.10" in line for line in said) == 40
    full = replace(alerts_page(), kept=44)
    assert any("44, newest first (older: quantui" in line for line in texts(full))
    assert "none yet" in texts(replace(full, history=()))


def test_with_two_rules_each_row_names_its_own() -> None:
    page = alerts_page()
    other = replace(page.rules[0], name="far", rearm=2.5)
    rows = (*page.rows, *(replace(row, rule="far") for row in page.rows))
    said = texts(replace(page, rules=(*page.rules, other), rows=rows))
    assert sum(line.startswith("SOL/ETH   far") and "re-arms at 2.50" in line for line in said) == 1
    assert sum(line.startswith("SOL/ETH   zscore") and "re-arms at 1.25" in line for line in said) == 1


def test_a_name_that_is_longer_than_its_column_stands_alone() -> None:
    said = of_rule(replace(RULE, name="a long name of a rule"))
    place = said.index("a long name of a rule")
    assert said[place + 1].startswith("           |z| >= 2.0 fires")
