"""Rolling, bounded tables of bars: numpy rings to live in, polars frames to look at.

Appending one row to a polars frame costs up to a millisecond, to a ring under a microsecond; so rings are the store and frames
are views of them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from quantui.market.bars import COLUMNS, Bar, BarState
from quantui.market.instruments import Instrument, Timeframe

if TYPE_CHECKING:
    import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_COLUMN = {name: index for index, name in enumerate(COLUMNS)}
_STATE = _COLUMN["state"]
_CLOSE = _COLUMN["close"]
_GAP = int(BarState.GAP)

DEFAULT_CAPACITY: Mapping[Timeframe, int] = {
    Timeframe.S1: 14_400,
    Timeframe.M1: 10_080,
    Timeframe.M5: 4_032,
    Timeframe.M15: 2_880,
    Timeframe.H1: 2_160,
}
"""Bars kept in memory: 4 hours of seconds to 90 days of hours. 1s must hold an hour, since late trades re-roll it."""


class BarRing:
    """The last `capacity` bars of one symbol and timeframe, ascending by open time, holes allowed."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        # Twice the capacity, so that the live rows are always one contiguous block: the block slides right and is
        # copied back to the front once per `capacity` appends.
        self._table: Ints = np.empty((2 * capacity, len(COLUMNS)), dtype=np.int64)
        self._start = 0
        self._end = 0
        self.changes = 0
        """How often a bar came, went or was replaced: what was made of the bars before is old."""

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def rows(self) -> Ints:
        """(n, columns) view of the bars, oldest first; valid until the next append."""
        return self._table[self._start : self._end]

    @property
    def times(self) -> Ints:
        """(n,) open times in ms."""
        return self._table[self._start : self._end, 0]

    @property
    def last(self) -> Bar | None:
        """The newest bar."""
        return self.bar(self._end - self._start - 1) if len(self) else None

    def bar(self, index: int) -> Bar:
        """The bar at `index`, 0 being the oldest."""
        return msgspec.convert(self.rows[index].tolist(), Bar)

    def find(self, open_ms: int) -> int | None:
        """Index of the bar that opens at `open_ms`."""
        index = int(np.searchsorted(self.times, open_ms))
        return index if index < len(self) and self.times[index] == open_ms else None

    def between(self, start_ms: int, end_ms: int) -> Ints:
        """(k, columns) view of the bars that open in [start_ms, end_ms)."""
        low, high = np.searchsorted(self.times, (start_ms, end_ms))
        return self.rows[low:high]

    def put(self, bar: Bar) -> None:
        """Append the bar, or replace the one with its open time, or insert it where it belongs."""
        self.changes += 1
        if len(self) and bar.open_ms <= self._table[self._end - 1, 0]:
            self._put_inside(bar)
            return
        self._make_room()
        self._table[self._end] = _row(bar)
        self._end += 1
        if len(self) > self.capacity:
            self._start += 1

    def load(self, rows: Ints) -> None:
        """Replace everything by `rows` (n, columns), ascending by open time; the newest `capacity` are kept."""
        self.changes += 1
        rows = rows[-self.capacity :]
        self._start, self._end = 0, len(rows)
        self._table[: len(rows)] = rows

    def remove(self, open_ms: int) -> bool:
        """Withdraw a bar that turned out not to exist; True when it was there."""
        index = self.find(open_ms)
        if index is None:
            return False
        self.changes += 1
        at = self._start + index
        self._table[at : self._end - 1] = self._table[at + 1 : self._end].copy()
        self._end -= 1
        return True

    def _put_inside(self, bar: Bar) -> None:
        index = int(np.searchsorted(self.times, bar.open_ms))
        if self.times[index] == bar.open_ms:
            self._table[self._start + index] = _row(bar)
            return
        if len(self) == self.capacity and index == 0:
            return  # older than everything kept
        self._make_room()
        at = self._start + index
        self._table[at + 1 : self._end + 1] = self._table[at : self._end].copy()
        self._table[at] = _row(bar)
        self._end += 1
        if len(self) > self.capacity:
            self._start += 1

    def _make_room(self) -> None:
        if self._end == len(self._table):
            rows = self.rows  # at most half of the table: where they go they overlap nothing, so no copy in between
            self._start, self._end = 0, len(rows)
            self._table[: len(rows)] = rows


def _row(bar: Bar) -> tuple[int, ...]:
    return (
        bar.open_ms, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote_volume, bar.taker_volume,
        bar.taker_quote, bar.trade_count, bar.first_id, bar.last_id, bar.last_aggregate, bar.state, bar.revision,
    )  # fmt: skip


def bars_to_rows(bars: "list[Bar]") -> Ints:
    """(n, columns) table of bars."""
    return np.array([_row(bar) for bar in bars], dtype=np.int64).reshape(len(bars), len(COLUMNS))


