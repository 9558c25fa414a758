"""Stream names: which are legal, which exist, and on which route they flow."""

import re
from dataclasses import dataclass
from enum import StrEnum

from quantui.exchange.listings import INTERVALS, Market

_LEGAL = re.compile(r"[\w!@.:+-]+")


class Route(StrEnum):
    """How a socket was opened. Since April 2026 the unrouted paths of futures deliver what `/public` does."""

    PUBLIC = "public"
    MARKET = "market"
    PRIVATE = "private"
    LEGACY = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that exists."""

    name: str
    symbol: str
    """Upper case; empty for streams of all symbols."""
    kind: str
    """`aggTrade`, `trade`, `kline`, `bookTicker`, `markPrice`, `miniTicker`, `depth`, `diffDepth`."""
    interval: str = ""
    """Of a kline; number of levels of a depth; period in ms of the others that have one."""


def is_legal(name: str) -> bool:
    """Whether the exchange takes the characters of a name; any other ends the connection."""
    return _LEGAL.fullmatch(name) is not None


def parse(name: str, market: Market) -> Stream | None:
    """The stream behind a name, or None: acknowledged, and silent for ever."""
    symbol, at, rest = name.partition("@")
    if not at or not rest:
        return None
    if symbol.startswith("!"):
        return _of_all(name, symbol, rest, market)
    if symbol != symbol.lower():
        return None
    kind, _, interval = rest.partition("_")
    if kind == "kline" and interval in INTERVALS and not (market is Market.USDM and interval == "1s"):
        return Stream(name, symbol.upper(), "kline", interval)
    if rest in ("aggTrade", "trade", "bookTicker"):
        return Stream(name, symbol.upper(), rest)
    if rest == "miniTicker":
        return Stream(name, symbol.upper(), rest, "1000" if market is Market.SPOT else "2000")
    if market is Market.USDM and rest in ("markPrice", "markPrice@1s"):
        return Stream(name, symbol.upper(), "markPrice", "1000" if rest.endswith("1s") else "3000")
    if market is Market.SPOT and rest in ("depth5", "depth10", "depth20"):
        return Stream(name, symbol.upper(), "depth", rest[5:])
    if rest in ("depth", "depth@100ms"):
        return Stream(name, symbol.upper(), "diffDepth")
    return None


def _of_all(name: str, symbol: str, rest: str, market: Market) -> Stream | None:
    if symbol == "!miniTicker" and rest == "arr":
        return Stream(name, "", "miniTicker", "1000")
    if symbol == "!markPrice" and rest in ("arr", "arr@1s") and market is Market.USDM:
        return Stream(name, "", "markPrice", "1000" if rest.endswith("1s") else "3000")
    return None


def flows(stream: Stream, market: Market, route: Route) -> bool:
    """Whether this route delivers the stream."""
    if market is Market.SPOT:
        return True
    public = stream.kind in ("bookTicker", "trade", "depth", "diffDepth")
    return route is Route.MARKET if not public else route in (Route.PUBLIC, Route.LEGACY)
