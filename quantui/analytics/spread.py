"""The spread of a pair and how unusual it is: z-score, correlation, volatility, and what was published at past bars."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from quantui.analytics.estimators import Estimator, hedge_line
from quantui.analytics.hedge import ROUNDING, Line
from quantui.market.frames import Floats

_YEAR_MS = 365 * 86_400_000
_HISTORY_ROWS = 512
"""Windows computed at once: bounds the memory of a long history."""


class Space(StrEnum):
    """What the hedge ratio relates."""

    LOG = "log"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class SpreadMoments:
    """The newest spread of each row among the last Z; NaN where the spread does not vary."""

    value: Floats
    oldest: Floats
    """The spread that leaves the Z window at the next bar."""
    mean: Floats
    std: Floats
    """ddof = 1."""
    zscore: Floats


@dataclass(frozen=True, slots=True)
class PairHistory:
    """What was published at each bar, oldest first; NaN where it could not be had."""

    spread: Floats
    zscore: Floats
    correlation: Floats
    beta: Floats


def zscore_bound(z_window: int) -> float:
    """The largest |z| a value can have within its own sample of Z: (Z - 1) / sqrt(Z)."""
    return (z_window - 1) / math.sqrt(z_window)


def spread_moments(spreads: Floats, z_window: int, rounding: Floats | float = 0.0) -> SpreadMoments:
    """Moments of the last `z_window` spreads of each row (..., n); a row that varies by `rounding` or less has no z-score."""
    recent = spreads[..., -z_window:]
    mean = recent.mean(-1, keepdims=True)
    deviations = recent - mean
    std = np.sqrt((deviations * deviations).sum(-1) / (z_window - 1))
    std = np.where(std <= rounding, np.nan, std)
    return SpreadMoments(recent[..., -1], recent[..., 0], mean[..., 0], std, deviations[..., -1] / std)


def published(line: Line, z_window: int, rounding: Floats) -> SpreadMoments:
    """The spread that is published of each line: its last residual among those of Z, or a filter's innovation.

    Of an innovation, mean and standard deviation are those the filter expected; it replaces no older one.
    """
    if line.innovation is None or line.innovation_sd is None:
        return spread_moments(line.residuals, z_window, rounding)
    std = np.where(line.innovation_sd <= rounding, np.nan, line.innovation_sd)
    return SpreadMoments(line.innovation, np.full_like(std, np.nan), np.zeros_like(std), std, line.innovation / std)


def rounding_of(line: Line, y: Floats, x: Floats) -> Floats:
    """Spreads that vary by less than this, per row, are rounding and not data."""
    size: Floats = ROUNDING * (np.abs(line.alpha) + np.abs(y[..., -1]) + np.abs(line.beta * x[..., -1]))
    return size


def usable_prices(closes: Floats) -> Floats:
    """The closes with everything that is no price (not finite, zero, negative) as NaN."""
    return np.where(np.isfinite(closes) & (closes > 0), closes, np.nan)


def correlation(returns_y: Floats, returns_x: Floats) -> Floats:
    """Pearson's r of each row (..., k); NaN where a leg does not move."""
    dy = returns_y - returns_y.mean(-1, keepdims=True)
    dx = returns_x - returns_x.mean(-1, keepdims=True)
    syy, sxx = (dy * dy).sum(-1), (dx * dx).sum(-1)
    still = np.minimum(syy, sxx) <= returns_y.shape[-1] * ROUNDING**2
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson: Floats = np.where(still, np.nan, np.clip((dy * dx).sum(-1) / np.sqrt(syy * sxx), -1.0, 1.0))
    return pearson


def volatility(returns: Floats, bar_ms: int) -> Floats:
    """Standard deviation (ddof = 1) of each row of log returns (..., k), annualised with 365 days."""
    deviation: Floats = returns.std(-1, ddof=1)
    return deviation * math.sqrt(_YEAR_MS / bar_ms)


def check_estimator(estimator: Estimator, space: Space) -> None:
    """Raise `ValueError` where an estimator has no meaning in a space."""
    if estimator is Estimator.RETURNS and space is Space.PRICE:
        raise ValueError("estimator returns regresses log returns: use it with --space log")


def pair_history(
    y: Floats,
    x: Floats,
    *,
    window: int,
    z_window: int,
    last: int,
    space: Space = Space.LOG,
    estimator: Estimator = Estimator.OLS,
) -> PairHistory:
    """Spread, z-score, correlation and hedge ratio as they were published at each of the last `last` bars.

    Every bar has the coefficients of its own window, so no value ever changes when bars are added.

    Args:
        y: (n,) closes of the dependent leg.
        x: (n,) closes of the other leg.
        window: W, bars of each regression.
        z_window: Z, bars of each z-score, at most W.
        last: bars wanted.
        space: whether logs or prices are regressed.
        estimator: of alpha and beta.

    Returns:
        Arrays of length min(last, n); NaN before the first full window.
    """
    y, x = usable_prices(y), usable_prices(x)
    length = min(last, len(y))
    out = PairHistory(*np.full((4, length), np.nan))
    reach = length + window - 1
    y, x = y[-reach:], x[-reach:]
    if len(y) < window:
        return out
    log_y, log_x = np.log(y), np.log(x)
    level_y, level_x = (log_y, log_x) if space is Space.LOG else (y, x)
    level_windows = sliding_window_view(level_y, window), sliding_window_view(level_x, window)
    return_windows = sliding_window_view(np.diff(log_y), window - 1), sliding_window_view(np.diff(log_x), window - 1)
    rows = len(level_windows[0])
    for start in range(0, rows, _HISTORY_ROWS):
        end = min(start + _HISTORY_ROWS, rows)
        # Contiguous copies: a strided view would be summed in another order, and the last digits would repaint.
        wy, wx = (np.ascontiguousarray(windows[start:end]) for windows in level_windows)
        ry, rx = (np.ascontiguousarray(windows[start:end]) for windows in return_windows)
        line = hedge_line(estimator, wy, wx)
        moments = published(line, z_window, rounding_of(line, wy, wx))
        place = slice(length - rows + start, length - rows + end)
        out.spread[place], out.zscore[place] = moments.value, moments.zscore
        out.correlation[place], out.beta[place] = correlation(ry, rx), line.beta
    return out
