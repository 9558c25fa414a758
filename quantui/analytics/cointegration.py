"""The Engle-Granger test: do two legs share one stochastic trend?

The residual of y on [1, x] was made as stationary as a regression can make it, so its Dickey-Fuller statistic needs MacKinnon's
distribution for two variables; a plain ADF p-value on it rejects 14-20 % of unrelated walks at a nominal 5 %.
"""

import math

import numpy as np

from quantui.analytics.hedge import fit_line
from quantui.analytics.mackinnon import critical_values, p_value
from quantui.analytics.stationarity import Missing, UnitRoot, dickey_fuller, too_short
from quantui.market.frames import Floats

COLLINEAR = 1.0 - 100.0 * math.sqrt(np.finfo(np.float64).eps)
"""From this R² on, the residual is rounding rather than data (the limit of statsmodels' `coint`)."""


def engle_granger(y: Floats, x: Floats, *, lags: int | None = None) -> UnitRoot | Missing:
    """Engle-Granger test of y on [1, x].

    Equals statsmodels' `coint(y, x)` in statistic (1e-8), lag and p-value; the 1 % critical value is the published one.

    Args:
        y: (n,) dependent values, finite.
        x: (n,) regressor values, finite.
        lags: lagged differences to use; None chooses by AIC.
    """
    line = fit_line(y[None], x[None])
    return residual_tests(line.residuals, line.r_squared, lags=lags)[0]


def residual_tests(
    residuals: Floats, r_squared: Floats, *, regressors: int = 1, lags: int | None = None
) -> list[UnitRoot | Missing]:
    """Engle-Granger tests from cointegrating regressions that are already there.

    Args:
        residuals: (P, n) residuals of y on [1, x...].
        r_squared: (P,) centred R² of those regressions; NaN where a leg is constant.
        regressors: x series in each regression, 1 or 2.
        lags: lagged differences to use; None chooses by AIC.
    """
    count, n = residuals.shape
    short = too_short(n, "n", lags)
    if short is not None:
        return [short] * count
    results: list[UnitRoot | Missing] = [Missing("a leg is constant or has missing values")] * count
    for row in np.flatnonzero(r_squared >= COLLINEAR).tolist():
        results[row] = Missing("legs are almost perfectly collinear")
    rows = np.flatnonzero((r_squared < COLLINEAR) & np.isfinite(residuals).all(-1))
    if len(rows) == 0:
        return results
    test = dickey_fuller(residuals if len(rows) == count else residuals[rows], "n", lags)
    variables = 1 + regressors
    critical = critical_values(variables, "c", n - 1)  # T = n - 1, as statsmodels and Stata's egranger
    for row, stat, coefficient, used, nobs in zip(
        rows.tolist(), test.stat.tolist(), test.coefficient.tolist(), test.lags.tolist(), test.nobs.tolist(), strict=True
    ):
        if math.isfinite(stat):
            results[row] = UnitRoot(stat, p_value(stat, variables, "c"), used, nobs, critical, coefficient)
        else:
            results[row] = Missing("test regression is singular")
    return results
