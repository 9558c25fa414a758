"""A tape: the raw trades of one listing by minute, and everything the exchange derives from them (aggTrades, klines, quotes)."""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from quantui.exchange.bars import Ints, Kline, flat, rolled_up
from quantui.exchange.listings import INTERVALS, MINUTE, Listing
from quantui.exchange.trades import Aggregate, Aggregates, Trades, aggregated

Span = tuple[int, int]
"""[from, to) in ms, whole seconds."""
_KEPT = 20
"""Minutes of trades kept in memory per listing; older ones are made again when somebody asks."""


@dataclass(frozen=True)
class Minute:
    """The trades of one minute and their aggregates."""

    open_ms: int
    trades: Trades
    close_before: int | None
    """Price of the last fill before this minute; None before the first of all."""
    first_aggregate: int
    listing: Listing
    dummy_every: int

    @cached_property
    def aggregates(self) -> Aggregates:
        """The aggTrades, by id."""
        return aggregated(self.trades, self.listing.market, self.first_aggregate, self.dummy_every)

    @cached_property
    def times(self) -> list[int]:
        """Times of the fills."""
        times: list[int] = self.trades.fills.time.tolist()
        return times

    @cached_property
    def seconds(self) -> list[Kline | None]:
        """Klines of 1s, halts not yet taken out."""
        return self.trades.fills.seconds(self.open_ms, self.close_before)

    def close_at(self, until_ms: int) -> int | None:
        """Price of the last fill before `until_ms`."""
        fills = self.trades.fills
        index = bisect_right(self.times, until_ms - 1)
        return int(fills.price[index - 1]) if index else self.close_before


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a minute needs to know of the minutes before it."""

    first_id: int
    first_aggregate: int
    close_before: int | None


class Tape(ABC):
    """One listing. Subclasses make the trades of a minute; minutes are asked for in order the first time."""

    def __init__(self, listing: Listing, first_ms: int, first: tuple[int, int, int | None], halts: Sequence[Span] = ()) -> None:
        self.listing = listing
        self.first_ms = first_ms
        """Start of the first minute with trades."""
        self.halts = tuple(sorted(halts))
        self.dummy_every = 0
        """About one aggTrade in so many is followed by a dummy record; 0: none. Set before the first use."""
        self._marks = [_Mark(*first)]
        self._klines: list[Kline | None] = []
        self._minutes: OrderedDict[int, Minute] = OrderedDict()

    @abstractmethod
    def _make(self, open_ms: int, first_id: int, close_before: int | None) -> Trades:
        """The raw trades of [open_ms, open_ms + one minute)."""

    @abstractmethod
    def history(self, interval_ms: int, start_ms: int, end_ms: int) -> list[Kline]:
        """Klines before `first_ms`, at least 1m long, that open in [start_ms, end_ms) and end by `first_ms`."""

    def quotes(self, minute: Minute) -> tuple[Ints, Ints, Ints]:
        """Best bid and ask of the minute: times, bids, asks, each of shape (n,)."""
        fills = minute.trades.fills
        bids = np.where(fills.maker, fills.price, fills.price - 1)
        return fills.time, bids, bids + 1

    def minute(self, time_ms: int) -> Minute:
        """The minute that holds `time_ms`, which must not be before `first_ms`."""
        index = (time_ms - self.first_ms) // MINUTE
        if index < 0:
            raise ValueError(f"{self.listing.symbol} has no trades before {self.first_ms}, asked for {time_ms}")
        known = self._minutes.get(index)
        if known is not None:
            return known
        while len(self._klines) < index:
            self._load(len(self._klines))
        return self._load(index)

    def _load(self, index: int) -> Minute:
        mark = self._marks[index]
        open_ms = self.first_ms + index * MINUTE
        trades = self._make(open_ms, mark.first_id, mark.close_before)
        minute = Minute(open_ms, trades, mark.close_before, mark.first_aggregate, self.listing, self.dummy_every)
        if index == len(self._klines):
            fills = trades.fills
            close = int(fills.price[-1]) if len(fills) else mark.close_before
            next_id = int(trades.id[-1]) + 1 if len(trades) else mark.first_id
            self._marks.append(_Mark(next_id, mark.first_aggregate + len(minute.aggregates), close))
            self._klines.append(self._kline_until(minute, open_ms + MINUTE))
        self._minutes[index] = minute
        if len(self._minutes) > _KEPT:
            self._minutes.popitem(last=False)
        return minute

    def is_halted(self, time_ms: int) -> bool:
        """Whether the listing stands still at this moment."""
        return any(start <= time_ms < end for start, end in self.halts)

    def trades(self, start_ms: int, end_ms: int) -> Trades:
        """Raw trades of [start_ms, end_ms), placeholders included."""
        start_ms = max(start_ms, self.first_ms)
        parts = [self.minute(at).trades for at in range(start_ms - start_ms % MINUTE, max(end_ms, start_ms + 1), MINUTE)]
        names = ("id", "time", "price", "quantity", "maker", "kind")
        whole = Trades(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
        return whole.take((whole.time >= start_ms) & (whole.time < end_ms))

    def aggregates(
        self, *, until_ms: int, limit: int, from_id: int = 0, start_ms: int = 0, end_ms: int | None = None, newest: bool = False
    ) -> list[Aggregate]:
        """AggTrades released by `until_ms`: `limit` of them, oldest first, from an id or a trade time on; or the newest."""
        last = max((until_ms - self.first_ms) // MINUTE, 0)
        self.minute(self.first_ms + last * MINUTE)
        first = max(bisect_right(self._marks, from_id, key=lambda mark: mark.first_aggregate) - 1, 0)
        first = max(first, (start_ms - self.first_ms) // MINUTE)
        found: list[Aggregate] = []
        for index in range(last, -1, -1) if newest else range(first, last + 1):
            every = self.minute(self.first_ms + index * MINUTE).aggregates
            start = max(from_id - self._marks[index].first_aggregate, int(every.time.searchsorted(start_ms)), 0)
            stop = int(every.event_ms.searchsorted(until_ms, "right"))
            if end_ms is not None:
                stop = min(stop, int(every.time.searchsorted(end_ms, "right")))
            rows = every.rows(start, max(start, stop))
            found = rows + found if newest else found + rows
            if len(found) >= limit or (end_ms is not None and not newest and self.first_ms + index * MINUTE > end_ms):
                break
        return found[-limit:] if newest else found[:limit]

    def close_at(self, until_ms: int) -> int | None:
        """Price of the last fill before `until_ms`, history included."""
        return self.minute(max(until_ms - 1, self.first_ms)).close_at(until_ms)

    def kline(self, interval_ms: int, open_ms: int, until_ms: int) -> Kline | None:
        """The kline that opens at `open_ms` as it stands with the trades before `until_ms`; None before a price and in a halt."""
        until_ms = min(until_ms, open_ms + interval_ms)
        if open_ms < self.first_ms and until_ms <= self.first_ms:
            return next(iter(self.history(interval_ms, open_ms, open_ms + 1)), None) if interval_ms >= MINUTE else None
        if interval_ms < MINUTE:
            return self._second(open_ms, until_ms)
        parts: list[Kline] = self.history(MINUTE, open_ms, self.first_ms) if open_ms < self.first_ms else []
        if (until_ms - self.first_ms) // MINUTE > len(self._klines):
            self.minute(until_ms - 1)
        for at in range(max(open_ms, self.first_ms), until_ms, MINUTE):
            whole = at + MINUTE <= until_ms
            part = self._klines[(at - self.first_ms) // MINUTE] if whole else self._kline_until(self.minute(at), until_ms)
            if part is not None:
                parts.append(part)
        return rolled_up(parts, open_ms)

    def klines(self, interval: str, start_ms: int, end_ms: int, until_ms: int) -> Iterator[Kline]:
        """Klines that open in [start_ms, end_ms), oldest first, as they stand with the trades before `until_ms`."""
        length = INTERVALS[interval]
        start_ms += -start_ms % length
        end_ms = min(end_ms, until_ms)
        border = self.first_ms - self.first_ms % length
        if length >= MINUTE and start_ms < border:
            yield from self.history(length, start_ms, min(border, end_ms))
        for at in range(max(start_ms, border), end_ms, length):
            kline = self.kline(length, at, until_ms)
            if kline is not None:
                yield kline

    def _second(self, open_ms: int, until_ms: int) -> Kline | None:
        if self._is_dark(open_ms, open_ms + 1000):
            return None
        minute = self.minute(open_ms)
        if until_ms >= open_ms + 1000:
            return minute.seconds[(open_ms - minute.open_ms) // 1000]
        return self._part(minute, open_ms, until_ms)

    def _kline_until(self, minute: Minute, until_ms: int) -> Kline | None:
        if self._is_dark(minute.open_ms, minute.open_ms + MINUTE):
            return None
        return self._part(minute, minute.open_ms, until_ms)

    def _part(self, minute: Minute, start_ms: int, until_ms: int) -> Kline | None:
        start, stop = bisect_right(minute.times, start_ms - 1), bisect_right(minute.times, until_ms - 1)
        if stop > start:
            return minute.trades.fills.kline(start_ms, start, stop)
        close = minute.close_at(start_ms)
        return None if close is None else flat(start_ms, close)

    def _is_dark(self, start_ms: int, end_ms: int) -> bool:
        """Whether all of [start_ms, end_ms) lies in halts."""
        inside = [(max(a, start_ms), min(b, end_ms)) for a, b in self.halts if a < end_ms and b > start_ms]
        if not inside or inside[0][0] > start_ms or max(b for _, b in inside) < end_ms:
            return False
        return all(right[0] <= left[1] for left, right in pairwise(inside))
