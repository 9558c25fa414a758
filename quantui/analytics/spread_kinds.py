"""What people call the spread of two legs, beside the hedged one that quantui trades on."""

from enum import StrEnum

import numpy as np

from quantui.market.frames import Floats


class SpreadKind(StrEnum):
    """A way to take one price from another."""

    HEDGED = "hedged"
    """y - alpha - beta x, in the space of the regression."""
    DIFFERENCE = "difference"
    """Y - X of prices: unhedged, one unit against one."""
    RATIO = "ratio"
    """Y / X of prices."""
    LOG_RATIO = "log_ratio"
    """log Y - log X: a hedge ratio of 1 in money."""


def unhedged(kind: SpreadKind, y: Floats, x: Floats) -> Floats:
    """The spread of closes y and x (..., n) of a kind that needs no hedge ratio.

    Raises:
        ValueError: the hedged spread, which has coefficients.
    """
    match kind:
        case SpreadKind.DIFFERENCE:
            return y - x
        case SpreadKind.RATIO:
            return y / x
        case SpreadKind.LOG_RATIO:
            return np.log(y) - np.log(x)
        case _:
            raise ValueError("the hedged spread needs alpha and beta: it is that of the pair's statistics")
