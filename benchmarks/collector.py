"""A bar closes: how long until its statistics are in a snapshot, and how late does the event loop get meanwhile?

The real desk, store and snapshot; 1, 10 and 100 pairs whose bars all close at the same moment, while a checkpoint is
written.
The peer is statsmodels (OLS, adfuller, coint) called where the bar closes, for one pair.

Run: python -m benchmarks.collector [--quick] [--json FILE]
"""

import asyncio
import gc
import os
import statistics
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import msgspec
import numpy as np

from benchmarks.table import Row, make_parser, report
from quantui.clock import Clock
from quantui.collector import build
from quantui.config import Settings
from quantui.feeds.feed import FeedStatus
from quantui.market.bars import Bar, BarState
from quantui.market.builder import BarEvent
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Pair, Symbol, Timeframe
from quantui.market.stream import SymbolStream
from quantui.store.writer import Store
from quantui.threads import step_back_for

WINDOW = 240
BEAT_S = 0.001


class Market:
    """Stands in for a feed: its bars close when `close_bars` is called."""

    def __init__(self, count: int) -> None:
        self.rng = np.random.default_rng(7)
        self.status = FeedStatus(link="live")
        self.streams = {
            symbol: SymbolStream(SymbolFrames(Instrument(symbol, 2, 3)))
            for symbol in (Symbol("v", f"S{i}USDT") for i in range(count))
        }
        self.prices = np.full(count, 50_000.0)
        self.second = 1_700_000_000

    def close_bars(self) -> None:
        self.second += 1
        self.prices *= np.exp(self.rng.normal(0, 1e-4) + self.rng.normal(0, 5e-5, len(self.prices)))
        for stream, price in zip(self.streams.values(), self.prices.astype(int).tolist(), strict=True):
            bar = Bar(
                self.second * 1000,
                price,
                price,
                price,
                price,
                9,
                9 * price,
                4,
                4 * price,
                3,
                1,
                3,
                self.second,
                BarState.PROVISIONAL,
            )
            stream.frames[Timeframe.S1].put(bar)
            stream.builder.events.append(BarEvent(Timeframe.S1, bar))
            stream.builder.last_close = price

    async def run(self) -> None: ...

    def focus(self, symbols: object) -> None: ...


async def heartbeat(lateness: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(BEAT_S)
        lateness.append((time.perf_counter() - before - BEAT_S) * 1000)


async def measure(pairs: int, rounds: int, folder: Path) -> tuple[list[float], list[float]]:
    """Milliseconds from close to encoded snapshot, and of loop lateness, per round."""
    step_back_for(asyncio.get_running_loop())
    market = Market(pairs + 1)
    symbols = list(market.streams)
    plan = build.Plan(tuple(Pair(symbols[i + 1], symbols[0]) for i in range(pairs)), tuple(symbols))
    settings = msgspec.structs.replace(Settings(), analysis=msgspec.structs.replace(Settings().analysis, timeframe="1s"))
    clock = Clock()
    async with await Store.open(folder / f"{pairs}.db", clock=clock) as store:
        collector = await build.collector(settings, plan, "live", clock, store, [market])
        for _ in range(WINDOW + 240):
            market.close_bars()
        await collector.settle()
        await store.flush()
        gc.collect()
        gc.freeze()
        latencies: list[float] = []
        lateness: list[float] = []
        beat = asyncio.create_task(heartbeat(lateness))
        for _ in range(rounds):
            await asyncio.sleep(0.05)
            market.close_bars()
            await asyncio.sleep(0)  # what stands in for the feed is not what is measured
            begin = time.perf_counter()
            writing = asyncio.create_task(store.flush())
            await collector.settle()
            await asyncio.sleep(0)  # a screen asks in its own time
            msgspec.json.encode(collector.snapshot(240))
            latencies.append((time.perf_counter() - begin) * 1000)
            await writing
        beat.cancel()
    return latencies, lateness


def statsmodels_ms() -> float:
    """The per-bar set of one pair, called where the bar closes."""
    warnings.simplefilter("ignore")
    import statsmodels.api as sm
    from statsmodels.tsa.stattools import adfuller, coint

    rng = np.random.default_rng(7)
    x = np.cumsum(rng.normal(0, 1e-4, WINDOW))
    y = x + rng.normal(0, 1e-4, WINDOW)
    times = []
    for _ in range(9):
        begin = time.perf_counter()
        fitted = sm.OLS(y, sm.add_constant(x)).fit()
        adfuller(fitted.resid)
        coint(y, x)
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def _quantile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share))


def main() -> None:
    options = make_parser(__doc__ or "").parse_args()
    rounds = 20 if options.quick else 150
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for pairs in (1, 10, 100):
            latencies, lateness = asyncio.run(measure(pairs, rounds, Path(folder)))
            p99, late = _quantile(latencies, 0.99), _quantile(lateness, 0.99)
            goal = ("<= 50 ms", p99 <= 50) if pairs == 100 else ("", None)
            rows.append(Row(f"close to snapshot, {pairs} pairs, p50", _quantile(latencies, 0.5), "ms"))
            rows.append(Row(f"close to snapshot, {pairs} pairs, p99", p99, "ms", None, *goal))
            rows.append(Row(f"event loop late, {pairs} pairs, p99", late, "ms", None, "<= 2 ms", late <= 2))
            rows.append(Row(f"event loop late, {pairs} pairs, max", max(lateness), "ms"))
    rows.append(Row("peer: statsmodels inline, one pair", statsmodels_ms(), "ms"))
    report("collector: a bar close to a published snapshot", rows, options.json)


if __name__ == "__main__":
    main()
