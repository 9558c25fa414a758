"""The DF-GLS test: is a leg itself a random walk? The most powerful of the unit-root tests around a constant.

Elliott, Rothenberg & Stock, Econometrica 64 (1996): the mean is estimated as if the root were 1 - 7/n, then Dickey & Fuller's
test is made without a constant. Equals `DFGLS` of the package arch 8, whose response surfaces give p-values and critical values.
"""

import math

import numpy as np

from quantui.analytics.mackinnon import LEVELS
from quantui.analytics.stationarity import Missing, UnitRoot, dickey_fuller, too_short
from quantui.market.frames import Floats

MIN_BARS = 30
"""The response surfaces in 1/n mean nothing far below."""
_NEAR = -7.0
_LOW, _STAR, _HIGH = -17.561302895074206, -0.4795076091714674, 13.365361509140614
_LOWER = (0.67422739, 1.25475826, 0.03572509)
_UPPER = (0.50612497, 0.98305664, -0.05648525, 0.00140875)
_CRITICAL = (
    (-2.56781793, -20.5575392, 182.727674, -1778.66664),
    (-1.94363325, -21.7272746, 260.815068, -2269.14916),
    (-1.61998241, -23.2734708, 306.474378, -2574.83557),
)


def dfgls(series: Floats, lags: int | None = None) -> UnitRoot | Missing:
    """DF-GLS test of a series (n,) around a constant; `lags` None chooses by AIC on the plainly centred series."""
    n = len(series)
    if n < MIN_BARS:
        return Missing(f"{n}/{MIN_BARS} bars")
    short = too_short(n, "n", lags)
    if short is not None:
        return short
    if not np.isfinite(series).all():
        return Missing("values are missing")
    if np.ptp(series) == 0:
        return Missing("series is constant")
    centred = series - series.mean()
    root = 1.0 + _NEAR / n
    ones, moves = np.full(n, 1.0 - root), centred.copy()
    ones[0] = 1.0
    moves[1:] -= root * centred[:-1]
    detrended = centred - float(ones @ moves) / float(ones @ ones)
    used = int(dickey_fuller(centred[None], "n").lags[0]) if lags is None else lags
    test = dickey_fuller(detrended[None], "n", used)
    stat, nobs = float(test.stat[0]), int(test.nobs[0])
    if not math.isfinite(stat):
        return Missing("test regression is singular")
    critical = dict(zip(LEVELS, (sum(c / nobs**power for power, c in enumerate(row)) for row in _CRITICAL), strict=True))
    return UnitRoot(stat, _p(stat), used, nobs, critical, float(test.coefficient[0]))


def _p(stat: float) -> float:
    if stat < _LOW or stat > _HIGH:
        return 0.0 if stat < _LOW else 1.0
    quantile = sum(c * stat**power for power, c in enumerate(_UPPER if stat > _STAR else _LOWER))
    return 0.5 * math.erfc(-quantile / math.sqrt(2.0))
