import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from quantui.alerts.engine import AlertEngine
from quantui.alerts.records import EXIT, LONG_SPREAD, SHORT_SPREAD, Observation, data_alert
from quantui.alerts.rules import Rule
from tests.alerts.observations import MINUTE, RULE, seen

Said = list[tuple[int, str]]
"""(bar number, direction)."""


def said(engine: AlertEngine, bars: Sequence[Observation]) -> Said:
    return [(record.bar_ms // MINUTE, record.direction) for bar in bars for record in engine.on_bar(bar)]


def walk(*zs: float | None) -> list[Observation]:
    return [seen(bar, z) for bar, z in enumerate(zs)]


def test_fires_once_on_crossing_and_again_only_after_rearming() -> None:
    bars = walk(1.9, 2.0, 2.5, 1.9, 2.1, 1.3, 2.2, 1.25, 2.0)
    assert said(AlertEngine([RULE]), bars) == [(1, SHORT_SPREAD), (8, SHORT_SPREAD)]


def test_a_crossing_to_the_other_side_fires_the_other_direction_without_rearming() -> None:
    assert said(AlertEngine([RULE]), walk(2.4, -2.4, -2.6, 2.4)) == [(0, SHORT_SPREAD), (1, LONG_SPREAD), (3, SHORT_SPREAD)]


def test_exit_is_told_once_after_an_alert_and_never_without_one() -> None:
    assert said(AlertEngine([RULE]), walk(0.1, 1.9, 0.2, 2.1, 0.6, 0.5, -0.1, 0.0)) == [(3, SHORT_SPREAD), (5, EXIT)]


def test_a_crossing_inside_the_cooldown_waits_and_fires_if_it_lasts() -> None:
    rule = replace(RULE, cooldown_ms=5 * MINUTE)
    assert said(AlertEngine([rule]), walk(2.1, 1.0, 2.1, 2.1, 2.1, 2.1, 2.1)) == [(0, SHORT_SPREAD), (5, SHORT_SPREAD)]
    assert said(AlertEngine([rule]), walk(2.1, 1.0, 2.1, 1.0, 1.0, 1.0, 1.0)) == [(0, SHORT_SPREAD)]
    assert said(AlertEngine([rule]), walk(2.1, -2.1, -2.1, -2.1, -2.1, -2.1)) == [(0, SHORT_SPREAD), (5, LONG_SPREAD)]


def test_pairs_and_rules_remember_for_themselves() -> None:
    engine = AlertEngine([RULE, replace(RULE, name="wide", threshold=3.0)])
    assert [record.rule for record in engine.on_bar(seen(0, 2.5))] == ["zscore"]
    assert [record.rule for record in engine.on_bar(seen(0, 3.5, pair="SOLUSDT/ETHUSDT"))] == ["zscore", "wide"]
    assert [record.rule for record in engine.on_bar(seen(1, 3.5))] == ["wide"]


def test_a_failing_gate_silences_until_it_passes() -> None:
    engine = AlertEngine([RULE])
    assert said(engine, [seen(0, 2.5, ok=False), seen(1, 2.5, ok=None), seen(2, 2.5)]) == [(2, SHORT_SPREAD)]
    assert said(AlertEngine([replace(RULE, silencing=())]), [seen(0, 2.5, ok=False)]) == [(0, SHORT_SPREAD)]
    assert said(AlertEngine([replace(RULE, silencing=("absent",))]), [seen(0, 2.5)]) == []


def test_a_rule_may_ask_for_a_correlation_of_its_own() -> None:
    rule = replace(RULE, correlation=0.9, silencing=())
    bars = [seen(0, 2.5, correlation=0.89), seen(1, 2.5, correlation=None), seen(2, 2.5, correlation=0.9)]
    assert said(AlertEngine([rule]), bars) == [(2, SHORT_SPREAD)]


@pytest.mark.parametrize(
    "unknown",
    [
        seen(1, None), seen(1, math.nan), seen(1, math.inf), seen(1, -math.inf),
        seen(1, 9.0, usable=False), seen(1, 0.0, usable=False), seen(1, 0.0, ok=None),
    ],
)  # fmt: skip
def test_what_is_unknown_neither_fires_nor_rearms_nor_exits(unknown: Observation) -> None:
    engine = AlertEngine([RULE])
    assert engine.on_bar(unknown) == []
    engine.on_bar(seen(0, 2.1))
    engine.take_changes()
    assert engine.on_bar(unknown) == []
    assert engine.take_changes() == {}
    assert engine.on_bar(seen(2, 2.1)) == []


def test_a_bar_that_was_unknown_is_judged_once_it_is_known() -> None:
    assert said(AlertEngine([RULE]), [seen(3, 2.5, usable=False), seen(3, 2.5), seen(3, 2.6)]) == [(3, SHORT_SPREAD)]


def test_a_revised_or_older_bar_is_not_judged_again() -> None:
    engine = AlertEngine([RULE])
    assert said(engine, [seen(5, 2.1), seen(6, 0.0), seen(6, 2.5), seen(5, -2.5), seen(4, 3.0)]) == [(5, SHORT_SPREAD), (6, EXIT)]


def test_a_record_says_everything_that_was_known() -> None:
    (record,) = AlertEngine([RULE]).on_bar(seen(7, 2.04))
    assert record.message == "ETHUSDT/BTCUSDT SHORT z +2.04 corr .83 p .007"
    assert (record.severity, record.rule, record.timeframe, record.bar_ms) == ("alert", "zscore", "1m", 7 * MINUTE)
    assert record.time_ms == 8 * MINUTE + 250
    assert (record.spread, record.alpha, record.beta, record.half_life, record.n) == (0.01, 0.2, 1.5, 12.0, 240)
    assert list(record.gates) == ["correlation"]
    assert record.gates["correlation"].limit == 0.7


def test_only_rules_choose_channels_for_alerts_and_an_exit_is_not_announced() -> None:
    engine = AlertEngine([RULE])
    (alert,) = engine.on_bar(seen(0, 2.5))
    (left,) = engine.on_bar(seen(1, 0.1))
    assert (alert.severity, engine.channels(alert)) == ("alert", ("bell", "desktop"))
    assert (left.severity, left.direction, left.message) == ("info", EXIT, "ETHUSDT/BTCUSDT EXIT z +0.10")
    assert engine.channels(left) == ()
    warning = data_alert("gap", "3 trades of BTCUSDT are lost", now_ms=5, since_ms=4)
    assert engine.channels(warning) == ("bell", "terminal", "desktop")


def test_states_of_rules_that_are_gone_and_damaged_states_are_deleted_and_other_keys_left_alone() -> None:
    engine = AlertEngine([RULE])
    engine.on_bar(seen(0, 2.5))
    saved = {key: value for key, value in engine.take_changes().items() if value is not None}
    (key,) = saved
    other = AlertEngine([replace(RULE, name="other")], saved | {"session": "{}", "alerts:[1": "x"})
    assert other.take_changes() == {key: None, "alerts:[1": None}
    assert other.unreadable == 1


Z = st.one_of(
    st.none(),
    st.just(math.nan),
    st.floats(-4, 4),
    st.sampled_from([2.0, -2.0, 1.25, -1.25, 0.5, -0.5, 1.9999, 0.0, 2.5, -2.5]),
)
BAR = st.tuples(Z, st.booleans() | st.just(True), st.sampled_from([True, True, True, False, None]), st.integers(1, 3))
BARS = st.lists(BAR, max_size=60)
COOLDOWN = st.sampled_from([0, 1, 3, 7])


def observations(drawn: list[tuple[float | None, bool, bool | None, int]]) -> list[Observation]:
    bar, out = 0, []
    for z, usable, ok, ahead in drawn:
        bar += ahead
        out.append(seen(bar, z, usable=usable, ok=ok))
    return out


def slow(rule: Rule, bars: Sequence[Observation]) -> Said:
    """The rule in other words: every bar looks back over the whole history instead of keeping a state."""
    known = [
        (bar.bar_ms // MINUTE, bar.zscore, bar.gates[0].ok)
        for bar in bars
        if bar.usable and bar.zscore is not None and not math.isnan(bar.zscore) and bar.gates[0].ok is not None
    ]
    out: Said = []
    for index, (bar, z, ok) in enumerate(known):
        entries = [(at, direction) for at, direction in out if direction != EXIT]
        last = entries[-1] if entries else None
        since = [before for at, before, _ in known[:index] if last is not None and at > last[0]]
        direction = SHORT_SPREAD if z >= rule.threshold else LONG_SPREAD if z <= -rule.threshold else None
        armed = last is None or last[1] != direction or any(abs(before) <= rule.rearm for before in since)
        cool = last is None or (bar - last[0]) * MINUTE >= rule.cooldown_ms
        if direction and ok and armed and cool:
            out.append((bar, direction))
        elif abs(z) <= rule.exit and out and out[-1][1] != EXIT:
            out.append((bar, EXIT))
    return out


@given(drawn=BARS, cooldown=COOLDOWN)
def test_any_walk_gives_the_alerts_of_the_slow_reading_of_the_rule(
    drawn: list[tuple[float | None, bool, bool | None, int]], cooldown: int
) -> None:
    rule, bars = replace(RULE, cooldown_ms=cooldown * MINUTE), observations(drawn)
    assert said(AlertEngine([rule]), bars) == slow(rule, bars)


@given(drawn=BARS, cooldown=COOLDOWN, data=st.data())
def test_restarts_anywhere_with_bars_judged_again_give_each_alert_exactly_once(
    drawn: list[tuple[float | None, bool, bool | None, int]], cooldown: int, data: st.DataObject
) -> None:
    """A crash loses what was not saved: records and state go together. After it any number of older bars come again."""
    rule, bars = replace(RULE, cooldown_ms=cooldown * MINUTE), observations(drawn)
    saved: dict[str, str] = {}
    stored: list[tuple[int, str]] = []
    start = 0
    for _ in range(data.draw(st.integers(0, 3))):
        engine = AlertEngine([rule], saved)
        stop = data.draw(st.integers(start, len(bars)))
        for bar in bars[data.draw(st.integers(0, start)) : stop]:
            stored += said(engine, [bar])
            saved |= {key: value for key, value in engine.take_changes().items() if value is not None}
        for bar in bars[stop : data.draw(st.integers(stop, len(bars)))]:
            engine.on_bar(bar)  # never saved: lost in the crash
        start = stop
    stored += said(AlertEngine([rule], saved), bars[start:])
    assert stored == slow(rule, bars)


@given(drawn=BARS)
def test_nothing_fires_on_what_is_not_a_number(drawn: list[tuple[float | None, bool, bool | None, int]]) -> None:
    engine = AlertEngine([replace(RULE, silencing=())])
    bars = [replace(bar, zscore=math.nan) for bar in observations(drawn)]
    assert said(engine, bars) == []
    assert engine.take_changes() == {}
