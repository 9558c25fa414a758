"""The store on disk: a day of 1s bars back into memory, trades written, and what the event loop feels of it.

`python -m benchmarks.store [--json FILE] [--quick]`

Beside each figure is what most programs do: rows to dicts to a polars frame, a table of text columns, sqlite3 in the event loop.
The run fails where what is read back is not what was written.
"""

import asyncio
import gc
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from benchmarks.table import Row, make_parser, report
from quantui.clock import Clock
from quantui.market.bars import COLUMNS, Bar, BarState
from quantui.market.builder import BarEvent
from quantui.market.frames import Ints
from quantui.market.instruments import Instrument, Symbol, Timeframe
from quantui.store.writer import Store

START_MS = 1_785_283_200_000
DAY = 86_400


def instrument(number: int) -> Instrument:
    return Instrument(Symbol("binance-usdm", f"COIN{number}USDT"), 2, 3)


def bar_rows(number: int, n: int) -> Ints:
    """(n, columns) of 1s bars of a busy market: some 8 trades a second, prices of 6 digits."""
    random = np.random.default_rng(number)
    close = 6_168_599 + np.cumsum(random.integers(-300, 301, n))
    opened = close - random.integers(-200, 201, n)
    high = np.maximum(opened, close) + random.integers(0, 200, n)
    low = np.minimum(opened, close) - random.integers(0, 200, n)
    count = random.poisson(8, n) + 1
    volume = random.gamma(0.5, 2_000, n).astype(np.int64)
    taker = (volume * random.random(n)).astype(np.int64)
    last = 5_000_000_000 + np.cumsum(count)
    columns = (
        START_MS + 1_000 * np.arange(n), opened, high, low, close, volume, volume * (close + random.integers(-100, 100, n)), taker,
        taker * (close + random.integers(-100, 100, n)), count, last - count + 1, last, 3_000_000_000 + np.cumsum(count // 2 + 1),
        np.full(n, BarState.CERTIFIED), np.zeros(n),
    )  # fmt: skip
    return np.stack(columns, axis=1).astype(np.int64)


def tick_rows(n: int) -> Ints:
    """(7, n) trades: times in bursts, prices walking by ticks, sizes of all magnitudes."""
    random = np.random.default_rng(7)
    count = random.geometric(0.6, n)
    last = 5_000_000_000 + np.cumsum(count)
    return np.stack(
        (
            3_000_000_000 + np.arange(n), START_MS + np.cumsum(random.geometric(0.05, n) * (random.random(n) < 0.4)),
            6_168_599 + np.cumsum(random.integers(-3, 4, n) * (random.random(n) < 0.3)),
            (random.lognormal(2, 2, n) + 1).astype(np.int64), last - count + 1, last, random.random(n) < 0.5,
        )
    ).astype(np.int64)  # fmt: skip


def events(rows: Ints) -> list[BarEvent]:
    return [BarEvent(Timeframe.S1, msgspec.convert(row, Bar)) for row in rows.tolist()]


async def fill(store: Store, tables: list[Ints], *, compact: bool) -> None:
    for number, table in enumerate(tables):
        for at in range(0, len(table), 20_000):
            store.put_bars(instrument(number), events(table[at : at + 20_000]))
            await (store.upkeep() if compact else store.flush())


def naive_restore(path: Path, tables: list[Ints], repeats: int) -> float:
    """Rows to dicts to polars, ms."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE bars (symbol TEXT, {', '.join(COLUMNS)}, PRIMARY KEY (symbol, open_ms))")
        for number, table in enumerate(tables):
            marks = ", ".join("?" * (1 + len(COLUMNS)))
            connection.executemany(f"INSERT INTO bars VALUES ({marks})", ((f"COIN{number}", *row) for row in table.tolist()))
        connection.commit()
        connection.row_factory = sqlite3.Row
        taken = []
        for _ in range(repeats):
            began = time.perf_counter()
            pl.DataFrame([dict(row) for row in connection.execute("SELECT * FROM bars ORDER BY symbol, open_ms")])
            taken.append(time.perf_counter() - began)
    return min(taken) * 1_000


async def restore(folder: Path, symbols: int, seconds: int, repeats: int) -> list[Row]:
    tables = [bar_rows(number, seconds) for number in range(symbols)]
    path = folder / "bars.db"
    async with await Store.open(path, clock=Clock()) as store:
        await fill(store, tables, compact=True)
    taken = []
    async with await Store.open(path, clock=Clock()) as store:
        for _ in range(repeats):
            gc.collect()
            began = time.perf_counter()
            found = [await store.load_frames(instrument(number).symbol, {Timeframe.S1: seconds}) for number in range(symbols)]
            taken.append((time.perf_counter() - began) * 1_000)
            for table, restored in zip(tables, found, strict=True):
                if not np.array_equal(table, restored.frames[Timeframe.S1]) or restored.cursor != table[-1, 12]:
                    raise SystemExit("what was read back is not what was written")
            del found
    n = symbols * seconds
    ours, naive = statistics.median(taken), naive_restore(folder / "naive.db", tables, min(repeats, 2))
    size = path.stat().st_size
    return [
        Row(f"restore {n:,} 1s bars, {len(COLUMNS)} columns", ours, "ms", None, "<= 150 ms", ours <= 150),
        Row("  the first time in a process", taken[0], "ms"),
        Row("  rows -> dicts -> polars", naive, "ms", naive / ours),
        Row("bar on disk", size / n, "bytes"),
        Row(
            "  a row of plain columns",
            (folder / "naive.db").stat().st_size / n,
            "bytes",
            (folder / "naive.db").stat().st_size / size,
        ),
    ]


def naive_ticks(path: Path, table: Ints) -> tuple[float, float]:
    """Text symbol and ISO time, floats, an index, 1,000 rows a transaction: rows a second, bytes each."""
    n = table.shape[1]
    rows = [
        ("COIN0USDT", datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(), price / 100, quantity / 1_000)
        for _, time_ms, price, quantity, *_ in table.T.tolist()
    ]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE ticks (id INTEGER PRIMARY KEY AUTOINCREMENT, symbol TEXT, ts TEXT, price REAL, size REAL)")
        connection.execute("CREATE INDEX by_time ON ticks (symbol, ts)")
        began = time.perf_counter()
        for at in range(0, n, 1_000):
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO ticks (symbol, ts, price, size) VALUES (?, ?, ?, ?)", rows[at : at + 1_000])
            connection.execute("COMMIT")
        taken = time.perf_counter() - began
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return n / taken, path.stat().st_size / n


async def ticks(folder: Path, n: int) -> list[Row]:
    path, table = folder / "ticks.db", tick_rows(n)
    async with await Store.open(path, clock=Clock()) as store:
        await store.flush()
        began = time.perf_counter()
        for at in range(0, n, 65_536):
            store.put_ticks(instrument(0), table[:, at : at + 65_536])
            await store.flush()
        rate = n / (time.perf_counter() - began)
        await store.upkeep()
    size = path.stat().st_size / n
    naive_rate, naive_size = naive_ticks(folder / "naive-ticks.db", table[:, : n // 4])
    return [
        Row("trades written", rate, "a second", None, ">= 1 M", rate >= 1e6),
        Row("  table of text columns", naive_rate, "a second", rate / naive_rate),
        Row("trade on disk", size, "bytes", None, "<= 8", size <= 8),
        Row("  table of text columns", naive_size, "bytes", naive_size / size),
    ]


async def lateness(work: Callable[[], Awaitable[None]]) -> tuple[float, float, float]:
    """p50, p99 and maximum lateness of a 1 ms heartbeat while `work` runs, ms."""
    late: list[float] = []
    task = asyncio.ensure_future(work())
    while not task.done():
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        late.append((time.perf_counter() - due) * 1_000)
    await task
    p50, p99 = np.percentile(late, (50, 99)).tolist()
    return p50, p99, max(late)


async def loop_lateness(folder: Path, seconds: float) -> list[Row]:
    tables = [bar_rows(number, 14_400) for number in range(10)]
    one_second = [events(table[:100]) for table in tables]
    trades = tick_rows(200_000)

    async def write(store: Store) -> None:
        """1,000 bars and 20,000 trades a second: what 100 symbols give."""
        ends, turn = time.perf_counter() + seconds, 0
        while time.perf_counter() < ends:
            for number in range(10):
                store.put_bars(instrument(number), one_second[number][turn % 20 * 5 : turn % 20 * 5 + 5])
            at = turn * 1_000 % 199_000
            store.put_ticks(instrument(turn % 10), trades[:, at : at + 1_000])
            turn += 1
            await asyncio.sleep(0.05)

    def inline() -> sqlite3.Connection:
        connection = sqlite3.connect(folder / "inline.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE bars (symbol TEXT, open_ms, bar, PRIMARY KEY (symbol, open_ms))")
        return connection

    async def naive() -> None:
        with closing(inline()) as connection:
            ends, turn = time.perf_counter() + seconds, 0
            while time.perf_counter() < ends:
                connection.execute("BEGIN")
                rows = [(f"COIN{at % 10}", turn * 1_000 + at, "x" * 120) for at in range(10_000)]
                connection.executemany("INSERT OR REPLACE INTO bars VALUES (?, ?, ?)", rows)
                connection.execute("COMMIT")
                turn += 1
                await asyncio.sleep(0.1)

    found = [("idle", await lateness(lambda: asyncio.sleep(seconds)))]
    async with await Store.open(folder / "loop.db", clock=Clock()) as store:
        await fill(store, tables, compact=False)  # 40 hours wait for compaction: one is compacted after every checkpoint
        found.append(("1,000 bars, 20,000 trades, a compaction a second", await lateness(lambda: write(store))))
        found.append(("all that is left compacted in one go", await lateness(store.upkeep)))
    found.append(("sqlite3 in the loop, 10,000 rows at once", await lateness(naive)))
    rows = []
    for name, (p50, p99, worst) in found:
        ours = name[0].isdigit()
        rows.append(Row(f"loop late, p50: {name}", p50, "ms"))
        rows.append(Row("  p99", p99, "ms", None, "<= 2 ms" if ours else "", p99 <= 2 if ours else None))
        rows.append(Row("  max", worst, "ms"))
    return rows


async def measure(*, quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="quantui-") as name:
        folder = Path(name)
        rows = await restore(folder, 2 if quick else 10, 7_200 if quick else DAY, 2 if quick else 5)
        rows += await ticks(folder, 200_000 if quick else 2_000_000)
        rows += await loop_lateness(folder, 1.0 if quick else 10.0)
        return [replace(row, goal="", met=None) for row in rows] if quick else rows


def main() -> int:
    """Measure, print, keep."""
    arguments = make_parser(__doc__ or "").parse_args()
    met = report("Store", asyncio.run(measure(quick=arguments.quick)), arguments.json)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
