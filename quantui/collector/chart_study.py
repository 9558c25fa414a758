"""The chart of a pair: candles of both legs, and spread, z-score and hedge ratio as they were published at each bar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantui.analytics.spread import pair_history
from quantui.collector.desk import Desk, DeskSettings, Reading
from quantui.collector.drawing import SLOW, values_of
from quantui.collector.pages import Candles, ChartPage, Mark
from quantui.collector.snapshot import AlertRow
from quantui.market.bars import COLUMNS
from quantui.market.frames import AlignedCloses, Ints, SymbolFrames
from quantui.market.instruments import Pair, Timeframe
from quantui.text import safe

POINTS = 480
"""Bars of the chart."""
SLOW_POINTS = 160
"""The same where the estimator takes milliseconds a bar."""
_PRICES = tuple(COLUMNS.index(name) for name in ("open", "high", "low", "close"))
_VOLUME = COLUMNS.index("volume")


@dataclass(frozen=True, slots=True)
class ChartStudy:
    """What a chart is made from: copied on the event loop, computed beside it."""

    reading: Reading
    settings: DeskSettings
    closes: AlignedCloses
    """Of a window before each bar of the chart."""
    legs: tuple[Candles, Candles]
    marks: tuple[Mark, ...]

    @classmethod
    def of(cls, desk: Desk, pair: Pair, timeframe: Timeframe, alerts: Sequence[AlertRow]) -> "ChartStudy | None":
        """What there is now; None before the pair has a reading."""
        reading, settings = desk.readings.get((pair, timeframe)), desk.settings
        points = SLOW_POINTS if settings.estimator in SLOW else POINTS
        closes = desk.closes(pair, timeframe, settings.window + points - 1)
        if reading is None or closes is None or not len(closes):
            return None
        times = closes.times[-points:]
        y, x = (_candles(desk.frames[symbol], timeframe, times) for symbol in (pair.y, pair.x))
        label = safe(pair.label)
        marks = tuple(Mark(row.time_ms, row.text) for row in alerts if row.pair == label and row.time_ms >= times[0])
        return cls(reading, settings, closes, (y, x), marks)

    def page(self) -> ChartPage:
        """The page; some ten milliseconds, a second where the estimator is slow."""
        settings, reading = self.settings, self.reading
        points = len(self.legs[0].close)
        history = pair_history(
            self.closes.y,
            self.closes.x,
            window=settings.window,
            z_window=settings.z_window,
            last=points,
            space=settings.space,
            estimator=settings.estimator,
        )
        return ChartPage(
            safe(reading.pair.label),
            reading.timeframe.value,
            settings.window,
            settings.estimator.value,
            settings.space.value,
            settings.entry,
            reading.bar_ms,
            tuple(self.closes.times[-points:].tolist()),
            *self.legs,
            values_of(history.spread),
            values_of(history.zscore),
            values_of(history.beta),
            self.marks,
        )


def _candles(frames: SymbolFrames, timeframe: Timeframe, times: Ints) -> Candles:
    ring, instrument = frames[timeframe], frames.instrument
    rows = ring.rows[np.searchsorted(ring.times, times)]
    opens, high, low, close = (tuple((rows[:, column] / 10**instrument.price_decimals).tolist()) for column in _PRICES)
    volume = tuple((rows[:, _VOLUME] / 10**instrument.quantity_decimals).tolist())
    return Candles(safe(instrument.symbol.name), instrument.price_decimals, opens, high, low, close, volume)
