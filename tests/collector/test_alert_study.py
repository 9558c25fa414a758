"""The page of alerts: what it says of rules, gates, channels and pairs is what they do."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from quantui.alerts.channels.desktop import DesktopChannel
from quantui.alerts.records import data_alert
from quantui.analytics.false_alarms import false_alarms
from quantui.analytics.gates import AT_LEAST, GateSettings, gates
from quantui.analytics.pair import PairStatistics
from quantui.analytics.spread import Space
from quantui.analytics.stationarity import UnitRoot
from quantui.clock import Clock
from quantui.collector import alarm as alarms
from quantui.collector.alert_pages import AlertsPage, StandingRow
from quantui.collector.core import Collector
from quantui.collector.session import SessionChange
from quantui.config import Ui
from quantui.market.bars import BarState
from quantui.market.instruments import Timeframe
from tests.collector.market import T0, TapeFeed, X, collecting, settings

JUMP = 100


def shown(collector: Collector) -> AlertsPage:
    page = collector.page("alerting")
    assert isinstance(page, AlertsPage)
    return page


def only_row(collector: Collector) -> StandingRow:
    (row,) = shown(collector).rows
    return row


async def closing(collector: Collector, feed: TapeFeed, first: int, last: int, *, jump_at: int | None = None) -> None:
    """Bars close while the collector looks."""
    for i in range(first, last):
        feed.bars(i, i + 1, jump_at=jump_at)
        feed.speak(T0 + (i + 1) * 1000 + 600)
        await collector.settle()


async def test_a_pair_goes_from_warming_up_to_armed_to_fired_and_cooling_to_armed(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock, settings('[[alerts]]\ncooldown = "200s"\n')) as collector:
        row = only_row(collector)
        assert (row.standing, row.note, row.zscore) == ("warming up", "waiting for data", None)
        feed.bars(0, 20)
        feed.speak(T0 + 20_100)
        await collector.settle()
        row = only_row(collector)
        assert (row.standing, row.n, row.need, row.distance) == ("warming up", 20, 60, None)
        feed.bars(20, JUMP - 1)
        feed.speak(T0 + (JUMP - 1) * 1000 + 6_000)
        await collector.settle()
        assert only_row(collector).standing == "waiting", "its bar came too late to be judged"
        await closing(collector, feed, JUMP - 1, JUMP)
        row, zscore = only_row(collector), collector.snapshot(5).stats.zscore
        assert zscore is not None
        assert (row.standing, row.trade, row.side) == ("armed", "", "")
        assert row.distance == pytest.approx(2.0 - abs(zscore), abs=1e-3)
        await closing(collector, feed, JUMP, JUMP + 1, jump_at=JUMP)
        row = only_row(collector)
        assert (row.standing, row.side, row.trade) == ("fired", "SHORT_SPREAD", "SHORT_SPREAD")
        assert row.since_ms == T0 + JUMP * 1000
        assert row.distance is not None
        assert row.distance < 0
        await closing(collector, feed, JUMP + 1, JUMP + 3)
        row = only_row(collector)
        assert (row.standing, row.side) == ("cooling", "")
        assert row.until_ms == T0 + JUMP * 1000 + 200_000
        await closing(collector, feed, JUMP + 3, JUMP + 200)
        assert only_row(collector).standing == "cooling"
        await closing(collector, feed, JUMP + 200, JUMP + 201)
        assert (only_row(collector).standing, only_row(collector).until_ms) == ("armed", None)


async def test_what_keeps_a_rule_silent_is_named(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    text = "[analysis.gates]\ncorrelation = { limit = 1.0, silences = true }\nbeta = { limit = 0.5 }\n"
    async with collecting(tmp_path, [feed], clock, settings(text)) as collector:
        feed.bars(0, JUMP)
        feed.speak(T0 + JUMP * 1000 + 100)
        await collector.settle()
        await closing(collector, feed, JUMP, JUMP + 1, jump_at=JUMP)
        row, stats = only_row(collector), collector.snapshot(5).stats
        assert row.standing == "blocked"
        assert [(gate.name, gate.value, gate.limit) for gate in row.blocking] == [("correlation", stats.correlation, 1.0)]
        failing = [gate.name for gate in stats.gates if gate.enabled and gate.ok is False]
        assert [gate.name for gate in row.failing] == [name for name in failing if name != "correlation"]
        assert "beta" in failing
        assert collector.alarm.rows() == (), "and it was silent"
        tallies = {gate.name: gate for gate in shown(collector).gates}
        assert (tallies["correlation"].passing, tallies["correlation"].failing, tallies["correlation"].is_least) == (0, 1, True)
        assert (tallies["beta"].failing, tallies["beta"].limit, tallies["beta"].is_least) == (1, 0.5, False)
        assert not tallies["liquidity"].enabled
        feed.put(X, T0 + (JUMP - 20) * 1000, 8000.0, state=BarState.GAP)
        await collector.settle()
        assert (only_row(collector).standing, only_row(collector).note) == ("unusable", "gap")


async def test_a_rule_has_its_levels_and_what_chance_would_give_where_that_is_known(tmp_path: Path) -> None:
    text = (
        '[[alerts]]\nname = "usual"\ncooldown = "90s"\n[[alerts]]\nname = "own"\nthreshold = 3.0\nrearm = 0.1\ncorrelation = 0.8\n'
    )
    clock = Clock()
    async with collecting(tmp_path, [TapeFeed(clock)], clock, settings(text)) as collector:
        page = shown(collector)
        usual, own = page.rules
        assert (usual.threshold, usual.rearm, usual.exit, usual.cooldown_s) == (2.0, 1.25, 0.5, 90.0)
        assert usual.silencing == ("correlation",)
        assert usual.false_alarms == pytest.approx(false_alarms(60, 60, 2.0, 1000).per_day, rel=0.05)
        assert (own.threshold, own.correlation, own.silencing) == (3.0, 0.8, ())
        assert own.false_alarms is None, "nobody has counted for this re-arm level"
        assert page.z_bound == pytest.approx(59 / 60**0.5, abs=0.01)
        assert [(row.rule, row.pair) for row in page.rows] == [("usual", "ETHUSDT/BTCUSDT"), ("own", "ETHUSDT/BTCUSDT")]
        collector.change(SessionChange(entry=2.6))
        page = shown(collector)
        assert (page.rules[0].threshold, page.rules[1].threshold) == (2.6, 3.0)
        assert page.rules[0].false_alarms == pytest.approx(false_alarms(60, 60, 2.6, 1000).per_day, rel=0.05)
        collector.change(SessionChange(estimator="johansen"))
        assert shown(collector).rules[0].false_alarms is None
        collector.change(SessionChange(estimator="kalman"))
        assert shown(collector).z_bound is None, "a filter's surprise has no bound"


async def test_channels_say_whether_they_are_on_and_what_became_of_alerts(tmp_path: Path) -> None:
    clock = Clock()
    off = replace(settings(), ui=Ui(desktop_notification=False))
    async with collecting(tmp_path, [TapeFeed(clock)], clock, off) as collector:
        desktop, log = shown(collector).channels
        assert (desktop.name, desktop.state, desktop.sent) == ("desktop", "off", None)
        assert (log.name, log.state, log.sent) == ("log", "on", 0)
        collector.alarm.settings = settings()
        assert shown(collector).channels[0].state == "none"
        channel = DesktopChannel("/nowhere/notify-send", {}, clock, sent=3, failed=1, dropped=2, error="ended with 1")
        collector.alarm.channels = [channel]
        collector.alarm.warn(data_alert("gap", "3 trades lost", now_ms=2_000, since_ms=1_000))
        desktop, log = shown(collector).channels
        assert (desktop.state, desktop.sent, desktop.failed, desktop.dropped) == ("failing", 3, 1, 2)
        assert desktop.detail == "ended with 1"
        assert log.sent == 1
        channel.error = ""
        assert shown(collector).channels[0].state == "on"


async def test_the_history_is_longer_than_the_log_of_the_monitor_and_found_by_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    many = alarms.HISTORY + 5
    async with collecting(tmp_path, [TapeFeed(clock)], clock) as collector:
        for number in range(many):
            collector.alarm.warn(data_alert("gap", f"{number} trades lost", now_ms=number, since_ms=number, pair="BTCUSDT"))
        before = shown(collector).history
        assert len(before) == alarms.HISTORY > len(collector.snapshot(5).alerts) == alarms.SHOWN
        assert (before[0].text, before[0].kind, before[0].time_ms) == (f"{many - 1} trades lost", "gap", many - 1)
        assert collector.snapshot(5).alerts[0].id == before[0].id
    async with collecting(tmp_path, [TapeFeed(clock)], clock) as collector:
        assert shown(collector).history == before
        assert len(collector.alarm.rows()) == alarms.SHOWN


async def test_an_alert_of_the_history_has_its_orders_with_shares_that_make_a_whole(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        feed.bars(0, JUMP)
        feed.speak(T0 + JUMP * 1000 + 100)
        await collector.settle()
        await closing(collector, feed, JUMP, JUMP + 1, jump_at=JUMP)
        (told,) = shown(collector).history
        reading = collector.desk.readings[collector.pairs[0], Timeframe.S1]
        assert (told.kind, told.timeframe, told.rule) == ("SHORT_SPREAD", "1s", "zscore")
        assert told.zscore == reading.statistics.zscore
        sell, buy = told.legs
        assert (sell.symbol, sell.side, buy.symbol, buy.side) == ("ETHUSDT", "sell", "BTCUSDT", "buy")
        assert sell.share + buy.share == pytest.approx(1.0)
        assert buy.share / sell.share == pytest.approx(reading.statistics.beta)
        assert (sell.price, buy.price) == (reading.price_y, reading.price_x)
    async with collecting(tmp_path, [TapeFeed(clock)], clock) as collector:
        assert shown(collector).history == (told,)


def test_the_gates_that_ask_for_at_least_their_limit_are_those_that_a_large_value_passes_and_a_small_one_fails() -> None:
    def told(size: float) -> dict[str, bool | None]:
        test = UnitRoot(stat=-3.0, p_value=size, lags=0, nobs=59, critical={}, coefficient=-0.1)
        numbers = PairStatistics(
            60, Space.LOG, 60, {}, beta=size, beta_se=10 * size * size, r_squared=size, correlation=size, engle_granger=test
        )
        return {gate.name: gate.ok for gate in gates(numbers, GateSettings(), turnover=1e7 * size)}

    small, large = told(0.01), told(10.0)
    assert {name for name, ok in large.items() if ok and not small[name]} == AT_LEAST
    assert all(small[name] and not large[name] for name in small if name not in AT_LEAST)
