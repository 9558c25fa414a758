"""The embedded exchange as a process of its own, its control port, and its own word on what the bars are."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from quantui.clock import Clock
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.feed import BinanceFeed, FeedOptions
from quantui.feeds.binance.venues import VENUES
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import DEFAULT_CAPACITY, SymbolFrames
from quantui.market.instruments import Symbol, Timeframe
from quantui.market.stream import SymbolStream

TRUTH_COLUMNS = COLUMNS.index("last_id") + 1
_STATE, _COUNT = COLUMNS.index("state"), COLUMNS.index("trade_count")


@dataclass(slots=True)
class Exchange:
    """A running exchange."""

    addresses: dict[str, str]
    session: aiohttp.ClientSession

    async def order(self, action: str, **body: str | float | list[int] | list[str]) -> None:
        """A fault on order, or an end to it."""
        async with self.session.post(f"{self.addresses['control']}/control/{action}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def counters(self) -> dict[str, Any]:
        """What was sent and what was counted against the client."""
        async with self.session.get(f"{self.addresses['control']}/control/counters") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def bars(self, market: str, symbol: str, timeframe: Timeframe, start_ms: int, end_ms: int) -> list[list[int]]:
        """Ground truth: rows of open time, o, h, l, c, volumes, count and ids as exact integers."""
        rows: list[list[int]] = []
        while start_ms < end_ms:  # an hour at a time: the truth of a day takes long
            stop_ms = min(Timeframe.H1.floor(start_ms) + Timeframe.H1.ms, end_ms)
            query = {"market": market, "symbol": symbol, "interval": timeframe.value, "from": start_ms, "to": stop_ms}
            async with self.session.get(f"{self.addresses['control']}/control/bars", params=query) as answer:
                rows += await answer.json()
            start_ms = stop_ms
        return rows


@asynccontextmanager
async def running_exchange(*arguments: str) -> AsyncIterator[Exchange]:
    """The exchange with `arguments` of `python -m quantui.exchange`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "quantui.exchange", *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        async with asyncio.timeout(30):
            addresses = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession() as session:
            yield Exchange(addresses, session)
    finally:
        process.stdin.close()
        async with asyncio.timeout(10):
            await process.wait()


@asynccontextmanager
async def running_feed(
    exchange: Exchange,
    market: str,
    names: Sequence[str],
    clock: Clock,
    seconds_kept: int = DEFAULT_CAPACITY[Timeframe.S1],
    history_bars: int = 60,
) -> AsyncIterator[BinanceFeed]:
    """The live feed on that exchange; its frames hold so many 1s bars."""
    capacity = {**DEFAULT_CAPACITY, Timeframe.S1: seconds_kept}
    venue = VENUES["binance-usdm" if market == "usdm" else "binance-spot"]
    names_of = ("usdm_rest", "usdm_ws_market", "usdm_ws_public") if market == "usdm" else ("spot_rest", "spot_ws", "spot_ws")
    rest, trades, quotes = (exchange.addresses[name] for name in names_of)

    def drain() -> None:
        """As the collector does: what nobody takes would pile up to pauses of the garbage collector, seconds of a fast exchange."""
        for stream in feed.streams.values():
            stream.builder.events.clear()
            stream.builder.withdrawn.clear()

    feed = BinanceFeed(
        venue=venue,
        wanted=[Symbol(venue.name, name) for name in names],
        options=FeedOptions(rest=rest, market=trades, public=quotes, history_bars=history_bars, seconds_back=60),
        clock=clock,
        barrier=Barrier(venue.name, clock),
        on_update=drain,
        make_frames=lambda instrument: SymbolFrames(instrument, capacity),
    )
    task = asyncio.create_task(feed.run())
    try:
        yield feed
        if task.done():
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(predicate: Callable[[], bool], seconds: float, says: Callable[[], object] = lambda: "") -> None:
    """Wait until `predicate()` holds; fails after so many real seconds, with what `says()` tells then."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not predicate():
        assert asyncio.get_running_loop().time() < deadline, f"it did not come about in time {says()}"
        await asyncio.sleep(0.02)


async def wrong_bars(exchange: Exchange, market: str, stream: SymbolStream, *, counts: bool = True) -> list[str]:
    """Every way in which the stream's bars differ from the tape's, for all timeframes; empty when none does.

    Without `counts` the number of trades is left out: on futures placeholders use up ids that an aggregate spans.
    """
    name = stream.frames.instrument.symbol.name
    begin, end = stream.builder.covered_from, stream.builder.closed_until
    found: list[str] = []
    for timeframe in Timeframe:
        start = timeframe.floor(begin + timeframe.ms - 1)
        stop = timeframe.floor(end)
        if start >= stop:
            continue
        truth = {row[0]: row for row in await exchange.bars(market, name, timeframe, start, stop)}
        rows = stream.frames[timeframe].between(start, stop)
        ours = {row[0]: row for row in rows[:, :TRUTH_COLUMNS].tolist()}
        found += [f"{name} {timeframe} {open_ms}: missing" for open_ms in truth.keys() - ours.keys()]
        found += [f"{name} {timeframe} {open_ms}: extra {ours[open_ms]}" for open_ms in ours.keys() - truth.keys()]
        if not counts:
            for row in (*truth.values(), *ours.values()):
                row[_COUNT] = 0
        both = truth.keys() & ours.keys()
        found += [f"{name} {timeframe} {at}: {ours[at]} is not {truth[at]}" for at in both if ours[at] != truth[at]]
        gaps = int((rows[:, _STATE] == BarState.GAP).sum())
        found += [f"{name} {timeframe}: {gaps} bars marked as gap"] * bool(gaps)
    return found
