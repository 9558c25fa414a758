"""The residual tests of many pairs as one compiled kernel: the algebra of `sweep_numpy`, many pairs side by side.

The lanes lie innermost in every array, so that the compiler makes vector instructions of each inner loop. The kernel holds
no lock of the interpreter: threads share the pairs, and nobody else waits for them.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from quantui.analytics.moments import Moments
from quantui.analytics.sweep import COLLINEAR, TIE, WEAK, Ends, Mask, Residuals
from quantui.market.frames import Floats, Ints

_LANES = 64
"""Enough for the compiler to make vector instructions of the inner loops; their matrices still fit the second cache."""
_CHUNK = 8192
"""Pairs a thread takes at once."""

_compiled = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})


def residual_sweep(moments: Moments, y: Ints, x: Ints) -> Residuals:
    """Implements `sweep.Engine`."""
    ends = Ends.of(moments)
    m, n = moments.lags, moments.levels.shape[-1]
    penalties = np.exp(2.0 * np.arange(m + 1) / (n - 1 - m))
    # What belongs to one symbol lies together: a pair then reads a few lines of memory instead of dozens of pages.
    own, heads, tails = (
        np.ascontiguousarray(each.T) for each in (0.5 * np.einsum("hii->hi", moments.lagged), ends.heads, ends.tails)
    )

    def run(at: int) -> Residuals:
        rows, columns = y[at : at + _CHUNK], x[at : at + _CHUNK]
        out, lags, doubtful = np.empty((7, len(rows))), np.empty(len(rows), np.int64), np.empty(len(rows), np.bool_)
        _sweep(
            moments.lagged, own, ends.cross, ends.first, ends.last, heads, tails, penalties, n,
            rows, columns, out, lags, doubtful,
        )  # fmt: skip
        beta, r_squared, stat, last, sd, slope, correlation = out
        alpha = ends.mean[rows] - beta * ends.mean[columns]
        return Residuals(alpha, beta, r_squared, stat, lags, last, sd, slope, correlation, doubtful)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return Residuals.joined(list(pool.map(run, range(0, len(y), _CHUNK))))


def update(matrices: Floats, added: Floats, gone: Floats) -> None:
    """Implements `moments.Update`."""
    count = matrices.shape[-1]
    middle = int(count * 0.5**0.5)  # half of the triangle lies above
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda rows: _update(matrices, added, gone, *rows), ((0, middle), (middle, count))))


@_compiled
def _update(matrices: Floats, added: Floats, gone: Floats, start: int, end: int) -> None:
    for h in range(matrices.shape[0]):
        for i in range(start, end):
            a, b, c, d = added[0, i], added[h, i], gone[0, i], gone[h, i]
            for j in range(i + 1):
                matrices[h, i, j] += a * added[h, j] + b * added[0, j] - c * gone[h, j] - d * gone[0, j]


@_compiled
def _sweep(
    lagged: Floats, alone: Floats, cross: Floats, first: Floats, last: Floats, heads: Floats, tails: Floats, penalties: Floats,
    n: int, y: Ints, x: Ints, out: Floats, lags: Ints, doubtful: Mask,
) -> None:  # fmt: skip
    """`out` is (7, P): beta, R squared, t, newest residual, its sd, slope, correlation."""
    m, count, rows = lagged.shape[0] - 1, y.shape[0], n - 1
    own, head, tail, level = np.empty((4, m + 1, _LANES))
    end, rss = np.empty((2, _LANES))
    gram, diagonal, small = np.empty((m + 2, m + 2, _LANES)), np.empty((m + 2, _LANES)), np.empty((m + 2, m + 2))
    for at in range(0, count, _LANES):
        for lane in range(_LANES):
            p = min(at + lane, count - 1)
            i, j = y[p], x[p]
            high, low = max(i, j), min(i, j)
            beta = cross[high, low] / cross[j, j]
            rss[lane] = cross[i, i] - 2.0 * beta * cross[high, low] + beta * beta * cross[j, j]
            for h in range(m + 1):
                own[h, lane] = alone[i, h] - beta * lagged[h, high, low] + beta * beta * alone[j, h]
            yy, xx, xy = alone[i, 0], alone[j, 0], 0.5 * lagged[0, high, low]
            level[0, lane], end[lane] = first[i] - beta * first[j], last[i] - beta * last[j]
            tail[0, lane] = tails[i, 0] - beta * tails[j, 0]
            for t in range(1, m + 1):
                tail[t, lane] = tails[i, t] - beta * tails[j, t]
                head[t, lane] = heads[i, t] - beta * heads[j, t]
                level[t, lane] = level[t - 1, lane] + head[t, lane]
                yy += heads[i, t] * heads[i, t]
                xx += heads[j, t] * heads[j, t]
                xy += heads[i, t] * heads[j, t]
            moved_y, moved_x = last[i] - first[i], last[j] - first[j]
            out[0, p], out[1, p], out[3, p] = beta, 1.0 - rss[lane] / cross[i, i], end[lane]
            out[4, p] = np.sqrt(max(rss[lane], 0.0) / rows)
            squares = yy - 2.0 * beta * xy + beta * beta * xx
            mean, step = -end[lane] / rows, (end[lane] - level[0, lane]) / rows
            sxx = rss[lane] - end[lane] * end[lane] - rows * mean * mean
            sxy = 0.5 * (end[lane] * end[lane] - level[0, lane] * level[0, lane] - squares) - rows * mean * step
            out[5, p] = sxy / sxx
            yy, xx, xy = yy - moved_y * moved_y / rows, xx - moved_x * moved_x / rows, xy - moved_y * moved_x / rows
            out[6, p] = min(max(xy / np.sqrt(yy * xx), -1.0), 1.0)
        _gram(gram, own, head, tail, level, end, rss)
        for r in range(m + 2):
            for lane in range(_LANES):
                diagonal[r, lane] = gram[r, r, lane]
        _factor(gram)
        for lane in range(min(_LANES, count - at)):
            p = at + lane
            is_good = 1.0 - out[1, p] > COLLINEAR
            for r in range(m + 2):
                is_good &= gram[r, r, lane] * gram[r, r, lane] > WEAK * diagonal[r, lane]
            lags[p], is_clear = _order(gram, penalties, lane)
            out[2, p], is_strong = _statistic(small, own, head, tail, level, end[lane], rss[lane], lane, lags[p], rows)
            doubtful[p] = not (is_good and is_clear and is_strong and np.isfinite(out[2, p]))


@_compiled
def _gram(gram: Floats, own: Floats, head: Floats, tail: Floats, level: Floats, end: Floats, rss: Floats) -> None:
    """The lower Gram matrix [level, lag 1 .. lag m, target] of every lane."""
    m = own.shape[0] - 1
    for lane in range(_LANES):
        gram[m + 1, m + 1, lane] = own[0, lane]
        gram[0, 0, lane] = rss[lane] - end[lane] * end[lane]
        gram[m + 1, 0, lane] = 0.5 * (end[lane] * end[lane] - level[m, lane] * level[m, lane] - own[0, lane])
    for a in range(1, m + 1):
        for lane in range(_LANES):
            gram[m + 1, a, lane] = own[a, lane]
            gram[0, 0, lane] -= level[a - 1, lane] * level[a - 1, lane]
    for b in range(m):
        for lane in range(_LANES):
            gram[b + 1, 1, lane] = own[b, lane] + head[m, lane] * head[m - b, lane] - tail[0, lane] * tail[b, lane]
    for a in range(1, m):
        for b in range(a, m):
            for lane in range(_LANES):
                ends = head[m - a, lane] * head[m - b, lane] - tail[a, lane] * tail[b, lane]
                gram[b + 1, a + 1, lane] = gram[b, a, lane] + ends
    for a in range(m):
        before = m + 1 if a == 0 else a
        for lane in range(_LANES):
            ends = level[m - 1, lane] * head[m - a, lane] - (end[lane] - tail[0, lane]) * tail[a, lane]
            gram[a + 1, 0, lane] = gram[before, 0, lane] + ends + gram[a + 1, 1, lane]


@_compiled
def _factor(gram: Floats) -> None:
    """Cholesky of every lane, in place."""
    size = gram.shape[0]
    for k in range(size):
        for lane in range(_LANES):
            gram[k, k, lane] = np.sqrt(gram[k, k, lane])
        for r in range(k + 1, size):
            for lane in range(_LANES):
                gram[r, k, lane] /= gram[k, k, lane]
        for c in range(k + 1, size):
            for r in range(c, size):
                for lane in range(_LANES):
                    gram[r, c, lane] -= gram[r, k, lane] * gram[c, k, lane]


@_compiled
def _order(factor: Floats, penalties: Floats, lane: int) -> tuple[int, bool]:
    """(the order with the smallest AIC, whether no other comes close)."""
    m = factor.shape[0] - 2
    left_over, smallest, second, best = 0.0, np.inf, np.inf, 0
    for k in range(m, -1, -1):
        left_over += factor[m + 1, k + 1, lane] * factor[m + 1, k + 1, lane]
        criterion = left_over * penalties[k]
        if criterion <= smallest:
            smallest, second, best = criterion, smallest, k
        elif criterion < second:
            second = criterion
    return best, second > smallest * (1.0 + TIE)


@_compiled
def _statistic(
    small: Floats, own: Floats, head: Floats, tail: Floats, level: Floats, end: float, rss: float, lane: int, k: int, rows: int
) -> tuple[float, bool]:
    """(t of the level in the regression of order k on its own sample, whether no pivot is weak); the level last but one."""
    m = own.shape[0] - 1
    for h in range(k + 1):
        value = own[h, lane]
        for t in range(k + 1, m + 1):
            value += head[t, lane] * head[t - h, lane]
        small[k + 1, (h - 1) if h > 0 else k + 1] = value
    target = small[k + 1, k + 1]
    for b in range(k):
        ends = head[k, lane] * head[k - b, lane] - tail[0, lane] * tail[b, lane]
        small[b, 0] = (small[k + 1, b - 1] if b > 0 else target) + ends
    for a in range(1, k):
        for b in range(a, k):
            small[b, a] = small[b - 1, a - 1] + head[k - a, lane] * head[k - b, lane] - tail[a, lane] * tail[b, lane]
    value = rss - end * end
    for t in range(k):
        value -= level[t, lane] * level[t, lane]
    small[k, k] = value
    value = 0.5 * (end * end - level[k, lane] * level[k, lane] - target)
    small[k + 1, k] = value
    for a in range(k):
        value += level[k - 1, lane] * head[k - a, lane] - (end - tail[0, lane]) * tail[a, lane] + small[a, 0]
        small[k, a] = value
    is_strong = True
    for c in range(k + 2):
        pivot = small[c, c]
        for t in range(c):
            pivot -= small[c, t] * small[c, t]
        is_strong &= pivot > WEAK * small[c, c]
        small[c, c] = np.sqrt(pivot)
        for r in range(c + 1, k + 2):
            value = small[r, c]
            for t in range(c):
                value -= small[r, t] * small[c, t]
            small[r, c] = value / small[c, c]
    return small[k + 1, k] / small[k + 1, k + 1] * np.sqrt(float(rows - k - (k + 1))), is_strong
