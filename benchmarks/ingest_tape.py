"""The trades both sides of the ingest benchmark know: drawn from a seed, in the formats of spot."""

import random
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

START_MS = 1_749_999_595_000
"""Five seconds before a full hour (UTC): all timeframes roll over early in the run."""
PER_SECOND = 2_000
"""Trades a second of exchange time, all symbols together."""
_SEED = 7
_COMMON_SIZES = (1, 5, 9, 10, 17, 20, 40, 50, 100, 200, 500, 1_000, 2_000)
"""Sizes repeat as much as in real captures: two thirds were seen among the last 400 of their symbol."""


class Market(NamedTuple):
    """A symbol with its first price and the decimals of its tick and step."""

    name: str
    price: float
    price_decimals: int
    quantity_decimals: int


MARKETS = tuple(
    Market(f"{base}USDT", price, price_decimals, quantity_decimals)
    for base, price, price_decimals, quantity_decimals in (
        ("BTC", 61_837.63, 2, 5), ("ETH", 2_431.07, 2, 4), ("SOL", 143.27, 2, 3), ("BNB", 561.4, 2, 3), ("XRP", 0.5312, 4, 1),
        ("DOGE", 0.10724, 5, 0), ("ADA", 0.3518, 4, 1), ("LTC", 66.41, 2, 3), ("LINK", 11.02, 2, 2), ("AVAX", 27.35, 2, 2),
        ("DOT", 4.213, 3, 2), ("TRX", 0.1553, 4, 1), ("BCH", 331.2, 1, 3), ("UNI", 7.144, 3, 2), ("ATOM", 4.518, 3, 2),
        ("ETC", 18.83, 2, 2), ("FIL", 3.721, 3, 2), ("APT", 8.64, 2, 2), ("ARB", 0.5514, 4, 1), ("NEAR", 4.771, 3, 1),
    )
)  # fmt: skip


class TapeTrade(NamedTuple):
    """One aggregate trade; price and quantity in units of tick and step."""

    market: Market
    id: int
    time_ms: int
    price: int
    quantity: int
    first_id: int
    last_id: int
    buyer_is_maker: bool


def trades(count: int) -> Iterator[TapeTrade]:
    """The first `count` trades: ids contiguous per symbol, prices walk at random, busy symbols trade more often."""
    rng = random.Random(_SEED)
    prices = {market: round(market.price * 10**market.price_decimals) for market in MARKETS}
    ids = {market: 1_000_000 * (index + 1) for index, market in enumerate(MARKETS)}
    raw_ids = {market: 5_000_000 * (index + 1) for index, market in enumerate(MARKETS)}
    cumulative = list(accumulate(1 / (rank + 1) for rank in range(len(MARKETS))))
    for index in range(count):
        (market,) = rng.choices(MARKETS, cum_weights=cumulative)
        step = rng.choice((-1, 0, 1)) if rng.random() < 0.7 else round(rng.gauss(0, 20))
        price = prices[market] = max(1, prices[market] + step)
        quantity = rng.choice(_COMMON_SIZES) if rng.random() < 0.45 else 1 + int(rng.lognormvariate(5.5, 1.8))
        first = raw_ids[market]
        last = first + rng.choice((0, 0, 0, 0, 1, 2, 5))
        raw_ids[market] = last + 1
        trade_id = ids[market]
        ids[market] = trade_id + 1
        time_ms = START_MS + index * 1_000 // PER_SECOND
        yield TapeTrade(market, trade_id, time_ms, price, quantity, first, last, rng.random() < 0.5)


def payload(trade: TapeTrade) -> str:
    """The event as the exchange writes it: eight decimals, event time a little later than trade time."""
    market = trade.market
    price = f"{trade.price / 10**market.price_decimals:.8f}"
    quantity = f"{trade.quantity / 10**market.quantity_decimals:.8f}"
    maker = "true" if trade.buyer_is_maker else "false"
    return (
        f'{{"e":"aggTrade","E":{trade.time_ms + 2},"s":"{market.name}","a":{trade.id},"p":"{price}","q":"{quantity}",'
        f'"f":{trade.first_id},"l":{trade.last_id},"T":{trade.time_ms},"m":{maker},"M":true}}'
    )
