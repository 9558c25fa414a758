"""Least squares on several regressors, for one series or a batch, with classical and autocorrelation-robust errors."""

import math
from dataclasses import dataclass

import numpy as np

from quantui.market.frames import Floats

_DEPENDENT = 1e-12
"""Share of its length below which what is left of a regressor is rounding: it is a combination of those before it."""


@dataclass(frozen=True, slots=True)
class Regression:
    """y on [1, x_1, ..., x_k]; NaN in every field where the regressors are linearly dependent."""

    alpha: Floats
    """(...,)"""
    betas: Floats
    """(..., k)"""
    errors: Floats
    """(..., k) classical standard errors of `betas`, n - k - 1 degrees of freedom."""
    robust_errors: Floats
    """(..., k) Newey & West's (1987), which hold where residuals are autocorrelated and of changing size."""
    r_squared: Floats
    """(...,) centred."""
    residual_sd: Floats
    residuals: Floats
    """(..., n)"""

    @property
    def t(self) -> Floats:
        """(..., k) `betas` in classical standard errors."""
        return self.betas / self.errors


def regress(y: Floats, x: Floats, lags: int | None = None) -> Regression:
    """Ordinary least squares on centred data by a QR factorisation.

    Args:
        y: (..., n) dependent values.
        x: (..., n, k) regressors without the column of ones, n > k + 1.
        lags: autocovariances in the robust errors (Bartlett); None is `bandwidth(n)`.
    """
    n, k = x.shape[-2:]
    x_mean, y_mean = x.mean(-2), y.mean(-1)
    dx, dy = x - x_mean[..., None, :], y - y_mean[..., None]
    q, triangle = np.linalg.qr(dx)
    diagonal = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
    dependent = (diagonal <= _DEPENDENT * np.sqrt((dx * dx).sum(-2))).any(-1)
    inverse = np.linalg.inv(np.where(dependent[..., None, None], np.eye(k), triangle))
    inverse = np.where(dependent[..., None, None], np.nan, inverse)
    betas = (inverse @ (q.mT @ dy[..., None]))[..., 0]
    residuals = dy - (dx @ betas[..., None])[..., 0]
    squares = (residuals * residuals).sum(-1)
    residual_sd = np.sqrt(squares / (n - k - 1))
    errors = residual_sd[..., None] * np.sqrt((inverse * inverse).sum(-1))
    middle = _long_run(residuals[..., None] * (dx @ inverse), bandwidth(n) if lags is None else lags)
    robust = np.sqrt(((inverse @ middle) * inverse).sum(-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        r_squared = 1.0 - squares / (dy * dy).sum(-1)
    return Regression(y_mean - (x_mean * betas).sum(-1), betas, errors, robust, r_squared, residual_sd, residuals)


def bandwidth(n: int) -> int:
    """Autocovariances a robust error of n values uses: 4 (n/100)^(2/9), Newey & West's (1994) rule of thumb."""
    return math.floor(4.0 * math.pow(n / 100.0, 2.0 / 9.0))


def _long_run(scores: Floats, lags: int) -> Floats:
    """(..., k, k) sum of the autocovariances of scores (..., n, k) up to `lags`, with Bartlett's weights."""
    total: Floats = scores.mT @ scores
    for lag in range(1, lags + 1):
        product = scores[..., lag:, :].mT @ scores[..., :-lag, :]
        total = total + (1.0 - lag / (lags + 1.0)) * (product + product.mT)
    return total
