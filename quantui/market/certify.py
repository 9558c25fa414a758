"""The exchange's own closing kline against our bar (binance.md A6.2)."""

import numpy as np

from quantui.market.bars import COLUMNS, Bar, BarState
from quantui.market.frames import BarRing
from quantui.market.instruments import Instrument, Timeframe

_EXACT = ("open", "high", "low", "close", "volume", "taker_volume")
_QUOTE = ("quote_volume", "taker_quote")
_IDS = ("trade_count", "first_id", "last_id")
_STATE = COLUMNS.index("state")


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


def first_unproven(ring: BarRing, timeframe: Timeframe, start_ms: int, until_ms: int) -> int | None:
    """Open time of the oldest bar in [start, until) that no kline has proven; None where all are, or before any is kept.

    Of minutes and longer one that is a gap or not there counts too, since its kline can stand in; a lost second stays lost.
    """
    if not len(ring):
        return None
    rows = ring.between(start_ms, until_ms)
    if timeframe is Timeframe.S1:
        found = rows[rows[:, _STATE] == BarState.PROVISIONAL, 0]
    else:
        first = max(-(-start_ms // timeframe.ms) * timeframe.ms, int(ring.times[0]))
        found = np.setdiff1d(np.arange(first, until_ms, timeframe.ms), rows[rows[:, _STATE] == BarState.CERTIFIED, 0])
    return int(found[0]) if len(found) else None
