"""A hedge ratio that drifts: y_t = alpha_t + beta_t x_t + v_t, with [alpha, beta] a random walk, by the Kalman filter.

The signal is the one-step-ahead innovation e_t = y_t - alpha_(t-1) - beta_(t-1) x_t in units of its own standard deviation. The
residual after the update is never used: where the state noise is large it is rounding. Durbin & Koopman, Time Series Analysis by
State Space Methods (2012), chapters 4, 5 and 7; Chan, Algorithmic Trading (2013), chapter 3.

The filter carries information J (the inverse of the state's covariance) in units of 1/r, so that knowing nothing is J = 0 rather
than a large number: with q = 0 it is recursive least squares to the last digits. r then leaves the likelihood in closed form, and
only q/r is searched.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from quantui.market.frames import Floats

_COARSE = np.linspace(-8.0, 4.0, 49)
"""log10 of q/r, in units of 1 / mean(1 + x²): from a constant line to one that follows every move."""
_FINE = np.linspace(-1.0, 1.0, 17) * (_COARSE[1] - _COARSE[0])
_BATCH = 64
"""Rows searched at once: bounds the memory and stays within the cache."""
_FLAT = 1e-12
"""Share of the information below which an observation's direction is one already seen."""


@dataclass(frozen=True, slots=True)
class Kalman:
    """The filter over each row of a batch."""

    alpha: Floats
    """(P, n) after the update of each bar, as is beta."""
    beta: Floats
    beta_sd: Floats
    """(P, n) of the state; infinite while one observation direction is all there is."""
    innovations: Floats
    """(P, n) y less what the bar before expected of it."""
    innovation_sd: Floats
    """(P, n) sqrt(S_t); infinite for the first two bars, of which nothing was expected."""
    q: Floats
    """(P,) variance of the steps of alpha and of beta."""
    r: Floats
    """(P,) variance of the observation."""
    log_likelihood: Floats
    """(P,) of all bars but the first two."""

    @property
    def zscores(self) -> Floats:
        """(P, n) innovations in units of their standard deviation; 0 where nothing was expected."""
        return self.innovations / self.innovation_sd


_Step = tuple[Floats, Floats, Floats, Floats, Floats, Floats]
"""One bar: innovation, its variance, alpha, beta, and information and determinant, of which beta's variance is the quotient.

Every field (P, G); variances in units of r.
"""


def kalman(y: Floats, x: Floats, *, q: float | None = None, r: float | None = None, prior: float = math.inf) -> Kalman:
    """Filter each row; q and r by maximum likelihood unless given.

    Args:
        y: (P, n) dependent levels, n >= 4.
        x: (P, n) levels of the other legs.
        q: variance of the steps of alpha and of beta.
        r: variance of the observation.
        prior: variance of alpha and of beta about 0 before the first bar; infinite where nothing is known.

    Raises:
        ValueError: only one of q and r is given, or a finite prior without them.
    """
    if (q is None) != (r is None) or (q is None and math.isfinite(prior)):
        raise ValueError("give q and r together, and with them only a finite prior")
    if q is None or r is None:
        ratio = np.concatenate([_likeliest_ratio(y[at : at + _BATCH], x[at : at + _BATCH]) for at in range(0, len(y), _BATCH)])
        return _record(y, x, ratio, None, 0.0)
    return _record(y, x, np.full(len(y), q / r), r, r / prior if prior else 1e12)


