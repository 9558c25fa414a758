"""Bars as the store keeps them: packed single rows, and compressed segments of many."""

import struct
from dataclasses import dataclass
from functools import reduce
from operator import xor

import numpy as np

from quantui.market.bars import COLUMNS, Bar
from quantui.market.frames import Ints
from quantui.market.instruments import Instrument, Timeframe
from quantui.store.codec import DamagedError, decode, encode
from quantui.store.records import StoreError

_ROW = struct.Struct(f"<{len(COLUMNS) + 3}q")
"""The fields of a bar, the decimals it counts in, and the XOR of all: no page of SQLite carries a checksum."""

_WITHDRAWN = -1
"""Stands in place of the state of a bar that turned out not to exist."""

_AT = {name: index for index, name in enumerate(COLUMNS)}
_PRICES = [_AT[name] for name in ("open", "high", "low", "close")]
_QUANTITIES = [_AT[name] for name in ("volume", "taker_volume")]
_QUOTES = [_AT[name] for name in ("quote_volume", "taker_quote")]
_INT64_MAX = (1 << 63) - 1


def segment_ms(timeframe: Timeframe) -> int:
    """Length of a segment: an hour of seconds, 1,440 bars of everything longer (a day of minutes)."""
    return 3_600_000 if timeframe is Timeframe.S1 else 1_440 * timeframe.ms


def pack_bar(bar: Bar, instrument: Instrument) -> bytes:
    """One bar as a row of `recent`; raises `StoreError` where a number does not fit 64 bits."""
    values = (
        bar.open_ms, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote_volume, bar.taker_volume,
        bar.taker_quote, bar.trade_count, bar.first_id, bar.last_id, bar.last_aggregate, bar.state, bar.revision,
        instrument.price_decimals, instrument.quantity_decimals,
    )  # fmt: skip
    try:
        return _ROW.pack(*values, reduce(xor, values))
    except struct.error as error:
        wide = [name for name, value in zip(COLUMNS, values, strict=False) if not -_INT64_MAX - 1 <= value <= _INT64_MAX]
        raise StoreError(f"bar {bar.open_ms}: {' and '.join(wide)} does not fit 64 bits and cannot be stored") from error


def pack_withdrawal(open_ms: int) -> bytes:
    """The row of `recent` that takes a bar out of its segment."""
    values = [0] * (len(COLUMNS) + 2)
    values[0], values[_AT["state"]] = open_ms, _WITHDRAWN
    return _ROW.pack(*values, reduce(xor, values))


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows of `recent` in order of time: bars, and open times that were withdrawn."""

    rows: Ints
    """(n, columns)"""
    price_decimals: Ints
    """(n,) of each row."""
    quantity_decimals: Ints
    withdrawn: Ints
    damaged: int
    """Rows that failed their check and were left out."""

    def rescaled(self, price_decimals: int, quantity_decimals: int) -> Ints:
        """The rows counted in the given decimals, in place."""
        for price, quantity in {*zip(self.price_decimals.tolist(), self.quantity_decimals.tolist(), strict=True)}:
            chosen = (self.price_decimals == price) & (self.quantity_decimals == quantity)
            if chosen.all():
                rescale(self.rows, price_decimals - price, quantity_decimals - quantity)
            else:
                part = self.rows[chosen]
                rescale(part, price_decimals - price, quantity_decimals - quantity)
                self.rows[chosen] = part
        return self.rows


def unpack(packed: list[bytes]) -> Changes:
    """Rows of `recent`, in order of their open times."""
    whole = [row for row in packed if len(row) == _ROW.size]
    table = np.frombuffer(b"".join(whole), dtype="<i8").reshape(-1, len(COLUMNS) + 3)
    good = np.bitwise_xor.reduce(table, axis=1) == 0
    damaged = len(packed) - int(np.count_nonzero(good))
    gone = table[:, _AT["state"]] == _WITHDRAWN
    bars = table[good & ~gone].astype(np.int64)
    width = len(COLUMNS)
    return Changes(
        np.ascontiguousarray(bars[:, :width]), bars[:, width], bars[:, width + 1], table[good & gone, 0].astype(np.int64), damaged
    )


def no_bars() -> Ints:
    """A (0, columns) table."""
    return np.empty((0, len(COLUMNS)), dtype=np.int64)


def encode_bars(rows: Ints) -> bytes:
    """A segment of (n, columns) rows, n >= 1. What is predictable is taken out first, so that little is left to store."""
    table = np.array(rows.T, order="C")  # a copy also where the rows are one: the caller's stay as they are
    _predict(table, np.subtract)
    return encode(table)


def decode_bars(data: bytes) -> Ints:
    """(columns, n) table of a segment; raises `DamagedError`."""
    table = decode(data)
    if len(table) != len(COLUMNS):
        raise DamagedError(f"damaged segment: {len(table)} columns")
    _predict(table, np.add)
    return table


def _predict(table: Ints, combine: np.ufunc) -> None:
    """Subtract from (or add to) each column what others say of it; wrapping arithmetic makes the two exact inverses."""
    close = table[_AT["close"]]
    for name in ("open", "high", "low"):
        combine(table[_AT[name]], close, out=table[_AT[name]])
    for quote, quantity in (("quote_volume", "volume"), ("taker_quote", "taker_volume")):
        combine(table[_AT[quote]], table[_AT[quantity]] * close, out=table[_AT[quote]])
    combine(table[_AT["last_id"]], table[_AT["first_id"]], out=table[_AT["last_id"]])


def rescale(rows: Ints, price_shift: int, quantity_shift: int) -> None:
    """Count (n, columns) rows in units finer by so many decimals, in place; raises `StoreError` on overflow."""
    for columns, shift in ((_PRICES, price_shift), (_QUANTITIES, quantity_shift), (_QUOTES, price_shift + quantity_shift)):
        if shift == 0 or not len(rows):
            continue
        factor = 10**shift
        if shift < 0 or factor > _INT64_MAX or int(np.abs(rows[:, columns]).max()) > _INT64_MAX // factor:
            raise StoreError(f"stored bars cannot be counted with {shift} more decimals: 64 bits are too few")
        rows[:, columns] *= factor


def merge(rows: Ints, changes: Ints, withdrawn: Ints) -> Ints:
    """`rows` (n, columns) with `changes` put in and the open times of `withdrawn` taken out; all ascending."""
    if len(changes) and len(rows) and changes[0, 0] <= rows[-1, 0]:
        rows = rows[~np.isin(rows[:, 0], changes[:, 0], assume_unique=True)]
        rows = np.concatenate((rows, changes))
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
    elif len(changes):
        rows = np.concatenate((rows, changes)) if len(rows) else changes
    if len(withdrawn):
        rows = rows[~np.isin(rows[:, 0], withdrawn)]
    return rows


def restart_point(seconds: Ints) -> int:
    """How many of the (n, columns) 1s bars a restart may keep, so that its cursor counts every trade once.

    A late trade enters an older bar while trades with lower ids are still in the forming one. After a crash in that second no
    single id tells what was applied: the bars back to the first unambiguous one are built again from their trades.
    """
    if not len(seconds):
        return 0
    aggregates = seconds[:, _AT["last_aggregate"]]
    settled = (aggregates == np.maximum.accumulate(aggregates)) & (seconds[:, _AT["revision"]] == 0)
    found = np.flatnonzero(settled)
    return int(found[-1]) + 1 if len(found) else 0


def cursor_of(seconds: Ints) -> int:
    """Highest aggregate id inside the 1s bars; -1 without any."""
    return int(seconds[-1, _AT["last_aggregate"]]) if len(seconds) else -1
