"""What the screens beside the monitor ask for: computed while one of them looks, at most once a closed bar, beside the event loop.

A page that is due is made after it was asked for: the answer is at once what there was before, and the next one is new.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from quantui.collector.chart_study import ChartStudy
from quantui.collector.desk import Desk
from quantui.collector.pages import ChartPage, CorrelationPage, Page, PairPage, ScanPage, StatisticsPage
from quantui.collector.pair_study import PairStudy
from quantui.collector.snapshot import AlertRow, Session
from quantui.collector.symbol_studies import SymbolBars, correlation_page, statistics_page
from quantui.collector.view import Lens
from quantui.market.instruments import Pair, Timeframe
from quantui.text import safe
from quantui.threads import one_thread

COMPUTING = "computing"
_TURN = 20
"""Symbols served before the event loop gets its turn."""


class _Made(NamedTuple):
    """A page, what it is about and what it was made from."""

    about: object
    of: object
    page: Page


@dataclass(slots=True)
class Studies:
    """Keeps the newest page of each kind."""

    desk: Desk
    lens: Lens
    scanned: Callable[[], ScanPage]
    """The newest scan."""
    focus: Callable[[], tuple[Session, Pair]]
    """The session and its pair."""
    watched: Callable[[], Collection[Pair]]
    alerts: Callable[[], Sequence[AlertRow]]
    """Newest first."""
    anew: Mapping[str, Callable[[], Page]]
    """Pages that take no time: made each time they are asked for."""
    _made: dict[str, _Made] = field(default_factory=dict)
    _wanted: set[str] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _worker: ThreadPoolExecutor = field(default_factory=partial(one_thread, "studies"))

    def page(self, name: str) -> Page:
        """The page called `name`, as far as it is known now. Raises `KeyError` where there is none of this name."""
        if name in self.anew:
            return self.anew[name]()
        about, of = self._basis(name)
        made = self._made.get(name)
        if made is not None and (made.about, made.of) == (about, of):
            return made.page
        if name == "scan":
            return self._keep(name, _Made(about, of, self._scan())).page
        self._wanted.add(name)
        self._wake.set()
        return made.page if made is not None and made.about == about else self._empty(name)

    async def run(self) -> None:
        """Make what is wanted until cancelled."""
        makers: Mapping[str, Callable[[], Awaitable[Page]]] = {
            "correlation": partial(self._of_symbols, correlation_page),
            "statistics": partial(self._of_symbols, statistics_page),
            "pair": self._pair,
            "chart": self._chart,
        }
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                name = self._wanted.pop()
                about, of = self._basis(name)
                made = self._made.get(name)
                if made is not None and (made.about, made.of) == (about, of):
                    continue  # it was asked for again while it was being made
                page = await makers[name]()
                if self._basis(name)[0] == about:  # no key was pressed meanwhile
                    self._keep(name, _Made(about, of, page))

    def _keep(self, name: str, made: _Made) -> _Made:
        self._made[name] = made
        return made

    def _basis(self, name: str) -> tuple[object, object]:
        """What a page of this name would be about, and what it would be made from: it changes where the page would."""
        session, pair = self.focus()
        timeframe = Timeframe(session.timeframe)
        if name == "scan":
            scanned = self.scanned()
            return "scan", (scanned, tuple(self.watched()))
        if name in ("correlation", "statistics"):
            rings = [frames[timeframe] for frames in self.desk.frames.values()]
            return (timeframe, session.window, pair), tuple((id(ring), ring.changes) for ring in rings)
        if name in ("pair", "chart"):
            reading = self.desk.readings.get((pair, timeframe))
            marked = max((row.id for row in self.alerts()), default=0) if name == "chart" else 0
            return (pair, timeframe, self.desk.settings), (reading, marked)
        raise KeyError(name)

    def _empty(self, name: str) -> Page:
        session, pair = self.focus()
        about = (safe(pair.label), session.timeframe, session.window, session.estimator, session.space)
        if name == "chart":
            return ChartPage(*about, entry=session.entry, note=COMPUTING)
        if name == "pair":
            return PairPage(*about, note=COMPUTING)
        kind = CorrelationPage if name == "correlation" else StatisticsPage
        return kind(session.timeframe, session.window, note=COMPUTING)

    def _scan(self) -> ScanPage:
        """The newest scan, with the watch list of now."""
        scanned, watched = self.scanned(), {(safe(pair.y.name), safe(pair.x.name)) for pair in self.watched()}
        rows = tuple(
            row if row.is_watched == ((row.y, row.x) in watched) else replace(row, is_watched=not row.is_watched)
            for row in scanned.rows
        )
        return replace(scanned, rows=rows)

    async def _of_symbols(self, make: Callable[[Sequence[SymbolBars], Timeframe, int], Page]) -> Page:
        session, _ = self.focus()
        timeframe = Timeframe(session.timeframe)
        bars: list[SymbolBars] = []
        for number, (symbol, frames) in enumerate(list(self.desk.frames.items()), 1):
            bars.append(SymbolBars.of(frames, timeframe, session.window, self.lens.status(symbol)))
            if number % _TURN == 0:
                await asyncio.sleep(0)
        return await self._beside(partial(make, bars, timeframe, session.window))

    async def _pair(self) -> Page:
        session, pair = self.focus()
        study = PairStudy.of(self.desk, self.lens, pair, Timeframe(session.timeframe))
        return self._waiting("pair") if study is None else await self._beside(study.page)

    async def _chart(self) -> Page:
        session, pair = self.focus()
        study = ChartStudy.of(self.desk, pair, Timeframe(session.timeframe), self.alerts())
        return self._waiting("chart") if study is None else await self._beside(study.page)

    def _waiting(self, name: str) -> Page:
        session, pair = self.focus()
        closes = self.desk.closes(pair, Timeframe(session.timeframe), 1)
        return replace(self._empty(name), note=COMPUTING if closes is not None and len(closes) else "waiting for data")

    async def _beside(self, compute: Callable[[], Page]) -> Page:
        """Compute in a thread, one computation beside the event loop at a time."""
        async with self.desk.turn:
            return await asyncio.get_running_loop().run_in_executor(self._worker, compute)
