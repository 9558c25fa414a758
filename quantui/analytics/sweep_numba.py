"""The residual tests of many pairs as one compiled kernel: the algebra of `sweep_numpy`, eight pairs at a time.

The eight lanes lie innermost in every array, so that the compiler makes vector instructions of each inner loop. The kernel holds
no lock of the interpreter: threads share the pairs, and nobody else waits for them.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from quantui.analytics.moments import Moments
from quantui.analytics.sweep import COLLINEAR, TIE, WEAK, Ends, Residuals
from quantui.market.frames import Floats, Ints

_LANES = 8
_CHUNK = 8192
"""Pairs a thread takes at once."""
_COLUMNS = 7


def residual_sweep(moments: Moments, y: Ints, x: Ints) -> Residuals:
    """Implements `sweep.Engine`."""
    ends = Ends.of(moments)
    m, n = moments.lags, moments.levels.shape[-1]
    penalties = np.exp(2.0 * np.arange(m + 1) / (n - 1 - m))

    def run(at: int) -> tuple[Floats, ...]:
        rows, columns = y[at : at + _CHUNK], x[at : at + _CHUNK]
        out, lags, doubtful = np.empty((_COLUMNS, len(rows))), np.empty(len(rows), np.int64), np.empty(len(rows), np.bool_)
        _sweep(
            moments.lagged, ends.cross, ends.first, ends.last, ends.heads, ends.tails, penalties, n,
            rows, columns, out, lags, doubtful,
        )  # fmt: skip
        beta, r_squared, stat, last, sd, slope, correlation = out
        alpha = ends.mean[rows] - beta * ends.mean[columns]
        return alpha, beta, r_squared, stat, lags, last, sd, slope, correlation, doubtful

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        chunks = list(pool.map(run, range(0, len(y), _CHUNK)))
    return Residuals(*(np.concatenate(column) for column in zip(*chunks, strict=True)))


def update(matrices: Floats, added: Floats, gone: Floats) -> None:
    """Implements `moments.Update`."""
    count = matrices.shape[-1]
    middle = int(count * 0.5**0.5)  # half of the triangle lies above
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda rows: _update(matrices, added, gone, *rows), ((0, middle), (middle, count))))


@njit(nogil=True, cache=True, fastmath={"contract"})
def _update(matrices, added, gone, start, end):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for h in range(matrices.shape[0]):
        for i in range(start, end):
            a, b, c, d = added[0, i], added[h, i], gone[0, i], gone[h, i]
            for j in range(i + 1):
                matrices[h, i, j] += a * added[h, j] + b * added[0, j] - c * gone[h, j] - d * gone[0, j]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def _sweep(  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    lagged, cross, first, last, heads, tails, penalties, n, y, x, out, lags, doubtful
):
    lanes = _LANES
    m = lagged.shape[0] - 1
    q = m + 2
    gram = np.empty((q, q, lanes))
    diagonal = np.empty((q, lanes))
    own = np.empty((m + 1, lanes))
    head, tail, level = np.empty((m + 1, lanes)), np.empty((m + 1, lanes)), np.empty((m + 1, lanes))
    end, before, rss, syy, beta = np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes)
    squares, running = np.empty(lanes), np.empty(lanes)
    yy0, xx0, xy0 = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    small = np.empty((q, q))
    count = y.shape[0]
    for at in range(0, count, lanes):
        # What is known of each pair.
        for l in range(lanes):
            p = min(at + l, count - 1)
            i, j = y[p], x[p]
            high, low = max(i, j), min(i, j)
            sxy = cross[high, low]
            b = sxy / cross[j, j]
            beta[l], syy[l] = b, cross[i, i]
            rss[l] = cross[i, i] - 2.0 * b * sxy + b * b * cross[j, j]
            for h in range(m + 1):
                own[h, l] = 0.5 * lagged[h, i, i] - b * lagged[h, high, low] + 0.5 * b * b * lagged[h, j, j]
            yy, xx, xy = 0.5 * lagged[0, i, i], 0.5 * lagged[0, j, j], 0.5 * lagged[0, high, low]
            for t in range(1, m + 1):
                hy, hx = heads[t, i], heads[t, j]
                head[t, l] = hy - b * hx
                yy += hy * hy
                xx += hx * hx
                xy += hy * hx
            yy0[l], xx0[l], xy0[l] = yy, xx, xy
            for a in range(m + 1):
                tail[a, l] = tails[a, i] - b * tails[a, j]
            level[0, l] = first[i] - b * first[j]
            end[l] = last[i] - b * last[j]
            before[l] = end[l] - tail[0, l]
        # Levels e(0) .. e(m).
        for l in range(lanes):
            squares[l] = own[0, l]
        for t in range(1, m + 1):
            for l in range(lanes):
                level[t, l] = level[t - 1, l] + head[t, l]
                squares[l] += head[t, l] * head[t, l]
        # The Gram matrix [level, lags, target] of order m.
        for a in range(m + 1):
            for l in range(lanes):
                gram[m + 1, a + 1, l] = own[a, l]
        for l in range(lanes):
            gram[m + 1, m + 1, l] = own[0, l]
        for a in range(1, m + 1):
            for l in range(lanes):
                gram[m + 1, a, l] = own[a, l]
        for a in range(m):
            for b in range(a, m):
                if a == 0:
                    for l in range(lanes):
                        gram[b + 1, 1, l] = own[b, l] + head[m, l] * head[m - b, l] - tail[0, l] * tail[b, l]
                else:
                    for l in range(lanes):
                        gram[b + 1, a + 1, l] = gram[b, a, l] + head[m - a, l] * head[m - b, l] - tail[a, l] * tail[b, l]
        for l in range(lanes):
            gram[0, 0, l] = rss[l] - end[l] * end[l]
            running[l] = 0.5 * (end[l] * end[l] - level[m, l] * level[m, l] - own[0, l])
            gram[m + 1, 0, l] = running[l]
        for t in range(m):
            for l in range(lanes):
                gram[0, 0, l] -= level[t, l] * level[t, l]
        for a in range(m):
            for l in range(lanes):
                running[l] += level[m - 1, l] * head[m - a, l] - before[l] * tail[a, l] + gram[a + 1, 1, l]
                gram[a + 1, 0, l] = running[l]
        for r in range(q):
            for l in range(lanes):
                diagonal[r, l] = gram[r, r, l]
        # Its Cholesky factor.
        for k in range(q):
            for l in range(lanes):
                gram[k, k, l] = np.sqrt(gram[k, k, l])
            for r in range(k + 1, q):
                for l in range(lanes):
                    gram[r, k, l] /= gram[k, k, l]
            for c in range(k + 1, q):
                for r in range(c, q):
                    for l in range(lanes):
                        gram[r, c, l] -= gram[r, k, l] * gram[c, k, l]
        for l in range(lanes):
            p = at + l
            if p >= count:
                break
            is_good = rss[l] > COLLINEAR * syy[l]
            for r in range(q):
                is_good &= gram[r, r, l] * gram[r, r, l] > WEAK * diagonal[r, l]
            # The order with the smallest criterion: AIC without its logarithm.
            left_over, smallest, second, k = 0.0, np.inf, np.inf, 0
            for order in range(m, -1, -1):
                left_over += gram[m + 1, order + 1, l] * gram[m + 1, order + 1, l]
                criterion = left_over * penalties[order]
                if criterion <= smallest:
                    smallest, second, k = criterion, smallest, order
                elif criterion < second:
                    second = criterion
            is_good &= second > smallest * (1.0 + TIE)
            # That order on its own sample, the level last but one.
            for h in range(k + 1):
                value = own[h, l]
                for t in range(k + 1, m + 1):
                    value += head[t, l] * head[t - h, l]
                if h == 0:
                    small[k + 1, k + 1] = value
                    target = value
                else:
                    small[k + 1, h - 1] = value
            for b in range(k):
                value = small[k + 1, b - 1] if b > 0 else target
                small[b, 0] = value + head[k, l] * head[k - b, l] - tail[0, l] * tail[b, l]
            for a in range(1, k):
                for b in range(a, k):
                    small[b, a] = small[b - 1, a - 1] + head[k - a, l] * head[k - b, l] - tail[a, l] * tail[b, l]
            value = rss[l] - end[l] * end[l]
            for t in range(k):
                value -= level[t, l] * level[t, l]
            small[k, k] = value
            value = 0.5 * (end[l] * end[l] - level[k, l] * level[k, l] - target)
            small[k + 1, k] = value
            for a in range(k):
                value += level[k - 1, l] * head[k - a, l] - before[l] * tail[a, l] + small[a, 0]
                small[k, a] = value
            for c in range(k + 2):
                pivot = small[c, c]
                for t in range(c):
                    pivot -= small[c, t] * small[c, t]
                is_good &= pivot > WEAK * small[c, c]
                small[c, c] = np.sqrt(pivot)
                for r in range(c + 1, k + 2):
                    value = small[r, c]
                    for t in range(c):
                        value -= small[r, t] * small[c, t]
                    small[r, c] = value / small[c, c]
            rows = n - 1
            stat = small[k + 1, k] / small[k + 1, k + 1] * np.sqrt(float(rows - k - (k + 1)))
            mean, step = -end[l] / rows, (end[l] - level[0, l]) / rows
            sxx = rss[l] - end[l] * end[l] - rows * mean * mean
            sxy = 0.5 * (end[l] * end[l] - level[0, l] * level[0, l] - squares[l]) - rows * mean * step
            i, j = y[p], x[p]
            moved_y, moved_x = last[i] - first[i], last[j] - first[j]
            cyy, cxx = yy0[l] - moved_y * moved_y / rows, xx0[l] - moved_x * moved_x / rows
            out[0, p], out[1, p], out[2, p], out[3, p] = beta[l], 1.0 - rss[l] / syy[l], stat, end[l]
            out[4, p] = np.sqrt(max(rss[l], 0.0) / rows)
            out[5, p] = sxy / sxx
            out[6, p] = (xy0[l] - moved_y * moved_x / rows) / np.sqrt(cyy * cxx)
            lags[p] = k
            doubtful[p] = not (is_good and np.isfinite(stat))
