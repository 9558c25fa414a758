"""The Hurst exponent by rescaled range, corrected for what small samples do to it.

The plain slope of log R/S on log n is far above 0.5 for white noise in short samples, and the usual lagged-difference form far
below it (a random walk of 101 bars: 0.26). Here the expected R/S of white noise (Anis & Lloyd 1976) is taken off first, so that
0.5 means what it says: below, moves tend to be undone; above, continued. Simulated on white-noise increments: mean 0.49-0.50,
standard deviation 0.08 at 128 values, 0.06 at 239, 0.04 at 500: a value within 0.13 of 0.5 proves nothing in a window of 240.
`null_band` says how far from 0.5 a random walk of the same length gets.
"""

import math
from functools import lru_cache

import numpy as np

from quantui.analytics.stationarity import Missing
from quantui.market.frames import Floats

SMALLEST_BLOCK = 8
MIN_INCREMENTS = 128
"""Four block sizes (8 to 64), the largest with two blocks."""
_WALKS = 1000
_SEED = 20260101


def hurst(increments: Floats) -> float | Missing:
    """Hurst exponent of a series from its increments (n,), such as the differences of a spread."""
    n = len(increments)
    if n < MIN_INCREMENTS:
        return Missing(f"{n}/{MIN_INCREMENTS} increments")
    if not np.isfinite(increments).all():
        return Missing("values are missing")
    exponent = float(_exponents(increments))
    return exponent if math.isfinite(exponent) else Missing("series is constant over long stretches")


@lru_cache(maxsize=64)
def null_band(n: int) -> tuple[float, float]:
    """The 5 % and 95 % quantiles of `hurst` over random walks of n normal increments, n >= `MIN_INCREMENTS`; always the same."""
    walks = np.random.default_rng(_SEED).normal(size=(_WALKS, n))
    low, high = np.quantile(_exponents(walks), (0.05, 0.95))
    return float(low), float(high)


def hurst_of_lags(series: Floats, lags: range = range(2, 100)) -> float | Missing:
    """The widespread form: twice the slope of log sqrt(std(s_(i+k) - s_i)) on log k. For comparison with others only.

    On levels that revert it counts every lag beyond the half-life as anti-persistence, and in short samples a value below 0.5 means
    nothing: a random walk of 240 values has 0.35 on average.
    """
    if len(series) < lags.stop + 1:
        return Missing(f"{len(series)}/{lags.stop + 1} bars")
    spreads = np.array([np.std(series[lag:] - series[:-lag]) for lag in lags])
    if not (spreads > 0).all():
        return Missing("series is constant or has missing values")
    return 2.0 * slope(np.log(lags), 0.5 * np.log(spreads))


def _exponents(increments: Floats) -> Floats:
    """(...,) exponents of increments (..., n); NaN where no block of some size varies."""
    sizes = block_sizes(increments.shape[-1] // 2)
    excess = [np.log(rescaled_range(increments, size)) - math.log(expected_rescaled_range(size)) for size in sizes]
    deviation = np.log(sizes) - np.log(sizes).mean()
    exponents: Floats = 0.5 + np.stack(excess, -1) @ deviation / float(deviation @ deviation)
    return exponents


def block_sizes(largest: int) -> list[int]:
    """8, 16, 32, ... up to `largest`."""
    return [SMALLEST_BLOCK << power for power in range(max(0, (largest // SMALLEST_BLOCK).bit_length()))]


def rescaled_range(increments: Floats, size: int) -> Floats:
    """(...,) mean R/S of the whole blocks of `size` of increments (..., n), sigma with ddof = 0; NaN where no block varies."""
    count = increments.shape[-1] // size
    blocks = increments[..., : count * size].reshape(*increments.shape[:-1], count, size)
    deviations = blocks - blocks.mean(-1, keepdims=True)
    reach, sigma = np.ptp(np.cumsum(deviations, axis=-1), axis=-1), np.sqrt((deviations * deviations).mean(-1))
    varies = sigma > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ranges: Floats = np.where(varies, reach / sigma, 0.0).sum(-1) / varies.sum(-1)
    return ranges


@lru_cache(maxsize=64)
def expected_rescaled_range(size: int) -> float:
    """R/S of white noise of `size` values (Anis & Lloyd, Biometrika 63, 1976)."""
    factor = math.exp(math.lgamma((size - 1) / 2) - math.lgamma(size / 2)) / math.sqrt(math.pi)
    return factor * sum(math.sqrt((size - i) / i) for i in range(1, size))


def slope(x: Floats, y: Floats) -> float:
    """Least-squares slope of y on [1, x]."""
    deviation = x - x.mean()
    return float((deviation * y).sum() / (deviation * deviation).sum())
