"""Recorded trades in columns: what every reader of trades returns and the replay plays."""

from array import array
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from quantui.feeds.files.errors import FileError
from quantui.market.frames import Ints

EXTERNAL = "external"
"""Venue of a source that does not tell."""

MARK: Final = -1
"""Symbol index of a row that is no trade: it only says that the feed was alive at `event_ms`."""

_HOUR_MS = 3_600_000
_SAFE = 9.0e18
"""Just below what 64 bits count."""
_POWERS = np.array([10**power for power in range(19)], dtype=np.int64)


class Row(NamedTuple):
    """One record of a file, in the order of the columns of a tape."""

    key_ns: int
    """When it was received; where the file does not tell, the trade's own time."""
    event_ms: int
    """Event time of the frame: how far the source had got."""
    symbol: int
    """Index into `Tape.symbols`, or `MARK`."""
    id: int = -1
    """Aggregate id; raw id where the source has only raw trades; -1 where it has none."""
    time_ms: int = 0
    price: int = 0
    """Digits, to be read with `price_decimals`."""
    price_decimals: int = 0
    quantity: int = 0
    """Digits; 0 is a refused record, which still uses up its id."""
    quantity_decimals: int = 0
    first_id: int = -1
    last_id: int = -1
    maker: int = 0
    raw: int = 0
    """1 for a raw trade of a capture: dropped where the symbol also has aggregate trades."""


_TYPES = "qqhqqqbqbqqbb"


class TapeWriter:
    """Collects rows in the order of the file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rejected = 0
        """Placeholders and bad rows."""
        self._symbols: dict[str, int] = {}
        self._columns = tuple(array(code) for code in _TYPES)
        self._appends = tuple(column.append for column in self._columns)

    def symbol(self, name: str) -> int:
        """Index of a symbol, a new one for a new name."""
        if len(self._symbols) >= 30_000 and name not in self._symbols:
            raise FileError(self.name, "names more than 30000 symbols: not a recording of a market")
        return self._symbols.setdefault(name, len(self._symbols))

    def add(self, row: Row) -> None:
        """Append one row."""
        for append, value in zip(self._appends, row, strict=True):
            append(value)

    def tape(self, venue: str, *, sort_by_id: bool = False) -> "Tape":
        """Close the tape.

        Args:
            venue: Where the trades were made.
            sort_by_id: The file has no order of arrival (archives): put each symbol's trades into the order of their ids.
        """
        columns = {name: np.frombuffer(column, dtype=column.typecode).astype(np.int64) if len(column) else np.empty(0, np.int64)
                   for name, column in zip(Row._fields, self._columns, strict=True)}  # fmt: skip
        if sort_by_id:
            order = np.argsort(columns["id"], kind="stable")
            columns = {name: column[order] for name, column in columns.items()}
        aggregated = np.unique(columns["symbol"][(columns["raw"] == 0) & (columns["symbol"] != MARK)])
        superseded = (columns["raw"] == 1) & np.isin(columns["symbol"], aggregated)
        columns["symbol"][superseded] = MARK
        columns["key_ns"] = np.maximum.accumulate(columns["key_ns"])
        names = tuple(self._symbols)
        raw_only = {names[index] for index in np.unique(columns["symbol"][columns["raw"] == 1]).tolist() if index != MARK}
        return Tape(self.name, venue, names, columns, frozenset(raw_only), self.rejected)


@dataclass(frozen=True, slots=True)
class Tape:
    """The trades of one file, in order of arrival, not yet scaled: decimals are known only when every file was read."""

    name: str
    venue: str
    symbols: tuple[str, ...]
    columns: dict[str, Ints]
    """(n,) columns by the names of `Row`; `key_ns` never falls."""
    raw_only: frozenset[str]
    """Symbols whose ids are raw trade ids."""
    rejected: int

    def __len__(self) -> int:
        return len(self.columns["id"])

    @property
    def trades(self) -> int:
        """Rows that are trades."""
        return int(np.count_nonzero(self.columns["quantity"]))

    def decimals(self) -> dict[str, tuple[int, int]]:
        """By symbol with trades: the largest number of significant decimals of its prices and of its quantities."""
        found: dict[str, tuple[int, int]] = {}
        traded = (self.columns["symbol"] != MARK) & (self.columns["quantity"] > 0)
        for index, name in enumerate(self.symbols):
            rows = traded & (self.columns["symbol"] == index)
            if rows.any():
                price, quantity = (int(self.columns[column][rows].max()) for column in ("price_decimals", "quantity_decimals"))
                found[name] = price, quantity
        return found

    def scaled(self, decimals: dict[str, tuple[int, int]]) -> tuple[Ints, Ints]:
        """Prices and quantities as integers of `decimals`, (n,) each.

        Raises:
            FileError: An hour's turnover of a symbol would not fit 64 bits.
        """
        prices, quantities = self.columns["price"].copy(), self.columns["quantity"].copy()
        for index, name in enumerate(self.symbols):
            if name in decimals:
                rows = np.flatnonzero(self.columns["symbol"] == index)
                self._scale(prices, "price_decimals", decimals[name][0], rows)
                self._scale(quantities, "quantity_decimals", decimals[name][1], rows)
                self._check_turnover(prices[rows], quantities[rows], self.columns["time_ms"][rows], name)
        return prices, quantities

    def without(self, superseded: Collection[str]) -> "Tape":
        """The same tape with the trades of `superseded` turned into marks."""
        indices = [index for index, name in enumerate(self.symbols) if name in superseded]
        symbol = np.where(np.isin(self.columns["symbol"], indices), MARK, self.columns["symbol"])
        columns = {**self.columns, "symbol": symbol}
        return Tape(self.name, self.venue, self.symbols, columns, self.raw_only - set(superseded), self.rejected)

    def _scale(self, values: Ints, column: str, decimals: int, rows: Ints) -> None:
        powers = _POWERS[decimals - np.minimum(self.columns[column][rows], decimals)]
        if len(rows) and (values[rows].astype(np.float64) * powers).max() > _SAFE:
            raise FileError(self.name, f"numbers too large to count exactly with {decimals} decimals")
        values[rows] *= powers

    def _check_turnover(self, prices: Ints, quantities: Ints, times: Ints, symbol: str) -> None:
        _, hours = np.unique(times // _HOUR_MS, return_inverse=True)
        if len(hours) and np.bincount(hours, weights=prices.astype(np.float64) * quantities).max() > _SAFE:
            raise FileError(self.name, f"an hour's turnover of {symbol} is too large to count exactly")
