"""Every ordered pair of the watched symbols, tested again at each closed bar beside the event loop.

A bar more is a small step from the window before, so the moments slide on; where anything but that has happened (a bar was
revised, a symbol came or went, the window changed) they are computed anew.
"""

import asyncio
import math
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import partial

import numpy as np
from msgspec.structs import replace

from quantui.analytics.candidates import candidates
from quantui.analytics.engines import best_engine
from quantui.analytics.moments import Update
from quantui.analytics.sweep import Engine
from quantui.analytics.sweep_numpy import residual_sweep
from quantui.analytics.universe import CHANCE, Table, Universe, usable
from quantui.collector.pages import ScanPage, ScanRow
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import Floats, SymbolFrames
from quantui.market.instruments import Symbol, Timeframe
from quantui.text import safe
from quantui.threads import one_thread

SHOWN = 200
"""Rows of the page."""
LOOKED_AT = 20
"""Of these the estimators that take milliseconds a pair are asked too."""
COMPILED_FROM = 60
"""Symbols from which on the compiled engine is worth its 100 MB."""
SHORTEST = Timeframe.M1
"""Seconds are not scanned: no pair of an exchange changes its nature within one."""
_TURN = 20
_CLOSE, _STATE = COLUMNS.index("close"), COLUMNS.index("state")
_NUMBERS = ("beta", "r_squared", "correlation", "eg_stat", "eg_p", "half_life", "zscore", "q_bh", "q_by")
_NICER = "import os; os.nice(15); from quantui.analytics.engines import compile_engine; compile_engine()"


