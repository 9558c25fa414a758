"""Statistics of every watched pair and timeframe, once for each closed bar, in slices beside the event loop.

What the loop itself does for a pair, collecting its closes and handing its reading on, is done for a few pairs at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import numpy as np

from quantui.analytics.estimators import Estimator
from quantui.analytics.gates import Gate, GateSettings, gates
from quantui.analytics.pair import PairStatistics, pair_statistics
from quantui.analytics.signal import Signal, next_signal, signal_history
from quantui.analytics.spread import Space, pair_history
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import AlignedCloses, Floats, SymbolFrames, aligned_closes
from quantui.market.instruments import Pair, Symbol, Timeframe
from quantui.threads import one_thread

SLICE = 128
"""Windows computed at once, in a thread: many share the cost of each array operation."""
TURN = 4
"""Pairs served before the event loop gets its turn: well under a millisecond."""
CATCH_UP = 256
"""Closed bars computed one by one after a pause; of more, only the newest."""
_REACHES = (32, CATCH_UP)
"""Bars looked back for where a signal's state began: first a few, since some estimators take a millisecond each."""
_DAY_MS = 86_400_000
_STATE, _TURNOVER = COLUMNS.index("state"), COLUMNS.index("quote_volume")
_CERTIFIED, _GAP = int(BarState.CERTIFIED), int(BarState.GAP)


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the statistics are computed with."""

    window: int
    z_window: int
    entry: float
    exit: float
    stop: float
    space: Space
    gates: GateSettings
    estimator: Estimator = Estimator.OLS


@dataclass(frozen=True, slots=True)
class Reading:
    """A pair at one closed bar, as published."""

    pair: Pair
    timeframe: Timeframe
    bar_ms: int
    price_y: float
    price_x: float
    statistics: PairStatistics
    gates: tuple[Gate, ...]
    signal: Signal
    certified: int
    """Bars of the window proven by the exchange."""
    provisional: int
    gaps: int = 0
    """Bars of both legs in the window's time that were left out, since their trades are missing."""


