"""The long-run variance of a series: what its mean varies by, with the help of its autocovariances (Bartlett's weights)."""

import math

import numpy as np

from quantui.market.frames import Floats


def automatic_bandwidth(series: Floats) -> float:
    """Newey & West's (1994) bandwidth for Bartlett's weights, of a series (n,) with mean 0; not rounded."""
    n = len(series)
    products = [float(series[lag:] @ series[: n - lag]) for lag in range(math.ceil(4.0 * (n / 100.0) ** (2.0 / 9.0)) + 1)]
    level = products[0] + 2.0 * sum(products[1:])
    bend = 2.0 * sum(lag * product for lag, product in enumerate(products))
    if level == 0.0:
        return 0.0
    return min(1.1447 * math.cbrt((bend / level) ** 2 * n), n - 1.0)


def autocovariance(series: Floats, bandwidth: float) -> float:
    """Sum of the weighted autocovariances after lag 0, times n; twice this and the sum of squares are the long-run variance."""
    lags = np.arange(1, int(bandwidth) + 1)
    weights = 1.0 - lags / (bandwidth + 1.0)
    return float(sum(weight * float(series[lag:] @ series[:-lag]) for lag, weight in zip(lags.tolist(), weights, strict=True)))


def long_run_variance(series: Floats, bandwidth: float | None = None) -> float:
    """Of a series (n,) with mean 0; `bandwidth` None is the automatic one."""
    width = automatic_bandwidth(series) if bandwidth is None else bandwidth
    return (float(series @ series) + 2.0 * autocovariance(series, width)) / len(series)
