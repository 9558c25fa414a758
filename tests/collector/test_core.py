"""The collector over a feed on order: which alerts fire, what a restart finds, what is said about lost data."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from quantui.clock import Clock
from quantui.collector.session import SessionChange
from quantui.market.bars import BarState
from quantui.market.instruments import Timeframe
from quantui.market.trades import Trade
from quantui.store.export import ExportFilter, export
from tests.collector.market import T0, TapeFeed, X, Y, collecting, settings

JUMP = 100


def _ms(i: int) -> int:
    return T0 + i * 1000


async def test_a_bar_that_closes_while_we_look_fires_once_and_a_restart_does_not_repeat_it(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        feed.bars(0, JUMP)
        feed.speak(_ms(JUMP) + 100)
        await collector.settle()
        assert collector.alarm.rows() == ()
        feed.bars(JUMP, JUMP + 1, jump_at=JUMP)
        feed.speak(_ms(JUMP + 1) + 600)
        await collector.settle()
        (row,) = collector.alarm.rows()
        assert (row.severity, row.pair, row.notify) == ("alert", "ETHUSDT/BTCUSDT", ("bell", "terminal", "desktop"))
        assert row.text.startswith("SHORT")
    again = TapeFeed(clock)
    async with collecting(tmp_path, [again], clock) as collector:
        again.bars(0, JUMP + 1, jump_at=JUMP)
        again.speak(_ms(JUMP + 1) + 900)
        await collector.settle()
        assert [each.id for each in collector.alarm.rows()] == [row.id]


async def test_an_alert_lost_with_its_process_is_judged_again_by_a_quick_restart(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        feed.bars(0, JUMP)
        feed.speak(_ms(JUMP) + 100)
        await collector.settle()
    again = TapeFeed(clock)  # the bar was closed and stored, its alert was not
    async with collecting(tmp_path, [again], clock) as collector:
        again.bars(0, JUMP + 1, jump_at=JUMP)
        again.speak(_ms(JUMP + 1) + 2_000)
        await collector.settle()
        assert len(collector.alarm.rows()) == 1


async def test_bars_from_before_the_start_do_not_fire(tmp_path: Path) -> None:
    for folder, timeframe, age_ms in (("s", Timeframe.S1, 300), ("m", Timeframe.M1, 2_000), ("h", Timeframe.H1, 1_800_000)):
        clock = Clock()
        feed = TapeFeed(clock)
        (tmp_path / folder).mkdir()
        using = replace(settings(), analysis=replace(settings().analysis, timeframe=timeframe.value))
        async with collecting(tmp_path / folder, [feed], clock, using) as collector:
            feed.bars(0, JUMP + 1, jump_at=JUMP, timeframe=timeframe)
            await collector.settle()  # restored or adopted, before the exchange has said a word
            feed.speak(T0 + (JUMP + 1) * timeframe.ms + age_ms)
            collector.change(SessionChange(window=61))
            await collector.settle()
            assert abs(collector.snapshot(10).stats.zscore or 0) > 2
            assert collector.alarm.rows() == (), timeframe


@pytest.mark.parametrize("why", ["late", "gap in the window", "hole open", "suspended"])
async def test_nothing_fires_from_late_or_broken_data(why: str, tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        feed.bars(0, JUMP)
        if why == "gap in the window":
            feed.put(X, _ms(JUMP - 20), 8000.0, state=BarState.GAP)
        feed.speak(_ms(JUMP) + 100)
        await collector.settle()
        feed.bars(JUMP, JUMP + 1, jump_at=JUMP)
        if why == "hole open":
            feed.streams[X].sequencer.start_at(5)
            feed.streams[X].trade(Trade(9, _ms(JUMP), 1, 1, 9, 9, False))
        feed.streams[X].suspended = why == "suspended"
        feed.speak(_ms(JUMP + 1) + (6_000 if why == "late" else 600))
        await collector.settle()
        assert collector.alarm.rows() == ()


async def test_a_fast_demo_and_a_replay_fire_too(tmp_path: Path) -> None:
    for mode, speed in (("demo", 60.0), ("replay", 1.0)):
        clock = Clock(speed)
        feed = TapeFeed(clock)
        (tmp_path / mode).mkdir()
        async with collecting(tmp_path / mode, [feed], clock, mode=mode) as collector:
            feed.bars(0, JUMP)
            feed.speak(_ms(JUMP) + 100)
            await collector.settle()
            feed.bars(JUMP, JUMP + 1, jump_at=JUMP)
            feed.speak(_ms(JUMP + 1) + 60_000)  # a second of real time
            await collector.settle()
            (row,) = collector.alarm.rows()
            assert mode == "demo" or row.time_ms == _ms(JUMP + 1)


async def test_the_keys_of_a_recording_that_is_over_still_work(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock, mode="replay") as collector:
        feed.bars(0, 80)
        collector.stays = True
        run = asyncio.create_task(collector.run())
        collector.wake()
        await asyncio.sleep(0.1)
        collector.change(SessionChange(window=30))
        for _ in range(500):
            if collector.snapshot(5).stats.n == 30:
                break
            await asyncio.sleep(0.01)
        assert collector.snapshot(5).stats.n == 30
        assert not run.done()
        run.cancel()


async def test_a_replay_publishes_every_bar_however_fast_it_comes(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock, mode="replay") as collector:
        feed.bars(0, 400)
        await collector.settle()
    done = export(tmp_path / "quantui.db", "analytics", ExportFilter.of(), "csv", tmp_path / "out.csv")
    assert done.rows == 400


async def test_a_key_changes_the_entry_of_the_rule_and_a_restart_remembers(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        feed.bars(0, JUMP)
        feed.speak(_ms(JUMP) + 100)
        await collector.settle()
        collector.change(SessionChange(entry=7.5))
        await collector.settle()
        feed.bars(JUMP, JUMP + 1, jump_at=JUMP)
        feed.speak(_ms(JUMP + 1) + 600)
        await collector.settle()
        assert collector.desk.settings.stop > 7.5
        assert collector.alarm.rows() == () or abs(collector.snapshot(5).stats.zscore or 0) >= 7.5
        with pytest.raises(ValueError, match="out of range"):
            collector.change(SessionChange(entry=7.8))
        assert collector.session.entry == 7.5
    async with collecting(tmp_path, [TapeFeed(clock)], clock) as collector:
        assert collector.session.entry == collector.desk.settings.entry == 7.5
        assert collector.alarm.engine.rules[0].threshold == 7.5


async def test_lost_trades_are_one_warning_also_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    for _ in range(2):
        feed = TapeFeed(clock)
        async with collecting(tmp_path, [feed], clock) as collector:
            stream = feed.streams[X]
            stream.sequencer.start_at(1)
            stream.trade(Trade(1, _ms(0), 1, 1, 1, 1, False))
            feed.speak(_ms(1))
            await collector.settle()
            stream.trade(Trade(5, _ms(2), 1, 1, 5, 5, False))
            await collector.settle()
            stream.give_up()
            for _ in range(3):
                await collector.settle()
            (row,) = collector.alarm.rows()
            assert (row.severity, row.pair) == ("warning", "BTCUSDT")
            assert row.text.startswith("3 trades lost after 00:00:00 UTC")
            assert row.notify == ("bell", "terminal", "desktop")


async def test_the_liquidity_gate_knows_the_thinner_leg(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        feed.bars(0, 70)
        await collector.settle()
        gates = {gate.name: gate for gate in collector.snapshot(5).stats.gates}
        assert gates["liquidity"].value is None
        feed.put(Y, T0 - 120_000, 2.0, Timeframe.M1)
        feed.put(X, T0 - 120_000, 3.0, Timeframe.M1)
        feed.bars(70, 71)
        await collector.settle()
        gates = {gate.name: gate for gate in collector.snapshot(5).stats.gates}
        assert gates["liquidity"].value == pytest.approx(2.0 * 1440)
        for symbol, turnover in ((Y, 7.0), (X, 5.0)):
            feed.put(symbol, T0 - 7_200_000, turnover, Timeframe.H1)
            feed.put(symbol, T0 - 3_600_000, turnover, Timeframe.H1)
        feed.bars(71, 72)
        await collector.settle()
        gates = {gate.name: gate for gate in collector.snapshot(5).stats.gates}
        assert gates["liquidity"].value == pytest.approx(5.0 * 24)


async def test_a_symbol_without_data_makes_the_collector_degraded(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        feed.speak(_ms(0))
        assert collector.health()["healthy"]
        feed.status.notes[X] = "unknown symbol"
        assert not collector.health()["healthy"]
