"""Are a filter's innovations what it says they are: unpredictable, and of the size it expects?"""

import math
from dataclasses import dataclass

import numpy as np

from quantui.market.frames import Floats

_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class LjungBox:
    """Ljung & Box's portmanteau test (Biometrika 65, 1978); its null is that nothing of a series can be told from its past."""

    stat: float
    p_value: float
    lags: int


@dataclass(frozen=True, slots=True)
class InnovationSize:
    """The mean square of standardised innovations: 1 where the filter knows how wrong it is."""

    value: float
    low: float
    """Between `low` and `high` in 95 % of the times the filter is right."""
    high: float


def ljung_box(series: Floats, lags: int = 10) -> LjungBox:
    """Test of a series (n,) that varies, n > lags.

    Args:
        series: standardised innovations.
        lags: autocorrelations taken together; even, so that the chi-squared tail is a finite sum.

    Raises:
        ValueError: `lags` is odd.
    """
    if lags % 2:
        raise ValueError(f"{lags} lags: take an even number")
    n = len(series)
    deviations = series - series.mean()
    variance = float(deviations @ deviations)
    stat = (
        sum((float(deviations[lag:] @ deviations[:-lag]) / variance) ** 2 / (n - lag) for lag in range(1, lags + 1)) * n * (n + 2)
    )
    return LjungBox(stat, chi_squared_tail(stat, lags), lags)


def innovation_size(zscores: Floats) -> InnovationSize:
    """The normalised innovation squared (NIS) of standardised innovations (k,), with its chi-squared band.

    The band's ends are Wilson & Hilferty's (1931): within 1 % for ten innovations or more.
    """
    count = len(zscores)
    spread = 2.0 / (9.0 * count)
    low, high = ((1.0 - spread + side * _NORMAL_95 * math.sqrt(spread)) ** 3 for side in (-1.0, 1.0))
    return InnovationSize(float(np.mean(zscores * zscores)), low, high)


def chi_squared_tail(stat: float, freedom: int) -> float:
    """P(chi-squared > stat) for an even number of degrees of freedom."""
    half, term, total = stat / 2.0, 1.0, 1.0
    for k in range(1, freedom // 2):
        term *= half / k
        total += term
    return math.exp(-half) * total
