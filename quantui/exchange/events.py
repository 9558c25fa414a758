"""What one stream has to say between two moments: (due time, payload) pairs, in order."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from quantui.exchange import payloads
from quantui.exchange.bars import Ints, Kline, rolled_up
from quantui.exchange.listings import INTERVALS, MINUTE, Market
from quantui.exchange.streams import Stream
from quantui.exchange.tape import Minute, Tape

Event = tuple[float, str]
"""Due time in ms, payload."""
_PUSH_MS = {Market.SPOT: 2_000, Market.USDM: 250}
_CLOSE_AFTER_MS = {Market.SPOT: 2, Market.USDM: 200}
"""Least time from the end of an interval to its closing kline: futures wait for their late aggTrades."""
_CLOSE_LATEST_MS = 2_003
_HOUR = 3_600_000
_DAY = 24 * _HOUR


@dataclass(slots=True)
class Source:
    """One stream of one tape, in one time unit. Moments are asked for in order."""

    tape: Tape
    stream: Stream
    unit: int = 1
    lag_ms: int = 0
    """Streams of one socket are not in step: this one is delivered so much after its event time."""
    _count: tuple[int, int] = (0, -1)
    """Open time and trades of the kline pushed last: an unchanged one is not pushed again."""
    _book: tuple[int, Ints, Ints, Ints] | None = None

    def between(self, after_ms: int, until_ms: int) -> Iterator[Event]:
        """Events due in (after_ms, until_ms]."""
        after, until = after_ms - self.lag_ms, until_ms - self.lag_ms
        match self.stream.kind:
            case "aggTrade":
                found = self._agg_trades(after, until)
            case "trade":
                found = self._trades(after, until)
            case "bookTicker":
                found = self._quotes(after, until)
            case "kline" if self.stream.interval == "1s":
                found = self._seconds(after, until)
            case "kline":
                found = self._klines(after, until)
            case "depth":
                found = self._depths(after, until)
            case "diffDepth":
                return iter(())  # the tape has no order book
            case _:
                found = self._periodic(after, until)
        return ((due + self.lag_ms, text) for due, text in found)

    def _minutes(self, start_ms: int, until_ms: int) -> Iterator[Minute]:
        for at in range(max(start_ms - start_ms % MINUTE, self.tape.first_ms), until_ms + 1, MINUTE):
            yield self.tape.minute(at)

    def _agg_trades(self, after: int, until: int) -> Iterator[Event]:
        listing = self.tape.listing
        for minute in self._minutes(after - 1_000, until):
            rows = minute.aggregates
            start, stop = rows.event_ms.searchsorted((after, until), side="right").tolist()
            for row in rows.rows(start, stop) if stop > start else ():
                yield row.event_ms, payloads.agg_trade(listing, row, self.unit)

    def _trades(self, after: int, until: int) -> Iterator[Event]:
        listing = self.tape.listing
        for minute in self._minutes(after + 1, until):
            raw = minute.trades
            start, stop = raw.time.searchsorted((after, until), side="right").tolist()
            if start == stop:
                continue
            part = raw.take(slice(start, stop))
            columns = (part.id, part.time, part.price, part.quantity, part.maker, part.kind)
            for row in zip(*(column.tolist() for column in columns), strict=True):
                yield row[1], payloads.trade(listing, row, self.unit)

    def _quotes(self, after: int, until: int) -> Iterator[Event]:
        for minute in self._minutes(after + 1, until):
            if self._book is None or self._book[0] != minute.open_ms:
                self._book = (minute.open_ms, *self.tape.quotes(minute))
            _, times, bids, asks = self._book
            start, stop = times.searchsorted((after, until), side="right").tolist()
            base = minute.open_ms * 20
            for index in range(start, stop):
                time = int(times[index])
                yield (
                    time,
                    payloads.book_ticker(self.tape.listing, base + index, time, int(bids[index]), int(asks[index]), self.unit),
                )

    def _depths(self, after: int, until: int) -> Iterator[Event]:
        for due in range(after // 1000 * 1000 + 1000, until + 1, 1000):
            price = self.tape.close_at(due)
            if price is not None:
                yield due, payloads.depth(self.tape.listing, due, price - 1, price, int(self.stream.interval))

    def _seconds(self, after: int, until: int) -> Iterator[Event]:
        """One frame a second, the closing one, 2 ms after the close."""
        for close in range((after - 2) // 1000 * 1000 + 1000, until - 1, 1000):
            kline = self.tape.kline(1000, close - 1000, close)
            if kline is not None:
                yield close + 2, payloads.kline(self.tape.listing, kline, "1s", 1000, close + 2, closed=True, unit=self.unit)

    def _klines(self, after: int, until: int) -> Iterator[Event]:
        """The open kline when changed, and the closing one with the next trade, at the latest 2 s after the close."""
        market = self.tape.listing.market
        length, step = INTERVALS[self.stream.interval], _PUSH_MS[market]
        moments: list[tuple[int, bool, int]] = []
        for close in range((after - _CLOSE_LATEST_MS) // length * length + length, until + 1, length):
            due = self._closing(close, _CLOSE_AFTER_MS[market])
            if after < due <= until:
                moments.append((due, False, close - length))
        moments.extend((due, True, (due - 1) // length * length) for due in range(after // step * step + step, until + 1, step))
        for due, is_open, open_ms in sorted(moments):
            yield from self._push(open_ms, length, due, closed=not is_open)

    def _closing(self, close_ms: int, least: int) -> int:
        """When the kline that ends at `close_ms` is pushed for the last time."""
        latest = close_ms + _CLOSE_LATEST_MS
        if close_ms < self.tape.first_ms:
            return latest
        minute = self.tape.minute(close_ms)
        index = bisect_right(minute.times, close_ms - 1)
        following = minute.times[index] + 1 if index < len(minute.times) else latest
        return min(max(following, close_ms + least), latest)

    def _push(self, open_ms: int, length: int, event_ms: int, *, closed: bool) -> Iterator[Event]:
        kline = self.tape.kline(length, open_ms, event_ms)
        if kline is None or (not closed and (kline.trade_count == 0 or self._count == (open_ms, kline.trade_count))):
            return
        self._count = (open_ms, kline.trade_count)
        yield (
            event_ms,
            payloads.kline(self.tape.listing, kline, self.stream.interval, length, event_ms, closed=closed, unit=self.unit),
        )

    def _periodic(self, after: int, until: int) -> Iterator[Event]:
        """Mark prices and tickers: on the grid of their period."""
        step, listing = int(self.stream.interval), self.tape.listing
        for due in range(after // step * step + step, until + 1, step):
            if self.stream.kind == "markPrice":
                price = self.tape.close_at(due)
                if price is not None:
                    yield due, payloads.mark_price(listing, price, due)
            else:
                day = day_of(self.tape, due)
                if day is not None and self._count != (0, day.last_id):
                    self._count = (0, day.last_id)
                    yield due, payloads.mini_ticker(listing, day, due, self.unit)


def day_of(tape: Tape, until_ms: int) -> Kline | None:
    """The last 24 hours, on the grid of hours at their start."""
    start = (until_ms - _DAY) // _HOUR * _HOUR
    return rolled_up(list(tape.klines("1h", start, until_ms, until_ms)), start)
