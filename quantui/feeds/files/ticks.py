"""Ticks without a protocol: NDJSON and CSV of any source, and Binance's bulk files of trades (binance.md A7)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from quantui.feeds.files.errors import BadRowError, FileError
from quantui.feeds.files.fields import number, plain, positive, symbol_name, symbol_of, time_ms
from quantui.feeds.files.rows import columns, field, indices, is_number, missing, split, text_of
from quantui.feeds.files.source import Source
from quantui.feeds.files.tape import EXTERNAL, Row, Tape, TapeWriter

_NS = 1_000_000
_SIDES = {"": 1, "sell": 1, "s": 1, "ask": 1, "buy": 0, "b": 0, "bid": 0}
"""Whether the buyer was the maker; where the side is unknown the trade counts as no taker purchase."""
_TRUTH = {"true": 1, "false": 0}
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=plain).decode


class TickReader:
    """Reads ticks of an external source. Rows with an id are taken once; rows without are never de-duplicated."""

    def __init__(self, source: Source, *, symbol: str | None = None, venue: str | None = None, skip_bad: bool = False) -> None:
        self._source, self._skip_bad, self._venue = source, skip_bad, venue
        self._symbol = symbol_name(symbol) if symbol else None
        self._writer = TapeWriter(source.name)
        self._seen: set[tuple[int, str]] = set()

    def ndjson(self) -> Tape:
        """One JSON object a line: `{"symbol", "ts" or "timestamp", "price", "size"}`.

        Raises:
            FileError: At the first bad row, unless bad rows are skipped.
        """
        for number_, line in self._source.lines():
            try:
                record = _decode(line)
                names = columns(tuple(record))
                self._add(list(record.values()), names)
            except (BadRowError, msgspec.DecodeError, RecursionError) as error:
                self._bad(number_, error)
        return self._writer.tape(self._venue or EXTERNAL)

    def csv(self) -> Tape:
        """A header line and one tick a line, columns by their aliases.

        Raises:
            FileError: A column is missing, or at the first bad row, unless bad rows are skipped.
        """
        lines = self._source.lines()
        _, header = next(lines)
        names = columns(tuple(split(header)))
        if lacking := missing(names, ("time", "price", "size")):
            raise FileError(self._source.name, f"no column for {lacking}", 1)
        for number_, line in lines:
            try:
                self._add(split(line), names)
            except BadRowError as error:
                self._bad(number_, error)
        return self._writer.tape(self._venue or EXTERNAL)

    def _add(self, values: Sequence[object], names: dict[str, int]) -> None:
        if lacking := missing(names, ("time", "price", "size")):
            raise BadRowError(f"no {lacking}")
        needed = max(names.values())
        if needed >= len(values):
            raise BadRowError(f"it has {len(values)} fields, {needed + 1} are needed")
        at = time_ms(str(values[names["time"]]))
        price = positive(text_of(values[names["price"]]).strip(), "price")
        size = positive(text_of(values[names["size"]]).strip(), "size")
        index = self._writer.symbol(self._symbol_of(values, names))
        if "id" in names and (identity := str(values[names["id"]]).strip()):
            if (index, identity) in self._seen:
                return
            self._seen.add((index, identity))
        side = str(values[names["side"]]).strip().lower() if "side" in names else ""
        if side not in _SIDES:
            raise BadRowError(f"{side[:40]!r} is not a side: buy or sell")
        self._writer.add(Row(at * _NS, at, index, -1, at, *price, *size, maker=_SIDES[side]))

    def _symbol_of(self, values: Sequence[object], names: dict[str, int]) -> str:
        if self._symbol is not None:
            return self._symbol
        if "symbol" in names:
            return symbol_name(str(values[names["symbol"]]))
        found = symbol_of(self._source.stem)
        if found is None:
            raise BadRowError("no symbol in the row, and none in the file's name: say --symbol")
        return found

    def _bad(self, line: int, error: Exception) -> None:
        if not self._skip_bad:
            raise FileError(self._source.name, f"{error} (--skip-bad leaves such rows out)", line) from error
        self._writer.rejected += 1


_SPOT_TRADES = ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker", "is_best_match")
_SPOT_AGGREGATES = (
    "agg_trade_id",
    "price",
    "quantity",
    "first_trade_id",
    "last_trade_id",
    "transact_time",
    "is_buyer_maker",
    "is_best_match",
)


def archive_layout(fields: Sequence[str]) -> dict[str, int] | None:
    """Columns of a bulk file of trades or aggregate trades, from its first line; None where it is something else."""
    if is_number(fields[0]):
        if len(fields) in (6, 7) and fields[5].strip().lower() in _TRUTH:
            return indices(_SPOT_TRADES[: len(fields)])
        if len(fields) in (7, 8) and fields[6].strip().lower() in _TRUTH:
            return indices(_SPOT_AGGREGATES[: len(fields)])
        return None
    found = indices(fields)
    if set(_SPOT_TRADES[:6]) <= set(found) or set(_SPOT_AGGREGATES[:7]) <= set(found):
        return found
    return None


def read_archive(source: Source, *, symbol: str | None = None, venue: str | None = None, skip_bad: bool = False) -> Tape:
    """A bulk file of trades or aggregate trades: spot has no header and one column more, futures have a header.

    A record with price or size 0 is a known defect of the source: it is refused, and its id is used up.

    Raises:
        FileError: The symbol cannot be told, or at the first bad row, unless bad rows are skipped.
    """
    name = symbol_name(symbol) if symbol else symbol_of(source.stem)
    if name is None:
        raise FileError(source.name, "no symbol in the file's name: say --symbol")
    writer = TapeWriter(source.name)
    index = writer.symbol(name)
    layout: dict[str, int] | None = None
    for line_number, line in source.lines():
        try:
            fields = split(line)
            if layout is None:
                layout = archive_layout(fields)
                if layout is None:
                    raise FileError(source.name, "not a bulk file of trades", line_number)
                if not is_number(fields[0]):
                    continue
            _add_archived(writer, index, fields, layout)
        except BadRowError as error:
            if not skip_bad:
                raise FileError(source.name, f"{error} (--skip-bad leaves such rows out)", line_number) from error
            writer.rejected += 1
    found = "binance-spot" if layout and "is_best_match" in layout else "binance-usdm"
    return writer.tape(venue or found, sort_by_id=True)


def _add_archived(writer: TapeWriter, index: int, fields: Sequence[str], layout: dict[str, int]) -> None:
    aggregated = "agg_trade_id" in layout
    trade_id = _id(field(fields, layout["agg_trade_id" if aggregated else "id"]))
    at = time_ms(field(fields, layout["transact_time" if aggregated else "time"]))
    price = number(field(fields, layout["price"]))
    quantity = number(field(fields, layout["quantity" if aggregated else "qty"]))
    maker = _TRUTH.get(field(fields, layout["is_buyer_maker"]).lower())
    if maker is None:
        raise BadRowError("is_buyer_maker is neither true nor false")
    if not price[0] or not quantity[0]:
        writer.rejected += 1
        writer.add(Row(at * _NS, at, index, trade_id, at, raw=not aggregated))
        return
    first_id = last_id = trade_id
    if aggregated:
        first_id, last_id = _id(field(fields, layout["first_trade_id"])), _id(field(fields, layout["last_trade_id"]))
        if last_id < first_id:
            raise BadRowError("the last trade id is below the first")
    writer.add(Row(at * _NS, at, index, trade_id, at, *price, *quantity, first_id, last_id, maker, not aggregated))


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise BadRowError(f"{text[:40]!r} is not a trade id")
    return int(text)
