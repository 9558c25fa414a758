"""Raw stream captures: `<receive time> <JSON>` a line, as recorders of Binance's sockets write them.

The receive time is in ns (`1723161255030314667 {...}`) or in s (`1633998523.957215: {...}`); frames are combined or raw. Trades
become rows; every other event only tells how far the exchange's time had got (binance.md A3, A6).
"""

from typing import Any

import msgspec
from msgspec import field

from quantui.feeds.files.errors import BadRowError, FileError
from quantui.feeds.files.fields import LAST_MS, positive, symbol_name, whole_ms
from quantui.feeds.files.source import Source
from quantui.feeds.files.tape import EXTERNAL, MARK, Row, Tape, TapeWriter

_EVERY_MS = 100
"""Marks are this far apart; a longer silence is kept exactly."""
_HOSTS = {
    b"fstream.binance.com": "binance-usdm",
    b"stream.binance.com": "binance-spot",
    b"stream.binance.us": "binance-us",
}
"""What recorders write as the first line tells the venue."""
_NS = 1_000_000_000
_UM = 1
"""`st` of a USD-M event; 2 is COIN-M."""


class _Event(msgspec.Struct, frozen=True, gc=False):
    """As much of any event as tells what it is; never fails on a type."""

    kind: msgspec.Raw = field(name="e", default=msgspec.Raw(b""))
    event: msgspec.Raw = field(name="E", default=msgspec.Raw(b""))


class _Frame(_Event, frozen=True, gc=False):
    data: _Event | list[Any] | None = None


class _Trade(msgspec.Struct, frozen=True, gc=False):
    event_ms: int = field(name="E")
    symbol: str = field(name="s")
    time_ms: int = field(name="T")
    price: str = field(name="p")
    quantity: str = field(name="q")
    maker: bool = field(name="m")
    trade_id: int | None = field(name="t", default=None)
    aggregate_id: int | None = field(name="a", default=None)
    first_id: int = field(name="f", default=-1)
    last_id: int = field(name="l", default=-1)
    execution: str | None = field(name="X", default=None)
    best_match: bool | None = field(name="M", default=None)
    no_rpi: str | None = field(name="nq", default=None)
    market: int | None = field(name="st", default=None)


class _TradeFrame(msgspec.Struct, frozen=True, gc=False):
    data: _Trade


_decode = msgspec.json.Decoder(_Frame | list[Any]).decode
_decode_combined = msgspec.json.Decoder(_TradeFrame).decode
_decode_raw = msgspec.json.Decoder(_Trade).decode


