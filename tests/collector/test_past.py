"""The screen as it was: what is made anew is what was shown then."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from quantui.clock import Clock
from quantui.collector.client import Client
from quantui.collector.drawing import SLOW
from quantui.collector.session import SessionChange
from quantui.collector.snapshot import FeedView, Snapshot
from tests.collector.market import T0, TapeFeed, collecting, settings
from tests.collector.test_server import opened

POINTS = 40


def comparable(shown: Snapshot) -> Snapshot:
    """Without what is not kept: the feed, the quotes, the forming bar, the time it was asked at."""
    return replace(
        shown,
        version=0,
        time_ms=0,
        feed=FeedView(link=shown.feed.link),
        y=replace(shown.y, spread_bps=None, funding=None, price=None, change=None),
        x=replace(shown.x, spread_bps=None, funding=None, price=None, change=None),
        stats=replace(shown.stats, preview_zscore=None, preview_spread=None),
    )


@pytest.mark.parametrize("estimator", ["ols", "huber", "dols", "johansen", "kalman"])
async def test_each_bar_looks_as_it_did_when_it_was_the_newest(tmp_path: Path, estimator: str) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock, settings(f'estimator = "{estimator}"\n')) as collector:
        then: dict[int, Snapshot] = {}
        for i in range(90):
            feed.bars(i, i + 1, jump_at=75)
            await collector.settle()
            if i in (0, 20, 59, 60, 74, 75, 76, 80, 88):
                then[T0 + i * 1000] = collector.snapshot(POINTS)
        for bar_ms, shown in then.items():
            past = await collector.past(bar_ms, POINTS)
            assert past.stats.bar_ms == bar_ms
            if estimator not in SLOW:  # whose lines are made later, beside the loop
                assert past.series == shown.series
            assert comparable(past).stats == comparable(shown).stats
            assert comparable(past).pairs == comparable(shown).pairs
            assert past.y.price == shown.series.y[-1]
            assert past.time_ms == bar_ms + 1000


async def test_before_the_oldest_bar_is_the_oldest_and_without_a_bar_it_says_so(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        with pytest.raises(ValueError, match=r"there is no bar of ETHUSDT/BTCUSDT yet"):
            await collector.past(T0, POINTS)
        feed.bars(5, 80)
        await collector.settle()
        past = await collector.past(1, POINTS)
        assert past.stats.bar_ms == T0 + 5000
        assert (past.stats.n, past.stats.need) == (1, 60)
        assert past.stats.zscore is None


async def test_of_the_alerts_those_that_had_come_by_then_are_shown(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        for i in range(90):
            feed.bars(i, i + 1, jump_at=75)
            feed.speak(T0 + (i + 1) * 1000)
            await collector.settle()
        alerts = collector.snapshot(POINTS).alerts
        assert alerts
        oldest = min(row.time_ms for row in alerts)
        assert (await collector.past(oldest - 5000, POINTS)).alerts == ()
        assert (await collector.past(T0 + 88_000, POINTS)).alerts == alerts


async def test_the_session_and_the_watch_list_of_now_are_looked_back_with(tmp_path: Path) -> None:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(tmp_path, [feed], clock) as collector:
        feed.bars(0, 200)
        await collector.settle()
        collector.change(SessionChange(window=120))
        past = await collector.past(T0 + 150_000, POINTS)
        assert (past.session.window, past.stats.n) == (120, 120)
        assert collector.desk.readings == {}, "the desk of now is not touched"


async def test_it_is_asked_for_at_the_door(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        client = Client(door.path)
        past = await asyncio.to_thread(client.past, T0 + 70_000, 10)
        assert past.stats.bar_ms == T0 + 70_000
        assert len(past.series.y) == 10
        client.close()
