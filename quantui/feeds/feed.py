"""What every source of trades offers to the collector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from quantui.market.instruments import Symbol
from quantui.market.stream import SymbolStream


@dataclass(slots=True)
class Quote:
    """Best bid and ask, as scaled integers of the instrument's price."""

    bid: int
    ask: int


DELAYS_MS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Bounds between the classes that delays are counted in."""


@dataclass(slots=True)
class FeedStatus:
    """The feed's own word on how it is; the collector turns it into the status line. Mutable, owned by the feed."""

    link: str = "connecting"
    """A value of `collector.snapshot.Link`."""
    detail: str = ""
    """One sentence: what is wrong and what to do."""
    exchange_ms: int = 0
    """Latest event time seen, ms; 0 before the first."""
    exchange_at: float = 0.0
    """Monotonic time at which it was seen."""
    lag_ms: float | None = None
    skew_ms: float | None = None
    delays: list[int] = field(default_factory=lambda: [0] * (len(DELAYS_MS) + 1))
    """How many batches came how late: up to each of `DELAYS_MS`, and later."""
    weight_used: int = 0
    """Request weight of this UTC minute."""
    weight_limit: int = 0
    sockets: int = 0
    """Connected now."""
    messages: int = 0
    reconnects: int = 0
    rejected: int = 0
    """Records that could not be attributed to a symbol."""
    notes: dict[Symbol, str] = field(default_factory=dict)
    """Per symbol: why it has no data (`unknown symbol`, `silent`, `halted`)."""
    quotes: dict[Symbol, Quote] = field(default_factory=dict)
    funding: dict[Symbol, float] = field(default_factory=dict)


class Feed(Protocol):
    """A source of trades: fills its streams, and calls the `on_update` it was made with after each batch: cheap, never blocks."""

    @property
    def streams(self) -> Mapping[Symbol, SymbolStream]:
        """Complete once `run` has prepared; symbols the source does not know are left out and named in `status.notes`."""
        ...

    @property
    def status(self) -> FeedStatus:
        """How the feed is."""
        ...

    def focus(self, symbols: Sequence[Symbol]) -> None:
        """The pair a screen shows: quotes are fetched for these symbols."""
        ...

    async def run(self) -> None:
        """Deliver until cancelled (live) or until the end of the recording."""
        ...
