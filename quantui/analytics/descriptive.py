"""What a price series looks like: moments, change and volatility."""

import math
from dataclasses import dataclass

import numpy as np

from quantui.analytics.hedge import ROUNDING
from quantui.analytics.spread import volatility
from quantui.analytics.stationarity import Missing
from quantui.market.frames import Floats

_YEAR_MS = 365 * 86_400_000
MIN_BARS = 4


@dataclass(frozen=True, slots=True)
class PriceStatistics:
    """Of the closes of a window; skewness and kurtosis also of its log returns."""

    last: float
    mean: float
    median: float
    std: float
    """ddof = 1."""
    low: float
    """Lowest close; `high` the highest."""
    high: float
    change: float
    """Last close over the first, less 1."""
    skew: float | None
    """None where the closes do not vary; so are the three below for returns."""
    kurtosis: float | None
    """In excess of the normal distribution's, as skewness of the population, without small-sample correction."""
    return_skew: float | None
    return_kurtosis: float | None


def price_statistics(closes: Floats) -> PriceStatistics | Missing:
    """Statistics of closes (n,), oldest first."""
    if len(closes) < MIN_BARS:
        return Missing(f"{len(closes)}/{MIN_BARS} bars")
    if not (np.isfinite(closes) & (closes > 0)).all():
        return Missing("a close is missing or is no price")
    skew, kurtosis = _shape(closes)
    return_skew, return_kurtosis = _shape(np.diff(np.log(closes)))
    return PriceStatistics(
        float(closes[-1]), float(closes.mean()), float(np.median(closes)), float(closes.std(ddof=1)), float(closes.min()),
        float(closes.max()), float(closes[-1] / closes[0]) - 1.0, skew, kurtosis, return_skew, return_kurtosis,
    )  # fmt: skip


def close_volatility(closes: Floats, bar_ms: int) -> float:
    """Standard deviation of log returns of closes (n,), annualised with 365 days."""
    return float(volatility(np.diff(np.log(closes)), bar_ms))


def parkinson_volatility(high: Floats, low: Floats, bar_ms: int) -> float:
    """From the range of each bar (n,), annualised with 365 days (Parkinson, Journal of Business 53, 1980).

    Five times as precise as closes where trading is continuous; too low where bars hold few trades, which miss the true range.
    """
    ranges = np.log(high / low)
    return math.sqrt(float((ranges * ranges).mean()) / (4.0 * math.log(2.0)) * _YEAR_MS / bar_ms)


def _shape(values: Floats) -> tuple[float | None, float | None]:
    """Skewness and excess kurtosis."""
    deviations = values - values.mean()
    squares = deviations * deviations
    variance = float(squares.mean())
    if variance <= (ROUNDING * float(np.abs(values).max())) ** 2:
        return None, None
    return float((squares * deviations).mean()) / variance**1.5, float((squares * squares).mean()) / variance**2 - 3.0