def hedge(y: Floats, x: Floats) -> Kalman:
    """The filter of each row (P, n) by maximum likelihood, in the units of the row itself.

    Both legs are centred and scaled by their own window first, so that neither the level nor the unit of a price changes what is
    found: alpha and beta walk independently at the window's mean of x, by equal steps for an x one standard deviation away.
    """
    y_mean, x_mean = y.mean(-1, keepdims=True), x.mean(-1, keepdims=True)
    y_sd, x_sd = y.std(-1, keepdims=True), x.std(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = kalman((y - y_mean) / y_sd, (x - x_mean) / x_sd)
        beta = unit.beta * y_sd / x_sd
        likelihood = unit.log_likelihood - (y.shape[-1] - 2) * np.log(y_sd[:, 0])
        variance = y_sd[:, 0] ** 2
        return Kalman(
            y_mean + unit.alpha * y_sd - beta * x_mean, beta, unit.beta_sd * y_sd / x_sd, unit.innovations * y_sd,
            unit.innovation_sd * y_sd, unit.q * variance, unit.r * variance, likelihood,
        )  # fmt: skip


def _likeliest_ratio(y: Floats, x: Floats) -> Floats:
    """(P,) q/r of the highest likelihood: on a coarse grid, on a fine one about its best, and at the top of the parabola there."""
    unit = np.log10((1.0 + x * x).mean(-1, keepdims=True))
    coarse = np.broadcast_to(_COARSE, (len(y), len(_COARSE)))
    best = np.take_along_axis(coarse, _profile(y, x, 10.0 ** (coarse - unit)).argmax(-1)[:, None], -1)
    fine = best + _FINE
    values = _profile(y, x, 10.0 ** (fine - unit))
    at = np.clip(values.argmax(-1), 1, len(_FINE) - 2)[:, None]
    left, middle, right = (np.take_along_axis(values, at + step, -1) for step in (-1, 0, 1))
    bend = left - 2.0 * middle + right
    with np.errstate(divide="ignore", invalid="ignore"):
        top = np.where(bend < 0.0, np.clip(0.5 * (left - right) / bend, -1.0, 1.0), 0.0)
    ratio: Floats = 10.0 ** (np.take_along_axis(fine, at, -1) + top * (_FINE[1] - _FINE[0]) - unit)[:, 0]
    return ratio


def _profile(y: Floats, x: Floats, ratio: Floats) -> Floats:
    """(P, G) log-likelihood, but for a constant, with r at its best for each ratio."""
    errors, variances = (
        np.stack(column) for column in zip(*((step[0], step[1]) for step in _steps(y, x, ratio, 0.0)), strict=True)
    )
    with np.errstate(divide="ignore"):
        squares = (errors * errors / variances).sum(0)
        logs = np.log(np.where(np.isfinite(variances), variances, 1.0)).sum(0)
        value: Floats = -0.5 * ((y.shape[-1] - 2) * np.log(squares) + logs)
    return np.where(np.isfinite(value), value, -np.inf)


def _record(y: Floats, x: Floats, ratio: Floats, r: float | None, prior: float) -> Kalman:
    """The whole path with q/r given; r None is estimated from the innovations. `prior` is information in units of 1/r."""
    columns = zip(*_steps(y, x, ratio[:, None], prior), strict=True)
    errors, variances, alpha, beta, information, determinant = (np.concatenate(column, -1) for column in columns)
    used = np.isfinite(variances)
    if prior:
        used[:, :2] = False
    count = used.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.where(used, errors * errors / variances, 0.0).sum(-1)
        scale = squares / count if r is None else np.full(len(y), r)
        logs = np.log(np.where(used, variances, 1.0)).sum(-1)
        likelihood = -0.5 * (count * np.log(2.0 * np.pi * scale) + logs + squares / scale)
        sd = np.sqrt(scale)[:, None]
        return Kalman(
            alpha, beta, np.sqrt(information / determinant) * sd, errors, np.sqrt(variances) * sd, ratio * scale, scale, likelihood
        )


def _steps(y: Floats, x: Floats, ratio: Floats, prior: float) -> Iterator[_Step]:
    """The filter, bar by bar, for every ratio (P, G) at once.

    With J = [[a, b], [b, c]] and its determinant d, a random-walk step of variance q makes J' = (J + q d I) / m and d' = d / m
    with m = det(I + q J) = 1 + q (tr J + q d); an observation f = [1, x] adds f fᵀ to J and fᵀ adj(J) f to d. So d is never a
    difference of large numbers.
    """
    shape = ratio.shape
    a, b, c, d = (np.full(shape, value) for value in (prior, 0.0, prior, prior * prior))
    alpha, beta = np.zeros(shape), np.zeros(shape)
    known = bool(prior)
    for bar, (price_y, price_x, squared) in enumerate(zip(y.T[..., None], x.T[..., None], (x * x).T[..., None], strict=True)):
        if bar:
            grown = ratio * d
            shrink = 1.0 / (1.0 + ratio * (a + c + grown))
            a, b, c, d = (a + grown) * shrink, b * shrink, (c + grown) * shrink, d * shrink
        to_alpha, to_beta = c - price_x * b, price_x * a - b
        share = to_alpha + price_x * to_beta
        error = price_y - alpha - price_x * beta
        if known:
            after = d + share
            variance = after / d
            gain = error / after
            alpha, beta = alpha + to_alpha * gain, beta + to_beta * gain
        else:  # until two different x have been seen, only the level at the first is known
            flat = (d <= 0.0) & (share <= _FLAT * (c + squared * a))
            after = np.where(flat, 0.0, d + share)
            with np.errstate(divide="ignore", invalid="ignore"):
                variance = np.where(d > 0.0, after / d, np.inf)
                gain = error / after
                alpha = alpha + np.where(flat, error / (1.0 + a), to_alpha * gain)
                beta = beta + np.where(flat, 0.0, to_beta * gain)
            known = bool((after > 0.0).all())
        a, b, c, d = a + 1.0, b + price_x, c + squared, after
        yield error, variance, alpha, beta, a, d
