"""How the feed and the collector are: for `quantui status --json` and for the health page."""

import os
from collections.abc import Sequence
from pathlib import Path

from quantui.collector.pages import HealthPage, StreamRow
from quantui.collector.snapshot import FeedView
from quantui.collector.view import carried_ms
from quantui.feeds.feed import DELAYS_MS, Feed, FeedStatus
from quantui.market.instruments import Symbol
from quantui.market.stream import SymbolStream
from quantui.text import safe


def stream_health(stream: SymbolStream) -> dict[str, int | bool | None]:
    """Its cursor, its last trade, what was filled, lost, refused and proven."""
    tally = stream.tally
    return {
        "cursor": stream.cursor,
        "last_trade_ms": stream.builder.last_time,
        "trades": tally.trades,
        "complete": stream.is_complete,
        "holes_filled": tally.holes_filled,
        "trades_filled": tally.trades_filled,
        "trades_lost": tally.trades_lost,
        "duplicates": stream.sequencer.duplicates,
        "rejected": tally.rejected,
        "certified": tally.certified,
        "mismatched": tally.mismatched,
        "revisions": stream.builder.revisions,
    }


def health_page(feeds: Sequence[Feed], seen: FeedView, monotonic: float, up_s: int, store: str, unwritten: int) -> HealthPage:
    """The page; `seen` is what the status line says."""
    statuses = [feed.status for feed in feeds]
    several = len({symbol.venue for feed in feeds for symbol in (*feed.streams, *feed.status.notes)}) > 1
    rows = [
        _row(symbol, feed.streams.get(symbol), feed.status, monotonic, full=several)
        for feed in feeds
        for symbol in {**feed.streams, **feed.status.notes}
    ]
    return HealthPage(
        seen.venue,
        seen.link.value,
        seen.detail,
        seen.lag_ms,
        seen.skew_ms,
        tuple(sum(counts) for counts in zip(*(status.delays for status in statuses), strict=True)),
        DELAYS_MS,
        sum(status.sockets for status in statuses),
        seen.messages,
        seen.reconnects,
        sum(status.weight_used for status in statuses),
        sum(status.weight_limit for status in statuses),
        seen.certified,
        safe(store),
        unwritten,
        _memory_mb(),
        up_s,
        tuple(sorted(rows, key=lambda row: row.symbol)),
    )


def _row(symbol: Symbol, stream: SymbolStream | None, status: FeedStatus, monotonic: float, *, full: bool) -> StreamRow:
    name, note = safe(str(symbol) if full else symbol.name), safe(status.notes.get(symbol, ""))
    if stream is None:
        return StreamRow(name, note=note)
    tally, last, now = stream.tally, stream.builder.last_time, carried_ms(status, monotonic)
    return StreamRow(
        name,
        round(max(0, now - last) / 1000) if last and now else None,
        tally.trades,
        stream.is_complete,
        tally.holes_filled,
        tally.trades_filled,
        tally.trades_lost,
        stream.sequencer.duplicates,
        tally.rejected,
        tally.certified,
        tally.mismatched,
        note,
    )


def _memory_mb() -> float:
    """Resident memory of this process; 0 where the system does not tell."""
    try:
        return round(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
    except (OSError, ValueError, IndexError):
        return 0.0
