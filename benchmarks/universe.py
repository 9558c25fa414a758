"""Engle-Granger of every pair of a market, AIC lags: from scratch, at a bar close, and as a command; beside statsmodels' `coint`.

Every pair's lag is compared with the direct computation of the same statistic, a sample with statsmodels itself.

Run: python -m benchmarks.universe [--quick] [--json FILE]
"""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program has it: the pairs are shared among threads

import numpy as np
import polars as pl
from statsmodels.tsa.stattools import adfuller, coint

from benchmarks.table import Row, make_parser, report
from quantui.analytics.cointegration import residual_tests
from quantui.analytics.engines import best_engine, compile_engine
from quantui.analytics.hedge import fit_line
from quantui.analytics.stationarity import UnitRoot
from quantui.analytics.sweep_numpy import residual_sweep
from quantui.analytics.universe import Universe
from quantui.market.frames import Floats
from quantui.threads import step_back_for

PEER_CALLS = 60
CHECKED = 500
"""Symbols up to which every pair is computed once more, one by one."""
GOALS = {
    (500, 240, "from scratch"): 150.0,
    (500, 240, "at a bar close"): 80.0,
    (500, 240, "from scratch, both directions, p and q"): 300.0,
    (500, 240, "at a bar close, both directions, p and q"): 160.0,
}
BEAT_S = 0.001


def market(count: int, bars: int) -> Floats:
    """Log closes that share a factor, as coins do."""
    random = np.random.default_rng(11)
    factor = random.normal(scale=0.008, size=bars)
    moves = random.uniform(0.5, 1.5, size=(count, 1)) * factor + random.normal(scale=0.006, size=(count, bars))
    levels: Floats = moves.cumsum(-1) + random.normal(scale=3, size=(count, 1))
    return levels


