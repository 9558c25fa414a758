"""Everything the monitor says of a pair at a closed bar (contracts.md 2), for one pair or for many of equal length at once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quantui.analytics.cointegration import residual_tests
from quantui.analytics.estimators import NO_ERROR, Estimator, hedge_line
from quantui.analytics.half_life import half_life
from quantui.analytics.hedge import fit_line
from quantui.analytics.spread import Space, check_estimator, correlation, published, rounding_of, usable_prices, volatility
from quantui.analytics.stationarity import Missing, UnitRoot, adf_batch
from quantui.market.frames import Floats

MIN_WINDOW = 10
MIN_Z_WINDOW = 3

QUANTITIES = (
    "alpha", "beta", "beta_se", "r_squared", "spread", "spread_mean", "spread_std", "zscore", "correlation", "adf",
    "engle_granger", "half_life", "volatility_y", "volatility_x",
)  # fmt: skip
"""What `missing` may name."""


@dataclass(frozen=True, slots=True)
class PairStatistics:
    """Statistics of one pair on its last closed bars. None where a quantity cannot be had; `missing` says why, by its name."""

    n: int
    """Bars used: the window, or what there is of it."""
    space: Space
    z_window: int
    missing: Mapping[str, str]
    alpha: float | None = None
    beta: float | None = None
    beta_se: float | None = None
    r_squared: float | None = None
    spread: float | None = None
    spread_mean: float | None = None
    """Over the last Z bars, with the coefficients of now; so is `spread_std`. Of a filter: what it expected of its innovation."""
    spread_std: float | None = None
    spread_oldest: float | None = None
    """The spread that leaves the Z window at the next bar: what a preview replaces."""
    zscore: float | None = None
    correlation: float | None = None
    adf: UnitRoot | None = None
    engle_granger: UnitRoot | None = None
    half_life: float | None = None
    """Bars."""
    half_life_low: float | None = None
    half_life_high: float | None = None
    """None with a known `half_life`: no upper end."""
    volatility_y: float | None = None
    """Annualised."""
    volatility_x: float | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """Spread and z-score as they would be if the forming bar closed now."""

    spread: float
    zscore: float


def pair_statistics(
    y: Floats,
    x: Floats,
    *,
    window: int,
    bar_ms: int,
    z_window: int | None = None,
    space: Space = Space.LOG,
    estimator: Estimator = Estimator.OLS,
) -> list[PairStatistics]:
    """Statistics of each pair over the last `window` closes.

    A pair's numbers do not depend on the pairs it is computed with.

    Args:
        y: (P, n) or (n,) closes of the dependent legs, oldest first, joined with x on the bar's open time.
        x: closes of the other legs, same shape.
        window: W, bars of the regression.
        bar_ms: length of a bar in ms, for annualising.
        z_window: Z, bars of the z-score; None is W.
        space: whether logs or prices are regressed.
        estimator: of alpha and beta. Engle-Granger is a test of its own and stays with least squares.

    Raises:
        ValueError: shapes differ, a window is out of its range, or returns are to be regressed in price space.
    """
    z_window = window if z_window is None else z_window
    check_estimator(estimator, space)
    y, x = np.atleast_2d(y)[:, -window:], np.atleast_2d(x)[:, -window:]
    _check(y, x, window, z_window)
    n = y.shape[-1]
    if n < window:
        return [_nothing(n, space, z_window, f"{n}/{window}")] * len(y)
    y, x = usable_prices(y), usable_prices(x)
    good = ~(np.isnan(y) | np.isnan(x)).any(-1)
    results = [_nothing(n, space, z_window, "a close is missing or is no price")] * len(y)
    if good.any():
        rows = np.flatnonzero(good).tolist()
        if len(rows) < len(y):
            y, x = y[good], x[good]
        for row, statistics in zip(rows, _compute(y, x, z_window, bar_ms, space, estimator), strict=True):
            results[row] = statistics
    return results


def preview(statistics: PairStatistics, y_price: float, x_price: float) -> Preview | None:
    """The z-score with the forming bar's prices and the last closed bar's coefficients.

    The forming bar's spread takes the place of the oldest of the Z window. Costs no array work: made for every tick.

    Args:
        statistics: of the last closed bar.
        y_price: latest price of y.
        x_price: latest price of x.

    Returns:
        None where the statistics have no z-score or a price is no price.
    """
    s = statistics
    if s.alpha is None or s.beta is None or s.spread_mean is None or s.spread_std is None or s.spread_oldest is None:
        return None
    if not (math.isfinite(y_price) and math.isfinite(x_price) and y_price > 0 and x_price > 0):
        return None
    if s.space is Space.LOG:
        y_price, x_price = math.log(y_price), math.log(x_price)
    spread = y_price - s.alpha - s.beta * x_price
    mean = s.spread_mean + (spread - s.spread_oldest) / s.z_window
    squares = (s.z_window - 1) * s.spread_std**2 + (spread - s.spread_oldest) * (spread - mean + s.spread_oldest - s.spread_mean)
    if squares <= 0.0:
        return None
    return Preview(spread, (spread - mean) / math.sqrt(squares / (s.z_window - 1)))


def _check(y: Floats, x: Floats, window: int, z_window: int) -> None:
    if y.shape != x.shape or y.ndim != 2:
        raise ValueError(f"y {y.shape} and x {x.shape} must be closes of one shape, (pairs, bars)")
    if window < MIN_WINDOW:
        raise ValueError(f"window {window} is too short: use {MIN_WINDOW} bars or more")
    if not MIN_Z_WINDOW <= z_window <= window:
        raise ValueError(f"z-score window {z_window} must be between {MIN_Z_WINDOW} and the window, {window}")


def _nothing(n: int, space: Space, z_window: int, reason: str) -> PairStatistics:
    return PairStatistics(n, space, z_window, dict.fromkeys(QUANTITIES, reason))


def _compute(y: Floats, x: Floats, z_window: int, bar_ms: int, space: Space, estimator: Estimator) -> list[PairStatistics]:
    """Statistics of full windows of usable prices."""
    log_y, log_x = np.log(y), np.log(x)
    returns_y, returns_x = np.diff(log_y, axis=-1), np.diff(log_x, axis=-1)
    level_y, level_x = (log_y, log_x) if space is Space.LOG else (y, x)
    least = fit_line(level_y, level_x)
    line = hedge_line(estimator, level_y, level_x, least)
    rounding = rounding_of(line, level_y, level_x)
    moments = published(line, z_window, rounding)
    # A residual that is rounding only must not be tested: its tests would be numbers about nothing.
    dead = ~(line.residual_sd > rounding)
    residuals = np.where(dead[:, None], np.nan, line.residuals)
    decay = half_life(residuals, fitted=1)
    columns: dict[str, Sequence[float]] = {
        "alpha": line.alpha.tolist(),
        "beta": line.beta.tolist(),
        "beta_se": line.beta_se.tolist(),
        "r_squared": line.r_squared.tolist(),
        "spread": moments.value.tolist(),
        "spread_mean": moments.mean.tolist(),
        "spread_std": moments.std.tolist(),
        "spread_oldest": moments.oldest.tolist(),
        "zscore": moments.zscore.tolist(),
        "correlation": correlation(returns_y, returns_x).tolist(),
        "half_life": decay.value.tolist(),
        "half_life_low": decay.low.tolist(),
        "half_life_high": decay.high.tolist(),
        "volatility_y": volatility(returns_y, bar_ms).tolist(),
        "volatility_x": volatility(returns_x, bar_ms).tolist(),
    }
    adf = adf_batch(residuals)
    cointegration = residual_tests(np.where(dead[:, None], np.nan, least.residuals), least.r_squared)
    n, slopes = y.shape[-1], decay.slope.tolist()
    results = []
    for row, values in enumerate(zip(*columns.values(), strict=True)):
        known = {name: value for name, value in zip(columns, values, strict=True) if math.isfinite(value)}
        missing: dict[str, str] = {}
        if len(known) < len(columns) or isinstance(adf[row], Missing) or isinstance(cointegration[row], Missing):
            why = _why_dead(y[row], x[row]) if dead[row] else None
            missing = _reasons(known, why, slopes[row], adf[row], cointegration[row])
            if why is None and "beta_se" in missing:
                missing["beta_se"] = NO_ERROR.get(estimator, "more than half of the bars lie on the line")
        results.append(
            PairStatistics(n, space, z_window, missing, adf=_found(adf[row]), engle_granger=_found(cointegration[row]), **known)
        )
    return results


def _found(test: UnitRoot | Missing) -> UnitRoot | None:
    return None if isinstance(test, Missing) else test


def _why_dead(y: Floats, x: Floats) -> str:
    """Why there is no spread to speak of."""
    if np.ptp(x) == 0:
        return "x is constant"
    return "y is constant" if np.ptp(y) == 0 else "the legs are exactly collinear"


def _reasons(
    known: Mapping[str, float], dead: str | None, slope: float, adf: UnitRoot | Missing, cointegration: UnitRoot | Missing
) -> dict[str, str]:
    """Why each unknown quantity is unknown."""
    reasons = dict.fromkeys(
        (name for name in QUANTITIES if name not in known and name not in ("adf", "engle_granger")),
        dead or "the spread does not vary over the z-score window",
    )
    for name, test in (("adf", adf), ("engle_granger", cointegration)):
        if isinstance(test, Missing):
            reasons[name] = dead or test.reason
    if "half_life" in reasons and dead is None:
        reasons["half_life"] = "the spread does not revert" if slope >= 0 else "the spread reverts within a bar"
    if "correlation" in reasons:
        reasons["correlation"] = "a leg does not move"
    return reasons
