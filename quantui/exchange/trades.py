"""Raw trades of one minute as columns, and their aggregation to aggTrades by the rules of either market (binance.md A3.4)."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantui.exchange.bars import Ints, Kline, flat
from quantui.exchange.listings import Market

MARKET, NA, INSURANCE = 0, 1, 2
"""Kinds of raw futures trades: only the first ones are fills that count."""
WINDOW_MS = 100
"""Futures aggregate within windows of this length."""
RELEASE_MS = 155
"""Futures release an aggTrade this long after its trade."""


@dataclass(frozen=True)
class Trades:
    """Raw trades in order of id; every column has shape (n,)."""

    id: Ints
    time: Ints
    """Trade time, ms."""
    price: Ints
    quantity: Ints
    maker: NDArray[np.bool_]
    """The buyer was the maker: a sell by the taker."""
    kind: NDArray[np.uint8]

    def take(self, index: NDArray[np.bool_] | slice) -> "Trades":
        """The trades at `index`."""
        return Trades(
            self.id[index], self.time[index], self.price[index], self.quantity[index], self.maker[index], self.kind[index]
        )

    @cached_property
    def fills(self) -> "Trades":
        """Without placeholders and insurance-fund trades."""
        return self.take(self.kind == MARKET) if self.kind.any() else self

    @cached_property
    def _sums(self) -> Ints:
        """Running sums (n + 1, 4): volume, quote, taker volume, taker quote."""
        taken = ~self.maker
        quote = self.price * self.quantity
        columns = np.stack((self.quantity, quote, self.quantity * taken, quote * taken), axis=1)
        return np.concatenate((np.zeros((1, 4), np.int64), np.cumsum(columns, axis=0)))

    def __len__(self) -> int:
        return len(self.id)

    def rows(self) -> list[tuple[int, int, int, int, bool]]:
        """(id, time, price, quantity, buyer is maker) of every trade."""
        columns = (self.id, self.time, self.price, self.quantity, self.maker)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def kline(self, open_ms: int, start: int, stop: int) -> Kline:
        """The kline of the fills at [start, stop), which must not be empty."""
        prices = self.price[start:stop]
        volume, quote, taker, taker_quote = (self._sums[stop] - self._sums[start]).tolist()
        return Kline(
            open_ms,
            int(prices[0]),
            int(prices.max()),
            int(prices.min()),
            int(prices[-1]),
            volume,
            quote,
            taker,
            taker_quote,
            stop - start,
            int(self.id[start]),
            int(self.id[stop - 1]),
        )

    def seconds(self, open_ms: int, close_before: int | None) -> list[Kline | None]:
        """The 60 klines of 1s of this minute's fills; a silent second repeats the close, or is None before the first price."""
        bounds = np.searchsorted(self.time, np.arange(open_ms, open_ms + 60_001, 1000)).tolist()
        found: list[Kline | None] = []
        for second in range(60):
            start, stop = bounds[second], bounds[second + 1]
            at = open_ms + second * 1000
            if stop > start:
                kline = self.kline(at, start, stop)
                close_before = kline.close
                found.append(kline)
            else:
                found.append(None if close_before is None else flat(at, close_before))
        return found


class Aggregate(NamedTuple):
    """One aggTrade."""

    id: int
    first_id: int
    last_id: int
    time: int
    price: int
    quantity: int
    maker: bool
    event_ms: int
    """When the stream releases it."""


@dataclass(frozen=True)
class Aggregates:
    """The aggTrades of one minute as columns of shape (n,), by id; rows are made only where somebody reads them."""

    id: Ints
    first_id: Ints
    last_id: Ints
    time: Ints
    price: Ints
    quantity: Ints
    maker: NDArray[np.bool_]
    event_ms: Ints

    def __len__(self) -> int:
        return len(self.id)

    def rows(self, start: int, stop: int) -> list[Aggregate]:
        """The rows at [start, stop)."""
        columns = (self.id, self.first_id, self.last_id, self.time, self.price, self.quantity, self.maker, self.event_ms)
        return [Aggregate(*row) for row in zip(*(column[start:stop].tolist() for column in columns), strict=True)]


def aggregated(trades: Trades, market: Market, first_id: int, dummy_every: int = 0) -> Aggregates:
    """Consecutive fills of one price and side: at one time on spot, within one 100 ms window on futures, which release late.

    Windows lie on the grid of exchange time, so that no aggregate crosses a second. With `dummy_every` about one in so many is
    followed by a dummy record as spot has had them: no price, no trades, but an aggregate id.
    """
    fills = trades.fills
    count = len(fills)
    slot = fills.time if market is Market.SPOT else fills.time // WINDOW_MS
    new = np.ones(count, np.bool_)
    new[1:] = (np.diff(slot) != 0) | (np.diff(fills.price) != 0) | (fills.maker[1:] != fills.maker[:-1])
    starts = np.flatnonzero(new)
    stops = np.append(starts[1:], count)[: len(starts)]
    times, firsts, lasts, prices = fills.time[starts], fills.id[starts], fills.id[stops - 1], fills.price[starts]
    quantities, makers = np.add.reduceat(fills.quantity, starts) if count else fills.quantity, fills.maker[starts]
    if dummy_every:
        after = np.flatnonzero(firsts % dummy_every == 0)
        places = after + 1
        times, makers = np.insert(times, places, times[after]), np.insert(makers, places, makers[after])
        firsts, lasts = np.insert(firsts, places, -1), np.insert(lasts, places, -1)
        prices, quantities = np.insert(prices, places, 0), np.insert(quantities, places, 0)
    events = times + (times & 1) if market is Market.SPOT else times + RELEASE_MS
    ids = np.arange(first_id, first_id + len(times))
    return Aggregates(ids, firsts, lasts, times, prices, quantities, makers, events)
