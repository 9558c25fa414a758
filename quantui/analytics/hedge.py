"""Hedge ratios: ordinary least squares of one leg on the other, for one pair or for many at once.

Everything is computed on centred data, so that a large price level costs no digits.
"""

from dataclasses import dataclass

import numpy as np

from quantui.market.frames import Floats

ROUNDING = 1e-13
"""Variation below this share of a value's size is rounding: the series counts as constant."""


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line for each row of the batch; every number has the batch's shape.

    A row in which a leg does not vary says nothing: of `fit_line` it has NaN everywhere.
    """

    alpha: Floats
    beta: Floats
    alpha_se: Floats
    beta_se: Floats
    """Classical standard errors, n - 2 degrees of freedom (n - 1 through the origin)."""
    r_squared: Floats
    """Centred; uncentred through the origin."""
    residual_sd: Floats
    residuals: Floats
    """(..., n)"""
    innovation: Floats | None = None
    """Of a filter: the last y less what the bar before expected of it."""
    innovation_sd: Floats | None = None


def fit_line(y: Floats, x: Floats) -> Line:
    """Ordinary least squares of y on [1, x].

    Args:
        y: (..., n) dependent values.
        x: (..., n) regressor values, n >= 3.
    """
    n = y.shape[-1]
    y_mean, x_mean = y.mean(-1, keepdims=True), x.mean(-1, keepdims=True)
    dy, dx = y - y_mean, x - x_mean
    with np.errstate(divide="ignore", invalid="ignore"):
        sxx, syy = _variation(dx, x_mean), _variation(dy, y_mean)
        beta = np.where(np.isnan(syy), np.nan, (dx * dy).sum(-1) / sxx)
        residuals = dy - beta[..., None] * dx
        rss = (residuals * residuals).sum(-1)
        residual_sd = np.sqrt(rss / (n - 2))
        beta_se = residual_sd / np.sqrt(sxx)
        alpha_se = residual_sd * np.sqrt(1.0 / n + x_mean[..., 0] ** 2 / sxx)
        r_squared = 1.0 - rss / syy
    return Line(y_mean[..., 0] - beta * x_mean[..., 0], beta, alpha_se, beta_se, r_squared, residual_sd, residuals)


def fit_through_origin(y: Floats, x: Floats) -> Line:
    """Ordinary least squares of y on x without an intercept: alpha is 0, R² is uncentred.

    Args:
        y: (..., n) dependent values.
        x: (..., n) regressor values, n >= 2.
    """
    n = y.shape[-1]
    sxx, sxy, syy = (x * x).sum(-1), (x * y).sum(-1), (y * y).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = sxy / sxx
        residuals = y - beta[..., None] * x
        rss = (residuals * residuals).sum(-1)
        residual_sd = np.sqrt(rss / (n - 1))
        beta_se = residual_sd / np.sqrt(sxx)
        r_squared = 1.0 - rss / syy
    zero = np.zeros_like(beta)
    return Line(zero, beta, zero, beta_se, r_squared, residual_sd, residuals)


def _variation(deviations: Floats, mean: Floats) -> Floats:
    """Sum of squared deviations; NaN where they are rounding only."""
    squares = (deviations * deviations).sum(-1)
    return np.where(squares <= deviations.shape[-1] * (ROUNDING * mean[..., 0]) ** 2, np.nan, squares)
