"""Hedge ratios beside least squares: robust, orthogonal, from returns, from cointegration, and drifting.

They replace alpha and beta, nothing else; a filter also has a signal of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from quantui.analytics import johansen, kalman
from quantui.analytics.dols import dols
from quantui.analytics.hedge import ROUNDING, Line, fit_line
from quantui.market.frames import Floats

_TUNING = 1.345
"""Huber's k: 95 % as efficient as least squares where the errors are normal."""
_MAD = 0.6744897501960817
"""Median of |N(0, 1)|."""
_STEPS = 200
_SETTLED = 1e-12


class Estimator(StrEnum):
    """How a hedge ratio is found."""

    OLS = "ols"
    HUBER = "huber"
    THEIL_SEN = "theil-sen"
    TLS = "tls"
    RETURNS = "returns"
    DOLS = "dols"
    """Least squares with the moves of x around each bar: an error that holds between cointegrated legs."""
    JOHANSEN = "johansen"
    """The first cointegrating vector, normalised on y."""
    KALMAN = "kalman"
    """A ratio that drifts; the spread is the one-step-ahead innovation."""


NO_ERROR: Mapping[Estimator, str] = {
    Estimator.THEIL_SEN: "the median of slopes has no classical standard error",
    Estimator.TLS: "orthogonal regression has no classical standard error",
}
"""Why `beta_se` cannot be had."""


@dataclass(frozen=True, slots=True)
class Huber:
    """Huber's M-estimate of a regression."""

    parameters: Floats
    """(k,)"""
    errors: Floats
    """(k,) standard errors (Huber 1981, 7.6, the form H1)."""
    scale: float
    weights: Floats
    """(n,) 1 where an observation counts in full."""


def huber(y: Floats, design: Floats) -> Huber:
    """M-estimate with k = 1.345 and the MAD about zero as scale, iterated together (R `MASS::rlm`, statsmodels `RLM`).

    Args:
        y: (n,) dependent values.
        design: (n, k) regressors, with a column of ones for an intercept.
    """
    parameters: Floats = np.asarray(np.linalg.lstsq(design, y)[0], np.float64)
    scale, weights, rounding = 0.0, np.ones(len(y)), ROUNDING * float(np.abs(y).max())
    for _ in range(_STEPS):
        residuals = np.abs(y - design @ parameters)
        scale = float(np.median(residuals)) / _MAD
        if scale <= rounding:
            scale = 0.0
            break  # half of the observations lie on the line: it is found
        weights = np.minimum(1.0, _TUNING / np.maximum(residuals / scale, np.finfo(np.float64).tiny))
        root = np.sqrt(weights)
        before, parameters = parameters, np.asarray(np.linalg.lstsq(design * root[:, None], y * root)[0], np.float64)
        if np.abs(parameters - before).max() <= _SETTLED * np.abs(parameters).max():
            break
    return Huber(parameters, _huber_errors(y - design @ parameters, design, scale), scale, weights)


def _huber_errors(residuals: Floats, design: Floats, scale: float) -> Floats:
    n, k = design.shape
    inside = np.abs(residuals) <= _TUNING * scale
    share = inside.mean()
    if scale == 0.0 or share == 0.0:
        return np.full(k, np.nan)
    correction = 1.0 + k / n * inside.var() / share**2
    squares = (np.clip(residuals, -_TUNING * scale, _TUNING * scale) ** 2).sum() / (n - k)
    errors: Floats = correction * np.sqrt(squares * np.diag(np.linalg.inv(design.T @ design))) / share
    return errors


def theil_sen(y: Floats, x: Floats) -> tuple[float, float]:
    """(median(y) - slope median(x), slope): the median of the slopes between any two of n points; NaN for constant x."""
    first, second = np.triu_indices(len(x), 1)
    run = x[second] - x[first]
    slopes = (y[second] - y[first])[run != 0] / run[run != 0]
    slope = float(np.median(slopes)) if len(slopes) else np.nan
    return float(np.median(y)) - slope * float(np.median(x)), slope


