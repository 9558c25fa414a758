"""The rest of the market, read over REST once a bar from the embedded exchange."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np

from quantui.clock import Clock
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.survey import Survey
from quantui.feeds.binance.venues import VENUES
from quantui.market.bars import COLUMNS, BarState
from quantui.market.instruments import Symbol, Timeframe
from tests.faults.exchange import TRUTH_COLUMNS, Exchange, running_exchange, until

SPEED = 60.0
WATCHED = {Symbol("binance-usdm", "BTCUSDT"), Symbol("binance-usdm", "ETHUSDT")}
VALUES = slice(0, COLUMNS.index("trade_count"))


@asynccontextmanager
async def surveying(exchange: Exchange, top: int, asked: Callable[[], tuple[Timeframe, int]]) -> AsyncIterator[Survey]:
    clock, venue = Clock(SPEED), VENUES["binance-usdm"]
    survey = Survey(venue, exchange.addresses["usdm_rest"], clock, Barrier(venue.name, clock), top, asked, WATCHED, lambda: None)
    task = asyncio.create_task(survey.run())
    try:
        yield survey
        if task.done():
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _all_have(survey: Survey, timeframe: Timeframe, open_ms: int) -> bool:
    return bool(survey.frames) and all(frames[timeframe].find(open_ms) is not None for frames in survey.frames.values())


async def _check(exchange: Exchange, survey: Survey, timeframe: Timeframe, since_ms: int) -> None:
    """What has happened since the market opened; of the time before there are klines only."""
    for symbol, frames in survey.frames.items():
        rows = frames[timeframe].between(since_ms, 1 << 62)
        assert len(rows)
        truth = await exchange.bars("usdm", symbol.name, timeframe, int(rows[0, 0]), int(rows[-1, 0]) + timeframe.ms)
        assert [row[VALUES] for row in rows[:, :TRUTH_COLUMNS].tolist()] == [row[VALUES] for row in truth]
        assert (rows[:, COLUMNS.index("state")] == BarState.CERTIFIED).all()


async def test_the_most_traded_symbols_have_the_exchanges_bars_each_minute_and_after_an_outage() -> None:
    minute = Timeframe.M1
    async with (
        running_exchange("--seed", "71", "--speed", str(SPEED), "--more", "10") as exchange,
        surveying(exchange, 12, lambda: (minute, 60)) as survey,
    ):
        await until(lambda: len(survey.frames) > 0, 20)
        first = minute.floor((await exchange.counters())["now_ms"])
        await until(lambda: _all_have(survey, minute, first), 20)
        assert 8 <= len(survey.frames) <= 12
        assert not survey.frames.keys() & WATCHED
        assert all(len(frames[minute]) >= 60 for frames in survey.frames.values())
        await exchange.order("outage", market="usdm", seconds=150, rest=True)
        await until(lambda: survey.problem != "", 20)
        assert "127.0.0.1" in survey.problem
        await until(lambda: _all_have(survey, minute, first + 4 * minute.ms), 30)
        await _check(exchange, survey, minute, first)
        await until(lambda: survey.problem == "", 10)
        assert (await exchange.counters())["violations"]["usdm"] == 0


async def test_just_after_the_end_of_a_minute_the_window_is_whole_without_its_kline() -> None:
    minute = Timeframe.M1
    async with running_exchange("--seed", "74", "--more", "4") as exchange:
        await exchange.order("leap", seconds=(0.1 - time.time()) % 60)
        begin = minute.floor((await exchange.counters())["now_ms"])
        clock, venue = Clock(), VENUES["binance-usdm"]
        survey = Survey(
            venue,
            exchange.addresses["usdm_rest"],
            clock,
            Barrier(venue.name, clock),
            6,
            lambda: (minute, 60),
            WATCHED,
            lambda: None,
        )
        task = asyncio.create_task(survey.run())
        try:
            await until(lambda: len(survey.frames) > 0, 2.0)
            assert all(len(frames[minute]) >= 60 for frames in survey.frames.values())
            assert {int(frames[minute].times[-1]) for frames in survey.frames.values()} == {begin - 2 * minute.ms}
            await until(lambda: _all_have(survey, minute, begin - minute.ms), 5)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_another_timeframe_or_window_is_read_anew() -> None:
    asked = [(Timeframe.M1, 30)]
    async with (
        running_exchange("--seed", "72", "--speed", str(SPEED)) as exchange,
        surveying(exchange, 4, lambda: asked[0]) as survey,
    ):
        await until(lambda: bool(survey.frames) and all(len(frames[Timeframe.M1]) >= 30 for frames in survey.frames.values()), 20)
        asked[0] = Timeframe.M5, 20
        await until(lambda: all(len(frames[Timeframe.M5]) >= 20 for frames in survey.frames.values()), 20)
        assert len(survey.frames) in (2, 3, 4)
        for frames in survey.frames.values():
            assert (np.diff(frames[Timeframe.M5].times[-20:]) == Timeframe.M5.ms).all()
            assert (frames[Timeframe.M5].rows[:, COLUMNS.index("state")] == BarState.CERTIFIED).all()
