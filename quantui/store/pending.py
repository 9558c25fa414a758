"""What waits for the next transaction: bounded, and put back in order when the transaction fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from quantui.market.frames import Ints
from quantui.market.instruments import Instrument, Pair, Timeframe
from quantui.store.records import AlertRecord, AnalyticsRow, SeriesKey

_K = TypeVar("_K")
_V = TypeVar("_V")

MAX_BARS = 120_000
"""Bars held while the disk refuses: 10 minutes of 190 symbols, some 40 MB."""

MAX_TICKS = 1_000_000
"""Trades held while the disk refuses: 56 MB."""

MAX_ALERTS = 10_000

MAX_ANALYTICS = 60_000

AnalyticsKey = tuple[Pair, Timeframe, int]


@dataclass(slots=True)
class Pending:
    """Everything that one transaction writes together."""

    instruments: set[Instrument] = field(default_factory=set)
    bars: dict[SeriesKey, dict[int, bytes]] = field(default_factory=dict)
    ticks: dict[SeriesKey, list[tuple[Instrument, Ints]]] = field(default_factory=dict)
    alerts: dict[int, AlertRecord] = field(default_factory=dict)
    analytics: dict[AnalyticsKey, AnalyticsRow] = field(default_factory=dict)
    state: dict[str, str | None] = field(default_factory=dict)
    bar_count: int = 0
    tick_count: int = 0
    dropped: int = 0
    """Records given up because the bounds were reached."""

    def __bool__(self) -> bool:
        return bool(self.bar_count or self.tick_count or self.alerts or self.analytics or self.state)

    def put_bar(self, key: SeriesKey, open_ms: int, bar: bytes) -> None:
        """The newest form of a bar wins."""
        bars = self.bars.setdefault(key, {})
        if open_ms not in bars:
            self.bar_count += 1
            if self.bar_count > MAX_BARS:
                self._drop_bar()
        bars[open_ms] = bar

    def put_ticks(self, key: SeriesKey, instrument: Instrument, table: Ints) -> None:
        """Trades behind those already waiting."""
        self.ticks.setdefault(key, []).append((instrument, table))
        self.tick_count += table.shape[1]
        while self.tick_count > MAX_TICKS:
            self._drop_ticks()

    def put_alert(self, record: AlertRecord) -> None:
        """One more alert."""
        self.alerts[record.id] = record
        self._bound(self.alerts, MAX_ALERTS)

    def put_analytics(self, key: AnalyticsKey, row: AnalyticsRow) -> None:
        """The newest statistics of a bar win."""
        self.analytics[key] = row
        self._bound(self.analytics, MAX_ANALYTICS)

    def put_back(self, failed: "Pending") -> None:
        """Take over what a failed transaction could not write; what came since is newer and wins."""
        self.instruments |= failed.instruments
        newer_bars, newer_ticks = self.bars, self.ticks
        self.bars, self.bar_count = failed.bars, failed.bar_count
        for key, bars in newer_bars.items():
            for open_ms, bar in bars.items():
                self.put_bar(key, open_ms, bar)
        self.ticks, self.tick_count = failed.ticks, failed.tick_count
        for key, batches in newer_ticks.items():
            for instrument, table in batches:
                self.put_ticks(key, instrument, table)
        self.alerts = failed.alerts | self.alerts
        self.analytics = failed.analytics | self.analytics
        self.state = failed.state | self.state
        self._bound(self.alerts, MAX_ALERTS)
        self._bound(self.analytics, MAX_ANALYTICS)
        self.dropped += failed.dropped

    def _drop_bar(self) -> None:
        """Give up the oldest bar of the longest line."""
        bars = max(self.bars.values(), key=len)
        del bars[next(iter(bars))]
        self.bar_count -= 1
        self.dropped += 1

    def _drop_ticks(self) -> None:
        key = max(self.ticks, key=lambda key: sum(table.shape[1] for _, table in self.ticks[key]))
        lost = self.ticks[key].pop(0)[1].shape[1]
        if not self.ticks[key]:
            del self.ticks[key]
        self.tick_count -= lost
        self.dropped += lost

    def _bound(self, records: dict[_K, _V], limit: int) -> None:
        while len(records) > limit:
            del records[next(iter(records))]
            self.dropped += 1


def describe(counts: Mapping[str, int]) -> str:
    """`{"bar": 2, "alert": 1, "trade": 0}` as `2 bars, 1 alert`."""
    return ", ".join(f"{n:,} {word}{'s' if n != 1 else ''}" for word, n in counts.items() if n)
