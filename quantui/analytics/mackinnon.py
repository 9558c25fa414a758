"""MacKinnon's response surfaces: p-values and critical values of unit-root and cointegration tests.

Sources: J. G. MacKinnon, "Approximate asymptotic distribution functions for unit-root and cointegration tests", JBES 12
(1994), for p-values; "Critical values for cointegration tests", Queen's Economics Department working paper 1227 (2010), for
critical values ("n" from the 1996 edition, as the paper of 2010 does not repeat it).

The third coefficient of the 1 % surface for two variables with a constant is -22.527 in the paper. statsmodels 0.15 carries
-33.527, which makes its 1 % value too low by 11/T²; Stata's `egranger` and simulation agree with the paper.
"""

import math
from functools import lru_cache
from typing import Literal

import numpy as np

from quantui.market.frames import Floats

Trend = Literal["n", "c", "ct"]
"""Deterministic terms of the regression: none, a constant, a constant and a linear trend."""

_SMALL_SCALE = (1.0, 1.0, 1e-2)
_LARGE_SCALE = (1.0, 1e-1, 1e-1, 1e-2)

# (trend, variables): lowest statistic of the table, where the lower polynomial ends, highest statistic,
# lower polynomial, upper polynomial
_P_SURFACES: dict[tuple[Trend, int], tuple[float, float, float, tuple[float, ...], tuple[float, ...]]] = {
    ("n", 1): (-19.04, -1.04, math.inf, (0.6344, 1.2378, 3.2496), (0.4797, 9.3557, -0.6999, 3.3066)),
    ("c", 1): (-18.83, -1.61, 2.74, (2.1659, 1.4412, 3.8269), (1.7339, 9.3202, -1.2745, -1.0368)),
    ("c", 2): (-18.86, -2.62, 0.92, (2.92, 1.5012, 3.9796), (2.1945, 6.4695, -2.9198, -4.2377)),
    ("c", 3): (-23.48, -3.13, 0.55, (3.4699, 1.4856, 3.164), (2.5893, 4.5168, -3.6529, -5.0074)),
    ("ct", 1): (-16.18, -2.89, 0.7, (3.2512, 1.6047, 4.9588), (2.5261, 6.1654, -3.7956, -6.0285)),
    ("ct", 2): (-21.15, -3.19, 0.63, (3.6646, 1.5419, 3.6448), (2.85, 5.272, -3.6622, -5.1695)),
}

# (trend, variables): rows 1, 5, 10 %; coefficients of 1, 1/T, 1/T², 1/T³
_CRITICAL_SURFACES: dict[tuple[Trend, int], tuple[tuple[float, ...], ...]] = {
    ("n", 1): ((-2.56574, -2.2358, -3.627, 0.0), (-1.94100, -0.2686, -3.365, 31.223), (-1.61682, 0.2656, -2.714, 25.364)),
    ("c", 1): ((-3.43035, -6.5393, -16.786, -79.433), (-2.86154, -2.8903, -4.234, -40.040), (-2.56677, -1.5384, -2.809, 0.0)),
    ("c", 2): ((-3.89644, -10.9519, -22.527, 0.0), (-3.33613, -6.1101, -6.823, 0.0), (-3.04445, -4.2412, -2.720, 0.0)),
    ("c", 3): ((-4.29374, -14.4354, -33.195, 47.433), (-3.74066, -8.5632, -10.852, 27.982), (-3.45218, -6.2143, -3.718, 0.0)),
    ("ct", 1): (
        (-3.95877, -9.0531, -28.428, -134.155),
        (-3.41049, -4.3904, -9.036, -45.374),
        (-3.12705, -2.5856, -3.925, -22.380),
    ),
    ("ct", 2): ((-4.32762, -15.4387, -35.679, 0.0), (-3.78057, -9.5106, -12.074, 0.0), (-3.49631, -7.0815, -7.538, 21.892)),
}

_MANY = 4096
"""Statistics from which on scipy, 30 MB and a tenth of a second, is worth its import."""

LEVELS = ("1%", "5%", "10%")


def p_value(stat: float, variables: int, trend: Trend) -> float:
    """Asymptotic p-value of a Dickey-Fuller t statistic.

    Args:
        stat: the t statistic.
        variables: 1 for a unit-root test, 2 for the residual of y on one x, 3 for two regressors.
        trend: deterministic terms (of the cointegrating regression where variables > 1).

    Raises:
        KeyError: no surface for this combination.
    """
    low, star, high, lower, upper = _P_SURFACES[trend, variables]
    if stat > high:
        return 1.0
    if stat < low:
        return 0.0
    scales, surface = (_SMALL_SCALE, lower) if stat <= star else (_LARGE_SCALE, upper)
    quantile = sum(c * scale * stat**power for power, (c, scale) in enumerate(zip(surface, scales, strict=True)))
    return 0.5 * math.erfc(-quantile / math.sqrt(2.0))


def critical_values(variables: int, trend: Trend, nobs: float = math.inf) -> dict[str, float]:
    """Critical values at 1, 5 and 10 % for `nobs` rows of the Dickey-Fuller regression (infinite: asymptotic).

    Raises:
        KeyError: no surface for this combination.
    """
    return dict(zip(LEVELS, _critical_values(variables, trend, nobs), strict=True))


@lru_cache(maxsize=1024)
def _critical_values(variables: int, trend: Trend, nobs: float) -> tuple[float, ...]:
    inverse = 1.0 / nobs
    return tuple(sum(c * inverse**power for power, c in enumerate(row)) for row in _CRITICAL_SURFACES[trend, variables])


def p_values(stats: Floats, variables: int, trend: Trend) -> Floats:
    """`p_value` of each of (P,) statistics; NaN stays NaN."""
    low, star, high, lower, upper = _P_SURFACES[trend, variables]
    quantiles = np.where(
        stats <= star,
        np.polynomial.polynomial.polyval(stats, np.multiply(lower, _SMALL_SCALE[: len(lower)])),
        np.polynomial.polynomial.polyval(stats, np.multiply(upper, _LARGE_SCALE[: len(upper)])),
    )
    found: Floats = np.where(stats > high, 1.0, np.where(stats < low, 0.0, _normal(quantiles)))
    return np.where(np.isnan(stats), np.nan, found)


def _normal(quantiles: Floats) -> Floats:
    """The normal distribution function of each."""
    if len(quantiles) > _MANY:
        from scipy.special import ndtr

        found: Floats = ndtr(quantiles)
        return found
    return np.array([0.5 * math.erfc(-quantile / math.sqrt(2.0)) for quantile in quantiles.tolist()])
