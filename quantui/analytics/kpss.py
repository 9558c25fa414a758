"""The KPSS test, whose null is stationarity: the other side of ADF.

Kwiatkowski, Phillips, Schmidt & Shin (1992); automatic bandwidth of Hobijn, Franses & Ooms (2004). Equals statsmodels'
`kpss(series, "c")` without its warnings: whether the p-value is at the edge of the published table is a field here.
"""

from dataclasses import dataclass

import numpy as np

from quantui.analytics.stationarity import Missing
from quantui.market.frames import Floats

_CRITICAL = (0.347, 0.463, 0.574, 0.739)
_LEVELS = (0.10, 0.05, 0.025, 0.01)


@dataclass(frozen=True, slots=True)
class Kpss:
    """Result of a KPSS test around a constant."""

    stat: float
    p_value: float
    """Interpolated in the published table, which ends at 0.01 and 0.10."""
    lags: int
    at_edge: str
    """`"p below 0.01"` or `"p above 0.10"` where the table ends; else empty."""


def kpss(series: Floats, lags: int | None = None) -> Kpss | Missing:
    """KPSS test of a series (n,) around a constant, Bartlett kernel; `lags` None chooses the bandwidth."""
    n = len(series)
    if not np.isfinite(series).all():
        return Missing("values are missing")
    if n < 3 or np.ptp(series) == 0:
        return Missing("series is constant")
    deviations = series - series.mean()
    lags = min(_bandwidth(deviations) if lags is None else lags, n - 1)
    variance = float(deviations @ deviations)
    for lag in range(1, lags + 1):
        variance += 2.0 * float(deviations[lag:] @ deviations[:-lag]) * (1.0 - lag / (lags + 1.0))
    stat = float((np.cumsum(deviations) ** 2).sum()) / n**2 / (variance / n)
    edge = "p below 0.01" if stat > _CRITICAL[-1] else "p above 0.10" if stat < _CRITICAL[0] else ""
    return Kpss(stat, float(np.interp(stat, _CRITICAL, _LEVELS)), lags, edge)


def _bandwidth(deviations: Floats) -> int:
    n = len(deviations)
    s0, s1 = float(deviations @ deviations) / n, 0.0
    for lag in range(1, int(n ** (2.0 / 9.0)) + 1):
        product = float(deviations[lag:] @ deviations[:-lag]) / (n / 2.0)
        s0 += product
        s1 += lag * product
    ratio = s1 / s0
    return int(1.1447 * (ratio * ratio) ** (1.0 / 3.0) * n ** (1.0 / 3.0))
