"""Phillips' tests: Dickey & Fuller's, corrected for autocorrelation by the long-run variance instead of by lagged differences.

Of a series: Phillips & Perron, Biometrika 75 (1988). Of the residual of y on [1, x]: Phillips & Ouliaris, Econometrica 58 (1990),
a cointegration test that chooses no lag. Statistics equal those of the package arch 8, whose response surfaces (25 million
simulations, one regressor and a constant) give the p-values and critical values of the latter.
"""

import math
from dataclasses import dataclass

import numpy as np

from quantui.analytics.cointegration import COLLINEAR
from quantui.analytics.hedge import fit_line
from quantui.analytics.long_run import autocovariance, automatic_bandwidth
from quantui.analytics.mackinnon import LEVELS, critical_values, p_value
from quantui.analytics.stationarity import Missing, UnitRoot
from quantui.market.frames import Floats

MIN_BARS = 25
"""Smallest sample of the response surfaces."""

# lowest and highest statistic, where the lower polynomial ends; polynomials of the normal quantile below and above it
_ZT_P = ((-20.59579, 0.92517, 1.63732), (2.86542, 1.46933, 0.03567), (2.28614, 0.82696, -0.19037, -0.02531))
_ZA_P = ((-60.56532, 1.89033, math.inf), (0.95833, 0.15241, 0.00126), (2.18902, 0.37008, 0.01335, 0.0002))
# rows 1, 5, 10 %; coefficients of 1, 1/n, 1/n², 1/n³
_ZT_CRITICAL = (
    (-3.89678, -14.89947, -43.59473, -260.07485),
    (-3.3359, -9.5675, -17.85839, -137.85381),
    (-3.04433, -7.37525, -11.07111, -99.16409),
)
_ZA_CRITICAL = (
    (-28.26682, 200.26369, -966.05867, 0.0),
    (-20.60313, 104.13205, -333.97506, 0.0),
    (-17.12966, 70.71077, -159.47083, 0.0),
)

_Surface = tuple[tuple[float, float, float], tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class ZTest:
    """A Phillips-Ouliaris statistic."""

    stat: float
    p_value: float
    """Asymptotic."""
    critical: dict[str, float]
    """Critical values by level: `1%`, `5%`, `10%`."""


@dataclass(frozen=True, slots=True)
class PhillipsOuliaris:
    """Both residual-based tests; their null is that the legs are not cointegrated."""

    zt: ZTest
    """From the t ratio."""
    za: ZTest
    """From the coefficient."""
    bandwidth: float


def phillips_ouliaris(y: Floats, x: Floats) -> PhillipsOuliaris | Missing:
    """The tests of y (n,) on [1, x], Bartlett's weights with an automatic bandwidth."""
    n = len(y)
    if n < MIN_BARS:
        return Missing(f"{n}/{MIN_BARS} bars")
    line = fit_line(y, x)
    if not np.isfinite(line.residuals).all():
        return Missing("a leg is constant or has missing values")
    if float(line.r_squared) >= COLLINEAR:
        return Missing("legs are almost perfectly collinear")
    lead, level = line.residuals[1:], line.residuals[:-1]
    size = float(level @ level)
    rho = float(level @ lead) / size
    noise = lead - rho * level
    bandwidth = automatic_bandwidth(noise)
    beyond = autocovariance(noise, bandwidth)
    gap = rho - 1.0 - beyond / size
    variance = (float(noise @ noise) + 2.0 * beyond) / n
    if variance <= 0.0:
        return Missing("test regression is singular")
    return PhillipsOuliaris(
        _test(gap * math.sqrt(size / variance), n, _ZT_P, _ZT_CRITICAL), _test(n * gap, n, _ZA_P, _ZA_CRITICAL), bandwidth
    )


def phillips_perron(series: Floats, lags: int | None = None) -> UnitRoot | Missing:
    """Phillips & Perron's test of a series (n,) for a unit root, with a constant; its statistic has the distribution of ADF's.

    Args:
        series: finite values.
        lags: autocovariances; None is Schwert's 12 (n/100)^¼ rounded up.
    """
    n = len(series) - 1
    if n < MIN_BARS:
        return Missing(f"{n + 1}/{MIN_BARS + 1} bars")
    if not np.isfinite(series).all():
        return Missing("values are missing")
    lags = math.ceil(12.0 * math.pow((n + 1) / 100.0, 0.25)) if lags is None else lags
    line = fit_line(series[1:], series[:-1])
    squares = float(line.residuals @ line.residuals)
    long_run = squares + 2.0 * autocovariance(line.residuals, lags)
    if not math.isfinite(squares) or squares == 0.0 or long_run <= 0.0:
        return Missing("series is constant" if np.ptp(series) == 0 else "test regression is singular")
    error, gap = float(line.beta_se), float(line.beta) - 1.0
    stat = math.sqrt(squares / long_run) * gap / error
    stat -= 0.5 * (long_run - squares) / math.sqrt(n * long_run) * n * error / float(line.residual_sd)
    return UnitRoot(stat, p_value(stat, 1, "c"), lags, n, critical_values(1, "c", n), gap)


def _test(stat: float, n: int, surface: _Surface, critical: tuple[tuple[float, ...], ...]) -> ZTest:
    values = (sum(c / n**power for power, c in enumerate(row)) for row in critical)
    return ZTest(stat, _p(stat, surface), dict(zip(LEVELS, values, strict=True)))


def _p(stat: float, surface: _Surface) -> float:
    (low, star, high), lower, upper = surface
    if stat < low or stat > high:
        return 0.0 if stat < low else 1.0
    quantile = sum(c * stat**power for power, c in enumerate(upper if stat > star else lower))
    return 0.5 * math.erfc(-quantile / math.sqrt(2.0))
