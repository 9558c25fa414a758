"""Correlation by rank and over time, and the correlations of many symbols in an order that shows their groups."""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from quantui.analytics.spread import correlation
from quantui.market.frames import Floats, Ints


def ranks(values: Floats) -> Floats:
    """Ranks of each row (..., k), from 1; equal values share the mean of theirs."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, -1)
    places = np.arange(values.shape[-1])
    starts = np.concatenate((np.ones_like(ordered[..., :1], bool), ordered[..., 1:] != ordered[..., :-1]), -1)
    ends = np.concatenate((starts[..., 1:], np.ones_like(starts[..., :1])), -1)
    first = np.maximum.accumulate(np.where(starts, places, 0), -1)
    last = np.minimum.accumulate(np.where(ends, places, values.shape[-1])[..., ::-1], -1)[..., ::-1]
    found = np.empty(values.shape)
    np.put_along_axis(found, order, (first + last) / 2.0 + 1.0, -1)
    return np.where(np.isnan(values).any(-1, keepdims=True), np.nan, found)


def spearman(a: Floats, b: Floats) -> Floats:
    """Spearman's rank correlation of each row (..., k): unmoved by a few wild bars; NaN where a row does not vary."""
    return correlation(ranks(a), ranks(b))


def kendall(a: Floats, b: Floats) -> float:
    """Kendall's tau-b of two series (k,): agreeing less disagreeing pairs of bars; NaN where one does not vary."""
    first, second = np.triu_indices(len(a), 1)
    up, other = np.sign(a[second] - a[first]), np.sign(b[second] - b[first])
    pairs = float(np.count_nonzero(up)) * float(np.count_nonzero(other))
    return float(up @ other) / pairs**0.5 if pairs else float("nan")


def rolling_correlations(returns_y: Floats, returns_x: Floats, window: int) -> tuple[Floats, Floats]:
    """Pearson's and Spearman's correlation of the last `window` returns at every bar.

    Args:
        returns_y: (k,) log returns.
        returns_x: (k,) log returns.
        window: returns taken together, at least 3.

    Returns:
        Two arrays (k,), NaN before the first full window. No value changes when bars are added.
    """
    out = np.full(len(returns_y), np.nan), np.full(len(returns_y), np.nan)
    if len(returns_y) >= window:
        # Contiguous copies, as in `pair_history`: the last digits must not depend on the bars after.
        y, x = (np.ascontiguousarray(sliding_window_view(leg, window)) for leg in (returns_y, returns_x))
        out[0][window - 1 :], out[1][window - 1 :] = correlation(y, x), spearman(y, x)
    return out


def correlation_matrix(returns: Floats) -> Floats:
    """(N, N) Pearson correlations of log returns (N, k); 1 on the diagonal, NaN with a symbol that does not move."""
    centred = returns - returns.mean(-1, keepdims=True)
    sizes = np.sqrt((centred * centred).sum(-1))
    moving = np.ptp(returns, axis=-1) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        matrix = np.clip(centred @ centred.T / np.outer(sizes, sizes), -1.0, 1.0)
    matrix = np.where(np.outer(moving, moving), matrix, np.nan)
    np.fill_diagonal(matrix, np.where(moving, 1.0, np.nan))
    return matrix


def clustered_order(matrix: Floats) -> Ints:
    """The order of symbols in which those that move together stand together.

    Average linkage of 1 - correlation, leaves turned so that neighbours are near (Bar-Joseph, Gifford & Jaakkola 2001). Symbols
    that do not move come last. Imports scipy on first use.
    """
    moving: npt.NDArray[np.intp] = np.flatnonzero(~np.isnan(np.diagonal(matrix)))
    still = np.flatnonzero(np.isnan(np.diagonal(matrix)))
    if len(moving) > 2:
        from scipy.cluster.hierarchy import leaves_list, linkage

        distances = 1.0 - matrix[np.ix_(moving, moving)][np.triu_indices(len(moving), 1)]
        moving = moving[leaves_list(linkage(distances, "average", optimal_ordering=True))]
    return np.concatenate((moving, still)).astype(np.int64)
