"""What exchangeInfo says of symbols and limits; whatever else it says, or leaves out, is no obstacle."""

import contextlib

import msgspec

from quantui.feeds.binance.codec import FINEST
from quantui.market.instruments import Instrument, Symbol
from quantui.market.numbers import BadNumberError, decimals_of

_FEW = 2


class _Filter(msgspec.Struct, frozen=True, rename="camel"):
    filter_type: str = ""
    tick_size: str = ""
    step_size: str = ""


class _SymbolInfo(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    status: str = "TRADING"
    filters: list[_Filter] = []
    price_precision: int = FINEST
    quantity_precision: int = FINEST


class _Named(msgspec.Struct, frozen=True):
    symbol: str


class _RateLimit(msgspec.Struct, frozen=True, rename="camel"):
    rate_limit_type: str = ""
    interval: str = ""
    interval_num: int = 1
    limit: int = 0


class _Info(msgspec.Struct, frozen=True, rename="camel"):
    symbols: list[msgspec.Raw]
    rate_limits: list[msgspec.Raw] = []


class ExchangeInfo(msgspec.Struct, frozen=True):
    """What exchangeInfo says, as far as it is used."""

    symbols: list[_SymbolInfo]
    rate_limits: list[_RateLimit] = []

    def weight_limit(self) -> int | None:
        """Request weight allowed a minute."""
        for rule in self.rate_limits:
            if (rule.rate_limit_type, rule.interval, rule.interval_num) == ("REQUEST_WEIGHT", "MINUTE", 1) and rule.limit > 0:
                return rule.limit
        return None

    def statuses(self) -> dict[str, str]:
        """Trading status by symbol name."""
        return {info.symbol: info.status for info in self.symbols}

    def instruments(self, venue: str) -> dict[str, Instrument]:
        """Every symbol with the decimals of its tick and step: the "precision" fields of futures are not those."""
        return {info.symbol: _instrument(info, venue) for info in self.symbols}


_decode_info = msgspec.json.Decoder(_Info).decode
_decode_symbol = msgspec.json.Decoder(_SymbolInfo).decode
_decode_named = msgspec.json.Decoder(_Named).decode
_decode_limit = msgspec.json.Decoder(_RateLimit).decode


def decode_exchange_info(body: bytes) -> ExchangeInfo:
    """Row by row: one symbol in a form we do not know must not cost us all the others."""
    info = _decode_info(body)
    symbols: list[_SymbolInfo] = []
    for raw in info.symbols:
        with contextlib.suppress(msgspec.DecodeError):
            try:
                symbols.append(_decode_symbol(raw))
            except msgspec.DecodeError:
                symbols.append(_SymbolInfo(_decode_named(raw).symbol))
    limits: list[_RateLimit] = []
    for raw in info.rate_limits:
        with contextlib.suppress(msgspec.DecodeError):
            limits.append(_decode_limit(raw))
    return ExchangeInfo(symbols, limits)


def _instrument(info: _SymbolInfo, venue: str) -> Instrument:
    """Decimals as told; where that is no real tick and step, few: the first finer number widens them."""
    tick = next((f.tick_size for f in info.filters if f.filter_type == "PRICE_FILTER"), "")
    step = next((f.step_size for f in info.filters if f.filter_type == "LOT_SIZE"), "")
    price, quantity = _step_decimals(tick, info.price_precision), _step_decimals(step, info.quantity_precision)
    if price + quantity > FINEST:
        price, quantity = min(price, _FEW), min(quantity, _FEW)
    return Instrument(Symbol(venue, info.symbol), price, quantity)


def _step_decimals(step: str, otherwise: int) -> int:
    try:
        return decimals_of(step) if step.strip("0.") else max(otherwise, 0)
    except BadNumberError:
        return max(otherwise, 0)
