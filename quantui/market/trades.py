"""A trade, as every feed delivers it."""

import msgspec


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One (aggregated) trade of one symbol; numbers are scaled integers of its instrument."""

    id: int
    """Aggregate trade id: rises by exactly one per symbol. -1 where the source has none."""
    time_ms: int
    """Trade time T of the exchange; it alone decides the bar."""
    price: int
    quantity: int
    first_id: int
    """First raw trade id; -1 where the source has none."""
    last_id: int
    buyer_is_maker: bool
    """The seller was the taker; taker-buy volume counts the others."""

    @property
    def count(self) -> int:
        """Raw trades inside."""
        return self.last_id - self.first_id + 1
