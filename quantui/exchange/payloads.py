"""The JSON of every event, with the fields in the order of the wire (binance.md A3). `unit` is 1, or 1000 in µs mode."""

from quantui.exchange.bars import Kline
from quantui.exchange.listings import Listing, Market, decimal
from quantui.exchange.trades import INSURANCE, MARKET, Aggregate

_KIND = ("MARKET", "NA", "INSURANCE_FUND")


def flag(value: object) -> str:
    """`true` or `false`."""
    return "true" if value else "false"


def agg_trade(listing: Listing, row: Aggregate, unit: int = 1) -> str:
    """`<symbol>@aggTrade`."""
    (price, quantity), side = _amounts(listing, row), flag(row.maker)
    head = f'{{"e":"aggTrade","E":{row.event_ms * unit},'
    if listing.market is Market.SPOT:
        return (
            f'{head}"s":"{listing.symbol}","a":{row.id},"p":"{price}","q":"{quantity}","f":{row.first_id},"l":{row.last_id},'
            f'"T":{row.time * unit},"m":{side},"M":true}}'
        )
    return (
        f'{head}"a":{row.id},"s":"{listing.symbol}","p":"{price}","q":"{quantity}","nq":"{_without_rpi(listing, row)}",'
        f'"f":{row.first_id},"l":{row.last_id},"T":{row.time},"m":{side},"st":1}}'
    )


def _amounts(listing: Listing, row: Aggregate) -> tuple[str, str]:
    """Price and quantity; a dummy record has bare zeros."""
    return (listing.price(row.price), listing.quantity(row.quantity)) if row.first_id >= 0 else ("0", "0")


