"""Cards, status line, lists and read-outs: what they say with and without data."""

import pytest
from msgspec.structs import replace

from quantui.collector.snapshot import GateView, LegView, Link, PairRow, Snapshot, StatsView
from quantui.ui.render import cards, readout, rows, status
from quantui.ui.render.glyphs import ASCII, BRAILLE
from quantui.ui.render.lines import Line, Role, joined
from quantui.ui.render.scale import Scale
from tests.ui.fakes import snapshot

FULL = snapshot()
EMPTY = replace(
    FULL,
    stats=StatsView(n=87, need=240),
    y=LegView(symbol="ETHUSDT"),
    x=LegView(symbol="BTCUSDT"),
    alerts=(),
)


def text(lines: list[Line]) -> str:
    return "\n".join(joined(line) for line in lines)


def card(name: str, shown: Snapshot, width: int = 18) -> str:
    return text(cards.card(name, shown, width, BRAILLE))


def test_cards_say_the_most_important_first() -> None:
    assert card("price", FULL).splitlines()[:2] == [
        f"ETH {FULL.y.price:>13,.2f} ▲"[:4] + f"{FULL.y.price:,.2f}".rjust(12) + " ▲",
        "BTC    61,685.99 ▼",
    ]
    assert card("regression", FULL).splitlines()[:2] == ["β  0.912 ±0.014", "R² 0.75 corr 0.83"]
    assert card("stationarity", FULL).splitlines()[:3] == ["EG  -4.02 p .007 ✓", "ADF -4.03 p .001", "t1/2 14 [9,31]"]
    assert card("alerts", FULL).splitlines()[1:3] == ["gates 3/3 ok", "last 23:59 SHORT"]


@pytest.mark.parametrize("name", ["regression", "stationarity"])
def test_too_little_data_is_n_of_n_never_zero(name: str) -> None:
    assert card(name, EMPTY) == "87/240 bars"


def test_no_number_in_any_panel_without_data() -> None:
    shown = "\n".join(
        [
            card("price", EMPTY),
            text(readout.spark_values(EMPTY, 4, 4, 14)),
            text(readout.z_values(EMPTY, 8, 14)),
        ]
    )
    assert "0.00" not in shown
    assert shown.count("87/240") == 3


def test_a_missing_value_shows_its_reason() -> None:
    stats = replace(
        FULL.stats, half_life=None, engle_granger=None, missing={"half_life": "no mean reversion", "engle_granger": "leg is flat"}
    )
    shown = card("stationarity", replace(FULL, stats=stats))
    assert "half-life no mean reversion" in shown
    assert "EG leg is flat" in shown


def test_a_half_life_without_upper_end_says_so() -> None:
    stats = replace(FULL.stats, half_life_high=None)
    assert "t1/2 14 [9,∞]" in card("stationarity", replace(FULL, stats=stats))


def test_a_failing_gate_is_named_with_value_and_limit() -> None:
    gates = (GateView("beta", ok=True, value=1.0, limit=3.0), GateView("correlation", ok=False, value=0.41, limit=0.7))
    off = GateView("liquidity", ok=False, value=1.0, limit=2.0, enabled=False)
    shown = card("alerts", replace(FULL, stats=replace(FULL.stats, gates=(*gates, off))))
    assert "× correlation 0.41 / 0.7" in shown
    assert "liquidity" not in shown


def test_what_chance_alone_rings_stands_below_the_threshold() -> None:
    lines = card("alerts", replace(FULL, stats=replace(FULL.stats, false_alarms=0.26, z_bound=15.43)), 24).splitlines()
    assert lines[2] == "chance 0.26/day"
    assert "exit |z| <= 0.5, max 15.4" in lines


def test_the_narrowest_cards_keep_every_figure() -> None:
    for name in cards.NAMES[1:]:
        assert all(len(line) <= 14 for line in card(name, FULL, 13).splitlines()[:2])


def test_ascii_cards_are_ascii() -> None:
    shown = "".join(text(cards.card(name, FULL, 18, ASCII)) for name in cards.NAMES)
    assert shown.isascii()


