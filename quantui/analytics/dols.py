"""Dynamic least squares: a hedge ratio whose standard error holds where both legs wander.

Between cointegrated legs the plain estimate is right in the long run, but its standard error is not, and in a window it leans to
one side where the spread and the moves of x go together. Stock & Watson (Econometrica 61, 1993) add the moves of x around each
bar as regressors.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from quantui.analytics.multi import Regression, regress
from quantui.market.frames import Floats


def dols(y: Floats, x: Floats, leads: int = 1, lags: int = 1) -> Regression:
    """Regression of y on [1, x, dx at the `lags` bars before, at the bar and the `leads` bars after].

    The last `leads` bars have no row of their own: nothing after the last bar is needed.

    Args:
        y: (..., n) dependent levels.
        x: (..., n) levels of the other legs.
        leads: moves after each bar.
        lags: moves before each bar.

    Returns:
        The regression; beta is `betas[..., 0]`, with its Newey-West error. Its residuals lack what the moves explain: the spread
        is y - alpha - beta x.
    """
    moves = sliding_window_view(np.diff(x, axis=-1), leads + lags + 1, axis=-1)
    rows = slice(lags + 1, x.shape[-1] - leads)
    return regress(y[..., rows], np.concatenate((x[..., rows, None], moves), -1))
