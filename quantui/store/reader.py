"""Reading beside the writer: plain sqlite3 on a read-only connection, in a thread or in another process."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from quantui.market.frames import Ints
from quantui.market.instruments import Instrument, Symbol, Timeframe
from quantui.store.codec import DamagedError
from quantui.store.records import BAN, TICKS, AlertRecord, Restored, SeriesKey
from quantui.store.schema import open_readonly
from quantui.store.segments import Changes, cursor_of, decode_bars, merge, no_bars, rescale, restart_point, segment_ms, unpack
from quantui.store.ticks import PRICE, QUANTITY, TIME, decode_ticks, empty_ticks


def read_frames(path: Path, symbol: Symbol, capacity: Mapping[Timeframe, int], instrument: Instrument | None = None) -> Restored:
    """The newest bars of `symbol` from the file at `path`, in one snapshot. Blocking: run it in a thread.

    Args:
        path: the store.
        symbol: whose bars.
        capacity: how many of each timeframe at most; only what is needed is decoded.
        instrument: decimals of today; the rows are counted in these or, where the store holds finer ones, in those.

    Raises:
        StoreError: the file cannot be read.
    """
    with closing(open_readonly(path)) as connection:
        connection.execute("BEGIN")
        decimals = finest_decimals(connection, symbol)
        if instrument is not None:
            decimals = max(decimals[0], instrument.price_decimals), max(decimals[1], instrument.quantity_decimals)
        frames: dict[Timeframe, Ints] = {}
        damaged = 0
        for timeframe, count in capacity.items():
            frames[timeframe], bad = _newest(connection, SeriesKey.of(symbol, timeframe), count, decimals)
            damaged += bad
    seconds = frames.get(Timeframe.S1)
    if seconds is not None:
        frames[Timeframe.S1] = seconds = seconds[: restart_point(seconds)]
    return Restored(Instrument(symbol, *decimals), frames, cursor_of(seconds) if seconds is not None else -1, damaged)


def read_alerts(path: Path, limit: int) -> list[AlertRecord]:
    """The newest alerts of the file at `path`, newest first. Blocking. Raises `StoreError`."""
    with closing(open_readonly(path)) as connection:
        rows = connection.execute("SELECT record FROM alerts ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
    return [msgspec.json.decode(row[0], type=AlertRecord) for row in rows]


def read_ban(connection: sqlite3.Connection, venue: str) -> tuple[int, str]:
    """Unix time in ms until which the exchange wants to hear nothing from us, and why; (0, "") where it has not said so."""
    row = connection.execute("SELECT value FROM state WHERE key = ?", (BAN + venue,)).fetchone()
    return msgspec.json.decode(row[0], type=tuple[int, str]) if row else (0, "")


def stored_series(connection: sqlite3.Connection) -> list[tuple[Symbol, Timeframe]]:
    """Whose bars are stored, by symbol and rising length."""
    rows = connection.execute("SELECT venue, symbol, timeframe FROM series WHERE timeframe != ?", (TICKS,)).fetchall()
    found = [(Symbol(venue, symbol), Timeframe(timeframe)) for venue, symbol, timeframe in rows]
    return sorted(found, key=lambda series: (series[0], series[1].ms))


def series_id(connection: sqlite3.Connection, key: SeriesKey) -> int | None:
    """Its number in this file; None when nothing of it is stored."""
    row = connection.execute("SELECT id FROM series WHERE venue = ? AND symbol = ? AND timeframe = ?", key).fetchone()
    return int(row[0]) if row else None


def finest_decimals(connection: sqlite3.Connection, symbol: Symbol) -> tuple[int, int]:
    """Decimals of prices and quantities in which everything stored of `symbol` is a whole number."""
    row = connection.execute(
        "SELECT price_decimals, quantity_decimals FROM instruments WHERE venue = ? AND symbol = ?", (symbol.venue, symbol.name)
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _newest(connection: sqlite3.Connection, key: SeriesKey, count: int, decimals: tuple[int, int]) -> tuple[Ints, int]:
    """The newest `count` bars, and how many were damaged; segments are read from the newest backwards until they suffice."""
    series = series_id(connection, key)
    if series is None:
        return no_bars(), 0
    timeframe = Timeframe(key.timeframe)
    recent = connection.execute(
        "SELECT bar FROM recent WHERE series = ? ORDER BY open_ms DESC LIMIT ?",
        (series, count + segment_ms(timeframe) // timeframe.ms),
    ).fetchall()
    changes = unpack([bar for (bar,) in reversed(recent)])
    segments = connection.execute(
        "SELECT start_ms, price_decimals, quantity_decimals, bars, data FROM segments WHERE series = ? ORDER BY start_ms DESC",
        (series,),
    )
    chosen: list[_Segment] = []
    missing = count + len(changes.withdrawn)
    for start_ms, price, quantity, bars, data in segments:
        if not chosen:  # changes of older bars add nothing to the count; bars behind the newest segment do
            missing -= int(np.count_nonzero(changes.rows[:, 0] >= start_ms + segment_ms(timeframe)))
        if missing <= 0:
            break
        missing -= bars
        chosen.append((price, quantity, bars, data))
    rows, damaged = _with_changes(chosen[::-1], changes, decimals)
    return rows[-count:], damaged


_Segment = tuple[int, int, int, bytes]
"""Price decimals, quantity decimals, bars, data."""


def _with_changes(segments: list[_Segment], changes: Changes, decimals: tuple[int, int]) -> tuple[Ints, int]:
    """(n, columns) rows of consecutive segments and their changes, in `decimals`; and how many were damaged."""
    added = changes.rescaled(*decimals)
    table = np.empty((sum(bars for _, _, bars, _ in segments) + len(added), added.shape[1]), dtype=np.int64)
    end, damaged = 0, changes.damaged
    for price, quantity, bars, data in segments:
        try:
            part = decode_bars(data)
        except DamagedError:
            damaged += bars
            continue
        rows = table[end : end + part.shape[1]]
        rows[:] = part.T
        rescale(rows, decimals[0] - price, decimals[1] - quantity)
        end += len(rows)
    if len(changes.withdrawn) or (end and len(added) and added[0, 0] <= table[end - 1, 0]):
        return merge(table[:end], added, changes.withdrawn), damaged
    table[end : end + len(added)] = added  # the usual case: all changes are newer
    return table[: end + len(added)], damaged


def bar_parts(
    connection: sqlite3.Connection, key: SeriesKey, decimals: tuple[int, int], from_ms: int, to_ms: int
) -> Iterator[tuple[Ints, int]]:
    """Bars that open in [from_ms, to_ms), segment by segment: (n, columns) rows in `decimals`, and how many were damaged."""
    series = series_id(connection, key)
    if series is None:
        return
    span = segment_ms(Timeframe(key.timeframe))
    starts = connection.execute(
        """SELECT start_ms FROM segments WHERE series = :series AND start_ms > :from - :span AND start_ms < :to
        UNION SELECT DISTINCT open_ms - open_ms % :span FROM recent WHERE series = :series AND open_ms >= :from AND open_ms < :to
        ORDER BY 1""",
        {"series": series, "span": span, "from": from_ms, "to": to_ms},
    ).fetchall()
    for (start,) in starts:
        recent = connection.execute(
            "SELECT bar FROM recent WHERE series = ? AND open_ms >= ? AND open_ms < ? ORDER BY open_ms",
            (series, start, start + span),
        )
        changes = unpack([bar for (bar,) in recent])
        segment = connection.execute(
            "SELECT price_decimals, quantity_decimals, bars, data FROM segments WHERE series = ? AND start_ms = ?", (series, start)
        ).fetchall()
        rows, damaged = _with_changes(segment, changes, decimals)
        yield rows[(rows[:, 0] >= from_ms) & (rows[:, 0] < to_ms)], damaged


def tick_parts(
    connection: sqlite3.Connection, symbol: Symbol, decimals: tuple[int, int], from_ms: int, to_ms: int
) -> Iterator[tuple[Ints, int]]:
    """Trades in [from_ms, to_ms), block by block: (7, n) tables in `decimals`, and how many were damaged."""
    series = series_id(connection, SeriesKey.of(symbol, TICKS))
    if series is None:
        return
    found = connection.execute(
        """SELECT price_decimals, quantity_decimals, count, data FROM ticks
        WHERE series = ? AND last_ms >= ? AND first_ms < ? ORDER BY first_ms, block""",
        (series, from_ms, to_ms),
    )
    for price, quantity, count, data in found:
        try:
            table = decode_ticks(data)
        except DamagedError:
            yield empty_ticks(), count
            continue
        table[PRICE] *= 10 ** (decimals[0] - price)
        table[QUANTITY] *= 10 ** (decimals[1] - quantity)
        inside = (table[TIME] >= from_ms) & (table[TIME] < to_ms)
        yield table[:, inside], 0
