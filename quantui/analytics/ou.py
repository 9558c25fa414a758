"""The Ornstein-Uhlenbeck process a spread would be if it were one: ds = kappa (theta - s) dt + sigma dW, a bar being 1.

From the first-order autoregression s_i = a + phi s_(i-1) + u, exactly: kappa = -ln phi, theta = a / (1 - phi). The half-life is
ln 2 / kappa; the Euler form ln 2 / (1 - phi) that many books use is longer (phi = 0.95: 13.86 bars instead of 13.51).
"""

import math
from dataclasses import dataclass

import numpy as np

from quantui.analytics.hedge import fit_line
from quantui.analytics.stationarity import Missing
from quantui.market.frames import Floats

MIN_BARS = 10


@dataclass(frozen=True, slots=True)
class OrnsteinUhlenbeck:
    """The process of a spread."""

    phi: float
    kappa: float
    """Speed of reversion, a bar."""
    theta: float
    """The level it reverts to."""
    sigma: float
    """Size of its moves, a square root of a bar."""
    equilibrium_sd: float
    """Standard deviation in the long run: sigma / sqrt(2 kappa)."""
    half_life: float
    """Bars."""


def ornstein_uhlenbeck(spread: Floats) -> OrnsteinUhlenbeck | Missing:
    """The process of a spread (n,), by maximum likelihood given its first value."""
    n = len(spread)
    if n < MIN_BARS:
        return Missing(f"{n}/{MIN_BARS} bars")
    if not np.isfinite(spread).all() or np.ptp(spread) == 0:
        return Missing("the spread is constant or has missing values")
    line = fit_line(spread[1:], spread[:-1])
    phi = float(line.beta)
    if not 0.0 < phi < 1.0:
        return Missing("the spread does not revert" if phi >= 1.0 else "the spread reverts within a bar")
    kappa = -math.log(phi)
    equilibrium = math.sqrt(float(line.residuals @ line.residuals) / (n - 1) / (1.0 - phi * phi))  # maximum likelihood
    return OrnsteinUhlenbeck(
        phi, kappa, float(line.alpha) / (1.0 - phi), equilibrium * math.sqrt(2.0 * kappa), equilibrium, math.log(2.0) / kappa
    )
