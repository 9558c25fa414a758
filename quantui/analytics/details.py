"""Everything a pair can say beside the numbers of the monitor: one window, each test once, ready for JSON.

Twenty milliseconds at 240 bars, most of them the Kalman filter's likelihood: for a report, not for every bar.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass

import numpy as np

from quantui.analytics import johansen, kalman
from quantui.analytics.correlations import kendall, spearman
from quantui.analytics.descriptive import price_statistics
from quantui.analytics.dfgls import dfgls
from quantui.analytics.dols import dols
from quantui.analytics.false_alarms import false_alarms, white_alarms
from quantui.analytics.fmols import fmols
from quantui.analytics.half_life import half_life
from quantui.analytics.hedge import fit_line
from quantui.analytics.hurst import MIN_INCREMENTS, null_band
from quantui.analytics.ou import OrnsteinUhlenbeck, ornstein_uhlenbeck
from quantui.analytics.pair import PairStatistics
from quantui.analytics.phillips_ouliaris import phillips_ouliaris, phillips_perron
from quantui.analytics.spread import Space, correlation
from quantui.analytics.spread_kinds import SpreadKind, unhedged
from quantui.analytics.stability import cusum, error_correction
from quantui.analytics.stationarity import Missing
from quantui.analytics.variance_ratio import variance_ratios
from quantui.analytics.whiteness import innovation_size, ljung_box
from quantui.analytics.zscores import ewma_z, expected_crossings, ou_z, robust_z, rolling_z, zero_crossings
from quantui.market.frames import Floats

_RECENT = 20
"""Innovations whose size is watched."""
_WHITENESS_LAGS = 10


@dataclass(frozen=True, slots=True)
class Window:
    """One full window of a pair whose spread varies."""

    closes_y: Floats
    """(n,)"""
    closes_x: Floats
    y: Floats
    """(n,) levels in the space of the regression."""
    x: Floats
    spread: Floats
    """(n,) y - alpha - beta x with the coefficients of now: a fixed portfolio's past."""
    statistics: PairStatistics
    z_window: int
    threshold: float
    bar_ms: int
    filtered: bool
    """The z-score is that of a filter's innovation."""


def window_of(
    y: Floats, x: Floats, statistics: PairStatistics, *, z_window: int, threshold: float, bar_ms: int, filtered: bool = False
) -> Window | Missing:
    """The window of closes (n,) that `statistics` are of, or why there is nothing more to say."""
    s = statistics
    if s.spread_std is None or s.alpha is None or s.beta is None:
        return Missing(s.missing["spread_std"])
    level_y, level_x = (np.log(y), np.log(x)) if s.space is Space.LOG else (y, x)
    return Window(y, x, level_y, level_x, level_y - s.alpha - s.beta * level_x, s, z_window, threshold, bar_ms, filtered)


def details(window: Window | Missing, missing: dict[str, str]) -> dict[str, object]:
    """Every section by name; None with its reason in `missing` where it cannot be had."""
    found: dict[str, object] = {}
    for name, section in SECTIONS.items():
        result = window if isinstance(window, Missing) else section(window)
        found[name] = None if isinstance(result, Missing) else plain(result)
        if isinstance(result, Missing):
            missing[name] = result.reason
    return found