class SymbolFrames:
    """Every timeframe of one symbol."""

    def __init__(self, instrument: Instrument, capacity: Mapping[Timeframe, int] = DEFAULT_CAPACITY) -> None:
        self.instrument = instrument
        self.rings = {timeframe: BarRing(capacity[timeframe]) for timeframe in Timeframe}

    def __getitem__(self, timeframe: Timeframe) -> BarRing:
        return self.rings[timeframe]

    def rescaled(self, instrument: Instrument) -> "SymbolFrames":
        """The same bars counted in the finer decimals of `instrument`: a tick or step size has changed."""
        price = 10 ** (instrument.price_decimals - self.instrument.price_decimals)
        quantity = 10 ** (instrument.quantity_decimals - self.instrument.quantity_decimals)
        factors = dict.fromkeys(("open", "high", "low", "close"), price)
        factors |= {"volume": quantity, "taker_volume": quantity}
        factors |= {"quote_volume": price * quantity, "taker_quote": price * quantity}
        by_column = np.array([factors.get(name, 1) for name in COLUMNS], dtype=np.int64)
        out = SymbolFrames(instrument, {timeframe: ring.capacity for timeframe, ring in self.rings.items()})
        for timeframe, ring in self.rings.items():
            out.rings[timeframe].load(ring.rows * by_column)
        return out

    def frame(self, timeframe: Timeframe, last: int | None = None) -> "pl.DataFrame":
        """The newest `last` bars as a polars frame: times in UTC, numbers as floats, `vwap` added."""
        return to_frame(self.rings[timeframe].rows[-last if last else None :], self.instrument)


def to_frame(rows: Ints, instrument: Instrument) -> "pl.DataFrame":
    """(n, columns) bar rows as a polars frame: times in UTC, prices and volumes as floats, `vwap` added."""
    import polars as pl

    # numpy divides; polars multiplies by the inverse of a constant, which turns 61837.63 into 61837.630000000005.
    price, quantity = 10**instrument.price_decimals, 10**instrument.quantity_decimals
    units = dict.fromkeys(("open", "high", "low", "close"), price)
    units |= {"volume": quantity, "taker_volume": quantity, "quote_volume": price * quantity, "taker_quote": price * quantity}
    columns = dict(zip(COLUMNS, rows.T.copy(), strict=True))
    volume, turnover = columns["volume"], columns["quote_volume"]
    vwap = np.full(len(rows), np.nan)
    np.divide(turnover, volume * float(price), out=vwap, where=(volume > 0) & (turnover >= 0))
    return pl.DataFrame({name: column / units[name] if name in units else column for name, column in columns.items()}).with_columns(
        pl.from_epoch("open_ms", "ms").dt.replace_time_zone("UTC").alias("open_time"),
        vwap=pl.Series(vwap).fill_nan(None),
    )


def pair_frame(y: SymbolFrames, x: SymbolFrames, timeframe: Timeframe, last: int | None = None) -> "pl.DataFrame":
    """Both legs joined on the open time: `open_time, close_y, close_x, volume_y, volume_x`, the newest `last` rows."""
    columns = ("open_time", "close", "volume", "state")
    joined = (y.frame(timeframe).select(columns).join(x.frame(timeframe).select(columns), on="open_time", suffix="_x")).rename(
        {"close": "close_y", "volume": "volume_y", "state": "state_y"}
    )
    return joined.tail(last) if last else joined


class AlignedCloses:
    """Closes of both legs on the bars they share."""

    __slots__ = ("state", "times", "x", "y")

    def __init__(self, times: Ints, y: Floats, x: Floats, state: Ints) -> None:
        self.times = times
        """(n,) open times, ms."""
        self.y = y
        """(n,) closes of y."""
        self.x = x
        self.state = state
        """(n,) the lesser trusted state of the two legs: a `BarState`."""

    def __len__(self) -> int:
        return len(self.times)


def aligned_closes(y: SymbolFrames, x: SymbolFrames, timeframe: Timeframe, last: int) -> AlignedCloses:
    """The newest `last` shared bars of both legs; bars marked GAP are left out."""
    left, right = y[timeframe].rows, x[timeframe].rows
    reach = last
    while True:
        a, b = left[-reach:], right[-reach:]
        if len(a) != len(b) or not np.array_equal(a[:, 0], b[:, 0]):
            _, rows_a, rows_b = np.intersect1d(a[:, 0], b[:, 0], assume_unique=True, return_indices=True)
            a, b = a[rows_a], b[rows_b]
        whole = (a[:, _STATE] != _GAP) & (b[:, _STATE] != _GAP)
        if not whole.all():
            a, b = a[whole], b[whole]
        if len(a) >= last or reach >= max(len(left), len(right)):
            break
        reach *= 4  # holes in the tail: look further back
    a, b = a[-last:], b[-last:]
    return AlignedCloses(
        a[:, 0].copy(),
        a[:, _CLOSE] / 10**y.instrument.price_decimals,
        b[:, _CLOSE] / 10**x.instrument.price_decimals,
        np.minimum(a[:, _STATE], b[:, _STATE]),
    )