def _without_rpi(listing: Listing, row: Aggregate) -> str:
    """The quantity without retail price improvement orders: now and then less, and nothing for bars to count."""
    return listing.quantity(row.quantity if row.id % 7 else row.quantity // 2)


def agg_trade_row(listing: Listing, row: Aggregate, unit: int = 1) -> str:
    """A row of REST aggTrades."""
    spot = listing.market is Market.SPOT
    price, quantity = _amounts(listing, row)
    middle, end = ("", ',"M":true') if spot else (f'"nq":"{_without_rpi(listing, row)}",', "")
    return (
        f'{{"a":{row.id},"p":"{price}","q":"{quantity}",{middle}"f":{row.first_id},"l":{row.last_id},'
        f'"T":{row.time * unit},"m":{flag(row.maker)}{end}}}'
    )


RawTrade = tuple[int, int, int, int, bool, int]
"""Id, time, price, quantity, buyer is maker, kind."""


def trade(listing: Listing, row: RawTrade, unit: int = 1) -> str:
    """`<symbol>@trade`: documented on spot, undocumented and full of placeholders on futures."""
    id_, time, price, quantity, maker, kind = row
    side = flag(maker)
    if listing.market is Market.SPOT:
        return (
            f'{{"e":"trade","E":{time * unit},"s":"{listing.symbol}","t":{id_},"p":"{listing.price(price)}",'
            f'"q":"{listing.quantity(quantity)}","T":{time * unit},"m":{side},"M":true}}'
        )
    shown_price = listing.price(price) if price else "0"
    shown_quantity = listing.quantity(quantity) if kind in (MARKET, INSURANCE) else "0"
    return (
        f'{{"e":"trade","E":{time},"T":{time},"s":"{listing.symbol}","t":{id_},"p":"{shown_price}","q":"{shown_quantity}",'
        f'"X":"{_KIND[kind]}","m":{side},"st":1}}'
    )


def kline(listing: Listing, bar: Kline, interval: str, length: int, event_ms: int, *, closed: bool, unit: int = 1) -> str:
    """`<symbol>@kline_<interval>`."""
    end = (bar.open_ms + length) * unit - 1
    p, q, quote = listing.price, listing.quantity, listing.quote
    return (
        f'{{"e":"kline","E":{event_ms * unit},"s":"{listing.symbol}","k":{{"t":{bar.open_ms * unit},"T":{end},'
        f'"s":"{listing.symbol}","i":"{interval}","f":{bar.first_id},"L":{bar.last_id},"o":"{p(bar.open)}","c":"{p(bar.close)}",'
        f'"h":"{p(bar.high)}","l":"{p(bar.low)}","v":"{q(bar.volume)}","n":{bar.trade_count},"x":{flag(closed)},'
        f'"q":"{quote(bar.quote_volume)}","V":"{q(bar.taker_volume)}","Q":"{quote(bar.taker_quote)}","B":"0"}}}}'
    )


def kline_row(listing: Listing, bar: Kline, length: int, unit: int = 1) -> str:
    """A row of REST klines: 12 elements of mixed types, without trade ids."""
    p, q, quote = listing.price, listing.quantity, listing.quote
    return (
        f'[{bar.open_ms * unit},"{p(bar.open)}","{p(bar.high)}","{p(bar.low)}","{p(bar.close)}","{q(bar.volume)}",'
        f'{(bar.open_ms + length) * unit - 1},"{quote(bar.quote_volume)}",{bar.trade_count},"{q(bar.taker_volume)}",'
        f'"{quote(bar.taker_quote)}","0"]'
    )


def book_ticker(listing: Listing, update: int, time: int, bid: int, ask: int, unit: int = 1) -> str:
    """`<symbol>@bookTicker`: on spot without `e`, `E` and `T`."""
    size = 10**listing.quantity_decimals
    quotes = (
        f'"u":{update},"s":"{listing.symbol}","b":"{listing.price(bid)}","B":"{listing.quantity(size + update * 7 % size)}",'
        f'"a":"{listing.price(ask)}","A":"{listing.quantity(size + update * 13 % size)}"'
    )
    if listing.market is Market.SPOT:
        return f"{{{quotes}}}"
    return f'{{"e":"bookTicker",{quotes},"T":{time},"E":{time * unit},"ps":"{listing.symbol}","st":1}}'


def depth(listing: Listing, update: int, bid: int, ask: int, levels: int) -> str:
    """`<symbol>@depth<levels>` of spot: neither `e` nor `s`."""
    size = 10**listing.quantity_decimals

    def side(best: int, step: int) -> str:
        rows = (f'["{listing.price(max(best + step * n, 1))}","{listing.quantity(size * (n + 1))}"]' for n in range(levels))
        return f"[{','.join(rows)}]"

    return f'{{"lastUpdateId":{update},"bids":{side(bid, -1)},"asks":{side(ask, 1)}}}'


def mark_price(listing: Listing, price: int, event_ms: int) -> str:
    """`<symbol>@markPrice`: mark, average, estimated settle, index (8 decimals), last funding rate and its next time."""
    text = decimal(price, listing.price_decimals, 8)
    return (
        f'{{"e":"markPriceUpdate","E":{event_ms},"s":"{listing.symbol}","p":"{text}","ap":"{text}","P":"{text}","i":"{text}",'
        f'"r":"{funding_rate(listing)}","T":{next_funding(event_ms)},"st":1}}'
    )


def funding_rate(listing: Listing) -> str:
    """A funding rate that differs by symbol and stays."""
    return f"0.0000{sum(listing.symbol.encode()) % 90 + 10}00"


def next_funding(now_ms: int) -> int:
    """Every eight hours."""
    return (now_ms // 28_800_000 + 1) * 28_800_000


def mini_ticker(listing: Listing, day: Kline, event_ms: int, unit: int = 1) -> str:
    """`<symbol>@miniTicker`: the last 24 hours."""
    p = listing.price
    end = "" if listing.market is Market.SPOT else f',"ps":"{listing.symbol}","st":1'
    return (
        f'{{"e":"24hrMiniTicker","E":{event_ms * unit},"s":"{listing.symbol}","c":"{p(day.close)}","o":"{p(day.open)}",'
        f'"h":"{p(day.high)}","l":"{p(day.low)}","v":"{listing.quantity(day.volume)}","q":"{listing.quote(day.quote_volume)}"{end}}}'
    )


def coin_m_mark_price(event_ms: int) -> str:
    """A COIN-M row as the arrays of futures mix it in since the merge: `st` 2, no funding time."""
    return (
        f'{{"e":"markPriceUpdate","E":{event_ms},"s":"BTCUSD_PERP","p":"61800.00000000","ap":"61800.00000000",'
        '"P":"61800.00000000","i":"61800.00000000","r":"0.00000000","T":0,"st":2}'
    )
