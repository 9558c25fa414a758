"""The residual tests of many pairs in numpy: what runs where the compiled kernel cannot, and what it is tested against."""

import math
from dataclasses import dataclass

import numpy as np

from quantui.analytics.moments import Moments
from quantui.analytics.sweep import COLLINEAR, TIE, WEAK, Ends, Mask, Residuals
from quantui.market.frames import Floats, Ints

_BLOCK = 2048
"""Pairs at once: their Gram matrices should stay in the cache."""


def residual_sweep(moments: Moments, y: Ints, x: Ints) -> Residuals:
    """Implements `sweep.Engine`."""
    ends = Ends.of(moments)
    blocks = [_block(moments, ends, y[at : at + _BLOCK], x[at : at + _BLOCK]) for at in range(0, len(y), _BLOCK)]
    return Residuals.joined(blocks)


def _block(moments: Moments, ends: Ends, y: Ints, x: Ints) -> Residuals:
    m, n = moments.lags, moments.levels.shape[-1]
    high, low = np.maximum(y, x), np.minimum(y, x)
    with np.errstate(divide="ignore", invalid="ignore"):
        syy, sxx, sxy = ends.cross[y, y], ends.cross[x, x], ends.cross[high, low]
        beta = sxy / sxx
        rss = syy - 2 * beta * sxy + beta * beta * sxx
        yy, xx, xy = moments.lagged[:, y, y], moments.lagged[:, x, x], moments.lagged[:, high, low]
        first_row = 0.5 * yy - beta * xy + 0.5 * beta * beta * xx  # [h]: sum of d(t) d(t - h), t > m
        heads, tails = ends.heads[:, y] - beta * ends.heads[:, x], ends.tails[:, y] - beta * ends.tails[:, x]
        start, last = ends.first[y] - beta * ends.first[x], ends.last[y] - beta * ends.last[x]
        levels = start + np.cumsum(heads, axis=0)  # e(0) .. e(m)
        window = _Window(n, first_row, heads, tails, levels, last, rss)
        lags, tied, weak = _lags_by_aic(window, m)
        stat, weak_fit = _statistics(window, lags, m)
        squares = first_row[0] + (heads * heads).sum(0)
        slope = _slope(window, start, squares)
        correlation = _correlation(moments, ends, y, x, high, low)
        doubtful = tied | weak | weak_fit | ~(rss > COLLINEAR * syy) | ~np.isfinite(stat)
        sd: Floats = np.sqrt(np.maximum(rss, 0.0) / (n - 1))
        alpha = ends.mean[y] - beta * ends.mean[x]
        return Residuals(alpha, beta, 1.0 - rss / syy, stat, lags, last, sd, slope, correlation, doubtful)


@dataclass(frozen=True, slots=True)
class _Window:
    """The residuals of a block of pairs, as far as they are known; lanes last."""

    n: int
    first_row: Floats
    heads: Floats
    tails: Floats
    levels: Floats
    last: Floats
    rss: Floats

    def gram(self, k: int, rows: Ints | slice) -> Floats:
        """(k + 2, k + 2, P) lower Gram matrix [level, lag 1 .. lag k, target] over t = k + 1 .. n - 1 of the lanes `rows`."""
        m = len(self.heads) - 1
        heads, tails, levels, last = self.heads[:, rows], self.tails[:, rows], self.levels[:, rows], self.last[rows]
        own = self.first_row[: k + 1, rows].copy()
        for lag in range(k + 1):
            own[lag] += (heads[k + 1 : m + 1] * heads[k + 1 - lag : m + 1 - lag]).sum(0)
        gram = np.zeros((k + 2, k + 2, own.shape[-1]))
        gram[k + 1, 1 : k + 1], gram[k + 1, k + 1] = own[1:], own[0]
        before = own
        for a in range(k):  # row a + 1 of the Toeplitz part from row a
            before = before[: k - a] + heads[k - a] * heads[k - a : 0 : -1] - tails[a] * tails[a:k]
            gram[a + 1 : k + 1, a + 1] = before
        gram[0, 0] = self.rss[rows] - (levels[:k] ** 2).sum(0) - last * last
        level = 0.5 * (last * last - levels[k] ** 2 - own[0])
        gram[k + 1, 0] = level
        for a in range(k):
            level = level + levels[k - 1] * heads[k - a] - (last - tails[0]) * tails[a] + gram[a + 1, 1]
            gram[a + 1, 0] = level
        return gram


def _factor(gram: Floats) -> tuple[Floats, Mask]:
    """Cholesky of the lower (q, q, P) in place, and (P,) where a pivot is weak."""
    diagonal = np.einsum("iip->ip", gram).copy()
    for k in range(len(gram)):
        gram[k, k] = np.sqrt(gram[k, k])
        gram[k + 1 :, k] /= gram[k, k]
        for c in range(k + 1, len(gram)):
            gram[c:, c] -= gram[c:, k] * gram[c, k]
    pivots = np.einsum("iip->ip", gram) ** 2
    return gram, ~(pivots > WEAK * diagonal).all(0)


def _lags_by_aic(window: _Window, m: int) -> tuple[Ints, Mask, Mask]:
    factor, weak = _factor(window.gram(m, slice(None)))
    left_over = np.cumsum((factor[-1] ** 2)[::-1], axis=0)[::-1][1:]  # [k]: unexplained by the level and k lags
    criterion = left_over * np.exp(2.0 * np.arange(m + 1) / (window.n - 1 - m))[:, None]  # AIC without its logarithm
    lags = np.argmin(criterion, axis=0)
    smallest = criterion.min(0)
    tied = (criterion <= smallest * (1.0 + TIE)).sum(0) > 1
    return lags, tied, weak


def _statistics(window: _Window, lags: Ints, m: int) -> tuple[Floats, Mask]:
    """Dickey-Fuller t, each pair with its own order on its own sample; and where a pivot is weak."""
    stat, weak = np.full(len(lags), np.nan), np.zeros(len(lags), bool)
    for k in np.unique(lags).tolist():
        rows = np.flatnonzero(lags == k)
        gram = window.gram(k, rows)
        order = [*range(1, k + 1), 0, k + 1]  # the level last but one: its t stands in the last rows
        factor, weak[rows] = _factor(_symmetric(gram)[np.ix_(order, order)])
        stat[rows] = factor[-1, -2] / factor[-1, -1] * math.sqrt(window.n - 1 - k - (k + 1))
    return stat, weak


def _symmetric(gram: Floats) -> Floats:
    full = gram + gram.transpose(1, 0, 2)
    index = np.arange(len(gram))
    full[index, index] = gram[index, index]
    return full


def _slope(window: _Window, start: Floats, squares: Floats) -> Floats:
    rows, last = window.n - 1, window.last
    mean, step = -last / rows, (last - start) / rows
    sxx = window.rss - last * last - rows * mean * mean
    sxy = 0.5 * (last * last - start * start - squares) - rows * mean * step
    return sxy / sxx


def _correlation(moments: Moments, ends: Ends, y: Ints, x: Ints, high: Ints, low: Ints) -> Floats:
    rows = moments.levels.shape[-1] - 1

    def product(a: Ints, b: Ints) -> Floats:
        total: Floats = 0.5 * moments.lagged[0, np.maximum(a, b), np.minimum(a, b)] + (ends.heads[:, a] * ends.heads[:, b]).sum(0)
        total -= (ends.last[a] - ends.first[a]) * (ends.last[b] - ends.first[b]) / rows
        return total

    pearson: Floats = np.clip(product(y, x) / np.sqrt(product(y, y) * product(x, x)), -1.0, 1.0)
    return pearson
