"""Short names of symbols and venues: a trader reads ETH/BTC, not ETHUSDT/BTCUSDT, as long as nothing is lost by it."""

from functools import lru_cache
from typing import Final

_QUOTES: Final = ("FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USD", "EUR", "TRY", "BTC", "ETH", "BNB")
_SHORT_ESTIMATORS: Final = {"theil-sen": "theil", "johansen": "johans"}


@lru_cache(maxsize=4096)
def quote_of(y: str, x: str) -> str:
    """The quote asset both symbols share, or nothing."""
    for quote in _QUOTES:
        if all(symbol.endswith(quote) and len(symbol) > len(quote) for symbol in (y, x)):
            return quote
    return ""


def bases(y: str, x: str) -> tuple[str, str]:
    """Both symbols without their common quote asset; unchanged where they have none in common."""
    quote = quote_of(y, x)
    return (y.removesuffix(quote), x.removesuffix(quote)) if quote else (y, x)


def venue(name: str) -> str:
    """`binance-usdm` is `usdm`."""
    return name.removeprefix("binance-")


@lru_cache(maxsize=4096)
def short_label(label: str) -> str:
    """`ETH/BTC` for ETHUSDT/BTCUSDT."""
    y, slash, x = label.partition("/")
    return "/".join(bases(y, x)) if slash else label


def base_of(symbol: str) -> str:
    """`BTC` for BTCUSDT; a venue before it stays."""
    for quote in _QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol.removesuffix(quote)
    return symbol


def estimator(name: str) -> str:
    """`THEIL` for theil-sen: short enough for the status line of 80 columns."""
    return _SHORT_ESTIMATORS.get(name, name).upper()