@dataclass(slots=True)
class Desk:
    """Keeps the newest reading of every pair and timeframe."""

    pairs: Sequence[Pair]
    settings: DeskSettings
    frames: dict[Symbol, SymbolFrames] = field(default_factory=dict)
    """What there is of the legs; filled by the collector as symbols become known."""
    readings: dict[tuple[Pair, Timeframe], Reading] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a slice is computed: one thread beside the event loop at a time leaves it a core of two."""
    every_bar: bool = False
    """A recording: every bar is published, however fast they come; live, a pause is caught up within `CATCH_UP`."""
    _due: dict[Timeframe, set[Symbol]] = field(default_factory=dict)
    _worker: ThreadPoolExecutor = field(default_factory=partial(one_thread, "statistics"))

    def mark(self, symbol: Symbol, timeframe: Timeframe) -> None:
        """A bar of the symbol was closed or revised."""
        self._due.setdefault(timeframe, set()).add(symbol)

    def change(self, settings: DeskSettings) -> None:
        """Use other settings: everything is computed anew from the frames."""
        self.settings = settings
        self.readings.clear()
        for timeframe in Timeframe:
            self._due[timeframe] = set(self.frames)

    @property
    def is_settled(self) -> bool:
        """Nothing waits to be computed."""
        return not any(self._due.values())

    async def settle(self) -> AsyncIterator[list[Reading]]:
        """Compute what is due, a slice at a time; the new readings come oldest bar first within a pair."""
        for timeframe in [timeframe for timeframe in Timeframe if self._due.get(timeframe)]:
            symbols = self._due.pop(timeframe)
            settings, legs = self.settings, _Legs(self.frames, timeframe)
            work = (
                job for pair in self.pairs if pair.y in symbols or pair.x in symbols for job in self._jobs(pair, timeframe, legs)
            )
            try:
                while jobs := await _gathered(work):
                    async with self.turn:
                        loop, before = asyncio.get_running_loop(), dict(self.readings)
                        readings = await loop.run_in_executor(self._worker, _compute, settings, timeframe, jobs, before)
                    for start in range(0, len(readings), TURN):
                        if settings is not self.settings:
                            return  # a key was pressed meanwhile: everything is due anew
                        part = readings[start : start + TURN]
                        self.readings.update({(reading.pair, timeframe): reading for reading in part})
                        yield part
                        await asyncio.sleep(0)
            except BaseException:  # cancelled half way: what was not computed is still due
                self._due.setdefault(timeframe, set()).update(symbols)
                raise

    def settle_at_once(self, timeframe: Timeframe) -> None:
        """The newest reading of every pair, here and now: for a desk that no event loop waits for."""
        legs = _Legs(self.frames, timeframe)
        jobs = [job for pair in self.pairs for job in self._jobs(pair, timeframe, legs)]
        if jobs:
            readings = _compute(self.settings, timeframe, jobs, {})
            self.readings.update({(reading.pair, timeframe): reading for reading in readings})

    def closes(self, pair: Pair, timeframe: Timeframe, last: int) -> AlignedCloses | None:
        """The newest shared closed bars of a pair; None while a leg is unknown."""
        y, x = self.frames.get(pair.y), self.frames.get(pair.x)
        return aligned_closes(y, x, timeframe, last) if y and x else None

    def _jobs(self, pair: Pair, timeframe: Timeframe, legs: "_Legs") -> Iterator["_Job"]:
        """One job for each bar to publish: the new ones, or the newest again where it was revised."""
        window, before = self.settings.window, self.readings.get((pair, timeframe))
        closes = self.closes(pair, timeframe, window + 1)
        if closes is None or not len(closes):
            return
        reach, new = CATCH_UP, 1
        if before is None or before.bar_ms not in closes.times[-2:].tolist():  # not just the next bar: look further back
            if self.every_bar:
                reach = self.frames[pair.y][timeframe].capacity
            closes = self.closes(pair, timeframe, window + reach - 1) or closes
            new = len(closes) - int(np.searchsorted(closes.times, before.bar_ms, side="right")) if before else len(closes)
            if new >= reach or (before is None and not self.every_bar):
                new = 1
        for end in range(len(closes) - max(new, 1) + 1, len(closes) + 1):
            start = max(0, end - window)
            bar_end = int(closes.times[end - 1]) + timeframe.ms
            gaps = legs.gaps(pair, int(closes.times[start]), bar_end)
            yield _Job(pair, closes, start, end, gaps, legs.turnover(pair, bar_end))


async def _gathered(work: Iterator["_Job"]) -> list["_Job"]:
    """The next slice of jobs, made a few at a time."""
    jobs: list[_Job] = []
    while len(jobs) < SLICE and (part := list(islice(work, TURN))):
        jobs += part
        await asyncio.sleep(0)
    return jobs


@dataclass(slots=True)
class _Legs:
    """What the jobs of one turn ask of single legs: each answer serves all pairs that share the leg."""

    frames: Mapping[Symbol, SymbolFrames]
    timeframe: Timeframe
    _gaps: dict[tuple[Symbol, int, int], int] = field(default_factory=dict)
    _turnovers: dict[tuple[Symbol, int], float | None] = field(default_factory=dict)

    def gaps(self, pair: Pair, start_ms: int, end_ms: int) -> int:
        """Bars of both legs that are marked GAP in [start_ms, end_ms)."""
        return self._leg_gaps(pair.y, start_ms, end_ms) + self._leg_gaps(pair.x, start_ms, end_ms)

    def turnover(self, pair: Pair, until_ms: int) -> float | None:
        """As `turnover_of`."""
        return _thinner(self._leg_turnover(pair.y, until_ms), self._leg_turnover(pair.x, until_ms))

    def _leg_gaps(self, symbol: Symbol, start_ms: int, end_ms: int) -> int:
        key = symbol, start_ms, end_ms
        if key not in self._gaps:
            rows = self.frames[symbol][self.timeframe].between(start_ms, end_ms)
            self._gaps[key] = int(np.count_nonzero(rows[:, _STATE] == _GAP))
        return self._gaps[key]

    def _leg_turnover(self, symbol: Symbol, until_ms: int) -> float | None:
        key = symbol, until_ms
        if key not in self._turnovers:
            self._turnovers[key] = turnover_a_day(self.frames[symbol], until_ms)
        return self._turnovers[key]


@dataclass(frozen=True, slots=True)
class _Job:
    """One window of one pair."""

    pair: Pair
    closes: AlignedCloses
    start: int
    end: int
    gaps: int
    turnover: float | None

    @property
    def y(self) -> Floats:
        return self.closes.y[self.start : self.end]

    @property
    def x(self) -> Floats:
        return self.closes.x[self.start : self.end]


def turnover_of(y: SymbolFrames, x: SymbolFrames, until_ms: int) -> float | None:
    """Quote turnover a day of the thinner leg before `until_ms`; None where that of one is not known."""
    return _thinner(turnover_a_day(y, until_ms), turnover_a_day(x, until_ms))


def _thinner(y: float | None, x: float | None) -> float | None:
    return None if y is None or x is None else min(y, x)


def turnover_a_day(frames: SymbolFrames, until_ms: int) -> float | None:
    """Quote turnover of a day's hours before `until_ms`, or of its minutes where there is no hour yet; less is extrapolated."""
    for timeframe in (Timeframe.H1, Timeframe.M1):
        rows = frames[timeframe].between(until_ms - _DAY_MS, until_ms - timeframe.ms + 1)
        if len(rows):
            turnover = rows[:, _TURNOVER].astype(np.float64)
            span = int(rows[-1, 0] - rows[0, 0]) + timeframe.ms
            scale = 10**frames.instrument.quote_decimals
            return float(turnover.sum()) / scale * _DAY_MS / span if (turnover >= 0).all() else None
    return None


