"""What arrives on one socket, given to the streams it belongs to.

A trade that cannot be read is counted and left out: its id is missing then, and REST is asked for it as for any other.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from quantui.clock import Clock
from quantui.feeds.binance import codec
from quantui.feeds.binance.codec import Data, trade_of
from quantui.feeds.feed import DELAYS_MS, FeedStatus, Quote
from quantui.market.instruments import Instrument, Timeframe
from quantui.market.numbers import BadNumberError, scaled
from quantui.market.stream import SymbolStream

_CLOSING = {timeframe.value: timeframe for timeframe in Timeframe}
_LAG_WEIGHT = 0.05
_AHEAD_MS = 600_000
"""No time so far ahead of every clock is believed: one wild frame must not close the bars of hours that are still to come."""


@dataclass(slots=True)
class Line:
    """Decodes the frames of one connection and drives the streams of its symbols."""

    streams: Mapping[str, SymbolStream]
    """By symbol name, as it stands in payloads."""
    status: FeedStatus
    clock: Clock
    grace_ms: int
    on_problem: Callable[[str], None]
    """Told when the exchange answers a request with an error."""
    widen: Callable[[SymbolStream, Instrument], bool]
    """Asked where a number has more decimals than the stream counts; False where it cannot have them."""
    on_shutdown: Callable[[], None] = lambda: None
    """Told when the exchange says that it is going to end the socket."""
    watermark_ms: int = 0
    """Newest event time seen on this socket."""
    seen: set[str] = field(default_factory=set)
    """Streams that have spoken since the last (re)connection."""
    exchange_ids: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By symbol: last raw trade id the exchange's kline names, and when it first did (monotonic)."""
    heard: dict[str, int] = field(default_factory=dict)
    """By symbol: last raw trade id that came on this socket; REST may know more."""

    _latest_ms: int = codec.LATEST_MS

    def begin(self) -> None:
        """A new connection: no stream has spoken on it yet, and what was heard before it is old."""
        self.seen.clear()
        self.exchange_ids.clear()
        self.heard.clear()

    def take(self, frames: Sequence[bytes]) -> None:
        """Apply frames in order of arrival; what cannot be read is counted and skipped."""
        streams, seen, decode, dispatch = self.streams, self.seen, codec.decode_frame, self._dispatch
        received, watermark = self.clock.now_ms(), self.watermark_ms
        self.status.messages += len(frames)
        latest = self._latest_ms = self._believed(received)
        for raw in frames:
            try:
                frame = decode(raw)
            except (msgspec.DecodeError, RecursionError):
                self._salvage(raw)
                continue
            data = frame.data
            if isinstance(data, Data):
                seen.add(frame.stream)
                if watermark < data.event_ms <= latest:
                    watermark = data.event_ms
                stream = streams.get(data.symbol)
                if stream is not None:
                    dispatch(data, stream)
                elif data.event == "serverShutdown":
                    self.on_shutdown()
            elif frame.error is not None or frame.code is not None:
                self.on_problem(frame.error.msg if frame.error else frame.msg)
            elif frame.id is None and data is None:
                self.status.rejected += 1
        self.watermark_ms = watermark
        self._measure(received)

    def heard_of(self, name: str, stream: SymbolStream) -> int:
        """Last raw trade id that came on this socket; before the first, the last that is known from elsewhere."""
        return self.heard.get(name, stream.builder.known_id)

    def settle(self) -> None:
        """Everything that has arrived is applied: close what the newest event time allows."""
        until = self.watermark_ms - self.grace_ms
        for stream in self.streams.values():
            stream.advance(until)

    def _dispatch(self, data: codec.Data, stream: SymbolStream) -> None:
        try:
            if data.event == "aggTrade":
                trade = trade_of(data, stream.frames.instrument)
                if trade.time_ms > self._latest_ms:
                    stream.tally.rejected += 1
                else:
                    stream.trade(trade)
                    self.heard[data.symbol] = trade.last_id
            elif data.event == "kline":
                self._kline(data, stream)
            elif data.event == "markPriceUpdate":
                self._funding(data, stream)
            elif data.event in ("bookTicker", "") and data.bid:
                self._quote(data, stream)
        except codec.TooFineError as error:
            if self.widen(stream, error.instrument):
                self._dispatch(data, stream)
            elif error.trade_id is None:
                stream.tally.rejected += 1
            else:
                stream.reject(error.trade_id)
        except codec.PlaceholderError as error:
            stream.reject(error.trade_id)
        except codec.RefusedError:
            stream.tally.rejected += 1

    def _kline(self, data: codec.Data, stream: SymbolStream) -> None:
        kline = data.kline
        timeframe = _CLOSING.get(kline.interval) if kline else None
        if kline is None or timeframe is None or kline.open_ms % timeframe.ms or kline.open_ms > self._latest_ms:
            return
        if timeframe is Timeframe.M1:
            known = self.exchange_ids.get(data.symbol)
            if known is None or known[0] <= self.heard_of(data.symbol, stream):  # else it is behind since then
                self.exchange_ids[data.symbol] = kline.last_id, self.clock.monotonic()
        if kline.is_closed:
            stream.kline(timeframe, codec.bar_of(kline, stream.frames.instrument))

    def _funding(self, data: codec.Data, stream: SymbolStream) -> None:
        try:
            rate = float(data.rate or "")
        except ValueError:
            return
        if abs(rate) < 1:
            self.status.funding[stream.frames.instrument.symbol] = rate

    def _quote(self, data: codec.Data, stream: SymbolStream) -> None:
        instrument = stream.frames.instrument
        try:
            bid, ask = (scaled(str(side), instrument.price_decimals) for side in (data.bid, data.id))
        except BadNumberError:
            stream.tally.rejected += 1
            return
        if 0 < bid <= ask:
            self.status.quotes[instrument.symbol] = Quote(bid, ask)

    def _salvage(self, raw: bytes) -> None:
        stream = self.streams.get(codec.salvage(raw) or "")
        if stream is not None:
            stream.tally.rejected += 1
        else:
            self.status.rejected += 1

    def _believed(self, received: int) -> int:
        """Latest time that may be true: by the local clock set to the exchange's, or the exchange's own carried forward."""
        status = self.status
        if not status.exchange_ms and status.skew_ms is None:
            return codec.LATEST_MS
        carried = status.exchange_ms + int((self.clock.monotonic() - status.exchange_at) * 1000) if status.exchange_ms else 0
        return max(carried, received - int(status.skew_ms or 0)) + _AHEAD_MS

    def _measure(self, received: int) -> None:
        """Exchange clock and delay, from the newest event time of a batch."""
        status = self.status
        if self.watermark_ms <= status.exchange_ms:
            return
        status.exchange_ms, status.exchange_at = self.watermark_ms, self.clock.monotonic()
        delay = received - self.watermark_ms - (status.skew_ms or 0.0)
        status.delays[bisect_left(DELAYS_MS, delay)] += 1
        status.lag_ms = delay if status.lag_ms is None else status.lag_ms + _LAG_WEIGHT * (delay - status.lag_ms)
