"""Lagged cross-moments of many series: all that residual tests of any pair of them need to know (docs/statistics.md, "All pairs").

The residual of y on x is a combination p*y + q*x, so every sum of products over it is quadratic in (p, q), with coefficients
that belong to the pair and not to the residual. Those are a few matrix products for all pairs at once, and a new bar adds one
row of products to each of them and drops one.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from quantui.analytics.stationarity import max_lags
from quantui.market.frames import Floats


@dataclass(slots=True)
class Moments:
    """Moments of N series over a window of n levels, with lags up to m.

    Of the square matrices only [i, j] with i >= j is kept.
    """

    levels: Floats
    """(N, n) levels, less `reference`."""
    reference: Floats
    """(N,) subtracted from every level, so that large levels cost no digits."""
    lagged: Floats
    """(m + 1, N, N): sum of d_i(t) d_j(t - h) + d_j(t) d_i(t - h) over t = m + 1 .. n - 1, where d(t) = level(t) - level(t - 1)."""
    products: Floats
    """(N, N): sum of level_i(t) level_j(t) over the window, not centred."""
    bars_since: int = 0
    """Bars that have slid in since everything was computed from the levels: rounding adds up with them."""

    @property
    def lags(self) -> int:
        """The highest order, m."""
        return len(self.lagged) - 1

    @staticmethod
    def of(levels: Floats, lags: int | None = None) -> "Moments":
        """From the levels (N, n) themselves; `lags` None: the highest order a residual test of n values tries."""
        count, n = levels.shape
        m = max_lags(n, "n") if lags is None else lags
        reference = levels.mean(-1)
        centred = levels - reference[:, None]
        differences = np.diff(centred, axis=-1)
        moments = Moments(centred, reference, np.empty((m + 1, count, count)), _products(centred, centred, 0.5))
        newest = differences[:, m:]

        def fill(lag: int) -> None:
            moments.lagged[lag] = _products(newest, differences[:, m - lag : n - 1 - lag])

        with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy lets go of the interpreter meanwhile
            list(pool.map(fill, range(m + 1)))
        return moments

    def slide(self, newest: Floats, update: "Update | None" = None) -> None:
        """One bar more and the oldest gone.

        Args:
            newest: (N,) levels of the new bar.
            update: adds the products, where a faster way than numpy's is at hand.
        """
        m, levels = self.lags, self.levels
        oldest = np.diff(levels[:, : m + 2], axis=-1).T[::-1]  # d(m + 1), d(m) .. d(1): the row that goes
        gone = levels[:, 0].copy()
        levels[:, :-1] = levels[:, 1:]
        levels[:, -1] = newest - self.reference
        added = np.diff(levels[:, -m - 2 :], axis=-1).T[::-1]  # d(n - 1), d(n - 2) ..: the row that comes
        (update or _update)(self.lagged, np.ascontiguousarray(added), np.ascontiguousarray(oldest))
        rows = np.stack([levels[:, -1], gone])
        (update or _update)(self.products[None], 0.5**0.5 * rows[:1], 0.5**0.5 * rows[1:])
        self.bars_since += 1


Update = Callable[[Floats, Floats, Floats], None]
"""Adds a[0] aᵀ[h] + a[h] aᵀ[0] to matrix h of the first argument (k, N, N) for a (k, N), and takes the same of b away; i >= j."""


def _update(matrices: Floats, added: Floats, gone: Floats) -> None:
    for matrix, a, b in zip(matrices, added, gone, strict=True):
        matrix += np.multiply.outer(added[0], a) + np.multiply.outer(a, added[0])
        matrix -= np.multiply.outer(gone[0], b) + np.multiply.outer(b, gone[0])


def _products(a: Floats, b: Floats, factor: float = 1.0) -> Floats:
    """Factor * (a @ b.T + b @ a.T) of a and b (N, k)."""
    half = factor * (a @ b.T)
    return half + half.T
