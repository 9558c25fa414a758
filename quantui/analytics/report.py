"""The full report on one pair: the numbers of the monitor and the tests that are too slow or too rarely wanted for every bar.

Imports statsmodels on first use (over a second, 200 MB): call it in a worker thread.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import numpy as np

from quantui.analytics.cointegration import engle_granger
from quantui.analytics.estimators import Estimator, hedge_line
from quantui.analytics.gates import GateSettings, gates
from quantui.analytics.hurst import hurst
from quantui.analytics.kpss import kpss
from quantui.analytics.pair import PairStatistics, pair_statistics
from quantui.analytics.signal import signal_history
from quantui.analytics.spread import Space, pair_history
from quantui.analytics.stationarity import Missing, UnitRoot
from quantui.market.frames import Floats, Ints
from quantui.market.instruments import Timeframe

_JOHANSEN_LEVELS = ("90%", "95%", "99%")


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What the report is made with."""

    window: int = 240
    z_window: int | None = None
    """None: the window."""
    space: Space = Space.LOG
    estimator: Estimator = Estimator.OLS
    entry: float = 2.0
    exit: float = 0.5
    stop: float = math.inf
    gates: GateSettings = field(default_factory=GateSettings)


def full_report(
    times_ms: Ints,
    y: Floats,
    x: Floats,
    *,
    pair: str,
    venue: str,
    timeframe: Timeframe,
    settings: ReportSettings,
    quality: Mapping[str, int],
    turnover: float | None = None,
) -> dict[str, object]:
    """The object of `quantui analyze --json` (contracts.md 3) at the last of the given bars.

    Args:
        times_ms: (n,) open times of the bars both legs share, ascending.
        y: (n,) closes of the dependent leg. More than a window lets the signal know its past.
        x: (n,) closes of the other leg.
        pair: written Y/X.
        venue: of the pair.
        timeframe: of the bars.
        settings: windows, thresholds, gates.
        quality: bars of the window by trust: `certified`, `provisional`, `gap`.
        turnover: quote turnover a day of the thinner leg, for the liquidity gate.

    Returns:
        JSON-ready values; a quantity that cannot be had is None with its reason in `missing`. `notes` adds what a number alone
        would hide.

    Raises:
        ValueError: no bars, shapes differ, or a window is out of its range.
    """
    if len(times_ms) == 0 or len(times_ms) != len(y):
        raise ValueError(f"{len(times_ms)} open times and {len(y)} closes: a report needs bars, and a time for each")
    z_window = settings.window if settings.z_window is None else settings.z_window
    s = pair_statistics(
        y, x, window=settings.window, bar_ms=timeframe.ms, z_window=z_window, space=settings.space, estimator=settings.estimator
    )[0]
    missing, notes = dict(s.missing), dict[str, str]()
    first = max(len(times_ms) - settings.window, 0)
    head: dict[str, object] = {
        "pair": pair, "venue": venue, "timeframe": str(timeframe), "space": str(settings.space),
        "estimator": str(settings.estimator), "window": settings.window, "z_window": z_window, "n": s.n,
        "first_bar": _iso(int(times_ms[first])), "last_bar": _iso(int(times_ms[-1])),
    }  # fmt: skip
    numbers: dict[str, object] = {
        name: getattr(s, name)
        for name in (
            "alpha", "beta", "beta_se", "r_squared", "spread", "spread_mean", "spread_std", "zscore", "correlation", "half_life",
        )
    }  # fmt: skip
    tests: dict[str, object] = {
        "adf": None if s.adf is None else _unit_root(s.adf, with_nobs=True),
        "engle_granger": None if s.engle_granger is None else _unit_root(s.engle_granger),
        "half_life_interval": None if s.half_life is None else [s.half_life_low, s.half_life_high],
        "volatility": None if s.volatility_y is None else {"y": s.volatility_y, "x": s.volatility_x},
    }
    slow = _slow_tests(y[-settings.window :], x[-settings.window :], s, settings.estimator, missing, notes)
    for derived, source in (("half_life_interval", "half_life"), ("volatility", "volatility_y")):
        if tests[derived] is None:
            missing[derived] = missing.get(source, "")
    return {
        **head, **numbers, **tests, **slow,
        "gates": {
            gate.name: {"ok": gate.ok, "value": gate.value, "limit": gate.limit, "enabled": gate.enabled}
            for gate in gates(s, settings.gates, turnover)
        },
        "signal": _signal(y, x, settings, z_window),
        "quality": {state: quality.get(state, 0) for state in ("certified", "provisional", "gap")},
        "missing": missing,
        "notes": notes,
    }  # fmt: skip


def _slow_tests(
    y: Floats, x: Floats, s: PairStatistics, estimator: Estimator, missing: dict[str, str], notes: dict[str, str]
) -> dict[str, object]:
    """Reversed Engle-Granger, Hurst, KPSS and Johansen of one full window; reasons go into `missing` and `notes`."""
    names = ("engle_granger_reversed", "hurst", "kpss", "johansen")
    if s.spread_std is None:
        missing.update(dict.fromkeys(names, s.missing["spread_std"]))
        return dict.fromkeys(names)
    if s.space is Space.LOG:
        y, x = np.log(y), np.log(x)
    spread = hedge_line(estimator, y[None], x[None]).residuals[0]
    results: dict[str, object] = {}
    for name, result in (
        ("engle_granger_reversed", engle_granger(x, y)),
        ("hurst", hurst(np.diff(spread))),
        ("kpss", kpss(spread)),
        ("johansen", _johansen(y, x)),
    ):
        if isinstance(result, Missing):
            results[name] = None
            missing[name] = result.reason
        elif isinstance(result, UnitRoot):
            results[name] = _unit_root(result)
        elif isinstance(result, dict | float):
            results[name] = result
        else:
            results[name] = {"stat": result.stat, "p_value": result.p_value, "lags": result.lags}
            if result.at_edge:
                notes[name] = f"{result.at_edge}: the published table ends there"
    return results


def _johansen(y: Floats, x: Floats) -> dict[str, object] | Missing:
    """Johansen's trace test, constant, one lagged difference: rank 0 first, then rank at most 1."""
    from statsmodels.tsa.vector_ar.vecm import coint_johansen

    try:
        result = coint_johansen(np.column_stack((y, x)), 0, 1)
    except np.linalg.LinAlgError:
        return Missing("the legs' regression is singular")
    trace = [float(value) for value in result.lr1]
    if not all(math.isfinite(value) for value in trace):
        return Missing("the legs' regression is singular")
    critical = {level: [float(row[column]) for row in result.cvt] for column, level in enumerate(_JOHANSEN_LEVELS)}
    return {"trace": trace, "critical": critical}


def _unit_root(test: UnitRoot, *, with_nobs: bool = False) -> dict[str, object]:
    fields = asdict(test)
    del fields["coefficient"]
    if not with_nobs:
        del fields["nobs"]
    return fields


def _signal(y: Floats, x: Floats, settings: ReportSettings, z_window: int) -> str:
    """The signal at the last bar, its state carried from the first full window."""
    history = pair_history(
        y, x, window=settings.window, z_window=z_window, last=len(y), space=settings.space, estimator=settings.estimator
    )
    return str(signal_history(history.zscore.tolist(), settings.entry, settings.exit, settings.stop)[-1])


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
