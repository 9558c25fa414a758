"""The variance-ratio test: does the variance of a move over q bars grow q times, as a random walk's does?

Below 1, moves tend to be undone; above, continued. Lo & MacKinlay, Review of Financial Studies 1 (1988): overlapping, without the
small-sample bias, and with the z statistic that holds where the size of moves changes over time. Equals arch's `VarianceRatio`.
"""

import math
from dataclasses import dataclass

import numpy as np

from quantui.analytics.hedge import ROUNDING
from quantui.analytics.stationarity import Missing
from quantui.market.frames import Floats

HORIZONS = (2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class VarianceRatio:
    """The test at one horizon."""

    horizon: int
    """q, bars."""
    ratio: float
    z: float
    p_value: float
    """Two-sided, normal."""


def variance_ratios(series: Floats, horizons: tuple[int, ...] = HORIZONS) -> list[VarianceRatio] | Missing:
    """The test of a series of levels (n,) at every horizon.

    Several horizons are several tests: of four at 5 %, one in six random walks fails one by chance.
    """
    n = len(series)
    if n < 2 * max(horizons) + 2:
        return Missing(f"{n}/{2 * max(horizons) + 2} bars")
    if not np.isfinite(series).all():
        return Missing("values are missing")
    steps = np.diff(series)
    moves = steps - steps.mean()
    if float(np.abs(moves).max()) <= ROUNDING * float(np.abs(series).max()):
        return Missing("series moves evenly or not at all")
    return [_ratio(series, moves, float(steps.mean()), horizon) for horizon in horizons]


def _ratio(series: Floats, moves: Floats, drift: float, q: int) -> VarianceRatio:
    n = len(moves)
    squares = moves * moves
    total = float(squares.sum())
    long = series[q:] - series[:-q] - q * drift
    ratio = float(long @ long) / (q * (n - q + 1) * (1.0 - q / n)) / (total / (n - 1))
    weights = (4.0 * (1.0 - lag / q) ** 2 * float(squares[lag:] @ squares[:-lag]) for lag in range(1, q))
    variance = n * sum(weights) / total**2
    z = math.sqrt(n) * (ratio - 1.0) / math.sqrt(variance) if variance > 0.0 else math.nan
    return VarianceRatio(q, ratio, z, math.erfc(abs(z) / math.sqrt(2.0)))
