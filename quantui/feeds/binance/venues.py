"""What differs between Binance's markets: routes, limits, intervals, grace (binance.md A1-A5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quantui.market.instruments import Timeframe


class Route(StrEnum):
    """Which socket delivers a stream. Spot has one; futures are split by path since April 2026."""

    MARKET = "market"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Venue:
    """One market of Binance."""

    name: str
    rest_path: str
    klines: tuple[Timeframe, ...]
    """Intervals whose klines exist, among ours."""
    certifying: tuple[Timeframe, ...]
    """Kline streams that are subscribed: longer bars are proven by their minutes."""
    grace_ms: int
    """How long after the newest event time a trade may still arrive (binance.md A6.4)."""
    aggtrades_weight: int
    info_weight: int
    days_weight: int
    """Of the day's figures of all symbols."""
    weight_limit: int
    """Request weight a UTC minute, until exchangeInfo tells."""
    perpetual: bool
    """Futures: funding, two routes, placeholder ids."""

    def route(self, kind: str) -> Route:
        """The socket that delivers streams of this kind, such as `aggTrade` or `bookTicker`."""
        return Route.PUBLIC if self.perpetual and kind == "bookTicker" else Route.MARKET

    def kinds(self) -> tuple[str, ...]:
        """Streams every watched symbol has."""
        extra = ("markPrice@1s",) if self.perpetual else ()
        return ("aggTrade", *(f"kline_{timeframe}" for timeframe in self.certifying), *extra)

    def klines_weight(self, limit: int) -> int:
        """Cost of one klines request."""
        if not self.perpetual:
            return 2
        return 1 if limit <= 100 else 2 if limit <= 500 else 5 if limit <= 1000 else 10


_ALL = tuple(Timeframe)
_LONG = tuple(timeframe for timeframe in Timeframe if timeframe is not Timeframe.S1)

VENUES: Mapping[str, Venue] = {
    venue.name: venue
    for venue in (
        Venue(
            name="binance-usdm",
            rest_path="/fapi/v1",
            klines=_LONG,
            certifying=(Timeframe.M1,),
            grace_ms=500,
            aggtrades_weight=20,
            info_weight=1,
            days_weight=40,
            weight_limit=2400,
            perpetual=True,
        ),
        Venue(
            name="binance-spot",
            rest_path="/api/v3",
            klines=_ALL,
            certifying=(Timeframe.S1, Timeframe.M1),
            grace_ms=250,
            aggtrades_weight=4,
            info_weight=20,
            days_weight=80,
            weight_limit=6000,
            perpetual=False,
        ),
        Venue(
            name="binance-us",
            rest_path="/api/v3",
            klines=_ALL,
            certifying=(Timeframe.S1, Timeframe.M1),
            grace_ms=250,
            aggtrades_weight=4,
            info_weight=20,
            days_weight=80,
            weight_limit=1200,
            perpetual=False,
        ),
    )
}
"""The markets quantui knows, by the name used in config.toml."""


def stream_name(symbol: str, kind: str) -> str:
    """Stream names use the lower-case symbol; an upper-case one is acknowledged and silent for ever."""
    return f"{symbol.lower()}@{kind}"
