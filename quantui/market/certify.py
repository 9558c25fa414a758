"""The exchange's own closing kline against our bar (binance.md A6.2)."""

from quantui.market.bars import Bar
from quantui.market.instruments import Instrument

_EXACT = ("open", "high", "low", "close", "volume", "taker_volume")
_QUOTE = ("quote_volume", "taker_quote")
_IDS = ("trade_count", "first_id", "last_id")


def quote_slack(instrument: Instrument) -> int:
    """How far quote volumes may differ: the exchange prints 8 decimals, ours may count more."""
    return int(10 ** max(instrument.quote_decimals - 8, 0)) - 1


def differences(bar: Bar, kline: Bar, *, ids_count: bool, quote_slack: int = 0) -> tuple[str, ...]:
    """Names of the fields in which the bar is not the exchange's.

    Args:
        bar: Ours, from trades.
        kline: The exchange's, closed; its ids are -1 where it came over REST, which does not tell them.
        ids_count: Whether the trade count and the ids must agree too. On futures placeholder trades use up ids, so there
            a difference in them alone says nothing.
        quote_slack: How far quote volumes may differ.
    """
    found = [name for name in _EXACT if getattr(bar, name) != getattr(kline, name)]
    found += [name for name in _QUOTE if abs(getattr(bar, name) - getattr(kline, name)) > quote_slack]
    if ids_count:
        known = _IDS if kline.first_id >= 0 else _IDS[:1]
        found += [name for name in known if getattr(bar, name) != getattr(kline, name)]
    return tuple(found)
