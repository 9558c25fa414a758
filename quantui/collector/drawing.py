"""The lines of the monitor's charts: every point is what was published at its bar.

A new bar adds its reading. A whole line is made at once where its estimator is quick; a slow one's is made beside the event
loop, and until then the line has prices only.
"""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from quantui.analytics.estimators import Estimator
from quantui.analytics.spread import pair_history
from quantui.collector.desk import Desk, DeskSettings, Reading
from quantui.collector.snapshot import SeriesView
from quantui.market.frames import AlignedCloses, Floats
from quantui.market.instruments import Pair, Timeframe
from quantui.threads import one_thread

SLOW: Final = frozenset({Estimator.HUBER, Estimator.THEIL_SEN, Estimator.KALMAN})
"""A millisecond and more for each point."""
_SIZES = 4


class _Drawn(NamedTuple):
    """The newest lines, and what they were made from."""

    reading: Reading
    settings: DeskSettings
    series: SeriesView


class _Wanted(NamedTuple):
    """Lines to be made beside the loop."""

    reading: Reading
    settings: DeskSettings
    closes: AlignedCloses


@dataclass(slots=True)
class Drawing:
    """Keeps the newest lines of each length that screens ask for."""

    desk: Desk
    _series: dict[int, _Drawn] = field(default_factory=dict)
    """By number of points: screens of different sizes do not take turns in computing."""
    _wanted: dict[int, _Wanted] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _worker: ThreadPoolExecutor = field(default_factory=partial(one_thread, "drawing"))

    def series(self, pair: Pair, timeframe: Timeframe, points: int) -> SeriesView:
        """The lines of a pair, `points` long at most."""
        reading, settings = self.desk.readings.get((pair, timeframe)), self.desk.settings
        if reading is None:
            return SeriesView()
        drawn = self._series.get(points)
        if drawn is not None and drawn.settings is settings:
            if drawn.reading is reading:
                return drawn.series
            if _follows(drawn.reading, reading):
                return self._keep(points, _Drawn(reading, settings, _extended(drawn.series, reading, points)))
        closes = self.desk.closes(pair, timeframe, settings.window + points)
        if closes is None or not len(closes):
            return SeriesView()
        if settings.estimator in SLOW:
            if points not in self._wanted:
                self._wanted[points] = _Wanted(reading, settings, closes)
                self._wake.set()
            return _prices(closes, points)
        return self._keep(points, _Drawn(reading, settings, lines_of(settings, closes, points)))

    async def run(self) -> None:
        """Make slow lines until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for points, (reading, settings, closes) in list(self._wanted.items()):
                if settings is self.desk.settings:
                    async with self.desk.turn:
                        loop = asyncio.get_running_loop()
                        series = await loop.run_in_executor(self._worker, lines_of, settings, closes, points)
                    self._keep(points, _Drawn(reading, settings, series))
                self._wanted.pop(points)

    def _keep(self, points: int, drawn: _Drawn) -> SeriesView:
        if len(self._series) >= _SIZES:
            self._series.clear()
        self._series[points] = drawn
        return drawn.series


def _follows(before: Reading, reading: Reading) -> bool:
    """The reading is the next bar of the same line: no earlier point has changed."""
    same = (before.pair, before.timeframe) == (reading.pair, reading.timeframe)
    return same and reading.bar_ms - before.bar_ms == reading.timeframe.ms


def _extended(series: SeriesView, reading: Reading, points: int) -> SeriesView:
    s = reading.statistics
    return SeriesView(
        open_ms=(*series.open_ms, reading.bar_ms)[-points:],
        y=(*series.y, reading.price_y)[-points:],
        x=(*series.x, reading.price_x)[-points:],
        spread=(*series.spread, s.spread)[-points:],
        zscore=(*series.zscore, s.zscore)[-points:],
        correlation=(*series.correlation, s.correlation)[-points:],
    )


def _prices(closes: AlignedCloses, points: int) -> SeriesView:
    """Lines of which only the prices are known yet."""
    times = closes.times[-points:].tolist()
    nothing = (None,) * len(times)
    y, x = tuple(closes.y[-points:].tolist()), tuple(closes.x[-points:].tolist())
    return SeriesView(tuple(times), y, x, nothing, nothing, nothing)


def lines_of(settings: DeskSettings, closes: AlignedCloses, points: int) -> SeriesView:
    """The lines of these closes, `points` long at most; pure."""
    history = pair_history(
        closes.y,
        closes.x,
        window=settings.window,
        z_window=settings.z_window,
        last=points,
        space=settings.space,
        estimator=settings.estimator,
    )
    return SeriesView(
        open_ms=tuple(closes.times[-points:].tolist()),
        y=tuple(closes.y[-points:].tolist()),
        x=tuple(closes.x[-points:].tolist()),
        spread=values_of(history.spread),
        zscore=values_of(history.zscore),
        correlation=values_of(history.correlation),
    )


def values_of(array: Floats) -> tuple[float | None, ...]:
    """As a document holds them: None where there is no number."""
    return tuple(value if math.isfinite(value) else None for value in array.tolist())
