"""The full report on one pair: the numbers of the monitor and the tests that are too slow or too rarely wanted for every bar."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import numpy as np

from quantui.analytics.carry import funding_carry
from quantui.analytics.cointegration import engle_granger
from quantui.analytics.descriptive import parkinson_volatility
from quantui.analytics.details import Window, details, plain, window_of
from quantui.analytics.estimators import Estimator
from quantui.analytics.gates import GateSettings, gates
from quantui.analytics.hurst import hurst
from quantui.analytics.kpss import kpss
from quantui.analytics.liquidity import liquidity
from quantui.analytics.pair import PairStatistics, pair_statistics
from quantui.analytics.signal import signal_history
from quantui.analytics.spread import Space, pair_history
from quantui.analytics.stationarity import Missing, UnitRoot
from quantui.analytics.verdicts import verdicts
from quantui.market.frames import Floats, Ints
from quantui.market.instruments import Timeframe

_FILTERED = "of the portfolio held at the ratio of now; the innovations themselves are white by construction"
_ALIKE = "simulated for least squares; the share of this estimator is within a fifth of it"
_FOREIGN = "simulated for least squares; by Johansen's vector unrelated walks are beyond 2 in a third as many bars"


@dataclass(frozen=True, slots=True)
class LegBars:
    """What the window's bars of one leg hold beside closes."""

    high: Floats
    """(n,) of the window; so are the others."""
    low: Floats
    quote_volume: Floats


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
    bars: tuple[LegBars, LegBars] | None = None,
    funding: tuple[float, float] | None = None,
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
        bars: of both legs, for `parkinson` and `liquidity`, which are left out without.
        funding: rates of y and x for eight hours, for `carry`, which is left out without.

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
    y_now, x_now = y[-settings.window :], x[-settings.window :]
    filtered = settings.estimator is Estimator.KALMAN
    window = window_of(y_now, x_now, s, z_window=z_window, threshold=settings.entry, bar_ms=timeframe.ms, filtered=filtered)
    slow = _slow_tests(window, missing, notes) | details(window, missing)
    if filtered:
        notes |= dict.fromkeys(("adf", "half_life", "kpss", "hurst"), _FILTERED) | {"spread": "the one-step-ahead innovation"}
    elif settings.estimator is not Estimator.OLS:
        notes["false_alarms"] = _FOREIGN if settings.estimator is Estimator.JOHANSEN else _ALIKE
    for derived, source in (("half_life_interval", "half_life"), ("volatility", "volatility_y")):
        if tests[derived] is None:
            missing[derived] = missing.get(source, "")
    report: dict[str, object] = {
        **head, **numbers, **tests, **slow, **_trading(s, timeframe.ms, bars, funding, missing),
        "gates": {
            gate.name: {"ok": gate.ok, "value": gate.value, "limit": gate.limit, "enabled": gate.enabled}
            for gate in gates(s, settings.gates, turnover)
        },
        "signal": _signal(y, x, s, settings, z_window),
        "quality": {state: quality.get(state, 0) for state in ("certified", "provisional", "gap")},
        "missing": missing,
        "notes": notes,
    }  # fmt: skip
    report["verdicts"] = verdicts(report)
    return report


def _slow_tests(window: Window | Missing, missing: dict[str, str], notes: dict[str, str]) -> dict[str, object]:
    """Reversed Engle-Granger, Hurst and KPSS of one full window; reasons go into `missing` and `notes`."""
    if isinstance(window, Missing):
        names = ("engle_granger_reversed", "hurst", "kpss")
        missing.update(dict.fromkeys(names, window.reason))
        return dict.fromkeys(names)
    results: dict[str, object] = {}
    for name, result in (
        ("engle_granger_reversed", engle_granger(window.x, window.y)),
        ("hurst", hurst(np.diff(window.spread))),
        ("kpss", kpss(window.spread)),
    ):
        if isinstance(result, Missing):
            results[name] = None
            missing[name] = result.reason
        elif isinstance(result, UnitRoot):
            results[name] = _unit_root(result)
        elif isinstance(result, float):
            results[name] = result
        else:
            results[name] = {"stat": result.stat, "p_value": result.p_value, "lags": result.lags}
            if result.at_edge:
                notes[name] = f"{result.at_edge}: the published table ends there"
    return results


def _trading(
    s: PairStatistics,
    bar_ms: int,
    bars: tuple[LegBars, LegBars] | None,
    funding: tuple[float, float] | None,
    missing: dict[str, str],
) -> dict[str, object]:
    """What bars and funding say beside closes."""
    found: dict[str, object] = {}
    if bars is not None:
        by_leg = dict(zip("yx", bars, strict=True))
        found["parkinson"] = {leg: parkinson_volatility(each.high, each.low, bar_ms) for leg, each in by_leg.items()}
        turnover = {leg: liquidity(each.quote_volume) for leg, each in by_leg.items()}
        found["liquidity"] = {leg: None if isinstance(each, Missing) else plain(each) for leg, each in turnover.items()}
        missing |= {f"liquidity_{leg}": each.reason for leg, each in turnover.items() if isinstance(each, Missing)}
    if funding is not None and s.beta is not None:
        found["carry"] = plain(funding_carry(*funding, s.beta))
    return found


def _unit_root(test: UnitRoot, *, with_nobs: bool = False) -> dict[str, object]:
    fields = asdict(test)
    del fields["coefficient"]
    if not with_nobs:
        del fields["nobs"]
    return fields


def _signal(y: Floats, x: Floats, s: PairStatistics, settings: ReportSettings, z_window: int) -> str:
    """The signal at the last bar, its state carried from the first full window."""
    before = pair_history(
        y[:-1], x[:-1], window=settings.window, z_window=z_window, last=len(y), space=settings.space, estimator=settings.estimator
    )
    zscores = [*before.zscore.tolist(), s.zscore]
    return str(signal_history(zscores, settings.entry, settings.exit, settings.stop)[-1])


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