@dataclass(slots=True)
class Screening:
    """Keeps the newest scan."""

    frames: Mapping[Symbol, SymbolFrames]
    """Of the watched symbols, and of the rest of the market where that is read."""
    turn: asyncio.Lock
    """Held while a scan is computed, as by the desk: one computation beside the event loop at a time."""
    asked: Callable[[], tuple[Timeframe, int, Collection[tuple[str, str]]]]
    """Timeframe and window of the session, and the watched pairs."""
    compiled_from: int = COMPILED_FROM
    trouble: Callable[[], str] = lambda: ""
    """Why bars of the rest of the market are missing."""
    patience_s: float = 2.0
    """Wait for symbols whose bar is not closed yet."""
    page: ScanPage = field(default_factory=lambda: ScanPage("", 0, note="waiting for the first closed bar"))
    _universe: Universe | None = None
    _engine: tuple[Engine, Update | None] = (residual_sweep, None)
    _scanned: tuple[Timeframe, int, int, int] | None = None
    """What the page is of, as `_due` says it."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _worker: ThreadPoolExecutor = field(default_factory=partial(one_thread, "screening"))

    def bars(self) -> tuple[Timeframe, int]:
        """The timeframe and the number of bars that are scanned."""
        timeframe, window, _ = self.asked()
        return max(timeframe, SHORTEST, key=lambda each: each.ms), window

    def wake(self) -> None:
        """Bars have closed, or the session has changed."""
        self._wake.set()

    async def run(self) -> None:
        """Scan until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            compiling: asyncio.Task[None] | None = None
            while True:
                await self._wake.wait()
                self._wake.clear()
                if compiling is None and len(self.frames) >= self.compiled_from:
                    compiling = tasks.create_task(self._compile())
                await self._scan_if_due()

    async def _scan_if_due(self) -> None:
        watched = self.asked()[2]
        timeframe, _, newest, _ = due = self._due()
        if len(self.frames) < 2 or newest == 0 or due == self._scanned:
            return
        if self.page.bar_ms:
            await self._all_closed(timeframe, newest)
        timeframe, window, newest, _ = self._scanned = self._due()
        closes = await self._closes(timeframe, window, newest)
        async with self.turn:
            loop = asyncio.get_running_loop()
            page = await loop.run_in_executor(self._worker, self._scan, closes, timeframe, window, newest, set(watched))
        self.page = replace(page, note="; ".join(part for part in (page.note, self.trouble()) if part))

    def _due(self) -> tuple[Timeframe, int, int, int]:
        """What a scan would be of now.

        Returns:
            Timeframe, window, the newest bar any symbol has closed (0 before the first), how many symbols have a window up to it.
        """
        timeframe, window = self.bars()
        rings = [frames[timeframe] for frames in self.frames.values()]
        newest_of = {place: int(ring.times[-1]) for place, ring in enumerate(rings) if len(ring)}
        newest = max(newest_of.values(), default=0)
        return timeframe, window, newest, sum(last == newest and len(rings[place]) >= window for place, last in newest_of.items())

    async def _all_closed(self, timeframe: Timeframe, newest: int) -> None:
        """Wait a short while until every symbol that had the bar before has closed the newest."""
        deadline = time.monotonic() + self.patience_s
        while any(frames[timeframe].find(newest - timeframe.ms) is not None and frames[timeframe].find(newest) is None
                  for frames in self.frames.values()):  # fmt: skip
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(0.05)

    async def _closes(self, timeframe: Timeframe, window: int, newest: int) -> dict[str, Floats]:
        """Closes of the window, copied a few symbols at a time; of a symbol that lacks bars those it has."""
        found: dict[str, Floats] = {}
        for number, (symbol, frames) in enumerate(list(self.frames.items()), 1):
            rows = frames[timeframe].between(newest - (window - 1) * timeframe.ms, newest + 1)
            rows = rows[rows[:, _STATE] != BarState.GAP]
            found[symbol.name] = rows[:, _CLOSE] / 10**frames.instrument.price_decimals
            if number % _TURN == 0:
                await asyncio.sleep(0)
        return found

    def _scan(
        self, closes: Mapping[str, Floats], timeframe: Timeframe, window: int, newest: int, watched: Collection[tuple[str, str]]
    ) -> ScanPage:
        """The page; runs beside the event loop."""
        began = time.perf_counter()
        symbols, levels, left_out = usable(closes, window)
        head = ScanPage(timeframe.value, window, newest, len(symbols), left_out={safe(k): v for k, v in left_out.items()})
        if len(symbols) < 2:
            self._universe = None
            return replace(head, note=f"{len(symbols)}/2 symbols have {window} bars of {timeframe}")
        try:
            table = self._moved(symbols, levels).table()
        except ValueError as error:
            return replace(head, note=str(error))
        page = replace(
            head,
            tests=table.tests,
            low=int((table.eg_p <= CHANCE).sum()),
            expected_by_chance=table.expected_by_chance,
            discoveries=int((table.q_bh <= CHANCE).sum()),
            took_ms=round((time.perf_counter() - began) * 1000, 1),
            engine="numpy" if self._engine[0] is residual_sweep else "compiled",
            rows=_rows(table, levels, watched),
        )
        table.let_go()
        return page

    def _moved(self, symbols: list[str], levels: Floats) -> Universe:
        """The universe of these levels: a step on from the last one where nothing else has changed."""
        before, (engine, update) = self._universe, self._engine
        if before is not None and list(before.symbols) == symbols:
            old = before.moments.levels + before.moments.reference[:, None]
            if old.shape == levels.shape and np.allclose(old[:, 1:], levels[:, :-1], rtol=0, atol=1e-12):
                before.engine, before.update = engine, update
                before.slide(levels[:, -1])
                return before
        self._universe = Universe.of(symbols, levels, engine, update)
        return self._universe

    async def _compile(self) -> None:
        """Compile in a process of its own, which may take seconds once a machine; then load what it has made."""
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", _NICER, stdout=DEVNULL, stderr=DEVNULL)
        try:
            if await process.wait() == 0:
                self._engine = await asyncio.get_running_loop().run_in_executor(self._worker, best_engine)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _rows(table: Table, levels: Floats, watched: Collection[tuple[str, str]]) -> tuple[ScanRow, ...]:
    places = table.order()[:SHOWN]
    first = places[:LOOKED_AT]
    better = candidates(levels, table.y[first], table.x[first])
    rows = []
    for number, place in enumerate(places.tolist()):
        row = _row(table, place, watched)
        if number < LOOKED_AT:
            row = replace(row, **{each.name: _finite(getattr(better, each.name)[number].item()) for each in fields(better)})
        rows.append(row)
    return tuple(rows)


def _row(table: Table, place: int, watched: Collection[tuple[str, str]]) -> ScanRow:
    y, x = table.symbols[table.y[place]], table.symbols[table.x[place]]
    known = {name: _finite(getattr(table, name)[place].item()) for name in _NUMBERS}
    return ScanRow(safe(y), safe(x), lags=int(table.lags[place]), is_watched=(y, x) in watched, **known)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
