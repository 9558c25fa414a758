"""The per-bar set of a pair (contracts.md 2) beside the same tests from statsmodels, in one run, on one core.

`python -m benchmarks.statistics [--json FILE] [--quick]`

The peer is OLS + adfuller + coint of statsmodels 0.15, one pair after the other, the way most programs do it; it has no z-score,
correlation, volatility or half-life to compute, ours has. The run fails where the two differ by more than 1e-8.
"""

import os
import sys
import time
from collections.abc import Callable

import numpy as np
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant
from statsmodels.tsa.stattools import adfuller, coint

from benchmarks.table import Row, make_parser, report
from quantui.analytics.pair import PairStatistics, pair_statistics, preview
from quantui.analytics.report import ReportSettings, full_report
from quantui.analytics.spread import pair_history
from quantui.market.frames import Floats
from quantui.market.instruments import Timeframe

WINDOW = 240
GOALS_MS = {1: 2.0, 10: 20.0, 16: 4.0, 100: 30.0}
"""By pairs in one call. 16 is the slice the event loop computes at a time."""

Tests = tuple[float, float, int, float]
"""beta, ADF statistic, its lags, Engle-Granger statistic."""


def legs(pairs: int) -> tuple[Floats, Floats]:
    """(pairs, WINDOW) closes whose log spreads revert at different speeds, so that the chosen lags differ."""
    random = np.random.default_rng(pairs)
    x = 4 + np.cumsum(random.normal(scale=0.01, size=(pairs, WINDOW)), axis=1)
    spread, phi = np.zeros((pairs, WINDOW)), np.linspace(0.9, 0.99, pairs)
    for t in range(1, WINDOW):
        spread[:, t] = phi * spread[:, t - 1] + random.normal(scale=0.005, size=pairs)
    return np.exp(0.5 + 0.8 * x + spread), np.exp(x)


def by_quantui(y: Floats, x: Floats) -> list[PairStatistics]:
    """The whole per-bar set."""
    return pair_statistics(y, x, window=WINDOW, bar_ms=60_000)


def by_statsmodels(y: Floats, x: Floats) -> list[Tests]:
    """The tests alone."""
    found: list[Tests] = []
    for log_y, log_x in zip(np.log(y), np.log(x), strict=True):
        line = OLS(log_y, add_constant(log_x)).fit()
        adf = adfuller(line.resid, autolag="AIC", result_object=True)
        found.append((float(line.params[1]), adf.statistic, adf.lags, float(coint(log_y, log_x).coint_t)))
    return found


def difference(ours: list[PairStatistics], theirs: list[Tests]) -> float:
    """Largest relative difference of any number; infinite where a lag differs or a test is missing."""
    worst = 0.0
    for s, (beta, adf_stat, lags, eg_stat) in zip(ours, theirs, strict=True):
        if s.beta is None or s.adf is None or s.engle_granger is None or s.adf.lags != lags:
            return float("inf")
        for mine, other in ((s.beta, beta), (s.adf.stat, adf_stat), (s.engle_granger.stat, eg_stat)):
            worst = max(worst, abs(mine / other - 1))
    return worst


def timed(call: Callable[[Floats, Floats], object], y: Floats, x: Floats, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile of a call, in ms."""
    call(y, x)
    spent: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(spent) < 3:
        start = time.perf_counter()
        call(y, x)
        spent.append((time.perf_counter() - start) * 1e3)
    return float(np.median(spent)), float(np.percentile(spent, 99))


def per_bar(pairs: int, seconds: float) -> list[Row]:
    """Ours and the peer's on the same closes."""
    y, x = legs(pairs)
    apart = difference(by_quantui(y, x), by_statsmodels(y, x))
    ours, slow = timed(by_quantui, y, x, seconds)
    peer, _ = timed(by_statsmodels, y, x, seconds)
    goal = GOALS_MS[pairs]
    name = f"{pairs} pair{'s' if pairs > 1 else ''}"
    return [
        Row(f"{name}: quantui, per-bar set", ours, "ms", goal=f"<= {goal:g} ms", met=ours <= goal),
        Row(f"{name}: quantui, one pair", ours / pairs, "ms"),
        Row(f"{name}: quantui, 99th percentile", slow, "ms"),
        Row(f"{name}: statsmodels, OLS + adfuller + coint", peer, "ms", ratio=peer / ours),
        Row(f"{name}: largest relative difference", apart, "", goal="<= 1e-8, same lags", met=apart <= 1e-8),
    ]


def panel(seconds: float) -> list[Row]:
    """What the panels of the pair in focus cost: the history of 240 bars once a bar, the preview at every tick."""
    y, x = (leg[0] for leg in legs(2))
    y, x = np.tile(y, 2), np.tile(x, 2)
    history, _ = timed(
        lambda y, x: pair_history(y, x, window=WINDOW, z_window=WINDOW, last=WINDOW),
        y[: 2 * WINDOW - 1],
        x[: 2 * WINDOW - 1],
        seconds,
    )
    statistics = by_quantui(y, x)[0]
    ahead, _ = timed(lambda y, x: [preview(statistics, 30.0, 55.0) for _ in range(1000)], y, x, seconds)
    return [
        Row("history of 240 bars, each with its own regression", history, "ms", goal="<= 2 ms", met=history <= 2.0),
        Row("preview of the forming bar", ahead, "us", goal="<= 10 us", met=ahead <= 10.0),
    ]


def everything(seconds: float) -> list[Row]:
    """All that `analyze` says of one pair: every estimator, test, score and verdict."""
    y, x = (leg[0] for leg in legs(2))
    times = 60_000 * np.arange(WINDOW)

    def whole(y: Floats, x: Floats) -> object:
        return full_report(
            times,
            y,
            x,
            pair="Y/X",
            venue="binance-usdm",
            timeframe=Timeframe.M1,
            settings=ReportSettings(window=WINDOW),
            quality={},
        )

    median, slow = timed(whole, y, x, seconds)
    return [
        Row("everything about one pair", median, "ms", goal="<= 30 ms", met=median <= 30.0),
        Row("everything about one pair, 99th percentile", slow, "ms"),
    ]


def main() -> int:
    """Measure, print, keep."""
    arguments = make_parser(__doc__ or "").parse_args()
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":  # read when numpy is loaded, so this process is too late
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.statistics", *sys.argv[1:]])
    seconds = 0.1 if arguments.quick else 2.0
    rows = [row for pairs in GOALS_MS for row in per_bar(pairs, seconds)]
    met = report(f"Pair statistics on {WINDOW} bars", [*rows, *panel(seconds), *everything(seconds)], arguments.json)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
