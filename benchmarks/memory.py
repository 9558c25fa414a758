"""How large the collector is with 10 symbols and 5 timeframes, and whether it grows: a day of 2,000 messages a second.

Raw frames go through the line, sequencer, bars, statistics of 9 pairs on every closed second, alarm and store, as fast as they
can: everything of the collector but the socket. The rings are full from the start, so what grows is a leak. By default the first
2,500 seconds (5 M messages) after a warm-up; `--full` is the whole day, 172.8 M messages, and takes a quarter of an hour or more.

Run: python -m benchmarks.memory [--quick | --full] [--json FILE]
"""

import asyncio
import gc
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import msgspec
import numpy as np

from benchmarks.screen import rss_mb
from benchmarks.table import Row, make_parser, report
from quantui.clock import Clock
from quantui.collector import build
from quantui.collector.core import Collector
from quantui.config import Settings
from quantui.feeds.binance.line import Line
from quantui.feeds.feed import FeedStatus
from quantui.market.bars import COLUMNS, Bar, BarState
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Pair, Symbol, Timeframe
from quantui.market.stream import SymbolStream
from quantui.store.writer import Store
from quantui.threads import step_back_for

SYMBOLS = 10
PER_SECOND = 2_000
DAY_S = 86_400
POINTS = 10
WARM_S = 300
GRACE_MS = 250
_VENUE = "binance-spot"


class Wire:
    """Stands in for the sockets of a feed: makes a second's frames of all symbols and gives them to the real line."""

    def __init__(self, begin_ms: int) -> None:
        self.rng = random.Random(7)
        self.status = FeedStatus(link="live")
        self.now_ms = begin_ms
        self.symbols = [Symbol(_VENUE, f"S{i}USDT") for i in range(SYMBOLS)]
        self.streams = {symbol: SymbolStream(_filled(symbol, begin_ms)) for symbol in self.symbols}
        streams = {symbol.name: stream for symbol, stream in self.streams.items()}
        self.line = Line(streams, self.status, Clock(), GRACE_MS, sys.exit, SymbolStream.rescale)
        self.prices = [50_000.0] * SYMBOLS
        self.next_id = [1] * SYMBOLS

    def second(self) -> None:
        """One second of trades: 2,000 of them, over all symbols."""
        self.line.take(self._frames())
        self.line.settle()
        self.now_ms += 1000

    def _frames(self) -> Sequence[bytes]:
        rng, each = self.rng, PER_SECOND // SYMBOLS
        common = rng.gauss(0, 1e-4)
        frames = []
        for index, symbol in enumerate(self.symbols):
            price = self.prices[index] = self.prices[index] * (1 + common + rng.gauss(0, 3e-5))
            first, name = self.next_id[index], symbol.name
            self.next_id[index] = first + each
            for i in range(each):
                time_ms = self.now_ms + i * 1000 // each
                text = (
                    f'{{"stream":"{name.lower()}@aggTrade","data":{{"e":"aggTrade","E":{time_ms + 2},"s":"{name}","a":{first + i},'
                    f'"p":"{price + i % 7 / 100:.2f}000000","q":"{0.001 * (1 + i % 13):.8f}","f":{first + i},"l":{first + i},'
                    f'"T":{time_ms},"m":{"true" if i % 2 else "false"},"M":true}}}}'
                )
                frames.append(text.encode())
        return frames

    async def run(self) -> None: ...

    def focus(self, symbols: object) -> None: ...


def _filled(symbol: Symbol, end_ms: int) -> SymbolFrames:
    """Frames whose rings have been full for long: every page of theirs has been written, as after days of collecting."""
    frames = SymbolFrames(Instrument(symbol, 2, 3))
    for timeframe in Timeframe:
        ring, last = frames[timeframe], timeframe.floor(end_ms)
        count = 2 * ring.capacity
        rows = np.ones((count, len(COLUMNS)), np.int64)
        rows[:, COLUMNS.index("open_ms")] = last - timeframe.ms * np.arange(count, 0, -1)
        walk = 5_000_000 + np.cumsum(np.random.default_rng(3).integers(-300, 301, count))
        for name in ("open", "high", "low", "close"):
            rows[:, COLUMNS.index(name)] = walk
        rows[:, COLUMNS.index("state")] = BarState.PROVISIONAL
        ring.load(rows[: ring.capacity])
        for row in rows[ring.capacity :].tolist():
            ring.put(msgspec.convert(row, Bar))
    return frames


async def run(folder: Path, seconds: int) -> tuple[list[float], float, int]:
    """Resident MB at the start and after each tenth, messages a second, trades applied."""
    step_back_for(asyncio.get_running_loop())
    settings = msgspec.structs.replace(Settings(), analysis=msgspec.structs.replace(Settings().analysis, timeframe="1s"))
    clock = Clock()
    wire = Wire(clock.now_ms() // 3_600_000 * 3_600_000)
    plan = build.Plan(tuple(Pair(symbol, wire.symbols[0]) for symbol in wire.symbols[1:]), tuple(wire.symbols))
    async with await Store.open(folder / "memory.db", clock=clock, retention=build.retention(settings)) as store:
        collector = await build.collector(settings, plan, "replay", clock, store, [wire])
        for _ in range(WARM_S):
            await _second(wire, collector, store)
        sizes, begin = [_settled_mb()], time.perf_counter()
        for point in range(POINTS):
            for _ in range(seconds * point // POINTS, seconds * (point + 1) // POINTS):
                await _second(wire, collector, store)
            sizes.append(_settled_mb())
            print(f"  {100 * (point + 1) // POINTS:3d} %: {sizes[-1]:.1f} MB", file=sys.stderr, flush=True)
        elapsed = time.perf_counter() - begin
    return sizes, seconds * PER_SECOND / elapsed, sum(stream.tally.trades for stream in wire.streams.values())


async def _second(wire: Wire, collector: Collector, store: Store) -> None:
    wire.second()
    await collector.settle()
    collector.snapshot(240)
    if store.unwritten > 2_000:
        await store.flush()


def _settled_mb() -> float:
    gc.collect()
    return rss_mb(os.getpid())


def main() -> None:
    parser = make_parser(__doc__ or "")
    parser.add_argument("--full", action="store_true", help="the whole day: 172.8 M messages")
    options = parser.parse_args()
    seconds = 200 if options.quick else DAY_S if options.full else 2_500
    with tempfile.TemporaryDirectory() as folder:
        sizes, rate, trades = asyncio.run(run(Path(folder), seconds))
    if trades != (WARM_S + seconds) * PER_SECOND:
        sys.exit(f"{trades} trades applied of {(WARM_S + seconds) * PER_SECOND}")
    drift = max(sizes[2:]) - sizes[1]
    rows = [
        Row(f"collector, {SYMBOLS} symbols, 5 timeframes", max(sizes), "MB", None, "<= 200 MB", max(sizes) <= 200),
        *(Row(f"after {10 * point} %", size, "MB") for point, size in enumerate(sizes)),
        Row("drift after the first tenth", drift, "MB", None, "<= 2 MB", drift <= 2),
        Row("messages a second, statistics and store included", rate, "1/s"),
    ]
    report(f"memory: {seconds * PER_SECOND / 1e6:g} M messages", rows, options.json)


if __name__ == "__main__":
    main()
