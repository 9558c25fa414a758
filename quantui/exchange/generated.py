"""A tape that never ends: seeded, the same for the same seed and start, made minute by minute."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantui.exchange.bars import Ints, Kline
from quantui.exchange.listings import MINUTE, Listing, Market
from quantui.exchange.prices import COINS, HISTORY_MINUTES, STEP_MS, STEPS, Coin, Floats, Price, rng_of
from quantui.exchange.tape import Minute, Span, Tape
from quantui.exchange.trades import INSURANCE, MARKET, NA, Trades

LEAD_MINUTES = 12
"""Minutes of real trades before the start, so that aggTrades and 1s klines reach back."""
DAY = 86_400_000
_SAFE_MS = 300_000
"""No halt before and this long after the start."""
_KEPT_DAYS = 3
_FIRST_ID = {Market.SPOT: 3_735_683_259, Market.USDM: 5_266_583_935}
_FIRST_AGGREGATE = {Market.SPOT: 3_086_113_007, Market.USDM: 2_309_917_647}


@dataclass(frozen=True, slots=True)
class Halt:
    """A standstill of one symbol on both markets, or of all of them (`symbol` empty): no trades, no klines."""

    start_ms: int
    end_ms: int
    symbol: str = ""


class GeneratedTape(Tape):
    """The tape of one coin on one market."""

    def __init__(
        self, seed: int, listing: Listing, price: Price, first_ms: int, halts: Sequence[Span], rate: float, placeholders: float
    ) -> None:
        self._seed, self._price, self._rate, self._placeholders = seed, price, rate, placeholders
        self._scale = 10**listing.price_decimals
        self._days: OrderedDict[int, Ints] = OrderedDict()
        offset = rng_of(seed, listing.symbol, "ids").integers(1_000_000)
        close = round(float(np.exp(price.path(first_ms // MINUTE)[0])) * self._scale)
        ids = int(_FIRST_ID[listing.market] + offset), int(_FIRST_AGGREGATE[listing.market] + offset)
        super().__init__(listing, first_ms, (*ids, close), halts)

    def _make(self, open_ms: int, first_id: int, close_before: int | None) -> Trades:
        coin = self._price.coin
        path = np.exp(self._price.path(open_ms // MINUTE)) * self._scale
        rng = rng_of(self._seed, self.listing.market.value, self.listing.symbol, open_ms // MINUTE)
        times = self._order_times(rng, open_ms)
        fills = 1 + rng.geometric(0.65, len(times)) // 2
        buys = rng.random(len(times)) < 0.5
        order = np.repeat(np.arange(len(times)), fills)
        nth = np.arange(len(order)) - np.repeat(np.cumsum(fills) - fills, fills)
        mid = np.floor(np.interp(times - open_ms, np.arange(STEPS + 1) * STEP_MS, path)).astype(np.int64)
        # A large order eats level after level, two fills a level.
        price = np.where(buys[order], mid[order] + 1 + nth // 2, mid[order] - nth // 2)
        unit = 10**self.listing.quantity_decimals
        quantity = np.maximum(np.rint(coin.size * unit * np.exp(rng.normal(0, 1.3, len(order)))), 1)
        trades = Trades(
            np.arange(first_id, first_id + len(order)),
            times[order],
            np.maximum(price, 1),
            quantity.astype(np.int64),
            ~buys[order],
            np.full(len(order), MARKET, np.uint8),
        )
        return self._with_placeholders(rng, trades, first_id) if self._placeholders else trades

    def _order_times(self, rng: np.random.Generator, open_ms: int) -> Ints:
        """Times of the orders of a minute: an even flow, bursts within a second or two, nothing in a halt."""
        expected = self._price.coin.rate * self._rate * 60 / 1.4
        times = [rng.integers(0, MINUTE, rng.poisson(0.75 * expected))]
        for at in rng.integers(0, MINUTE, rng.poisson(2.5)):
            size = rng.poisson(expected * rng.exponential(0.1))
            times.append(np.minimum(at + rng.exponential(400, size).astype(np.int64), MINUTE - 1))
        found = np.sort(np.concatenate(times)) + open_ms
        for start, end in self.halts:
            found = found[(found < start) | (found >= end)]
        return found

    def _with_placeholders(self, rng: np.random.Generator, trades: Trades, first_id: int) -> Trades:
        """Futures' `NA` frames, which use up trade ids, and the rarer trades of the insurance fund at wild prices."""
        count = len(trades)
        after = np.flatnonzero(rng.random(count) < self._placeholders)
        kind = np.where(rng.random(len(after)) < 0.1, INSURANCE, NA).astype(np.uint8)
        wild = np.where(kind == INSURANCE, trades.price[after] * 3 // 4, 0)
        places = after + 1
        amounts = np.where(kind == INSURANCE, trades.quantity[after], 0)
        return Trades(
            np.arange(first_id, first_id + count + len(after)),
            np.insert(trades.time, places, trades.time[after]),
            np.insert(trades.price, places, wild),
            np.insert(trades.quantity, places, amounts),
            np.insert(trades.maker, places, True),
            np.insert(trades.kind, places, kind),
        )

    def quotes(self, minute: Minute) -> tuple[Ints, Ints, Ints]:
        """Quotes move with the true price even while nobody trades."""
        grid = np.arange(STEPS) * STEP_MS + minute.open_ms
        path = np.exp(self._price.path(minute.open_ms // MINUTE)) * self._scale
        quiet = np.floor(path[:-1]).astype(np.int64)
        times, bids, _ = super().quotes(minute)
        every, best = np.concatenate((times, grid)), np.concatenate((bids, quiet))
        order = np.argsort(every, kind="stable")
        return every[order], best[order], best[order] + 1

    def history(self, interval_ms: int, start_ms: int, end_ms: int) -> list[Kline]:
        """Made by the day: bars of a minute that join each other and the live prices, rolled up."""
        start_ms = max(start_ms, self.first_ms - (HISTORY_MINUTES - 1440) * MINUTE)
        end_ms = min(end_ms, self.first_ms - interval_ms + 1)
        found: list[Kline] = []
        for day in range(start_ms // DAY, (end_ms - 1) // DAY + 1 if end_ms > start_ms else start_ms // DAY):
            rows = _rolled(self._day(day), interval_ms // MINUTE)
            times = rows[:, 0]
            wanted = rows[(times >= start_ms) & (times < end_ms)]
            found.extend(Kline(*row) for row in wanted.tolist())
        return found

    def _day(self, day: int) -> Ints:
        """Minute bars of one UTC day, before `first_ms`: shape (n <= 1440, 12)."""
        if day in self._days:
            return self._days[day]
        levels = self._price.history()
        newest = self.first_ms // MINUTE
        first, last = day * 1440, min((day + 1) * 1440, newest)
        at = len(levels) - 1 - (newest - first)  # the level at the day's first moment
        rows = self._minutes_of(day, np.exp(levels[at : at + last - first + 1]) * self._scale)
        rows[:, 0] = np.arange(first, last) * MINUTE
        self._days[day] = rows
        if len(self._days) > _KEPT_DAYS:
            self._days.popitem(last=False)
        return rows

    def _minutes_of(self, day: int, levels: Floats) -> Ints:
        coin, count = self._price.coin, len(levels) - 1
        rng = rng_of(self._seed, self.listing.market.value, self.listing.symbol, "day", day)
        rows = np.empty((count, len(Kline._fields)), np.int64)
        ends = np.rint(levels).astype(np.int64)
        start, end = ends[:-1], ends[1:]
        reach = np.abs(rng.normal(0, 3e-4, (1440, 2)))[:count] * levels[:-1, None]
        high = np.maximum(start, end) + reach[:, 0].astype(np.int64)
        low = np.maximum(np.minimum(start, end) - reach[:, 1].astype(np.int64), 1)
        trades = np.maximum(rng.poisson(max(coin.rate * self._rate * 60, 1.0), 1440), 1)[:count]
        unit = 10**self.listing.quantity_decimals
        size = coin.size * 2.3 * np.exp(rng.normal(0, 0.4, 1440))[:count]
        volume = np.maximum((trades * size * unit).astype(np.int64), trades)
        taker = (volume * rng.uniform(0.3, 0.7, 1440)[:count]).astype(np.int64)
        middle = (start + end) // 2
        rows[:, 1:] = np.stack(
            (start, high, low, end, volume, volume * middle, taker, taker * middle, trades, trades * 0 - 1, trades * 0 - 1), axis=1
        )
        return rows


def _rolled(rows: Ints, width: int) -> Ints:
    """`width` minute rows to one; an unfinished interval at the end is left out."""
    if width == 1:
        return rows
    groups = rows[: len(rows) // width * width].reshape(-1, width, rows.shape[1])
    found: Ints = groups.sum(axis=1)
    found[:, :2] = groups[:, 0, :2]
    found[:, 2] = groups[:, :, 2].max(axis=1)
    found[:, 3] = groups[:, :, 3].min(axis=1)
    found[:, 4] = groups[:, -1, 4]
    found[:, 10:] = -1
    return found


def generated_tapes(
    seed: int,
    start_ms: int,
    coins: Sequence[Coin] = COINS,
    *,
    rate: float = 1.0,
    placeholders: float = 0.0,
    dummy_every: int = 0,
    halts: Sequence[Halt] = (),
    halt_chance: float = 0.0,
) -> list[GeneratedTape]:
    """Tapes of every coin on every market that lists it.

    Args:
        seed: Two tapes of one seed and start are equal.
        start_ms: Exchange time at which the exchange opens; trades reach back some minutes more, klines 90 days.
        coins: The universe; a coin's parent must come before it.
        rate: Multiplies the trades a second.
        placeholders: Share of futures trades that are followed by an `NA` or insurance-fund frame.
        dummy_every: About one spot aggTrade in so many is followed by a dummy record (`f` -1, price 0); 0: none.
        halts: Standstills on order; whole seconds.
        halt_chance: Chance, per coin that follows another and hour, of a standstill of 20 to 90 seconds.
    """
    first_ms = start_ms - start_ms % MINUTE - LEAD_MINUTES * MINUTE
    prices: dict[str, Price] = {}
    tapes: list[GeneratedTape] = []
    for coin in coins:
        parent = prices[coin.parent] if coin.parent else None
        price = prices[coin.symbol] = Price(seed, coin, parent, first_ms // MINUTE)
        spans = [(halt.start_ms // 1000 * 1000, halt.end_ms // 1000 * 1000) for halt in halts if halt.symbol in ("", coin.symbol)]
        if halt_chance and coin.parent not in ("", "BTCUSDT"):
            spans += _drawn_halts(seed, coin.symbol, start_ms, halt_chance)
        for market, decimals, step in zip(Market, coin.ticks, coin.steps, strict=True):
            if decimals >= 0:
                listing = Listing(market, coin.symbol, decimals, step)
                share = placeholders if market is Market.USDM else 0.0
                tape = GeneratedTape(seed, listing, price, first_ms, spans, rate, share)
                tape.dummy_every = dummy_every if market is Market.SPOT else 0
                tapes.append(tape)
    return tapes


def _drawn_halts(seed: int, symbol: str, start_ms: int, chance: float) -> list[Span]:
    spans = []
    for hour in range(start_ms // 3_600_000, start_ms // 3_600_000 + 24 * 365):
        rng = rng_of(seed, symbol, "halt", hour)
        if rng.random() < chance:
            at = hour * 3_600_000 + int(rng.integers(3_400)) * 1000
            if at > start_ms + _SAFE_MS:
                spans.append((at, at + int(rng.integers(20, 91)) * 1000))
    return spans
