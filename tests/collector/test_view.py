"""What a screen is shown."""

import asyncio
import math
import statistics
from pathlib import Path

import pytest
from msgspec.structs import replace

from quantui.analytics.estimators import Estimator
from quantui.analytics.false_alarms import false_alarms, white_alarms
from quantui.clock import Clock
from quantui.collector.core import Collector
from quantui.collector.drawing import SLOW, lines_of
from quantui.collector.session import SessionChange
from quantui.config import Market, PairNames
from quantui.market.bars import BarState
from quantui.market.frames import AlignedCloses
from quantui.market.instruments import Symbol, Timeframe
from tests.collector.market import T0, TapeFeed, X, Y, collecting, price, settings


async def _settled(collector: Collector, feed: TapeFeed, first: int, last: int) -> None:
    feed.bars(first, last)
    await collector.settle()


async def testlines_of_that_grow_bar_by_bar_are_those_made_at_once(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        await _settled(collector, feed, 0, 90)
        for i in range(90, 96):
            collector.snapshot(20)
            await _settled(collector, feed, i, i + 1)
        grown = collector.snapshot(20).series
        collector.drawing._series.clear()
        assert collector.snapshot(20).series == grown
        assert grown.open_ms == tuple(T0 + i * 1000 for i in range(76, 96))


async def test_a_key_between_two_bars_leaves_no_line_of_mixed_settings(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        await _settled(collector, feed, 0, 90)
        collector.snapshot(20)
        collector.change(SessionChange(window=30))
        await _settled(collector, feed, 90, 91)
        mixed = collector.snapshot(20).series
        collector.drawing._series.clear()
        assert collector.snapshot(20).series == mixed


@pytest.mark.parametrize("estimator", list(Estimator))
async def test_every_estimator_has_its_numbers_itslines_of_and_a_preview_that_is_what_the_bar_would_be(
    estimator: Estimator, tmp_path: Path
) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        drawing = asyncio.create_task(collector.drawing.run())
        await _settled(collector, feed, 0, 90)
        collector.change(SessionChange(estimator=estimator))
        await collector.settle()
        shown = collector.snapshot(20)
        if estimator in SLOW:
            assert shown.series.zscore == (None,) * 20, "the loop did not wait for it"
            assert shown.series.y[-1] == pytest.approx(price(89)[0], rel=1e-7)
        for _ in range(500):
            if None not in collector.snapshot(20).series.zscore:
                break
            await asyncio.sleep(0.01)
        drawing.cancel()
        shown = collector.snapshot(20)
        reading = collector.desk.readings[collector.pairs[0], Timeframe.S1]
        assert shown.session.estimator == estimator
        assert shown.series.zscore[-1] == pytest.approx(shown.stats.zscore)
        for symbol, close in zip((Y, X), price(90), strict=True):
            feed.streams[symbol].builder.last_close = round(close * 10_000)
        ahead = collector.snapshot(20).stats
        if estimator is Estimator.KALMAN:
            assert ahead.preview_zscore is None, "an innovation has no place in a window"
        else:
            s = reading.statistics
            y, x = (round(leg * 10_000) / 10_000 for leg in price(90))
            assert s.alpha is not None
            assert s.beta is not None
            spreads = [a - s.alpha - s.beta * b for a, b in _logs(31, 90)] + [math.log(y) - s.alpha - s.beta * math.log(x)]
            assert ahead.preview_spread == pytest.approx(spreads[-1], abs=1e-12)
            z = (spreads[-1] - statistics.mean(spreads)) / statistics.stdev(spreads)
            assert ahead.preview_zscore == pytest.approx(z, abs=0.006)
        feed.bars(90, 91)
        await collector.settle()
        grown = collector.snapshot(20).series
        collector.drawing._series.clear()
        again = lines_of(collector.desk.settings, _closes(collector), 20)
        assert again.zscore == pytest.approx(grown.zscore)


def _logs(first: int, last: int) -> list[tuple[float, float]]:
    legs = [price(i) for i in range(first, last)]
    return [(math.log(round(y * 10_000) / 10_000), math.log(round(x * 10_000) / 10_000)) for y, x in legs]


def _closes(collector: Collector) -> AlignedCloses:
    found = collector.desk.closes(collector.pairs[0], Timeframe.S1, 80)
    assert found is not None
    return found


async def test_a_gap_in_the_window_is_named_and_marks_the_stored_statistics(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        await _settled(collector, feed, 0, 80)
        assert collector.snapshot(5).pairs[0].note == ""
        feed.put(X, T0 + 70_000, 1.0, state=BarState.GAP)
        await _settled(collector, feed, 80, 81)
        assert collector.snapshot(5).pairs[0].note == "gap"
        await _settled(collector, feed, 81, 140)
        assert collector.snapshot(5).pairs[0].note == ""


async def test_too_little_data_is_n_of_n(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        await _settled(collector, feed, 0, 40)
        shown = collector.snapshot(5)
        assert (shown.stats.n, shown.stats.need, shown.stats.zscore) == (40, 60, None)
        assert shown.pairs[0].note == "warming up"


async def test_a_pair_across_venues_is_one_pair_of_two_feeds(tmp_path: Path) -> None:
    clock = Clock()
    spot = Symbol("binance-spot", "ETHUSDT")
    there, here = TapeFeed(clock, [spot]), TapeFeed(clock, [Y])
    using = replace(settings(), pairs=(PairNames(y="ETHUSDT", x="binance-spot:ETHUSDT"),), market=Market(book=False))
    async with collecting(tmp_path, [here, there], clock, using) as collector:
        for i in range(70):
            here.put(Y, T0 + i * 1000, price(i)[0])
            there.put(spot, T0 + i * 1000, price(i)[0] * (1 + 1e-5 * (-1) ** (i // 3)))
        here.speak(T0 + 70_000)
        there.speak(T0 + 70_000)
        there.status.link = "reconnecting"
        await collector.settle()
        shown = collector.snapshot(10)
        assert shown.pairs[0].label == "binance-usdm:ETHUSDT/binance-spot:ETHUSDT"
        assert shown.stats.zscore is not None
        assert shown.feed.link == "reconnecting", "the worse of both"


async def test_what_chance_alone_would_ring_stands_beside_the_threshold(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        await _settled(collector, feed, 0, 90)
        found = []
        for change in (SessionChange(entry=2.0), SessionChange(entry=3.0), SessionChange(estimator="kalman")):
            collector.change(change)
            await collector.settle()
            found.append(collector.snapshot(20).stats)
        session, day = collector.session, 86_400_000
        tables = [false_alarms(session.window, session.z_window, entry, 1000).per_day for entry in (2.0, 3.0)]
        expected = [*tables, white_alarms(3.0, 1000).per_day]
        assert [stats.false_alarms for stats in found] == [pytest.approx(each, rel=0.05) for each in expected]
        assert tables[0] > tables[1] > 0
        assert expected[0] < day / 1000
        assert found[0].z_bound == pytest.approx((session.z_window - 1) / session.z_window**0.5, abs=0.005)
