"""Frames and REST rows to trades and bars. Everything from the wire is untrusted: it becomes a typed record or is refused."""

from typing import Any

import msgspec
from msgspec import field

from quantui.market.bars import Bar, BarState
from quantui.market.instruments import Instrument
from quantui.market.numbers import SCALERS, BadNumberError, decimals_of, scaled
from quantui.market.trades import Trade

LATEST_MS = 10**13
"""Times from the year 2286 on are in another unit, or wrong."""
FINEST = 12
"""Decimals of price and quantity together: with more, an hour's turnover of a large market no longer fits 64 bits."""
_LARGEST = 1 << 57
"""Of one price times quantity, and of any number of a bar: what a bar sums up must fit 64 bits."""
_LARGEST_ID = 1 << 62


class KlineData(msgspec.Struct, frozen=True, gc=False):
    """The `k` of a kline event."""

    open_ms: int = field(name="t")
    interval: str = field(name="i")
    first_id: int = field(name="f")
    last_id: int = field(name="L")
    open: str = field(name="o")
    close: str = field(name="c")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    count: int = field(name="n")
    is_closed: bool = field(name="x")
    quote_volume: str = field(name="q")
    taker_volume: str = field(name="V")
    taker_quote: str = field(name="Q")


class Data(msgspec.Struct, frozen=True, gc=False):
    """Every event we read, in one type: what a field means depends on `event`. Spot's bookTicker has no `e`."""

    event: str = field(name="e", default="")
    event_ms: int = field(name="E", default=0)
    symbol: str = field(name="s", default="")
    id: int | str = field(name="a", default=-1)
    """Aggregate id of an aggTrade, best ask of a bookTicker."""
    price: str = field(name="p", default="")
    quantity: str = field(name="q", default="")
    first_id: int = field(name="f", default=-1)
    last_id: int | str = field(name="l", default=-1)
    time_ms: int = field(name="T", default=0)
    buyer_is_maker: bool = field(name="m", default=False)
    kline: KlineData | None = field(name="k", default=None)
    bid: int | str = field(name="b", default="")
    rate: str | None = field(name="r", default=None)


