"""How the feed and the collector are: for `quantui status --json` and for the health page."""

from collections.abc import Sequence
from pathlib import Path

from quantui.collector.pages import HealthPage, StreamRow
from quantui.collector.snapshot import FeedView
from quantui.feeds.feed import DELAYS_MS, Feed
from quantui.market.instruments import Symbol
from quantui.market.stream import SymbolStream
from quantui.text import safe

_PAGE_MB = 4096 / 1e6


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


def health_page(feeds: Sequence[Feed], seen: FeedView, now_ms: int, up_s: int, store: str, unwritten: int) -> HealthPage:
    """The page; `now_ms` is exchange time, `seen` what the status line says."""
    statuses = [feed.status for feed in feeds]
    notes = {symbol: note for status in statuses for symbol, note in status.notes.items()}
    streams = {symbol: stream for feed in feeds for symbol, stream in feed.streams.items()}
    several = len({symbol.venue for symbol in (*streams, *notes)}) > 1
    rows = [_row(symbol, streams.get(symbol), now_ms, notes.get(symbol, ""), full=several) for symbol in {**streams, **notes}]
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


def _row(symbol: Symbol, stream: SymbolStream | None, now_ms: int, note: str, *, full: bool) -> StreamRow:
    name = safe(str(symbol) if full else symbol.name)
    if stream is None:
        return StreamRow(name, note=safe(note))
    tally, last = stream.tally, stream.builder.last_time
    return StreamRow(
        name,
        round(max(0, now_ms - last) / 1000) if last is not None else None,
        tally.trades,
        stream.is_complete,
        tally.holes_filled,
        tally.trades_filled,
        tally.trades_lost,
        stream.sequencer.duplicates,
        tally.rejected,
        tally.certified,
        tally.mismatched,
        safe(note),
    )


def _memory_mb() -> float:
    """Resident memory of this process; 0 where the system does not tell."""
    try:
        return round(int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MB)
    except (OSError, ValueError, IndexError):
        return 0.0
