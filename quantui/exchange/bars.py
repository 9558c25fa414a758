"""A kline of the exchange, and how it is made of trades or of shorter ones."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Kline(NamedTuple):
    """One interval; prices, quantities and their products are exact scaled integers."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    taker_volume: int
    taker_quote: int
    trade_count: int
    first_id: int
    """First raw trade id; -1 without trades, and in history, which has no ids."""
    last_id: int


def flat(open_ms: int, price: int) -> Kline:
    """An interval without trades repeats the last close."""
    return Kline(open_ms, price, price, price, price, 0, 0, 0, 0, 0, -1, -1)


def merged(whole: Kline, later: Kline) -> Kline:
    """`whole` extended by `later`; a flat part adds no price."""
    if later.trade_count == 0:
        return whole
    if whole.trade_count == 0:
        return later._replace(open_ms=whole.open_ms)
    # History tells no ids: they are counted back from the first live trade, so that a kline across the border has some.
    first = whole.first_id if whole.first_id >= 0 or later.first_id < 0 else later.first_id - whole.trade_count
    return Kline(
        whole.open_ms,
        whole.open,
        max(whole.high, later.high),
        min(whole.low, later.low),
        later.close,
        whole.volume + later.volume,
        whole.quote_volume + later.quote_volume,
        whole.taker_volume + later.taker_volume,
        whole.taker_quote + later.taker_quote,
        whole.trade_count + later.trade_count,
        first,
        later.last_id,
    )


def rolled_up(parts: list[Kline], open_ms: int) -> Kline | None:
    """The kline that opens at `open_ms` out of its parts, oldest first; None without any."""
    if not parts:
        return None
    whole = parts[0]
    for part in parts[1:]:
        whole = merged(whole, part)
    return whole._replace(open_ms=open_ms)
