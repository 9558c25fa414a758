"""One transaction: everything that waited, or nothing of it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress

import aiosqlite
import msgspec

from quantui.market.frames import Ints
from quantui.market.instruments import Instrument, Pair
from quantui.store.codec import DamagedError
from quantui.store.pending import Pending
from quantui.store.records import AlertRecord, SeriesKey
from quantui.store.ticks import ID, TIME, Tail, blocks, decode_ticks, empty_ticks, encode_ticks, without_ids

_PUT_INSTRUMENT = """INSERT INTO instruments VALUES {rows} ON CONFLICT (venue, symbol) DO UPDATE SET
    price_decimals = max(price_decimals, excluded.price_decimals),
    quantity_decimals = max(quantity_decimals, excluded.quantity_decimals)"""
_PUT_BAR = "INSERT OR REPLACE INTO recent VALUES {rows}"
_PUT_TICKS = "INSERT INTO ticks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (series, block) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}"
    for name in ("first_ms", "last_ms", "first_id", "last_id", "count", "price_decimals", "quantity_decimals", "data")
)
_PUT_ALERT = "INSERT OR IGNORE INTO alerts VALUES {rows}"
_PUT_ANALYTICS = "INSERT OR REPLACE INTO analytics VALUES {rows}"
_PUT_STATE = "INSERT OR REPLACE INTO state VALUES {rows}"
_ROWS = (256, 64, 16, 4, 1)
"""Rows that one statement writes: for each statement the writing thread takes the interpreter from the event loop."""


@asynccontextmanager
async def transaction(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    """BEGIN IMMEDIATE to COMMIT; rolled back on any error and on cancellation at any await.

    A cancelled statement still runs in aiosqlite's thread, so the rollback is queued behind it and waited for (reliability M12).
    """
    try:
        await connection.execute("BEGIN IMMEDIATE")
        yield
        await connection.execute("COMMIT")
    except BaseException:  # cancellation too must leave no transaction open
        await connection.rollback()
        raise


class Checkpoint:
    """Writes what waits; remembers ids of series and growing blocks of trades, but only what was committed."""

    def __init__(self, connection: aiosqlite.Connection, turn: asyncio.Lock) -> None:
        self._connection = connection
        self._turn = turn
        self._instruments: set[Instrument] = set()
        self._series: dict[SeriesKey, int] = {}
        self._pairs: dict[Pair, int] = {}
        self._tails: dict[int, Tail] = {}

    async def write(self, pending: Pending) -> None:
        """Commit `pending` as a whole; raises `sqlite3.Error` and leaves everything as it was."""
        new_series: dict[SeriesKey, int] = {}
        new_pairs: dict[Pair, int] = {}
        tails: dict[int, Tail] = {}
        async with transaction(self._connection):
            await self._many(_PUT_INSTRUMENT, [_instrument_row(one) for one in pending.instruments - self._instruments])
            rows: list[tuple[object, ...]] = []
            for key, bars in pending.bars.items():
                series = self._series.get(key) or await self._series_id(key, new_series)
                rows += [(series, open_ms, bar) for open_ms, bar in bars.items()]
            await self._many(_PUT_BAR, rows)
            for key, batches in pending.ticks.items():
                series = self._series.get(key) or await self._series_id(key, new_series)
                for instrument, table in batches:
                    tail = tails.get(series) or self._tails.get(series)
                    tails[series] = await self._write_ticks(series, tail, instrument, table)
            await self._write_analytics(pending, new_pairs)
            await self._many(_PUT_ALERT, [_alert_row(record) for record in pending.alerts.values()])
            await self._write_state(pending.state)
        self._instruments |= pending.instruments
        self._series |= new_series
        self._pairs |= new_pairs
        self._tails |= tails

    async def _series_id(self, key: SeriesKey, new: dict[SeriesKey, int]) -> int:
        await self._connection.execute("INSERT OR IGNORE INTO series (venue, symbol, timeframe) VALUES (?, ?, ?)", key)
        rows = await self._connection.execute_fetchall(
            "SELECT id FROM series WHERE venue = ? AND symbol = ? AND timeframe = ?", key
        )
        new[key] = _only(rows)
        return new[key]

    async def _pair_id(self, pair: Pair, new: dict[Pair, int]) -> int:
        names = (str(pair.y), str(pair.x))
        await self._connection.execute("INSERT OR IGNORE INTO pairs (y, x) VALUES (?, ?)", names)
        new[pair] = _only(await self._connection.execute_fetchall("SELECT id FROM pairs WHERE y = ? AND x = ?", names))
        return new[pair]

    async def _write_ticks(self, series: int, tail: Tail | None, instrument: Instrument, table: Ints) -> Tail:
        """Trades not stored yet, appended to the growing block; a block counts in one unit, so new decimals begin a new one."""
        decimals = (instrument.price_decimals, instrument.quantity_decimals)
        if tail is None or (tail.price_decimals, tail.quantity_decimals) != decimals:
            rows = await self._connection.execute_fetchall("SELECT coalesce(max(block), -1) FROM ticks WHERE series = ?", (series,))
            tail = Tail(_only(rows) + 1, *decimals, empty_ticks())
        low, high = int(table[ID].min()), int(table[ID].max())
        overlapping = await self._connection.execute_fetchall(
            "SELECT data FROM ticks WHERE series = ? AND last_id >= ? AND first_id <= ?", (series, max(low, 0), high)
        )
        rows_to_write, grown = await asyncio.to_thread(_compress, series, tail, table, [row[0] for row in overlapping])
        await self._connection.executemany(_PUT_TICKS, rows_to_write)
        return grown

    async def _write_analytics(self, pending: Pending, new_pairs: dict[Pair, int]) -> None:
        rows: list[tuple[object, ...]] = []
        for (pair, timeframe, open_ms), row in pending.analytics.items():
            number = self._pairs.get(pair) or new_pairs.get(pair) or await self._pair_id(pair, new_pairs)
            rows.append((number, str(timeframe), open_ms, *msgspec.structs.astuple(row)))
        await self._many(_PUT_ANALYTICS, rows)

    async def _write_state(self, state: dict[str, str | None]) -> None:
        await self._many(_PUT_STATE, [item for item in state.items() if item[1] is not None])
        gone = [(key,) for key, value in state.items() if value is None]
        await self._many("DELETE FROM state WHERE (key) IN (VALUES {rows})", gone)

    async def _many(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        start = 0
        while start < len(rows):
            count = next(count for count in _ROWS if count <= len(rows) - start)
            part, start = rows[start : start + count], start + count
            marks = ", ".join([f"({', '.join('?' * len(part[0]))})"] * count)
            async with self._turn:
                await self._connection.execute(sql.format(rows=marks), [value for row in part for value in row])


def _instrument_row(one: Instrument) -> tuple[object, ...]:
    return one.symbol.venue, one.symbol.name, one.price_decimals, one.quantity_decimals


def _alert_row(record: AlertRecord) -> tuple[object, ...]:
    return (
        record.id, record.time_ms, record.bar_ms, record.pair, record.timeframe, record.rule, record.severity,
        record.direction, record.zscore, msgspec.json.encode(record).decode(),
    )  # fmt: skip


def _compress(series: int, tail: Tail, table: Ints, overlapping: list[bytes]) -> tuple[list[tuple[object, ...]], Tail]:
    """Rows of the blocks that `table` fills, without the trades that are stored already."""
    known = []
    for data in overlapping:
        with suppress(DamagedError):  # a damaged block holds nothing: its trades are stored again
            known.append(decode_ticks(data))
    parts, grown = blocks(tail, without_ids(table, known))
    rows: list[tuple[object, ...]] = [
        (
            series, number, int(part[TIME].min()), int(part[TIME].max()), int(part[ID].min()), int(part[ID].max()),
            part.shape[1], tail.price_decimals, tail.quantity_decimals, encode_ticks(part),
        )
        for number, part in parts
    ]  # fmt: skip
    return rows, grown


def _only(rows: Iterable[sqlite3.Row]) -> int:
    return int(next(iter(rows))[0])