def plain(value: object) -> object:
    """Dataclasses as mappings, and no number that JSON does not know."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _johansen(w: Window) -> object:
    levels = np.stack((w.y - w.y.mean(), w.x - w.x.mean()), -1)[None]
    test = johansen.johansen(levels)
    if not np.isfinite(test.trace).all():
        return Missing("the legs' regression is singular")
    trace, largest = johansen.critical_values(2)
    return {
        "trace": test.trace[0].tolist(), "critical": _by_level(trace),
        "max_eig": test.max_eig[0].tolist(), "critical_max_eig": _by_level(largest),
        "vector": test.vectors[0, 0].tolist(), "beta": -float(test.vectors[0, 0, 1]), "beta_se": float(test.errors[0, 1]),
    }  # fmt: skip


def _by_level(ranks: list[dict[str, float]]) -> dict[str, list[float]]:
    return {level: [rank[level] for rank in ranks] for level in johansen.LEVELS}


def _dols(w: Window) -> object:
    fit = dols(w.y, w.x)
    beta, error = float(fit.betas[0]), float(fit.robust_errors[0])
    if not math.isfinite(beta):
        return Missing("the moves of x around each bar explain each other")
    return {"alpha": float(fit.alpha), "beta": beta, "beta_se": error, "r_squared": float(fit.r_squared)}


def _kalman(w: Window) -> object:
    path = kalman.hedge(w.y[None], w.x[None])
    z = path.zscores[0, np.isfinite(path.innovation_sd[0])]
    if len(z) <= _WHITENESS_LAGS or not np.isfinite(z).all():
        return Missing("x stands still for too long")
    return {
        "alpha": float(path.alpha[0, -1]), "beta": float(path.beta[0, -1]), "beta_sd": float(path.beta_sd[0, -1]),
        "innovation": float(path.innovations[0, -1]), "innovation_sd": float(path.innovation_sd[0, -1]), "zscore": float(z[-1]),
        "q": float(path.q[0]), "r": float(path.r[0]), "log_likelihood": float(path.log_likelihood[0]),
        "recent_size": innovation_size(z[-_RECENT:]), "ljung_box": ljung_box(z, _WHITENESS_LAGS),
    }  # fmt: skip


def _unit_roots(w: Window) -> object:
    tests = {}
    for leg, levels in (("y", w.y), ("x", w.x)):
        for name, test in (("dfgls", dfgls(levels)), ("phillips_perron", phillips_perron(levels))):
            if isinstance(test, Missing):
                return Missing(f"{leg}: {test.reason}")
            tests[f"{name}_{leg}"] = {"stat": test.stat, "p_value": test.p_value, "lags": test.lags, "critical": test.critical}
    return tests


def _error_correction(w: Window) -> object:
    return error_correction(w.y, w.x, w.spread, w.statistics.beta or 0.0)


def _half_life_corrected(w: Window) -> object:
    bars = float(half_life(w.spread[None], fitted=1).corrected[0])
    if math.isnan(bars):
        return Missing(w.statistics.missing.get("half_life", "the spread does not revert"))
    return bars if math.isfinite(bars) else Missing("without its small-sample bias the spread does not revert")


def _hurst_band(w: Window) -> object:
    increments = len(w.spread) - 1
    if increments < MIN_INCREMENTS:
        return Missing(f"{increments}/{MIN_INCREMENTS} increments")
    return null_band(increments)


def _zscores(w: Window) -> object:
    process = ornstein_uhlenbeck(w.spread)
    memory = w.statistics.half_life or float(w.z_window)
    return {
        "rolling": rolling_z(w.spread, w.z_window), "ewma": ewma_z(w.spread, max(1.0, memory)), "robust": robust_z(w.spread),
        "ou": ou_z(w.spread, process) if isinstance(process, OrnsteinUhlenbeck) else None,
    }  # fmt: skip


def _crossings(w: Window) -> object:
    phi = float(fit_line(w.spread[1:], w.spread[:-1]).beta)
    return {"count": zero_crossings(w.spread), "expected": expected_crossings(phi, len(w.spread))}


def _spreads(w: Window) -> object:
    found = {}
    for kind in (SpreadKind.DIFFERENCE, SpreadKind.RATIO, SpreadKind.LOG_RATIO):
        values = unhedged(kind, w.closes_y, w.closes_x)
        found[str(kind)] = {"value": float(values[-1]), "zscore": rolling_z(values, w.z_window)}
    return found


def _prices(w: Window) -> object:
    statistics = price_statistics(w.closes_y), price_statistics(w.closes_x)
    return next((each for each in statistics if isinstance(each, Missing)), dict(zip("yx", statistics, strict=True)))


def _correlations(w: Window) -> object:
    y, x = np.diff(np.log(w.closes_y)), np.diff(np.log(w.closes_x))
    pearson = float(correlation(y, x))
    if math.isnan(pearson):
        return Missing("a leg does not move")
    return {"returns": pearson, "spearman": float(spearman(y, x)), "kendall": kendall(y, x), "levels": float(correlation(w.y, w.x))}


def _false_alarms(w: Window) -> object:
    return white_alarms(w.threshold, w.bar_ms) if w.filtered else false_alarms(w.statistics.n, w.z_window, w.threshold, w.bar_ms)


SECTIONS: Mapping[str, Callable[[Window], object]] = {
    "johansen": _johansen,
    "phillips_ouliaris": lambda w: phillips_ouliaris(w.y, w.x),
    "unit_roots": _unit_roots,
    "variance_ratio": lambda w: variance_ratios(w.spread),
    "hurst_band": _hurst_band,
    "half_life_corrected": _half_life_corrected,
    "ornstein_uhlenbeck": lambda w: ornstein_uhlenbeck(w.spread),
    "crossings": _crossings,
    "dols": _dols,
    "fmols": lambda w: fmols(w.y, w.x),
    "kalman": _kalman,
    "cusum": lambda w: cusum(fit_line(w.y, w.x).residuals),
    "error_correction": _error_correction,
    "zscores": _zscores,
    "spreads": _spreads,
    "prices": _prices,
    "correlations": _correlations,
    "false_alarms": _false_alarms,
}
"""What is made of a window, by its name in the report."""
