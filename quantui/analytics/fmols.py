"""Fully modified least squares: the hedge ratio freed of what the legs' moves and the spread have to do with each other.

Phillips & Hansen, Review of Economic Studies 57 (1990), one regressor and a constant. Equals arch's `FullyModifiedOLS`. Where DOLS
adds moves as regressors, this takes their long-run covariances off.
"""

import math
from dataclasses import dataclass

import numpy as np

from quantui.analytics.hedge import fit_line
from quantui.analytics.long_run import automatic_bandwidth
from quantui.analytics.stationarity import Missing
from quantui.market.frames import Floats

MIN_BARS = 25


@dataclass(frozen=True, slots=True)
class FullyModified:
    """The line, with an error that holds between cointegrated legs."""

    alpha: float
    beta: float
    beta_se: float


def fmols(y: Floats, x: Floats) -> FullyModified | Missing:
    """The line of y (n,) on [1, x]; Bartlett's weights, automatic bandwidth rounded up."""
    n = len(y) - 1
    if n + 1 < MIN_BARS:
        return Missing(f"{n + 1}/{MIN_BARS} bars")
    residuals, moves = fit_line(y, x).residuals[1:], np.diff(x)
    if not np.isfinite(residuals).all():
        return Missing("a leg is constant or has missing values")
    errors = np.column_stack((residuals, moves))
    own, ahead = _covariances(errors)
    long_run = own + ahead + ahead.T
    if long_run[1, 1] <= 0.0:
        return Missing("the moves of x cancel each other")
    share = long_run[0, 1] / long_run[1, 1]
    one_sided = own + ahead
    bias = one_sided[0, 1] - share * one_sided[1, 1]
    level = x[1:] - x[1:].mean()
    cleaned = y[1:] - share * moves
    size = float(level @ level)
    beta = (float(level @ cleaned) - n * float(bias)) / size
    variance = (long_run[0, 0] - share * long_run[0, 1]) / size
    error = math.sqrt(variance) if variance > 0.0 else math.nan
    return FullyModified(float(cleaned.mean() - beta * x[1:].mean()), beta, error)


def _covariances(errors: Floats) -> tuple[Floats, Floats]:
    """(2, 2) covariance of errors (n, 2), and the weighted sum of those with their own past."""
    n = len(errors)
    width = math.ceil(automatic_bandwidth(errors.sum(-1)))
    past = np.zeros((2, 2))
    for lag in range(1, width + 1):
        past += (1.0 - lag / (width + 1.0)) * errors[lag:].T @ errors[:-lag] / n
    return errors.T @ errors / n, past