@pytest.mark.parametrize("link", list(Link))
def test_every_state_has_a_sign_a_word_and_a_colour(link: Link) -> None:
    shown = replace(FULL, feed=replace(FULL.feed, link=link))
    head = status.state_line(shown, status.ScreenState(), 60, BRAILLE)[0]
    assert head.text[1:] == f" {link.value.upper()}"
    assert head.role in (Role.GOOD, Role.WARN, Role.BAD, Role.DIM)


def test_the_demo_is_called_demo_even_on_a_narrow_screen() -> None:
    assert "demo" in joined(status.state_line(FULL, status.ScreenState(), 33, BRAILLE))
    assert "demo" not in joined(status.state_line(replace(FULL, mode="live"), status.ScreenState(), 60, BRAILLE))


def test_old_data_are_called_old() -> None:
    shown = joined(status.state_line(FULL, status.ScreenState(lost=True, paused=True), 60, BRAILLE))
    assert shown.startswith("× COLLECTOR LOST old data")


def test_before_the_first_snapshot_it_says_what_it_waits_for() -> None:
    assert "STARTING COLLECTOR" in joined(status.state_line(None, status.ScreenState("starting collector"), 35, BRAILLE))
    assert "COLLECTOR LOST" in joined(status.state_line(None, status.ScreenState("x", lost=True), 35, BRAILLE))


def test_health_gives_way_from_the_least_important_on_and_keeps_its_width() -> None:
    for width in (27, 45, 62):
        line = status.health_line(FULL.feed, width)
        assert len(joined(line)) == width
    assert joined(status.health_line(FULL.feed, 62)).strip() == "age <1s lag 41ms skew 3ms gaps 0 cert 99.9%"
    assert "skew" not in joined(status.health_line(FULL.feed, 27))
    assert "age <1s" in joined(status.health_line(FULL.feed, 27))


def test_lost_trades_and_mismatches_stand_out() -> None:
    feed = replace(FULL.feed, gaps_open=1, gaps_lost=2, mismatched=3)
    line = status.health_line(feed, 62)
    assert "gaps 1+2 lost" in joined(line)
    assert "cert 99.9%!3" in joined(line)
    assert line[0].role is Role.WARN


def test_the_watch_list_keeps_the_pair_in_focus_in_sight() -> None:
    pairs = tuple(PairRow(label=f"A{i}USDT/BUSDT", zscore=1.0, n=1, need=1) for i in range(30))
    for focus in range(30):
        shown = rows.watch_list(pairs, focus, 38, 5, BRAILLE)
        assert len(shown) == 5
        assert sum(joined(row).startswith("▸") for row in shown) == 1
        assert f"▸{focus + 1:<2d} A{focus}/B" in text(shown)
    assert "Pairs 26-29 of 30" in text(rows.watch_list(pairs, 27, 38, 5, BRAILLE))


def test_a_pair_without_a_value_says_why() -> None:
    pairs = (
        PairRow(label="A/B", n=87, need=240, note="warming up"),
        PairRow(label="C/D", n=240, need=240, note="halted"),
        PairRow(label="E/F", n=3, need=240),
    )
    shown = text(rows.watch_list(pairs, 0, 40, 5, BRAILLE))
    assert "87/240 warming up" in shown
    assert "C/D halted" in shown
    assert "3/240 warming up" in shown
    assert "+0.00" not in shown


def test_the_log_marks_new_rows_and_says_when_it_is_empty() -> None:
    lines = rows.alert_log(FULL.alerts, {3}, {3}, 42, 5, BRAILLE)
    assert joined(lines[1]).startswith("! 23:59:00 ETH/BTC SHORT")
    assert lines[1][0].role is Role.FLASH
    assert lines[3][0].role is Role.WARN
    assert "none yet" in text(rows.alert_log((), (), (), 42, 5, BRAILLE))


def test_threshold_labels_stand_at_their_rows() -> None:
    labels = [joined(line) for line in readout.z_labels(Scale(-2.5, 2.5), 2.0, 10, 7)]
    assert labels[1].strip() == "+2.0"
    assert labels[5].strip() == "0"
    assert labels[9].strip() == "-2.0"
    assert labels[0].strip() == "z-score"
