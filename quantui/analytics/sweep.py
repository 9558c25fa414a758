"""Residual unit-root tests of many pairs from lagged moments (docs/statistics.md, "All pairs"): what goes in and comes out.

Notation: e is the residual of y on [1, x], d(t) = e(t) - e(t - 1), n values in the window, lag orders up to m. The regression of
order k has the rows t = k + 1 .. n - 1, the level e(t - 1), the lags d(t - 1) .. d(t - k) and the target d(t).

Its Gram matrix is Toeplitz but for its ends: [a + 1, b + 1] is [a, b] less the newest product and with an older one, so the
first row and a few values at both ends of the window make all of it.
"""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from quantui.analytics.moments import Moments
from quantui.market.frames import Floats, Ints

if TYPE_CHECKING:
    from collections.abc import Sequence

WEAK = 1e-5
"""A pivot below this share of its diagonal has lost too many digits."""
Mask = npt.NDArray[np.bool_]
COLLINEAR = 1e-5
"""With less than this share of y left in the residual its moments have lost too many digits."""
TIE = 1e-8
"""Two orders whose criteria lie closer, relatively, cannot be told apart from moments."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """What is known of the residuals of P pairs; every field is (P,)."""

    alpha: Floats
    beta: Floats
    r_squared: Floats
    stat: Floats
    """Augmented Dickey-Fuller t of the residual, without constant."""
    lags: Ints
    """By AIC."""
    last: Floats
    """The newest residual."""
    sd: Floats
    """Of the residuals, ddof = 1."""
    slope: Floats
    """b of e(t) - e(t - 1) = a + b e(t - 1)."""
    correlation: Floats
    """Of the differences of both legs."""
    doubtful: Mask
    """Moments do not have the digits for this pair: `stat` and `lags` must be had from the residual itself."""

    @staticmethod
    def joined(parts: "Sequence[Residuals]") -> "Residuals":
        """One after the other; at least one."""
        return Residuals(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Residuals)))


class Engine(Protocol):
    """A way to get them."""

    def __call__(self, moments: Moments, y: Ints, x: Ints) -> Residuals:
        """Residuals of each pair; `y` and `x` are (P,) rows of the moments' levels."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What is needed of the series themselves beside the moments; lanes last."""

    first: Floats
    """(N,) centred level at 0."""
    last: Floats
    """(N,) centred level at n - 1."""
    heads: Floats
    """(m + 1, N): d(1) .. d(m) at 1 .. m."""
    tails: Floats
    """(m + 1, N): d(n - 1 - a) at a."""
    mean: Floats
    """(N,) of the levels, with their reference."""
    cross: Floats
    """(N, N): centred products of levels, i >= j."""

    @staticmethod
    def of(moments: Moments) -> "Ends":
        """The ends of the window."""
        levels, m, n = moments.levels, moments.lags, moments.levels.shape[-1]
        mean = levels.mean(-1)
        heads = np.zeros((m + 1, len(levels)))
        heads[1:] = np.diff(levels[:, : m + 1], axis=-1).T
        tails = np.diff(levels[:, n - 2 - m :], axis=-1).T[::-1]
        cross = moments.products - n * np.multiply.outer(mean, mean)
        return Ends(levels[:, 0] - mean, levels[:, -1] - mean, heads, np.ascontiguousarray(tails), mean + moments.reference, cross)
