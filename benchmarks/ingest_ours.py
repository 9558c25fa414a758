"""quantui on the loopback server: Connection, Line and a SymbolStream a symbol, all five timeframes.

`python -m benchmarks.ingest_ours PORT MESSAGES` prints one JSON object; it fails where a trade is missing or a bar differs from
what a plain loop over the tape gives.
"""

import asyncio
import json
import sys
from collections.abc import Sequence

from benchmarks.ingest_meter import Meter
from benchmarks.ingest_tape import MARKETS, Market, TapeTrade, trades
from quantui.clock import Clock
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.connection import Connection
from quantui.feeds.binance.line import Line
from quantui.feeds.binance.venues import VENUES, stream_name
from quantui.feeds.feed import FeedStatus
from quantui.market.bars import Bar
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Symbol, Timeframe
from quantui.market.stream import SymbolStream

_VENUE = VENUES["binance-spot"]
_Figures = tuple[int, ...]


async def run(port: int, messages: int) -> tuple[Meter, dict[Market, SymbolStream]]:
    """Read the tape once."""
    streams = {market: SymbolStream(SymbolFrames(_instrument(market))) for market in MARKETS}
    clock, meter = Clock(), Meter(messages)
    meter.prepare()
    by_name = {market.name: stream for market, stream in streams.items()}
    line = Line(by_name, FeedStatus(), clock, _VENUE.grace_ms, _complain, SymbolStream.rescale)

    def take(frames: Sequence[bytes]) -> None:
        if meter.seen == 0:
            meter.begin()
        line.take(frames)
        meter.seen += len(frames)

    def idle() -> None:
        line.settle()
        for stream in streams.values():
            stream.builder.events.clear()
        if meter.seen >= messages and not meter.is_done:
            meter.end()

    async def connected() -> None:
        line.seen.clear()

    names = dict.fromkeys(stream_name(market.name, "aggTrade") for market in MARKETS)
    barrier = Barrier(_VENUE.name, clock)
    connection = Connection(f"ws://127.0.0.1:{port}", clock, barrier, take, idle, connected, names=names)
    reading = asyncio.create_task(connection.run())
    await meter.finished()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return meter, streams


def _instrument(market: Market) -> Instrument:
    return Instrument(Symbol(_VENUE.name, market.name), market.price_decimals, market.quantity_decimals)


def _complain(message: str) -> None:
    raise RuntimeError(message)


def verify(streams: dict[Market, SymbolStream], messages: int) -> int:
    """Compare trades, last ids and every bar with the tape; returns the number of bars compared.

    Raises:
        SystemExit: Something differs.
    """
    tape: dict[Market, list[TapeTrade]] = {market: [] for market in MARKETS}
    for trade in trades(messages):
        tape[trade.market].append(trade)
    return sum(_verify_symbol(stream, tape[market]) for market, stream in streams.items())


def _verify_symbol(stream: SymbolStream, tape: list[TapeTrade]) -> int:
    builder, name, compared = stream.builder, stream.frames.instrument.symbol.name, 0
    if stream.tally.trades != len(tape) or builder.last_aggregate != tape[-1].id:
        sys.exit(f"{name}: {stream.tally.trades} of {len(tape)} trades, last id {builder.last_aggregate} of {tape[-1].id}")
    for timeframe in Timeframe:
        ring = stream.frames[timeframe]
        expected = _bars(tape, timeframe)
        first = -(-builder.covered_from // timeframe.ms) * timeframe.ms
        opens = range(first, builder.closed_until - timeframe.ms + 1, timeframe.ms)
        if ring.times.tolist() != list(opens):
            sys.exit(f"{name} {timeframe}: bars at other times than the tape's")
        close = 0
        for open_ms in range(tape[0].time_ms // timeframe.ms * timeframe.ms, builder.closed_until, timeframe.ms):
            figures = expected.get(open_ms, (close,) * 4 + (0,) * 5)
            close = figures[3]
            index = ring.find(open_ms)
            if index is not None:
                _same(f"{name} {timeframe}", ring.bar(index), figures)
                compared += 1
        forming, last_open = builder.forming(timeframe), timeframe.floor(tape[-1].time_ms)
        if forming is not None and forming.open_ms == last_open >= builder.covered_from:
            _same(f"{name} {timeframe} forming", forming, expected[last_open])
            compared += 1
    return compared


def _same(what: str, bar: Bar, figures: _Figures) -> None:
    ours = (
        bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote_volume, bar.taker_volume, bar.taker_quote, bar.trade_count,
    )  # fmt: skip
    if ours != figures:
        sys.exit(f"{what} at {bar.open_ms}: {ours} instead of {figures}")


def _bars(tape: list[TapeTrade], timeframe: Timeframe) -> dict[int, _Figures]:
    """By open time: o h l c v q V Q n, straight from the definition."""
    groups: dict[int, list[TapeTrade]] = {}
    for trade in tape:
        groups.setdefault(timeframe.floor(trade.time_ms), []).append(trade)
    return {open_ms: _figures(group) for open_ms, group in groups.items()}


def _figures(group: list[TapeTrade]) -> _Figures:
    prices = [trade.price for trade in group]
    taken = [trade for trade in group if not trade.buyer_is_maker]
    return (
        prices[0], max(prices), min(prices), prices[-1],
        sum(trade.quantity for trade in group), sum(trade.price * trade.quantity for trade in group),
        sum(trade.quantity for trade in taken), sum(trade.price * trade.quantity for trade in taken),
        sum(trade.last_id - trade.first_id + 1 for trade in group),
    )  # fmt: skip


def main() -> None:
    port, messages = int(sys.argv[1]), int(sys.argv[2])
    meter, streams = asyncio.run(run(port, messages))
    print(json.dumps({"bars": verify(streams, messages), **meter.result()}))


if __name__ == "__main__":
    main()
