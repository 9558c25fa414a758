"""Every pair of the watched symbols, scanned at each closed bar."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from quantui.analytics.universe import Universe
from quantui.collector.screening import Screening
from quantui.market.bars import Bar, BarState
from quantui.market.frames import Floats, SymbolFrames
from quantui.market.instruments import Instrument, Symbol, Timeframe
from tests.analytics.test_universe import market
from tests.collector.market import T0
from tests.feeds.binance.emulator import until

M1 = Timeframe.M1
WINDOW = 60


class Market:
    """Frames that are filled on order, and a screening of them."""

    def __init__(self, levels: Floats, *, compiled_from: int = 1000) -> None:
        self.closes = np.round(np.exp(levels), 6)
        self.symbols = [Symbol("v", f"S{number}USDT") for number in range(len(levels))]
        self.frames = {symbol: SymbolFrames(Instrument(symbol, 6, 3)) for symbol in self.symbols}
        self.session: tuple[Timeframe, int, set[tuple[str, str]]] = (M1, WINDOW, {("S1USDT", "S0USDT")})
        self.screening = Screening(self.frames, asyncio.Lock(), lambda: self.session, compiled_from)

    def put(self, number: int, bar: int, timeframe: Timeframe = M1, state: BarState = BarState.PROVISIONAL) -> None:
        close = round(self.closes[number, bar] * 10**6)
        row = Bar(T0 + bar * timeframe.ms, close, close, close, close, 1, close, 0, 0, 1, 1, 1, 1, state)
        self.frames[self.symbols[number]][timeframe].put(row)

    def bars(self, first: int, last: int, timeframe: Timeframe = M1) -> None:
        for bar in range(first, last):
            for number in range(len(self.symbols)):
                self.put(number, bar, timeframe)
        self.screening.wake()

    async def scanned(self, bar: int) -> None:
        await until(lambda: self.screening.page.bar_ms == T0 + bar * M1.ms)

    def check(self, last: int) -> None:
        """The page is the scan of the window up to bar `last`, made anew."""
        levels = np.log(self.closes[:, last - WINDOW + 1 : last + 1])
        table = Universe.of([symbol.name for symbol in self.symbols], levels).table()
        page = self.screening.page
        assert (page.symbols, page.tests, page.window, page.note) == (len(levels), table.tests, WINDOW, "")
        assert page.low == (table.eg_p <= 0.05).sum()
        assert page.expected_by_chance == pytest.approx(0.05 * table.tests)
        for row, place in zip(page.rows, table.order(), strict=False):
            assert (row.y, row.x, row.lags) == (table.symbols[table.y[place]], table.symbols[table.x[place]], table.lags[place])
            assert (row.eg_stat, row.q_bh, row.zscore) == pytest.approx(
                (table.eg_stat[place], table.q_bh[place], table.zscore[place]), rel=1e-8
            )
            assert row.is_watched == ((row.y, row.x) == ("S1USDT", "S0USDT"))


@asynccontextmanager
async def running(found: Market) -> AsyncIterator[Market]:
    task = asyncio.create_task(found.screening.run())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_each_closed_bar_is_scanned_and_a_revised_one_counts() -> None:
    async with running(Market(market(5, 80))) as found:
        assert found.screening.page.note == "waiting for the first closed bar"
        found.bars(0, WINDOW)
        await found.scanned(WINDOW - 1)
        found.check(WINDOW - 1)
        first = found.screening._universe
        found.bars(WINDOW, WINDOW + 1)
        await found.scanned(WINDOW)
        found.check(WINDOW)
        assert found.screening._universe is first  # moved on
        assert first is not None
        assert first.moments.bars_since == 1
        found.closes[2, WINDOW - 5] = round(found.closes[2, WINDOW - 5] * 1.01, 6)
        found.put(2, WINDOW - 5)
        found.bars(WINDOW + 1, WINDOW + 2)
        await found.scanned(WINDOW + 1)
        found.check(WINDOW + 1)
        assert found.screening._universe is not first


async def test_a_symbol_that_lags_is_waited_for_and_then_left_out() -> None:
    async with running(Market(market(4, 80))) as found:
        found.screening.patience_s = 0.2
        found.bars(0, WINDOW)
        await found.scanned(WINDOW - 1)
        for number in (0, 1, 2):
            found.put(number, WINDOW)
        found.screening.wake()
        await found.scanned(WINDOW)
        assert found.screening.page.left_out == {"S3USDT": f"{WINDOW - 1}/{WINDOW} bars"}
        assert found.screening.page.tests == 6
        found.put(3, WINDOW)
        found.screening.wake()
        await until(lambda: found.screening.page.symbols == 4)
        found.check(WINDOW)
        found.bars(WINDOW + 1, WINDOW + 2)
        await found.scanned(WINDOW + 1)
        found.check(WINDOW + 1)


async def test_a_symbol_whose_history_comes_later_is_scanned_as_soon_as_it_is_there() -> None:
    async with running(Market(market(4, 80))) as found:
        for number in (0, 1, 2):
            for bar in range(WINDOW):
                found.put(number, bar)
        found.screening.wake()
        await found.scanned(WINDOW - 1)
        assert found.screening.page.left_out == {"S3USDT": f"0/{WINDOW} bars"}
        for bar in range(WINDOW):
            found.put(3, bar)
        found.screening.wake()
        await until(lambda: found.screening.page.symbols == 4)
        found.check(WINDOW - 1)


async def test_too_little_is_said_as_what_there_is_of_what_is_needed() -> None:
    async with running(Market(market(3, 80))) as found:
        found.bars(0, 30)
        await found.scanned(29)
        assert (found.screening.page.tests, found.screening.page.note) == (0, "0/2 symbols have 60 bars of 1m")
        assert found.screening.page.left_out["S0USDT"] == "30/60 bars"
        found.put(0, 30, state=BarState.GAP)
        for number in (1, 2):
            found.put(number, 30)
        found.bars(31, WINDOW + 1)
        await found.scanned(WINDOW)
        assert found.screening.page.left_out == {"S0USDT": "59/60 bars"}
        assert found.screening.page.tests == 2


async def test_seconds_are_scanned_by_the_minute_and_another_window_is_a_new_scan() -> None:
    async with running(Market(market(3, 80))) as found:
        found.session = (Timeframe.S1, WINDOW, set())
        found.bars(0, WINDOW)
        await found.scanned(WINDOW - 1)
        assert (found.screening.page.timeframe, found.screening.page.window) == ("1m", WINDOW)
        found.session = (Timeframe.S1, 40, set())
        found.screening.wake()
        await until(lambda: found.screening.page.window == 40)
        assert found.screening.page.tests == 6
        found.session = (Timeframe.M1, 4, set())
        found.screening.wake()
        await until(lambda: found.screening.page.window == 4)
        assert "too few" in found.screening.page.note


async def test_many_symbols_are_scanned_by_the_compiled_engine() -> None:
    async with running(Market(market(4, 80), compiled_from=4)) as found:
        found.bars(0, WINDOW)
        await found.scanned(WINDOW - 1)
        await until(lambda: found.screening._engine[1] is not None, 60)
        found.bars(WINDOW, WINDOW + 1)
        await found.scanned(WINDOW)
        found.check(WINDOW)
        assert found.screening.page.engine == "compiled"