def _compute(
    settings: DeskSettings, timeframe: Timeframe, jobs: Sequence[_Job], before: dict[tuple[Pair, Timeframe], Reading]
) -> list[Reading]:
    """The readings of a slice; pure, runs beside the event loop."""
    found: dict[int, PairStatistics] = {}
    for length in {job.end - job.start for job in jobs}:
        alike = [index for index, job in enumerate(jobs) if job.end - job.start == length]
        y = np.stack([jobs[index].y for index in alike])
        x = np.stack([jobs[index].x for index in alike])
        results = pair_statistics(
            y,
            x,
            window=settings.window,
            bar_ms=timeframe.ms,
            z_window=settings.z_window,
            space=settings.space,
            estimator=settings.estimator,
        )
        found.update(zip(alike, results, strict=True))
    readings = []
    for index, job in enumerate(jobs):
        reading = _reading(settings, timeframe, job, found[index], before.get((job.pair, timeframe)))
        before[job.pair, timeframe] = reading
        readings.append(reading)
    return readings


def _reading(
    settings: DeskSettings, timeframe: Timeframe, job: _Job, statistics: PairStatistics, before: Reading | None
) -> Reading:
    states = job.closes.state[job.start : job.end]
    certified = int(np.count_nonzero(states == _CERTIFIED))
    return Reading(
        pair=job.pair,
        timeframe=timeframe,
        bar_ms=int(job.closes.times[job.end - 1]),
        price_y=float(job.y[-1]),
        price_x=float(job.x[-1]),
        statistics=statistics,
        gates=gates(statistics, settings.gates, job.turnover),
        signal=_signal(settings, job, statistics, before),
        certified=certified,
        provisional=len(states) - certified,
        gaps=job.gaps,
    )


def _signal(settings: DeskSettings, job: _Job, statistics: PairStatistics, before: Reading | None) -> Signal:
    """The next state; without a state right before this bar it is found again from the bars before."""
    levels = settings.entry, settings.exit, settings.stop
    times = job.closes.times
    if before is not None and job.end >= 2 and before.bar_ms == times[job.end - 2]:
        return next_signal(before.signal, statistics.zscore, *levels)
    if before is not None and before.bar_ms == times[job.end - 1]:
        return before.signal
    if statistics.zscore is None:
        return Signal.NONE
    if abs(statistics.zscore) >= settings.entry:
        return next_signal(Signal.NONE, statistics.zscore, *levels)
    zscores: list[float] = []
    for last in _REACHES:
        history = pair_history(
            job.closes.y[: job.end],
            job.closes.x[: job.end],
            window=settings.window,
            z_window=settings.z_window,
            last=last,
            space=settings.space,
            estimator=settings.estimator,
        )
        zscores = history.zscore.tolist()
        # Beyond the entry a state begins, within the exit any ends: what was before does not matter.
        if any(abs(z) >= settings.entry or abs(z) <= settings.exit for z in zscores[:-1]):
            break
    return signal_history(zscores, *levels)[-1]
