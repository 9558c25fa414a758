"""Statistics of every watched pair and timeframe, once for each closed bar, in slices beside the event loop."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from quantui.analytics.gates import Gate, GateSettings, gates
from quantui.analytics.pair import PairStatistics, pair_statistics
from quantui.analytics.signal import Signal, next_signal, signal_history
from quantui.analytics.spread import Space, pair_history
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import AlignedCloses, Floats, Ints, SymbolFrames, aligned_closes
from quantui.market.instruments import Pair, Symbol, Timeframe

SLICE = 8
"""Windows computed at once, in a thread."""
CATCH_UP = 256
"""Closed bars computed one by one after a pause; of more, only the newest."""
_DAY_MS = 86_400_000
_STATE, _TURNOVER = COLUMNS.index("state"), COLUMNS.index("quote_volume")


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
    every_bar: bool = False
    """A recording: every bar is published, however fast they come; live, a pause is caught up within `CATCH_UP`."""
    _due: dict[Timeframe, set[Symbol]] = field(default_factory=dict)

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
            work = (job for pair in self.pairs if pair.y in symbols or pair.x in symbols for job in self._jobs(pair, timeframe))
            try:
                while jobs := list(islice(work, SLICE)):
                    settings, before = self.settings, dict(self.readings)
                    readings = await asyncio.to_thread(_compute, settings, timeframe, jobs, before)
                    if settings is not self.settings:
                        return  # a key was pressed meanwhile: everything is due anew
                    self.readings.update({(reading.pair, timeframe): reading for reading in readings})
                    yield readings
            except BaseException:  # cancelled half way: what was not computed is still due
                self._due.setdefault(timeframe, set()).update(symbols)
                raise

    def closes(self, pair: Pair, timeframe: Timeframe, last: int) -> AlignedCloses | None:
        """The newest shared closed bars of a pair; None while a leg is unknown."""
        y, x = self.frames.get(pair.y), self.frames.get(pair.x)
        return aligned_closes(y, x, timeframe, last) if y and x else None

    def _jobs(self, pair: Pair, timeframe: Timeframe) -> Iterator["_Job"]:
        """One job for each bar to publish: the new ones, or the newest again where it was revised."""
        window = self.settings.window
        reach = self.frames[pair.y][timeframe].capacity if self.every_bar and pair.y in self.frames else CATCH_UP
        closes = self.closes(pair, timeframe, window + reach - 1)
        if closes is None or not len(closes):
            return
        before = self.readings.get((pair, timeframe))
        new = len(closes) - int(np.searchsorted(closes.times, before.bar_ms, side="right")) if before else len(closes)
        if new >= reach or (before is None and not self.every_bar):
            new = 1
        for end in range(len(closes) - max(new, 1) + 1, len(closes) + 1):
            start = max(0, end - window)
            bar_end = int(closes.times[end - 1]) + timeframe.ms
            legs = (self.frames[pair.y], self.frames[pair.x])
            gaps = sum(_gaps(leg[timeframe].between(int(closes.times[start]), bar_end)) for leg in legs)
            yield _Job(pair, closes, start, end, gaps, turnover_of(*legs, bar_end))


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
    turnovers = [_turnover(y, until_ms), _turnover(x, until_ms)]
    known = [turnover for turnover in turnovers if turnover is not None]
    return min(known) if len(known) == len(turnovers) else None


def _turnover(frames: SymbolFrames, until_ms: int) -> float | None:
    """Of the hours of the last day, or of its minutes where there is no hour yet; less than a day is extrapolated."""
    for timeframe in (Timeframe.H1, Timeframe.M1):
        rows = frames[timeframe].between(until_ms - _DAY_MS, until_ms - timeframe.ms + 1)
        if len(rows):
            turnover = rows[:, _TURNOVER].astype(np.float64)
            span = int(rows[-1, 0] - rows[0, 0]) + timeframe.ms
            scale = 10**frames.instrument.quote_decimals
            return float(turnover.sum()) / scale * _DAY_MS / span if (turnover >= 0).all() else None
    return None


def _gaps(rows: Ints) -> int:
    return int(np.count_nonzero(rows[:, _STATE] == BarState.GAP))


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
            y, x, window=settings.window, bar_ms=timeframe.ms, z_window=settings.z_window, space=settings.space
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
    certified = int(np.count_nonzero(states == BarState.CERTIFIED))
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
    history = pair_history(
        job.closes.y[: job.end],
        job.closes.x[: job.end],
        window=settings.window,
        z_window=settings.z_window,
        last=CATCH_UP,
        space=settings.space,
    )
    return signal_history([z if np.isfinite(z) else None for z in history.zscore.tolist()], *levels)[-1]
