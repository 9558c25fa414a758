"""One plain line for each test of a report: what it says, how sure, and what it does not say."""

from collections.abc import Callable, Mapping
from typing import Any

Report = Mapping[str, Any]
"""What `full_report` made: JSON values."""

_SURE = 0.05
_NORMAL_95 = 1.96


def verdicts(report: Report) -> dict[str, str]:
    """A line for each test the report has a result of, by its name there."""
    return {name: line(report) for name, line in LINES.items() if report.get(name) is not None}


def _percent(p: float) -> str:
    """A probability as people read it."""
    if p < 0.001:
        return "under 0.1 %"
    return f"{100 * p:.1f} %" if p < 0.1 else f"{100 * p:.0f} %"


def _p(p: float) -> str:
    return f"p {'<' if p < 0.001 else '='} {_percent(p).removeprefix('under ')}"


def _adf(report: Report) -> str:
    return (
        f"{_p(report['adf']['p_value'])} would be right for given coefficients; these were fitted to make it look "
        "stationary, so read engle_granger instead."
    )


def _engle_granger(report: Report) -> str:
    p = _percent(report["engle_granger"]["p_value"])
    if report["engle_granger"]["p_value"] <= _SURE:
        return (
            f"Cointegrated in this window: unrelated walks look like this in {p} of cases. "
            "Not said: that it lasts, nor that it survives a search over many pairs."
        )
    return (
        f"No cointegration shown: unrelated walks look like this in {p} of cases. "
        "Not said: that there is none; a short window misses slow reversion."
    )


def _reversed(report: Report) -> str:
    other, p = report["engle_granger"], report["engle_granger_reversed"]["p_value"]
    if other is None:
        return f"With the legs exchanged {_p(p)}."
    if (p <= _SURE) == (other["p_value"] <= _SURE):
        return f"With the legs exchanged the answer is the same ({_p(p)})."
    return f"With the legs exchanged the answer is the opposite ({_p(p)}): weak evidence. johansen chooses no leg."


def _phillips_ouliaris(report: Report) -> str:
    p = report["phillips_ouliaris"]["zt"]["p_value"]
    word = "agrees that the legs are cointegrated" if p <= _SURE else "shows no cointegration"
    return f"Without choosing lags, the test {word} (Zt {_p(p)}). It rejects too often where the spread's moves undo each other."


def _johansen(report: Report) -> str:
    found = report["johansen"]
    none, one = (stat > limit for stat, limit in zip(found["trace"], found["critical"]["95%"], strict=True))
    if none and one:
        return "Both legs look stationary by themselves at 95 %: a regression of one on the other says little about a shared trend."
    if none:
        return (
            f"One stationary combination at 95 %, y - {found['beta']:.4g} x, with no leg chosen as the dependent one. "
            "Not said: that its gaps are large enough to trade."
        )
    return "No stationary combination at 95 %. Not said: that there is none; a short window misses slow reversion."


def _kpss(report: Report) -> str:
    if report["kpss"]["p_value"] <= _SURE:
        return "The spread wanders more than a stationary one should (its null is stationarity); read beside engle_granger."
    return "Nothing speaks against a stationary spread. Not said: that it is one; fitted residuals and short windows pass easily."


def _unit_roots(report: Report) -> str:
    still = [leg for leg in ("y", "x") if report["unit_roots"][f"dfgls_{leg}"]["p_value"] <= _SURE]
    if not still:
        return "Both legs behave as random walks do, as cointegration supposes."
    return f"{' and '.join(still)} may be stationary alone: cointegration is then no news. One walk in twenty looks so by chance."


def _half_life(report: Report) -> str:
    low, high = report["half_life_interval"]
    upper = "no upper end" if high is None else f"{high:.1f}"
    return (
        f"Half of a gap closes in {report['half_life']:.1f} bars; 95 % interval {low:.1f} to {upper}. "
        "Short windows make the plain number too small; a random walk has one too."
    )


def _hurst(report: Report) -> str:
    value, band = report["hurst"], report["hurst_band"]
    if band is None:
        return f"{value:.2f}; 0.5 is a random walk."
    where = "below" if value < band[0] else "above" if value > band[1] else "within"
    meaning = {
        "below": "moves tend to be undone", "above": "moves tend to go on", "within": "not to be told from a random walk",
    }[where]  # fmt: skip
    return (
        f"{value:.2f} is {where} the {band[0]:.2f} to {band[1]:.2f} that nine of ten random walks of this length show: {meaning}."
    )