class Problem(msgspec.Struct, frozen=True):
    """An error of the exchange, nested on the wire, flat in the document."""

    code: int = 0
    msg: str = ""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A combined frame, or the answer to a request."""

    stream: str = ""
    data: Data | list[Any] | None = None
    id: int | str | None = None
    error: Problem | None = None
    code: int | None = None
    msg: str = ""


class RefusedError(ValueError):
    """A record that must not enter a bar; `trade_id` is set where it could still be read."""

    def __init__(self, why: str, trade_id: int | None = None) -> None:
        super().__init__(why)
        self.trade_id = trade_id


class PlaceholderError(RefusedError):
    """No trade, but it has used up its id."""

    trade_id: int

    def __init__(self, trade_id: int) -> None:
        super().__init__("placeholder", trade_id)


class TooFineError(RefusedError):
    """A good number with more decimals than the instrument counts: it can be had in those of `instrument`."""

    def __init__(self, why: str, trade_id: int | None, instrument: Instrument) -> None:
        super().__init__(why, trade_id)
        self.instrument = instrument


decode_frame = msgspec.json.Decoder(Frame).decode
_decode_any = msgspec.json.Decoder().decode


def salvage(frame: bytes) -> str | None:
    """Symbol of an aggTrade frame that does not fit its type, if it can still be read."""
    try:
        outer = _decode_any(frame)
    except (msgspec.DecodeError, RecursionError):
        return None
    data = outer.get("data") if isinstance(outer, dict) else None
    if not isinstance(data, dict) or data.get("e") != "aggTrade":
        return None
    symbol = data.get("s")
    return symbol if isinstance(symbol, str) else None


def trade_of(data: Data, instrument: Instrument) -> Trade:
    """An aggTrade event as a trade.

    Raises:
        RefusedError: The price or quantity is not a positive plain decimal, or something else about it cannot be.
        PlaceholderError: It has used up an id (`f` of -1).
        TooFineError: It has more decimals than the instrument counts.
    """
    trade_id, time_ms, first, last = data.id, data.time_ms, data.first_id, data.last_id
    if type(trade_id) is not int or not 0 <= trade_id < _LARGEST_ID:
        raise RefusedError("no aggregate id")
    try:
        price = SCALERS[instrument.price_decimals](data.price)
        quantity = SCALERS[instrument.quantity_decimals](data.quantity)
    except BadNumberError as error:
        raise _refusal(error, (data.price,), (data.quantity,), instrument, trade_id) from error
    if first < 0:
        raise PlaceholderError(trade_id)
    if type(last) is not int or not first <= last < _LARGEST_ID:
        raise RefusedError("impossible trade ids", trade_id)
    if not 0 < price * quantity <= _LARGEST or not 0 < time_ms < LATEST_MS:
        raise RefusedError("impossible time, price or size", trade_id)
    return Trade(trade_id, time_ms, price, quantity, first, last, data.buyer_is_maker)


def bar_of(kline: KlineData, instrument: Instrument) -> Bar:
    """A kline event as a bar. Raises `RefusedError` where a number is not plain."""
    prices = (kline.open, kline.high, kline.low, kline.close)
    volumes = (kline.volume, kline.quote_volume, kline.taker_volume, kline.taker_quote)
    return _bar(kline.open_ms, prices + volumes, (kline.count, kline.first_id, kline.last_id), instrument)


class AggTradeRow(msgspec.Struct, frozen=True, gc=False):
    """A row of REST aggTrades."""

    id: int = field(name="a")
    price: str = field(name="p")
    quantity: str = field(name="q")
    first_id: int = field(name="f")
    last_id: int = field(name="l")
    time_ms: int = field(name="T")
    buyer_is_maker: bool = field(name="m")


decode_agg_trades = msgspec.json.Decoder(list[AggTradeRow]).decode
_KlineRow = tuple[int, str, str, str, str, str, int, str, int, str, str, Any]
decode_klines = msgspec.json.Decoder(list[_KlineRow]).decode


def trade_of_row(row: AggTradeRow, instrument: Instrument) -> Trade:
    """A REST row as a trade. Raises `RefusedError` as `trade_of` does."""
    return trade_of(
        Data(
            id=row.id,
            price=row.price,
            quantity=row.quantity,
            first_id=row.first_id,
            last_id=row.last_id,
            time_ms=row.time_ms,
            buyer_is_maker=row.buyer_is_maker,
        ),
        instrument,
    )


def bar_of_row(row: _KlineRow, instrument: Instrument) -> Bar:
    """A row of REST klines as a bar; REST tells no trade ids. Raises `RefusedError` where a number is not plain."""
    open_ms, o, h, low, c, v, _, q, n, taker, taker_quote, _ = row
    return _bar(open_ms, (o, h, low, c, v, q, taker, taker_quote), (n, -1, -1), instrument)


def _bar(open_ms: int, numbers: tuple[str, ...], ids: tuple[int, int, int], instrument: Instrument) -> Bar:
    price, quantity, quote = instrument.price_decimals, instrument.quantity_decimals, instrument.quote_decimals
    decimals = (price, price, price, price, quantity, quote, quantity, quote)
    try:
        values = [scaled(text, scale) for text, scale in zip(numbers, decimals, strict=True)]
    except BadNumberError as error:
        raise _refusal(error, numbers[:4], (numbers[4], numbers[6]), instrument) from error
    o, h, low, c, v, q, taker, taker_quote = values
    if min(o, h, low, c) <= 0:
        raise RefusedError("kline without a price")
    if not 0 < open_ms < LATEST_MS or max(values) > _LARGEST or not all(-1 <= number < _LARGEST_ID for number in ids):
        raise RefusedError("impossible kline")
    count, first, last = ids
    return Bar(open_ms, o, h, low, c, v, q, taker, taker_quote, count, first, last, -1, BarState.CERTIFIED)


def _refusal(
    error: BadNumberError, prices: tuple[str, ...], quantities: tuple[str, ...], instrument: Instrument, trade_id: int | None = None
) -> RefusedError:
    """Why numbers do not fit: they are none, or they are finer than the instrument counts and could be had."""
    try:
        price = max(instrument.price_decimals, *map(decimals_of, prices))
        quantity = max(instrument.quantity_decimals, *map(decimals_of, quantities))
    except BadNumberError:
        return RefusedError(str(error), trade_id)
    finer = Instrument(instrument.symbol, price, quantity)
    if finer == instrument or finer.quote_decimals > FINEST:
        return RefusedError(str(error), trade_id)
    return TooFineError(str(error), trade_id, finer)