def best_ms(work: Callable[[], object], times: int) -> tuple[float, float]:
    """(median, 95th percentile) in ms."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return float(np.median(taken)), float(np.quantile(taken, 0.95))


def peer_ms(levels: Floats) -> float:
    """A `coint` call of statsmodels, median."""
    random = np.random.default_rng(3)
    pairs = [random.choice(len(levels), 2, replace=False) for _ in range(PEER_CALLS)]
    calls = iter(pairs)
    return best_ms(lambda: coint(*levels[next(calls)]), PEER_CALLS)[0]


def check(universe: Universe) -> tuple[int, float]:
    """(lags that are not the direct computation's, largest relative difference of a statistic) over all pairs, one direction."""
    levels = universe.moments.levels
    y, x = np.tril_indices(len(levels), -1)
    table = universe.table(y, x)
    wrong, worst = 0, 0.0
    for start in range(0, len(y), 2048):
        places = slice(start, start + 2048)
        line = fit_line(levels[y[places]], levels[x[places]])
        tests = residual_tests(line.residuals, line.r_squared)
        for place, test in enumerate(tests, start):
            if isinstance(test, UnitRoot):
                wrong += test.lags != table.lags[place]
                worst = max(worst, abs(table.eg_stat[place] / test.stat - 1))
    for place in np.random.default_rng(5).choice(len(y), 100, replace=False).tolist():
        stat, _, _ = coint(levels[y[place]], levels[x[place]])
        lag = adfuller(fit_line(levels[y[place]], levels[x[place]]).residuals, regression="n", result_object=True).lags
        wrong += lag != table.lags[place]
        worst = max(worst, abs(table.eg_stat[place] / stat - 1))
    return wrong, worst


async def lateness_ms(work: Callable[[], object], seconds: float) -> tuple[float, float]:
    """(99th percentile, largest) lateness of an event loop while `work` runs in a thread, again and again.

    With `time.sleep` for work it is what the machine itself makes a loop late.
    """
    loop = asyncio.get_running_loop()
    step_back_for(loop)
    late: list[float] = []
    end = loop.time() + seconds

    def sweeps() -> None:
        while time.monotonic() < end:
            work()

    busy = asyncio.create_task(asyncio.to_thread(sweeps))
    while not busy.done():
        due = loop.time() + BEAT_S
        await asyncio.sleep(BEAT_S)
        late.append((loop.time() - due) * 1000)
    await busy
    return float(np.quantile(late, 0.99)), max(late)


def command_s(levels: Floats) -> float:
    """`quantui scan` on a Feather file each, the whole command, warm: the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        for number, row in enumerate(np.exp(levels)):
            times = 1_700_000_000_000 + 3_600_000 * np.arange(len(row))
            frame = pl.DataFrame({"date": times, **dict.fromkeys(("open", "high", "low", "close"), row), "volume": row})
            frame.with_columns(pl.col("date").cast(pl.Datetime("ms", "UTC"))).write_ipc(Path(folder) / f"S{number}_USDT-1h.feather")
        words = [sys.executable, "-m", "quantui", "scan", "--input", folder, "--window", "240", "--json"]
        taken = []
        for _ in range(4):
            start = time.perf_counter()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            taken.append(time.perf_counter() - start)
    return min(taken[1:])


def rows_for(count: int, bars: int, *, numpy_too: bool, repeat: int) -> list[Row]:
    levels = market(count, bars + 4 * repeat + 40)
    window = levels[:, :bars]
    pairs = count * (count - 1) // 2
    engine, update = best_engine()
    y, x = np.tril_indices(count, -1)
    each = peer_ms(window)
    name = f"{count} symbols, n = {bars}"
    rows = []

    def add(what: str, taken: tuple[float, float], factor: int = 1) -> None:
        median, p95 = taken
        ratio = each * pairs * factor / median
        goal = GOALS.get((count, bars, what))
        rows.append(Row(f"{name}: {what}", median, "ms", ratio, *_goal(median, goal), note=f"p95 {p95:.1f} ms"))

    add("from scratch", best_ms(lambda: Universe.of([""] * count, window, engine, update).residuals(y, x), repeat))
    add(
        "from scratch, both directions, p and q",
        best_ms(lambda: Universe.of([""] * count, window, engine, update).table(), repeat),
        2,
    )
    universe = Universe.of([""] * count, window, engine, update)
    bar = iter(range(bars, levels.shape[1]))

    def close() -> None:
        universe.slide(levels[:, next(bar)])
        universe.residuals(y, x)

    def close_all() -> None:
        universe.slide(levels[:, next(bar)])
        universe.table()

    add("at a bar close", best_ms(close, repeat))
    add("at a bar close, both directions, p and q", best_ms(close_all, repeat), 2)
    if numpy_too:
        add("numpy, from scratch", best_ms(lambda: Universe.of([""] * count, window, residual_sweep).residuals(y, x), 3))
    begun = time.process_time()
    universe.table()
    cpu = 1e6 * (time.process_time() - begun) / (2 * pairs)
    rows.append(Row(f"{name}: CPU a test, of both directions with p and q", cpu, "µs"))
    held = (universe.moments.lagged.nbytes + universe.moments.products.nbytes + universe.moments.levels.nbytes) / 2**20
    rows.append(Row(f"{name}: memory of the moments, (m + 2) N^2 + N n numbers", held, "MB"))
    if count > CHECKED:
        return rows
    wrong, worst = check(universe)
    rows.append(Row(f"{name}: pairs with another lag", wrong, f"of {pairs}", goal="0", met=wrong == 0))
    rows.append(Row(f"{name}: largest relative difference of a statistic", worst, "", goal="<= 1e-6", met=worst <= 1e-6))
    rows.append(Row(f"{name}: statsmodels' coint", each, "ms a pair"))
    return rows


def _goal(median: float, limit: float | None) -> tuple[str, bool | None]:
    return ("", None) if limit is None else (f"<= {limit:g}", median <= limit)


def main() -> int:
    parser = make_parser(__doc__)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    compile_engine()
    repeat = 10 if options.quick else 30
    rows: list[Row] = []
    for count, bars in ((50, 240), (200, 240), (500, 240), (1000, 240), (500, 500)) if not options.quick else ((200, 240),):
        rows += rows_for(count, bars, numpy_too=bars == 240 and count <= CHECKED, repeat=repeat)
    count = 200 if options.quick else 500
    levels = market(count, 400)
    universe = Universe.of([""] * count, levels[:, :240], *best_engine())
    seconds = 2.0 if options.quick else 8.0
    idle = asyncio.run(lateness_ms(partial(time.sleep, 0.1), seconds))[1]
    rows.append(Row("event loop late while nothing runs beside it, worst", idle, "ms"))
    p99, worst = asyncio.run(lateness_ms(lambda: universe.table().let_go(), seconds))
    rows.append(Row("event loop late while all pairs are swept, p99", p99, "ms"))
    rows.append(Row("event loop late while all pairs are swept, worst", worst, "ms", goal="<= 5", met=worst <= 5))
    whole = command_s(levels)
    rows.append(Row(f"quantui scan, {count} Feather files, whole command", whole, "s", goal="<= 4", met=whole <= 4))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append(Row("largest memory of this process", memory, "MB", goal="<= 1,000", met=memory <= 1000))
    return 0 if report("Every pair of a market", rows, options.json) else 1


if __name__ == "__main__":
    sys.exit(main())
