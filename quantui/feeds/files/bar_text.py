"""Bars written as text: Binance's bulk klines, CSV with a header, and JSON arrays."""

from collections.abc import Sequence
from typing import Any

import msgspec

from quantui.feeds.files.bars import UNKNOWN, BarCollector, BarTable, FileBar, Number, timeframe_of
from quantui.feeds.files.errors import BadRowError, FileError
from quantui.feeds.files.fields import number, plain, positive, symbol_name, symbol_of, time_ms
from quantui.feeds.files.rows import field, indices, is_number, missing, split, text_of
from quantui.feeds.files.source import Source
from quantui.market.bars import BarState
from quantui.market.instruments import Timeframe

KLINE_FIELDS = 12
_KLINE_HEADER = {"open", "high", "low", "close", "volume", "close_time"}
_TIMES = ("timestamp", "date", "time", "datetime", "ts", "open_time")
_PRICES = ("open", "high", "low", "close")
_HEADERLESS_UM_MS = 1_660_176_000_000
"""2022-08-11: futures bulk files have a header since, spot never had one; before, the two look the same."""
_MICROSECONDS = 15
"""Digits of a time above which it is in µs: only spot writes that."""
_STATES = {"certified": BarState.CERTIFIED, "provisional": BarState.PROVISIONAL, "gap": BarState.GAP, "open": BarState.PROVISIONAL}
_decode = msgspec.json.Decoder(list[list[Any]], float_hook=plain).decode


class BarReader:
    """Reads the bars of one text file."""

    def __init__(
        self, source: Source, *, symbol: str | None = None, timeframe: str | None = None, venue: str | None = None,
        skip_bad: bool = False,
    ) -> None:  # fmt: skip
        self._source, self._venue, self._skip_bad = source, venue, skip_bad
        self._symbol = symbol_name(symbol) if symbol else None
        self._timeframe = timeframe_of(timeframe, source.name) if timeframe else None
        self._collectors: dict[tuple[str, str], BarCollector] = {}
        self._rejected = 0

    def klines(self) -> list[BarTable]:
        """Bulk klines, with or without header (binance.md A7).

        Raises:
            FileError: The symbol or the timeframe cannot be told, or at the first bad row, unless bad rows are skipped.
        """
        collector = self._named(self._timeframe or timeframe_in_name(self._source))
        venue = None
        for line_number, line in self._source.lines():
            try:
                fields = split(line)
                if line_number == 1 and not is_number(fields[0]):
                    venue = "binance-usdm"
                    continue
                if venue is None:
                    venue = _headerless_venue(fields[0])
                collector.add(_kline(fields))
            except BadRowError as error:
                self._bad(line_number, error)
        collector.rejected += self._rejected
        return [collector.table(self._venue or venue, from_exchange=True, day_ends=True)]

    def csv(self) -> list[BarTable]:
        """`timestamp,symbol,interval,open,high,low,close,volume[,trade_count][,vwap]`, and our own export.

        Returns:
            One table a symbol and interval.

        Raises:
            FileError: A column is missing, or at the first bad row, unless bad rows are skipped.
        """
        lines = self._source.lines()
        _, header = next(lines)
        names = indices(split(header))
        time_name = next((name for name in _TIMES if name in names), None)
        if lacking := missing(names, (*_PRICES, "volume")) or ("" if time_name else "timestamp"):
            raise FileError(self._source.name, f"no column for {lacking}", 1)
        for line_number, line in lines:
            try:
                fields = split(line)
                self._collector(fields, names).add(_bar(fields, names, names[time_name or ""]))
            except BadRowError as error:
                self._bad(line_number, error)
        return self._tables()

    def json(self) -> list[BarTable]:
        """`[[ms, o, h, l, c, v], ...]`, or the twelve fields of Binance's REST klines.

        Raises:
            FileError: It is not such an array, or at the first bad row, unless bad rows are skipped.
        """
        try:
            rows = _decode(self._source.read())
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise FileError(self._source.name, f"not an array of bars: {error}") from error
        collector = self._named(self._timeframe or timeframe_in_name(self._source, required=False))
        is_kline = bool(rows) and len(rows[0]) == KLINE_FIELDS
        for row_number, row in enumerate(rows, 1):
            try:
                fields = [text_of(value) for value in row]
                collector.add(_kline(fields) if is_kline else _plain_bar(fields))
            except BadRowError as error:
                self._bad(row_number, error)
        collector.rejected += self._rejected
        return [collector.table(self._venue, from_exchange=is_kline)]

    def _named(self, timeframe: Timeframe | None) -> BarCollector:
        symbol = self._symbol or symbol_of(self._source.stem)
        if symbol is None:
            raise FileError(self._source.name, "no symbol in the file's name: say --symbol")
        return BarCollector(self._source.name, symbol, timeframe)

    def _collector(self, fields: Sequence[str], names: dict[str, int]) -> BarCollector:
        symbol = self._symbol or (field(fields, names["symbol"]) if "symbol" in names else symbol_of(self._source.stem))
        if symbol is None:
            raise FileError(self._source.name, "no symbol column, and none in the file's name: say --symbol")
        interval = field(fields, names["interval"]) if "interval" in names and self._timeframe is None else ""
        key = symbol, interval
        found = self._collectors.get(key)
        if found is None:
            timeframe = timeframe_of(interval, self._source.name) if interval else self._timeframe
            timeframe = timeframe or timeframe_in_name(self._source, required=False)
            found = self._collectors[key] = BarCollector(self._source.name, symbol_name(symbol), timeframe)
        return found

    def _tables(self) -> list[BarTable]:
        if not self._collectors:
            raise FileError(self._source.name, "no bars")
        first = next(iter(self._collectors.values()))
        first.rejected += self._rejected
        return [collector.table(self._venue) for collector in self._collectors.values() if collector.bars]

    def _bad(self, line: int, error: BadRowError) -> None:
        if not self._skip_bad:
            raise FileError(self._source.name, f"{error} (--skip-bad leaves such rows out)", line) from error
        self._rejected += 1


