"""R-01: random faults on many symbols of both markets at once, from a seed; afterwards every bar is the tape's."""

import asyncio
import os
import random
from contextlib import AsyncExitStack
from typing import Any

import pytest

from quantui.clock import Clock
from quantui.exchange.drill import drawn
from quantui.exchange.prices import COINS, more_coins
from quantui.feeds.binance import succession
from quantui.feeds.binance.feed import BinanceFeed
from quantui.market.bars import COLUMNS, BarState
from quantui.market.instruments import Timeframe
from quantui.market.stream import SymbolStream
from tests.faults.exchange import Exchange, running_exchange, running_feed, until, wrong_bars

SPEED = 20.0
PER_FAULT_S = 21.6
"""Exchange time from one fault to the next, on average: a thousand in six hours."""
NAMES = [coin.symbol for coin in (*COINS, *more_coins(10)) if coin.ticks[1] >= 0]
_STATE = COLUMNS.index("state")


def _is_settled(feed: BinanceFeed) -> bool:
    return feed.status.link == "live" and all(s.is_complete and not s.suspended and not s.questioned for s in feed.streams.values())


def _unproven(stream: SymbolStream) -> int:
    """Closed minutes older than one that no kline of the exchange has proven."""
    rows = stream.frames[Timeframe.M1].between(stream.builder.covered_from, stream.builder.closed_until - 2 * Timeframe.M1.ms)
    return int((rows[:, _STATE] != BarState.CERTIFIED).sum())


async def _trouble(exchange: Exchange, clock: Clock, rng: random.Random, faults: int) -> None:
    """So many faults, one after the other; what lasts is taken back after a while."""
    for _ in range(faults):
        fault = drawn(rng, ("spot", "usdm"), NAMES)
        await exchange.order(fault.order[0], **fault.order[1])
        await clock.sleep(rng.uniform(0, 2 * PER_FAULT_S))
        if fault.undo is not None:
            await exchange.order(fault.undo[0], **fault.undo[1])


def _seed() -> int:
    return int(os.environ.get("QUANTUI_FAULT_SEED", "1"))


@pytest.mark.parametrize("faults", [25, pytest.param(1000, marks=pytest.mark.soak)])
async def test_random_faults_leave_every_bar_as_the_tape_has_it(faults: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(succession, "LIFE_S", 3000.0)
    seed, rng, clock = _seed(), random.Random(_seed()), Clock(SPEED)
    print(f"seed {seed} (QUANTUI_FAULT_SEED)")  # noqa: T201 - a random run names its seed
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    seconds = 4000 + 2 * int(faults * PER_FAULT_S)
    arguments = ("--seed", str(seed), "--speed", str(SPEED), "--more", "10", "--dummies", "300")
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(running_exchange(*arguments))
        await exchange.order("life", seconds=3100.0, cut="1001")
        feeds = {m: await stack.enter_async_context(running_feed(exchange, m, NAMES, clock, seconds)) for m in ("spot", "usdm")}
        await until(lambda: all(map(_is_settled, feeds.values())), 60)
        await _trouble(exchange, clock, rng, faults)
        await until(lambda: all(map(_is_settled, feeds.values())), 120)
        await clock.sleep(130)
        await until(lambda: all(map(_is_settled, feeds.values())), 60)
        wrong: list[str] = []
        bars = 0
        for market, feed in feeds.items():
            for symbol_stream in feed.streams.values():
                wrong += await wrong_bars(exchange, market, symbol_stream)
                bars += (symbol_stream.builder.closed_until - symbol_stream.builder.covered_from) // 1000
        tallies = [symbol_stream.tally for feed in feeds.values() for symbol_stream in feed.streams.values()]
        counters = await exchange.counters()
    table = {
        "faults": faults,
        "symbols": len(tallies),
        "seconds of bars": bars,
        "trades": sum(t.trades for t in tallies),
        "reconnections": sum(feed.status.reconnects for feed in feeds.values()),
        "holes filled": sum(t.holes_filled for t in tallies),
        "trades read back": sum(t.trades_filled for t in tallies),
        "frames damaged": sum(counters["damaged"].values()),
        "closing klines damaged": sum(count for name, count in counters["damaged"].items() if "@kline" in name),
        "records refused": sum(t.rejected for t in tallies),
        "bars certified": sum(t.certified for t in tallies),
        "minutes not proven": sum(_unproven(symbol_stream) for feed in feeds.values() for symbol_stream in feed.streams.values()),
        "mismatches": sum(t.mismatched for t in tallies),
        "trades lost": sum(t.trades_lost for t in tallies),
        "bars wrong": len(wrong),
        "violations": sum(counters["violations"].values()),
    }
    print("\n".join(f"{name:22} {value:>12,}" for name, value in table.items()))  # noqa: T201 - the table of docs/reliability.md
    assert not wrong, wrong[:10]
    assert not complaints, complaints[:3]
    assert sum(tally.holes_lost for tally in tallies) == 0
    mismatches = [found for feed in feeds.values() for symbol_stream in feed.streams.values() for found in symbol_stream.mismatches]
    assert not mismatches, mismatches[:5]
    assert set(counters["violations"].values()) == {0}
