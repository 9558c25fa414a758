"""What `quantui status --json` says of one stream."""

from quantui.market.stream import SymbolStream


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