def is_kline_header(fields: Sequence[str]) -> bool:
    """Whether a first line is the header of bulk klines."""
    return set(indices(fields)) >= _KLINE_HEADER


def is_bar_header(fields: Sequence[str]) -> bool:
    """Whether a first line is the header of bars."""
    return set(indices(fields)) >= set(_PRICES)


def timeframe_in_name(source: Source, *, required: bool = True) -> Timeframe | None:
    """Timeframe in `BTC_USDT-1h` or `BTCUSDT-1m-2024-08-08`; None where the name has none.

    Raises:
        FileError: It is one that is not built (only when `required`).
    """
    part = source.stem.partition("-")[2].partition("-")[0].partition(".")[0]
    if part in set(Timeframe):
        return Timeframe(part)
    if required and part[:1].isdigit():
        return timeframe_of(part, source.name)
    return None


def _headerless_venue(time: str) -> str | None:
    if len(time.strip()) >= _MICROSECONDS or time_ms(time) >= _HEADERLESS_UM_MS:
        return "binance-spot"
    return None


def _prices(fields: Sequence[str], at: Sequence[int]) -> tuple[Number, Number, Number, Number]:
    opening, high, low, close = (positive(field(fields, index), name) for index, name in zip(at, _PRICES, strict=True))
    return opening, high, low, close


def _kline(fields: Sequence[str]) -> FileBar:
    if len(fields) != KLINE_FIELDS:
        raise BadRowError(f"it has {len(fields)} fields, a kline has {KLINE_FIELDS}")
    count = number(fields[8].strip())
    if count[1]:
        raise BadRowError(f"{fields[8][:40]!r} is not a number of trades")
    quote, taker, taker_quote = (number(fields[index].strip()) for index in (7, 9, 10))
    return FileBar(
        time_ms(fields[0]), _prices(fields, (1, 2, 3, 4)), number(fields[5].strip()), quote, taker, taker_quote, count[0]
    )


def _plain_bar(fields: Sequence[str]) -> FileBar:
    return FileBar(time_ms(field(fields, 0)), _prices(fields, (1, 2, 3, 4)), number(field(fields, 5)))


def _bar(fields: Sequence[str], names: dict[str, int], time: int) -> FileBar:
    def optional(name: str) -> Number | None:
        text = field(fields, names[name]) if name in names else ""
        return number(text) if text else None

    prices = _prices(fields, [names[name] for name in _PRICES])
    volume = number(field(fields, names["volume"]))
    quote, count, vwap = optional("quote_volume"), optional("trade_count"), optional("vwap")
    if quote is None and vwap is not None:
        quote = _product(vwap, volume, max(price[1] for price in prices) + volume[1])
    state = field(fields, names["state"]).lower() if "state" in names else ""
    if state and state not in _STATES:
        raise BadRowError(f"{state[:40]!r} is not a state of a bar")
    return FileBar(
        time_ms(field(fields, time)), prices, volume, quote, optional("taker_buy_volume"), None, count[0] if count else UNKNOWN,
        _STATES.get(state, BarState.PROVISIONAL), state not in ("", "open"),
    )  # fmt: skip


def _product(a: Number, b: Number, decimals: int) -> Number:
    """`a * b` rounded to `decimals`."""
    surplus = a[1] + b[1] - decimals
    digits = a[0] * b[0]
    if surplus <= 0:
        return digits, a[1] + b[1]
    unit: int = 10**surplus
    return (digits + unit // 2) // unit, decimals
