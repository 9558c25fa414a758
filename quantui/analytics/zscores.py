"""Other ways to say how unusual a spread is, and how often it comes back.

Every one is of the last value of a spread (n,) with fixed coefficients, from values up to it; None where it does not vary.
"""

import math

import numpy as np

from quantui.analytics.hedge import ROUNDING
from quantui.analytics.ou import OrnsteinUhlenbeck
from quantui.analytics.spread import spread_moments
from quantui.market.frames import Floats

_MAD = 0.6744897501960817
"""Median of |N(0, 1)|."""


def rolling_z(spread: Floats, z_window: int) -> float | None:
    """In standard deviations (ddof = 1) from the mean of the last `z_window` values."""
    moments = spread_moments(spread, z_window, ROUNDING * float(np.abs(spread).max()))
    return float(moments.zscore) if math.isfinite(float(moments.std)) else None


def ewma_z(spread: Floats, half_life: float) -> float | None:
    """From the exponentially weighted mean, in the weighted standard deviation: a value `half_life` bars old counts half.

    The variance is freed of its bias by 1 - sum of squared weights, as ddof = 1 does for equal ones.
    """
    weights = 0.5 ** (np.arange(len(spread) - 1, -1, -1) / half_life)
    weights /= weights.sum()
    mean = float(weights @ spread)
    deviations = spread - mean
    variance = float(weights @ (deviations * deviations)) / (1.0 - float(weights @ weights))
    return float(deviations[-1]) / math.sqrt(variance) if variance > (ROUNDING * mean) ** 2 else None


def robust_z(spread: Floats) -> float | None:
    """From the median, in median absolute deviations made to agree with the standard deviation of normal values."""
    deviations = spread - np.median(spread)
    scale = float(np.median(np.abs(deviations))) / _MAD
    return float(deviations[-1]) / scale if scale > 0.0 else None


def ou_z(spread: Floats, process: OrnsteinUhlenbeck) -> float:
    """From the level the process reverts to, in its long-run standard deviation."""
    return (float(spread[-1]) - process.theta) / process.equilibrium_sd


def zero_crossings(spread: Floats) -> int:
    """How often the spread crosses its mean; a value exactly on it belongs to the side before."""
    signs = np.sign(spread - spread.mean())
    signs = signs[signs != 0]
    return int(np.count_nonzero(signs[1:] != signs[:-1]))


def expected_crossings(phi: float, n: int) -> float:
    """Crossings of n values of a normal autoregression of coefficient phi about its mean: (n - 1) arccos(phi) / pi."""
    return (n - 1) * math.acos(min(1.0, max(-1.0, phi))) / math.pi