def tls(y: Floats, x: Floats) -> tuple[float, float]:
    """(intercept, slope) of the line with the least squared distances at right angles to it (Pearson 1901)."""
    dy, dx = y - y.mean(), x - x.mean()
    sxx, syy, sxy = float(dx @ dx), float(dy @ dy), float(dx @ dy)
    if sxy == 0.0:
        return np.nan, np.nan
    slope = (syy - sxx + np.hypot(syy - sxx, 2.0 * sxy)) / (2.0 * sxy)
    return float(y.mean() - slope * x.mean()), float(slope)


def hedge_line(estimator: Estimator, y: Floats, x: Floats, least: Line | None = None) -> Line:
    """The line of each row by `estimator`, with the residuals, their spread and R² of that line.

    Args:
        estimator: how.
        y: (P, n) dependent levels; logs of prices for `RETURNS`.
        x: (P, n) levels of the other legs.
        least: the least-squares lines, where they are there already.

    Returns:
        As `fit_line`; what an estimator does not give (`NO_ERROR`) is NaN. Of `RETURNS` `beta_se` and `r_squared` are those of
        the regression of returns, to which the gates apply. `KALMAN` has the state after the last bar, the residuals of every
        bar from that one line, and its `innovation`.
    """
    least = fit_line(y, x) if least is None else least
    if estimator is Estimator.OLS:
        return least
    if estimator is Estimator.RETURNS:
        moves = fit_line(np.diff(y, axis=-1), np.diff(x, axis=-1))
        found = _line(least, y, x, y.mean(-1) - moves.beta * x.mean(-1), moves.beta)
        return replace(found, beta_se=moves.beta_se, r_squared=moves.r_squared)
    fitted = np.full((5, len(y)), np.nan)
    live = np.flatnonzero(~np.isnan(least.beta))
    if len(live):
        columns = _FITS[estimator](y[live], x[live])
        fitted[: len(columns), live] = columns
    found = replace(_line(least, y, x, fitted[0], fitted[1]), beta_se=fitted[2])
    return replace(found, innovation=fitted[3], innovation_sd=fitted[4]) if estimator is Estimator.KALMAN else found


def _line(least: Line, y: Floats, x: Floats, alpha: Floats, beta: Floats) -> Line:
    """A line of given coefficients; NaN where least squares had nothing to say."""
    dead = np.isnan(least.beta)
    alpha, beta = np.where(dead, np.nan, alpha), np.where(dead, np.nan, beta)
    residuals = y - alpha[:, None] - beta[:, None] * x
    centred = y - y.mean(-1, keepdims=True)
    rss = (residuals * residuals).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r_squared = 1.0 - rss / (centred * centred).sum(-1)
    nothing = np.full_like(beta, np.nan)
    return Line(alpha, beta, nothing, nothing, r_squared, np.sqrt(rss / (y.shape[-1] - 2)), residuals)


def _huber_row(y: Floats, x: Floats) -> tuple[float, float, float]:
    middle = x.mean()  # centred, so that a large level costs no digits
    fit = huber(y, np.column_stack((np.ones(len(x)), x - middle)))
    return float(fit.parameters[0] - fit.parameters[1] * middle), float(fit.parameters[1]), float(fit.errors[1])


def _by_row(fit: Callable[[Floats, Floats], tuple[float, ...]]) -> "_Fit":
    return lambda y, x: tuple(np.array([fit(*legs) for legs in zip(y, x, strict=True)]).T)


def _dynamic(y: Floats, x: Floats) -> tuple[Floats, ...]:
    fit = dols(y, x)
    return fit.alpha, fit.betas[:, 0], fit.robust_errors[:, 0]


def _filtered(y: Floats, x: Floats) -> tuple[Floats, ...]:
    path = kalman.hedge(y, x)
    return tuple(field[:, -1] for field in (path.alpha, path.beta, path.beta_sd, path.innovations, path.innovation_sd))


_Fit = Callable[[Floats, Floats], tuple[Floats, ...]]

_FITS: Mapping[Estimator, _Fit] = {
    Estimator.HUBER: _by_row(_huber_row),
    Estimator.THEIL_SEN: _by_row(theil_sen),
    Estimator.TLS: _by_row(tls),
    Estimator.DOLS: _dynamic,
    Estimator.JOHANSEN: johansen.hedge,
    Estimator.KALMAN: _filtered,
}
"""alpha, beta and, where it has them, beta's error, the innovation and its standard deviation, each (P,), of rows that vary."""
