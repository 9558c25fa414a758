"""Warnings about the data: trades that are lost for good, a feed that is silent for long. Each once, none in a flood."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from quantui.alerts.records import AlertRecord, data_alert
from quantui.feeds.feed import FeedStatus
from quantui.market.instruments import Symbol
from quantui.market.stream import SymbolStream

PATIENCE_S = 30.0
"""Trouble that is over sooner is the status line's business."""
REPEAT_MS = 600_000
"""A feed that comes and goes is spoken of once in so long."""
GAP_REPEAT_MS = 60_000
"""Holes of one symbol that follow each other closely are one warning."""

_TROUBLE = ("connecting", "stale", "reconnecting", "offline", "blocked")


@dataclass(slots=True)
class _Lost:
    """What was told of one symbol."""

    trades: int = 0
    told_ms: int = -GAP_REPEAT_MS
    begin_ms: int | None = None
    """When the first loss not told yet began."""
    last_ms: int = 0
    """Time of the newest trade at the last look: where a hole begins that is open now."""


@dataclass(slots=True)
class GapWatch:
    """Holes that were given up."""

    _lost: dict[Symbol, _Lost] = field(default_factory=dict)

    def look(self, symbol: Symbol, stream: SymbolStream, now_ms: int) -> AlertRecord | None:
        """A warning where trades were lost since the last one. When the loss began names it, so that a restart repeats none."""
        lost = self._lost.setdefault(symbol, _Lost(last_ms=stream.builder.last_time))
        missing = stream.tally.trades_lost - lost.trades
        begin, lost.last_ms = lost.last_ms, stream.builder.last_time
        if missing and lost.begin_ms is None:
            lost.begin_ms = begin
        if lost.begin_ms is None or now_ms - lost.told_ms < GAP_REPEAT_MS:
            return None
        since, lost.begin_ms = lost.begin_ms, None
        lost.trades, lost.told_ms = stream.tally.trades_lost, now_ms
        at = time.strftime("%H:%M:%S", time.gmtime(since / 1000))
        text = f"{symbol.name} {missing:,} trades lost after {at} UTC, not to be had any more: bars there are marked as a gap"
        return data_alert("gap", text, now_ms=now_ms, since_ms=since, pair=symbol.name)


@dataclass(slots=True)
class FeedWatch:
    """Feeds that do not deliver."""

    told: dict[int, int] = field(default_factory=dict)
    """When each feed, by its number, was spoken of last, ms; outlives a restart."""
    _since: dict[int, tuple[float, int]] = field(default_factory=dict)
    """When the present trouble of a feed began: monotonic seconds, and ms."""
    _spoken: set[int] = field(default_factory=set)
    """Feeds whose present trouble was told."""

    def look(self, statuses: Sequence[FeedStatus], now_s: float, now_ms: int) -> AlertRecord | None:
        """One warning for the feeds that have been in trouble for long; `now_s` is real, monotonic time."""
        due = [number for number, status in enumerate(statuses) if self._is_due(number, status, now_s, now_ms)]
        if not due:
            return None
        self._spoken.update(due)
        self.told |= dict.fromkeys(due, now_ms)
        words = dict.fromkeys(statuses[number].detail or f"the feed is {statuses[number].link}" for number in due)
        since = min(self._since[number][1] for number in due)
        return data_alert("stale", f"no live data for {PATIENCE_S:.0f} s: {'; '.join(words)}", now_ms=now_ms, since_ms=since)

    def _is_due(self, number: int, status: FeedStatus, now_s: float, now_ms: int) -> bool:
        if status.link not in _TROUBLE:
            self._since.pop(number, None)
            self._spoken.discard(number)
            return False
        begun, _ = self._since.setdefault(number, (now_s, now_ms))
        told = self.told.get(number)
        is_repeat = number in self._spoken or (told is not None and 0 <= now_ms - told < REPEAT_MS)
        return now_s - begun >= PATIENCE_S and not is_repeat
