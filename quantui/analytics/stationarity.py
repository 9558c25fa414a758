"""The augmented Dickey-Fuller test, batched: every lag order of every series from one factorisation.

A Cholesky factor of the Gram matrix of [level, lag 1, ..., lag m, difference] holds, in its last row, the residual sum of
squares of every nested regression; so choosing the lag by AIC costs one factorisation instead of m + 1 regressions. The chosen
order is then fitted on its own, larger sample. Equal to statsmodels' `adfuller(autolag="AIC")` in lag and, to 1e-8, in statistic.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantui.analytics.mackinnon import Trend, critical_values, p_value
from quantui.market.frames import Floats, Ints

_WEAK_PIVOT = 1e-5
"""Below this share of a column's variance left over by those before it, the Gram matrix has lost too many digits."""

_NO_PIVOT = 1e-12
"""Below this share of its length left over by those before it, a column is their combination and adds nothing."""

_WIDTHS = np.array((0, 2, 5, 10, 16, 24, 36, 54, 81))
"""Series whose orders lie between two of these are fitted together, with the upper as their width.

Never the highest order among them: a series' last digits must not depend on the company it is in.
"""

_TERMS: Mapping[Trend, int] = {"n": 0, "c": 1, "ct": 2}


@dataclass(frozen=True, slots=True)
class UnitRoot:
    """A unit-root test's result."""

    stat: float
    p_value: float
    lags: int
    nobs: int
    """Rows of the regression."""
    critical: Mapping[str, float]
    """Critical values by level: `1%`, `5%`, `10%`."""
    coefficient: float
    """Of the lagged level: rho - 1."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A quantity that cannot be had, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class DickeyFuller:
    """Raw test results, one per series; a singular regression has a NaN statistic."""

    stat: Floats
    coefficient: Floats
    lags: Ints
    nobs: Ints


def adf(series: Floats, trend: Trend = "c", lags: int | None = None) -> UnitRoot | Missing:
    """Augmented Dickey-Fuller test of one series (n,); see `adf_batch`."""
    return adf_batch(series[None], trend, lags)[0]


def adf_batch(series: Floats, trend: Trend = "c", lags: int | None = None) -> list[UnitRoot | Missing]:
    """Augmented Dickey-Fuller test of each row.

    Args:
        series: (P, n) values.
        trend: deterministic terms of the regression.
        lags: lagged differences to use; None chooses by AIC up to `max_lags`.

    Returns:
        P results; `Missing` for a series that is constant, not finite, too short or exactly explained by its past.
    """
    count, n = series.shape
    short = too_short(n, trend, lags)
    if short is not None:
        return [short] * count
    results: list[UnitRoot | Missing] = [Missing("values are missing")] * count
    finite = np.isfinite(series).all(-1)
    usable = finite & (np.ptp(series, axis=-1) > 0)
    for row in np.flatnonzero(finite & ~usable).tolist():
        results[row] = Missing("series is constant")
    rows = np.flatnonzero(usable)
    if len(rows) == 0:
        return results
    test = dickey_fuller(series if len(rows) == count else series[rows], trend, lags)
    for row, stat, coefficient, used, nobs in zip(
        rows.tolist(), test.stat.tolist(), test.coefficient.tolist(), test.lags.tolist(), test.nobs.tolist(), strict=True
    ):
        if math.isfinite(stat):
            results[row] = UnitRoot(stat, p_value(stat, 1, trend), used, nobs, critical_values(1, trend, nobs), coefficient)
        else:
            results[row] = Missing("test regression is singular")
    return results


def max_lags(n: int, trend: Trend) -> int:
    """Highest lag order tried: Schwert's 12 (n/100)^¼ rounded up, at most n // 2 - 1 - the number of deterministic terms."""
    schwert = math.ceil(12.0 * math.pow(n / 100.0, 0.25))
    return min(schwert, n // 2 - _TERMS[trend] - 1)


def too_short(n: int, trend: Trend, lags: int | None = None) -> Missing | None:
    """Why n values are not enough for the test, or None where they are: the widest regression needs a degree of freedom."""
    widest = max_lags(n, trend) if lags is None else lags
    if widest < 0 or n - 1 - widest < widest + 2 + _TERMS[trend]:
        return Missing(f"{n} bars are too few for the test's lags")
    return None


def dickey_fuller(series: Floats, trend: Trend, lags: int | None = None) -> DickeyFuller:
    """Test statistics of finite, varying series (P, n) that are long enough for the test (`too_short`)."""
    count, n = series.shape
    chosen = _lags_by_aic(series, trend) if lags is None else np.full(count, lags)
    stat, coefficient = np.empty(count), np.empty(count)
    widths = np.append(_WIDTHS[n - 2 > _WIDTHS], n - 2)
    alike = widths[np.searchsorted(widths, chosen)]
    for width in np.unique(alike).tolist():
        rows = np.flatnonzero(alike == width)
        stat[rows], coefficient[rows] = _fit(series if len(rows) == count else series[rows], chosen[rows], width, trend)
    return DickeyFuller(stat, coefficient, chosen, n - 1 - chosen)


def _fit(series: Floats, lags: Ints, width: int, trend: Trend) -> tuple[Floats, Floats]:
    """(P,) t statistics and coefficients of the level, each series with its own order of `lags` (P,) and its own sample.

    What a series does not use of `width` lags is zero, and stands for itself in the factorisation: one serves several orders.
    """
    n = series.shape[-1]
    used = np.ones((len(series), width + 2), bool)
    used[:, :width] = np.arange(1, width + 1) <= lags[:, None]
    sample = np.arange(n - 1) >= lags[:, None]
    table = _regression(series, width)
    table[:, :-1] = np.roll(table[:, :-1], -1, axis=1)  # level last but one: its t ratio then stands in the factor's last rows
    if width:
        table *= used[:, :, None] & sample[:, None, :]
    _detrend(table, trend, sample)
    factor = _factor(table, used)
    freedom = n - 1 - lags - _TERMS[trend] - _independent(factor, used)[:, -1]
    level, difference = factor[:, -2, -2], factor[:, -1, -2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(level > 0, difference / factor[:, -1, -1] * np.sqrt(freedom), np.nan), difference / level


def _lags_by_aic(series: Floats, trend: Trend) -> Ints:
    """(P,) lag orders that minimise AIC, all orders compared on the sample of the widest."""
    widest = max_lags(series.shape[-1], trend)
    table = _regression(series, widest)[:, :, widest:]
    count, width, rows = table.shape
    _detrend(table, trend)
    used = np.ones((count, width), bool)
    factor = _factor(table, used)
    squares = factor[:, -1, :] ** 2
    left_over = np.cumsum(squares[:, ::-1], axis=-1)[:, ::-1]  # [:, j]: unexplained by the first j columns
    with np.errstate(divide="ignore"):
        aic = rows * np.log(left_over[:, 1:]) + 2.0 * _independent(factor, used)
    best: Ints = np.argmin(aic, axis=-1)
    return best


def _regression(series: Floats, lags: int) -> Floats:
    """(P, lags + 2, n - 1) rows [level, lag 1, ..., lag k, difference], one column a difference; 0 where a lag does not reach."""
    differences = np.diff(series, axis=-1)
    table = np.zeros((len(series), lags + 2, differences.shape[-1]))
    table[:, 0] = series[:, :-1]
    for lag in range(1, lags + 1):
        table[:, lag, lag:] = differences[:, :-lag]
    table[:, -1] = differences
    return table


def _detrend(table: Floats, trend: Trend, sample: npt.NDArray[np.bool_] | None = None) -> None:
    """Take the deterministic terms out of the rows (P, q, N) in place: fitted on each series' `sample` (P, N), all of N without.

    Outside the sample the rows are and stay zero.
    """
    if trend == "n":
        return
    inside = np.ones((1, 1, table.shape[-1]), bool) if sample is None else sample[:, None, :]
    size = inside.sum(-1, keepdims=True)
    np.subtract(table, table.sum(-1, keepdims=True) / size, out=table, where=inside)
    if trend == "ct":
        steps = np.arange(table.shape[-1])
        time = np.where(inside, steps - (steps * inside).sum(-1, keepdims=True) / size, 0.0)
        table -= (table * time).sum(-1, keepdims=True) / (time * time).sum(-1, keepdims=True) * time


def _independent(factor: Floats, used: npt.NDArray[np.bool_]) -> Ints:
    """(P, q - 1) how many of the first 1, 2, ... regressors are used and independent."""
    counts: Ints = np.cumsum((np.diagonal(factor, axis1=1, axis2=2) > 0)[:, :-1] & used[:, :-1], axis=-1)
    return counts


def _factor(table: Floats, used: npt.NDArray[np.bool_]) -> Floats:
    """(P, q, q) lower factors L with L Lᵀ = table tableᵀ and a diagonal >= 0, 0 for a row that adds nothing to those above.

    A row that is not `used` (P, q) is zero and gets a pivot of its own, or none; it changes nothing of the others.
    """
    gram = table @ table.transpose(0, 2, 1)
    each = np.arange(table.shape[1])
    gram[:, each, each] += ~used
    try:
        factor = np.asarray(np.linalg.cholesky(gram), np.float64)
    except np.linalg.LinAlgError:
        if len(table) == 1:
            return _factor_safely(table)
        rows = range(len(table))  # one bad series must not change the others' digits
        return np.concatenate([_factor(table[row : row + 1], used[row : row + 1]) for row in rows])
    diagonal = np.diagonal(factor, axis1=1, axis2=2)
    weak = (diagonal * diagonal < _WEAK_PIVOT * np.diagonal(gram, axis1=1, axis2=2)).any(-1)
    if weak.any():
        factor[weak] = _factor_safely(table[weak])
    return factor


def _factor_safely(table: Floats) -> Floats:
    """The factor by modified Gram-Schmidt on the rows themselves, which keeps their digits and finds dependent ones.

    Quiet markets make such rows: a lag whose only jump lies outside the sample is zero. Like statsmodels' pseudo-inverse, a
    dependent regressor then neither explains nor counts.
    """
    rest = table.copy()
    lengths = np.sqrt((table * table).sum(-1))
    factor = np.zeros((len(table), table.shape[1], table.shape[1]))
    for j in range(table.shape[1]):
        pivot = np.sqrt((rest[:, j] * rest[:, j]).sum(-1))
        pivot = np.where(pivot > _NO_PIVOT * lengths[:, j], pivot, np.inf)  # an infinite length makes a zero direction
        unit = rest[:, j] / pivot[:, None]
        share = (rest[:, j:] * unit[:, None]).sum(-1)
        factor[:, j:, j] = share
        rest[:, j:] -= share[..., None] * unit[:, None]
    return factor
