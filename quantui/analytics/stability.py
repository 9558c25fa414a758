"""Does one line hold over the whole window, and which leg closes a gap?"""

import math
from dataclasses import dataclass

import numpy as np

from quantui.analytics.long_run import long_run_variance
from quantui.analytics.multi import Regression, regress
from quantui.analytics.stationarity import Missing
from quantui.market.frames import Floats

CUSUM_CRITICAL = {"1%": 1.63, "5%": 1.36, "10%": 1.22}
"""Of the supremum of a Brownian bridge (Ploberger & Krämer 1992)."""
MIN_BARS = 30


@dataclass(frozen=True, slots=True)
class Cusum:
    """The largest excursion of cumulated residuals; its null is a line that holds."""

    stat: float
    """Ploberger & Krämer's (Econometrica 60, 1992), of residuals that are unpredictable."""
    p_value: float
    robust_stat: float
    """In long-run standard deviations: a spread that takes bars to revert makes the plain statistic large by itself."""
    robust_p_value: float


@dataclass(frozen=True, slots=True)
class Correction:
    """How one leg answers to a gap."""

    speed: float
    """Of its own move, a share of the gap a bar; for y below 0 and for x above 0 is towards each other (beta > 0)."""
    error: float
    t: float


@dataclass(frozen=True, slots=True)
class ErrorCorrection:
    """The error-correction model of a pair (Engle & Granger, Econometrica 55, 1987), one lagged move of each leg."""

    y: Correction
    x: Correction
    closed: float
    """Share of a gap that both close in a bar."""
    y_share: float | None
    """Of that, what y closes; None where nothing is closed."""


def cusum(residuals: Floats, parameters: int = 2) -> Cusum | Missing:
    """CUSUM test of least-squares residuals (n,), of a regression of `parameters` coefficients.

    Equals statsmodels' `breaks_cusumolsresid`. The robust form is cautious: between wandering legs the fitted line takes more of
    the excursion away than its critical values know.
    """
    n = len(residuals)
    if n < MIN_BARS:
        return Missing(f"{n}/{MIN_BARS} bars")
    squares = float(residuals @ residuals)
    if not math.isfinite(squares) or squares == 0.0:
        return Missing("residuals do not vary or are missing")
    reach = float(np.abs(np.cumsum(residuals)).max())
    stat = reach / math.sqrt(squares * n / (n - parameters))
    variance = long_run_variance(residuals)
    robust = reach / math.sqrt(n * variance) if variance > 0.0 else math.nan
    return Cusum(stat, kolmogorov_tail(stat), robust, kolmogorov_tail(robust))


def kolmogorov_tail(value: float) -> float:
    """P(sup |Brownian bridge| > value)."""
    if value < 0.2:  # 1 to sixteen digits, where the series does not converge
        return 1.0
    terms = (2.0 * (-1.0) ** (k - 1) * math.exp(-2.0 * (k * value) ** 2) for k in range(1, 101))
    return min(1.0, max(0.0, sum(terms)))


def error_correction(y: Floats, x: Floats, spread: Floats, beta: float) -> ErrorCorrection | Missing:
    """How each leg moves after a gap.

    Args:
        y: (n,) levels.
        x: (n,) levels.
        spread: (n,) y - alpha - beta x.
        beta: of that spread.
    """
    n = len(y)
    if n < MIN_BARS:
        return Missing(f"{n}/{MIN_BARS} bars")
    moves_y, moves_x = np.diff(y), np.diff(x)
    known = np.column_stack((spread[1:-1], moves_y[:-1], moves_x[:-1]))
    fits = regress(np.stack((moves_y[1:], moves_x[1:])), np.stack((known, known)))
    if not np.isfinite(fits.betas).all() or not (fits.errors > 0).all():
        return Missing("the regression of moves is singular")
    ours, theirs = _correction(fits, 0), _correction(fits, 1)
    closed = beta * theirs.speed - ours.speed
    return ErrorCorrection(ours, theirs, closed, -ours.speed / closed if closed > 0.0 else None)


def _correction(fits: Regression, leg: int) -> Correction:
    speed, error = float(fits.betas[leg, 0]), float(fits.errors[leg, 0])
    return Correction(speed, error, speed / error)
