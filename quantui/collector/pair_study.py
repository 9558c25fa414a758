"""The page on one pair: the report of `quantui analyze`, and what beta and the cointegration test were at the newest bars."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from quantui.analytics.cointegration import residual_tests
from quantui.analytics.estimators import hedge_line
from quantui.analytics.hedge import fit_line
from quantui.analytics.report import LegBars, ReportSettings, full_report
from quantui.analytics.spread import Space
from quantui.analytics.stationarity import Missing
from quantui.collector.desk import Desk, DeskSettings, Reading
from quantui.collector.drawing import values_of
from quantui.collector.pages import PairPage
from quantui.collector.snapshot import GateView
from quantui.collector.view import Lens
from quantui.market.bars import COLUMNS
from quantui.market.frames import AlignedCloses, Floats, Ints, SymbolFrames
from quantui.market.instruments import Pair, Timeframe
from quantui.text import safe

POINTS = 160
"""Bars of history on the page."""
_HIGH, _LOW, _TURNOVER = (COLUMNS.index(name) for name in ("high", "low", "quote_volume"))
_APART = frozenset({"gates", "missing", "notes", "verdicts", "quality"})
"""Parts of the report that are no numbers, or are taken from the reading."""


@dataclass(frozen=True, slots=True)
class PairStudy:
    """What a page is made from: copied on the event loop, computed beside it."""

    reading: Reading
    settings: DeskSettings
    closes: AlignedCloses
    """Of a window before each bar of the history."""
    legs: tuple[LegBars, LegBars]
    funding: tuple[float, float] | None

    @classmethod
    def of(cls, desk: Desk, lens: Lens, pair: Pair, timeframe: Timeframe) -> "PairStudy | None":
        """What there is now; None before the pair has a reading."""
        reading, window = desk.readings.get((pair, timeframe)), desk.settings.window
        closes = desk.closes(pair, timeframe, window + POINTS - 1)
        if reading is None or closes is None or not len(closes):
            return None
        times = closes.times[-window:]
        y, x = (leg_bars(desk.frames[symbol], timeframe, times) for symbol in (pair.y, pair.x))
        rates = [status.funding.get(symbol) if (status := lens.status(symbol)) else None for symbol in (pair.y, pair.x)]
        funding = None if rates[0] is None or rates[1] is None else (rates[0], rates[1])
        return cls(reading, desk.settings, closes, (y, x), funding)

    def page(self) -> PairPage:
        """The page; numpy only, some 50 ms and a few more for the history."""
        reading, settings, window = self.reading, self.settings, self.settings.window
        pair, timeframe, s = reading.pair, reading.timeframe, reading.statistics
        head = PairPage(
            safe(pair.label), timeframe.value, window, settings.estimator.value, settings.space.value, reading.bar_ms, s.n,
            reading.signal.value, gates=tuple(GateView(g.name, g.ok, g.value, g.limit, g.enabled) for g in reading.gates),
            missing=dict(s.missing),
        )  # fmt: skip
        if s.n < window:
            return head
        report = full_report(
            self.closes.times[-window:],
            self.closes.y[-window:],
            self.closes.x[-window:],
            pair=pair.label,
            venue=pair.y.venue,
            timeframe=timeframe,
            settings=ReportSettings(window, settings.z_window, settings.space, settings.estimator, settings.entry, settings.exit),
            quality={},
            bars=self.legs,
            funding=self.funding,
        )
        beta, error, p_values, residuals = self._history()
        return PairPage(
            head.pair, head.timeframe, window, head.estimator, head.space, head.bar_ms, head.n, head.signal,
            dict(_numbers(report)), _texts(report["verdicts"]), _texts(report["missing"]), _texts(report["notes"]), head.gates,
            values_of(beta), values_of(error), p_values, tuple(residuals.tolist()),
        )  # fmt: skip

    def _history(self) -> tuple[Floats, Floats, tuple[float | None, ...], Floats]:
        """Beta and its error at each bar, the cointegration test's p there, and the residuals of now in order of size."""
        y, x = self.closes.y, self.closes.x
        if self.settings.space is Space.LOG:
            y, x = np.log(y), np.log(x)
        wy, wx = (np.ascontiguousarray(sliding_window_view(leg, self.settings.window)) for leg in (y, x))
        least = fit_line(wy, wx)
        line = hedge_line(self.settings.estimator, wy, wx, least)
        tests = residual_tests(least.residuals, least.r_squared)
        p_values = tuple(None if isinstance(test, Missing) else test.p_value for test in tests)
        residuals = line.residuals[-1]
        scale = float(residuals.std(ddof=1))
        ordered = np.sort((residuals - residuals.mean()) / scale) if scale > 0 else np.empty(0)
        return line.beta, line.beta_se, p_values, ordered


def leg_bars(frames: SymbolFrames, timeframe: Timeframe, times: Ints) -> LegBars:
    """What the bars of a leg at those times hold beside closes; turnover that is not known is NaN."""
    ring, instrument = frames[timeframe], frames.instrument
    rows = ring.rows[np.searchsorted(ring.times, times)]
    unit, turnover = 10**instrument.price_decimals, rows[:, _TURNOVER].astype(np.float64)
    turnover = np.where(turnover >= 0, turnover / 10**instrument.quote_decimals, np.nan)
    return LegBars(rows[:, _HIGH] / unit, rows[:, _LOW] / unit, turnover)


def _numbers(value: Mapping[str, object], path: str = "") -> Iterator[tuple[str, float | None]]:
    """Every number of the report by its path."""
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        if not path and name in _APART:
            continue
        if isinstance(item, list | tuple):
            yield from _numbers({str(place): each for place, each in enumerate(item)}, where)
        elif isinstance(item, Mapping):
            yield from _numbers(item, where)
        elif item is None:
            yield where, None
        elif isinstance(item, int | float):
            yield where, float(item) if math.isfinite(item) else None


def _texts(value: object) -> dict[str, str]:
    return {str(name): safe(str(text)) for name, text in value.items()} if isinstance(value, Mapping) else {}
