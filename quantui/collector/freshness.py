"""Whether an alert may rest on a reading: never on a stale one, one with a gap, or one from before we looked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quantui.clock import Clock
from quantui.collector.desk import Reading
from quantui.feeds.feed import Feed
from quantui.market.instruments import Symbol
from quantui.market.stream import SymbolStream
from quantui.store.writer import Store

LATE_MS = 5_000
"""A bar that closed longer ago, by exchange time, is history: nobody wants to be called for it. Times the clock's speed."""
_JUDGED = "judged"


@dataclass(slots=True)
class Freshness:
    """Knows since when this collector has watched, and how far it had judged before a restart."""

    feeds: Sequence[Feed]
    stream: Callable[[Symbol], SymbolStream | None]
    store: Store
    clock: Clock
    is_replay: bool
    since_ms: int | None = None
    """Bars that closed up to here are not ours to judge; None before the exchange has spoken."""
    _kept_ms: int = 0

    def look(self) -> None:
        """Note the exchange's first word: what closed before it was not watched.

        After a quick restart the bars behind the last one judged count as watched: a bar may be on disk and its alert not,
        where the process was killed between the two. What was judged and kept is recognised by the memory of the rules.
        """
        first = max((feed.status.exchange_ms for feed in self.feeds), default=0)
        if self.since_ms is None and first:
            judged = self.store.get_state(_JUDGED, int)
            is_quick = judged is not None and 0 <= first - judged <= self._late_ms
            self.since_ms = judged if is_quick else first

    def judged(self) -> None:
        """Every bar closed so far was judged: kept in the transaction that keeps the alerts."""
        closed = [stream.builder.closed_until for feed in self.feeds for stream in feed.streams.values()]
        if self.since_ms is not None and closed and min(closed) != self._kept_ms:
            self._kept_ms = min(closed)
            self.store.put_state(_JUDGED, self._kept_ms)

    def allows(self, reading: Reading) -> bool:
        """Both legs whole over the window, nothing missing or in doubt now, and the bar closed just now, while we looked."""
        if not self.is_whole(reading):
            return False
        if self.is_replay:
            return True
        end = reading.bar_ms + reading.timeframe.ms
        return self.since_ms is not None and end > self.since_ms and self._now_ms() - end <= self._late_ms

    def is_whole(self, reading: Reading) -> bool:
        """Both legs whole over the window, nothing missing or in doubt now."""
        legs = [self.stream(symbol) for symbol in (reading.pair.y, reading.pair.x)]
        return not reading.gaps and not any(leg is None or leg.suspended or not leg.is_complete for leg in legs)

    @property
    def _late_ms(self) -> float:
        return LATE_MS * self.clock.speed

    def _now_ms(self) -> float:
        """Exchange time, carried forward: a feed that has gone silent ages."""
        monotonic = self.clock.monotonic()
        return max(
            status.exchange_ms + (monotonic - status.exchange_at) * 1000
            for status in (feed.status for feed in self.feeds)
            if status.exchange_ms
        )