class CaptureReader:
    """Reads one capture."""

    def __init__(self, source: Source, *, venue: str | None = None, skip_bad: bool = False) -> None:
        self._source, self._given, self._skip_bad = source, venue, skip_bad
        self._writer = TapeWriter(source.name)
        self._venue: str | None = None
        self._newest = 0
        self._marked = 0

    def read(self) -> Tape:
        """The tape of the file.

        Raises:
            FileError: A line cannot be read (unless bad rows are skipped), or the trades are of two venues.
        """
        for number, line in self._source.lines():
            try:
                self._line(line)
            except (BadRowError, msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError) as error:
                if not self._skip_bad:
                    raise FileError(
                        self._source.name, f"not a line of a capture: {error} (--skip-bad leaves such lines out)", number
                    ) from error
                self._writer.rejected += 1
        return self._writer.tape(self._given or self._venue or EXTERNAL)

    def _line(self, line: bytes) -> None:
        if line.startswith((b"ws://", b"wss://", b"http://", b"https://")):
            self._header(line)
            return
        head, _, body = line.partition(b" ")
        key_ns = received_ns(head)
        frame = _decode(body)
        if isinstance(frame, list):
            return
        event: _Event = frame
        combined = isinstance(frame.data, _Event)
        if isinstance(frame.data, _Event):
            event = frame.data
        kind = bytes(event.kind)
        if kind in (b'"trade"', b'"aggTrade"'):
            trade = _decode_combined(body).data if combined else _decode_raw(body)
            self._trade(trade, key_ns, raw=kind == b'"trade"')
        else:
            stamp = bytes(event.event)
            if stamp.isdigit() and len(stamp) <= 19:
                self._alive(whole_ms(int(stamp)), key_ns)

    def _header(self, line: bytes) -> None:
        host = line.partition(b"//")[2].partition(b"/")[0].partition(b":")[0]
        self._venue = self._venue or _HOSTS.get(host)

    def _trade(self, trade: _Trade, key_ns: int, *, raw: bool) -> None:
        trade_id = trade.trade_id if raw else trade.aggregate_id
        if trade_id is None or not 0 <= trade_id < 1 << 62:
            raise BadRowError("a trade without an id")
        event_ms, time_ms = whole_ms(trade.event_ms), whole_ms(trade.time_ms)
        if not 0 < time_ms < LAST_MS or not 0 < event_ms < LAST_MS:
            raise BadRowError("a trade without a time")
        self._tell_venue(trade)
        symbol = self._writer.symbol(symbol_name(trade.symbol))
        refused = Row(key_ns, event_ms, symbol, trade_id, time_ms, raw=raw)
        if trade.execution not in (None, "MARKET") or _is_nothing(trade.price) or _is_nothing(trade.quantity):
            self._writer.rejected += 1  # a placeholder: no trade, but it has used up its id
            self._writer.add(refused)
            return
        try:
            price, quantity = positive(trade.price, "price"), positive(trade.quantity, "size")
        except BadRowError:
            if self._skip_bad:
                self._writer.add(refused)
            raise
        first_id, last_id = (trade_id, trade_id) if raw else (trade.first_id, trade.last_id)
        if not 0 <= first_id <= last_id < 1 << 62:
            raise BadRowError("an aggregate trade without its first and last id")
        self._newest = max(self._newest, event_ms)
        self._writer.add(Row(key_ns, event_ms, symbol, trade_id, time_ms, *price, *quantity, first_id, last_id, trade.maker, raw))

    def _tell_venue(self, trade: _Trade) -> None:
        if self._given is not None:
            return
        found = None
        if trade.best_match is not None:
            found = "binance-us" if self._venue == "binance-us" else "binance-spot"
        elif trade.execution is not None or trade.market == _UM or (trade.no_rpi is not None and trade.market is None):
            found = "binance-usdm"
        if found is not None and self._venue not in (None, found):
            raise FileError(self._source.name, f"holds trades of {self._venue} and of {found}: split it, or name one venue for all")
        self._venue = self._venue or found

    def _alive(self, event_ms: int, key_ns: int) -> None:
        """A frame that is no trade: note how far the exchange's time is, often enough to see every silence."""
        if not self._newest < event_ms < LAST_MS:
            return
        if event_ms - self._newest > _EVERY_MS and self._newest > self._marked:
            self._mark(self._newest, key_ns)
        self._newest = event_ms
        if event_ms - self._marked >= _EVERY_MS:
            self._mark(event_ms, key_ns)

    def _mark(self, event_ms: int, key_ns: int) -> None:
        self._marked = event_ms
        self._writer.add(Row(key_ns, event_ms, MARK))


def received_ns(head: bytes) -> int:
    """Receive time at the head of a line, in ns.

    Raises:
        BadRowError: It is neither whole ns nor seconds.
    """
    head = head.removesuffix(b":")
    whole, dot, fraction = head.partition(b".")
    if not whole.isdigit() or len(whole) > 19 or (dot and not fraction.isdigit()):
        raise BadRowError("it does not begin with a receive time")
    value = int(whole)
    if dot or value < 100_000_000_000:
        value = value * _NS + int(fraction[:9].ljust(9, b"0") or b"0")
    if value >= 1 << 62:
        raise BadRowError("it does not begin with a receive time")
    return value


def _is_nothing(text: str) -> bool:
    return text != "" and not text.strip("0.")
