"""A bar, the same for live, back-filled, replayed and stored data."""

from enum import IntEnum

import msgspec


class BarState(IntEnum):
    """How far a bar can be trusted."""

    OPEN = 0
    """Still forming: previews only."""
    PROVISIONAL = 1
    """Closed, whole, built from trades; not yet compared with the exchange's own."""
    CERTIFIED = 2
    """Equal to the exchange's closing kline, or taken from it."""
    GAP = 3
    """Trades are missing and could not be fetched: shown, but nothing is built on it."""


class Bar(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One interval of one symbol; numbers are scaled integers of its instrument. Field order is the column order of a ring."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    """Sum of price times quantity, in units of 10**-quote_decimals."""
    taker_volume: int
    """Volume bought by takers."""
    taker_quote: int
    trade_count: int
    """Raw trades, not aggregates."""
    first_id: int
    """First raw trade id; -1 in an interval without trades."""
    last_id: int
    last_aggregate: int
    """Highest aggregate id up to the end of this bar: what a restart continues from. -1 where unknown."""
    state: BarState
    revision: int = 0
    """How often a late trade or a correction changed the bar after it was closed."""

    @property
    def is_flat(self) -> bool:
        """No trade happened in the interval."""
        return self.trade_count == 0


COLUMNS = Bar.__struct_fields__
"""Names of the columns of a bar table, in order."""