def _variance_ratio(report: Report) -> str:
    known = [one for one in report["variance_ratio"] if one["p_value"] is not None]
    first = min(known, key=lambda one: float(one["p_value"]), default=None)
    if first is None or first["p_value"] > _SURE / len(known):
        return "Not to be told from a random walk at 5 %, all horizons together. A few large moves make the test say little."
    word = "undone" if first["ratio"] < 1 else "continued"
    return (
        f"Moves are {word}: over {first['horizon']} bars variance is {first['ratio']:.2f} of a random walk's "
        f"({_p(first['p_value'])}, the smallest of {len(known)})."
    )


def _kalman(report: Report) -> str:
    found = report["kalman"]
    text = f"Ratio now {found['beta']:.4g} +- {2 * found['beta_sd']:.2g}; the last bar surprised it by {found['zscore']:+.2f} sd."
    if found["ljung_box"]["p_value"] <= _SURE:
        text += " Its surprises are not independent: the model misses something, and their size means less."
    size = found["recent_size"]
    if not size["low"] <= size["value"] <= size["high"]:
        text += " Lately they are not of the size it expects."
    return text + " A surprise of one bar is no gap: a level that drifts follows a slow spread."


def _dols(report: Report) -> str:
    found = report["dols"]
    low, high = (found["beta"] + side * _NORMAL_95 * found["beta_se"] for side in (-1, 1))
    text = f"Ratio {found['beta']:.4g}, 95 % interval {low:.4g} to {high:.4g}, if the legs are cointegrated."
    beta = report["beta"]
    if beta is not None and not low <= beta <= high:
        text += f" The one in use, {beta:.4g}, is outside."
    return text


def _cusum(report: Report) -> str:
    p = report["cusum"]["robust_p_value"]
    if p is not None and p <= _SURE:
        return f"The line does not hold over the window ({_p(p)}): the spread drifted away at some bar."
    return "No break found, with the spread's slowness allowed for. Not said: that there is none; breaks near the ends are missed."


def _error_correction(report: Report) -> str:
    found, side = report["error_correction"], -1 if (report["beta"] or 0.0) < 0 else 1
    moving = [leg for leg, towards in (("y", -1), ("x", side)) if towards * found[leg]["t"] > _NORMAL_95]
    if not moving:
        return "Neither leg is seen to answer to a gap."
    who = "both legs" if len(moving) == 2 else moving[0]
    rest = "" if len(moving) == 2 else " The other leg is not seen to answer."
    return f"A gap is closed by {who}: together the legs close {100 * found['closed']:.1f} % of it a bar.{rest}"


def _crossings(report: Report) -> str:
    found = report["crossings"]
    return f"The spread crossed its mean {found['count']} times; an autoregression like it would {found['expected']:.0f} times."


def _zscores(report: Report) -> str:
    known = {name: value for name, value in report["zscores"].items() if value is not None}
    if not known:
        return "No way of counting gives a z-score."
    low, high = min(known.values()), max(known.values())
    return f"Between {low:+.2f} and {high:+.2f} by the way of counting; the signal uses `zscore`, {_signed(report['zscore'])}."


def _signed(value: float | None) -> str:
    return "which cannot be had" if value is None else f"{value:+.2f}"


def _false_alarms(report: Report) -> str:
    found = report["false_alarms"]
    return (
        f"Unrelated walks would be beyond the entry in {_percent(found['share'])} of bars and alert {found['per_day']:.3g} times "
        "a day before gates: a z-score alone is no evidence."
    )


LINES: Mapping[str, Callable[[Report], str]] = {
    "adf": _adf,
    "engle_granger": _engle_granger,
    "engle_granger_reversed": _reversed,
    "johansen": _johansen,
    "phillips_ouliaris": _phillips_ouliaris,
    "kpss": _kpss,
    "unit_roots": _unit_roots,
    "half_life": _half_life,
    "hurst": _hurst,
    "variance_ratio": _variance_ratio,
    "crossings": _crossings,
    "dols": _dols,
    "kalman": _kalman,
    "cusum": _cusum,
    "error_correction": _error_correction,
    "zscores": _zscores,
    "false_alarms": _false_alarms,
}
