"""R-09 to R-14: damaged, strange and repeated frames. Each is counted, none enters a bar, and every bar is the tape's."""

import random
from functools import partial

import pytest

from quantui.clock import Clock
from quantui.exchange.damage import BREAKING, DAMAGES
from quantui.feeds.binance.connection import Connection
from quantui.market.stream import SymbolStream
from tests.faults.exchange import running_exchange, running_feed, until, wrong_bars

COINS = ("BTCUSDT", "ETHUSDT", "LTCUSDT")
SPEED = 10.0
LOST = ("nan", "infinite", "negative", "zero", "huge", "full-width", "underscore", "empty", "retyped", "array", "missing")
BROKEN = ("truncated", "bad-utf8")
HARMLESS = tuple(kind for kind in DAMAGES if kind not in LOST + BROKEN)


def _is_settled(stream: SymbolStream) -> bool:
    return stream.is_complete and not stream.suspended


def _has_reconnected(connection: Connection, connects: int) -> bool:
    return connection.state.connects > connects


@pytest.mark.parametrize(("market", "seed"), [("spot", 31), ("usdm", 32)])
async def test_every_bar_equals_the_tape_whatever_frames_carry(market: str, seed: int) -> None:
    rng = random.Random(seed)
    print(f"seed {seed}")  # noqa: T201 - a random run names its seed
    clock = Clock(SPEED)
    arguments = ("--seed", str(seed), "--speed", str(SPEED), "--rate", "3", "--symbols", *COINS)
    async with running_exchange(*arguments) as exchange, running_feed(exchange, market, COINS, clock) as feed:
        await until(lambda: feed.status.link == "live" and all(map(_is_settled, feed.streams.values())), 30)
        rejected = sum(stream.tally.rejected for stream in feed.streams.values()) + feed.status.rejected
        for coin in COINS:
            kinds = [kind for kind in DAMAGES for _ in range(2)]
            rng.shuffle(kinds)
            await exchange.order("damage", market=market, stream=f"{coin.lower()}@aggTrade", kinds=kinds)
            few = rng.sample(sorted(DAMAGES), 3)
            await exchange.order("damage", market=market, stream=f"{coin.lower()}@kline_1m", kinds=few)
        await clock.sleep(150)
        await until(lambda: all(map(_is_settled, feed.streams.values())), 60)
        await clock.sleep(65)
        await until(lambda: all(map(_is_settled, feed.streams.values())), 30)
        wrong = [line for stream in feed.streams.values() for line in await wrong_bars(exchange, market, stream)]
        tallies = [stream.tally for stream in feed.streams.values()]
        assert not wrong, wrong[:10]
        assert feed.status.reconnects == 0
        assert sum(tally.rejected for tally in tallies) + feed.status.rejected - rejected >= 2 * len(LOST) * 2
        assert sum(tally.holes_filled for tally in tallies) > 0
        assert all(tally.holes_lost == tally.mismatched == 0 for tally in tallies)
        assert (await exchange.counters())["violations"][market] == 0


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_what_no_socket_may_carry_ends_it_and_what_is_told_twice_counts_once(market: str) -> None:
    clock = Clock(SPEED)
    arguments = ("--seed", "33", "--speed", str(SPEED), "--rate", "3", "--symbols", *COINS)
    async with running_exchange(*arguments) as exchange, running_feed(exchange, market, COINS, clock) as feed:
        await exchange.order("repeat", market=market, seconds=30.0)
        for kind in BREAKING:
            await until(lambda: feed.status.link == "live" and all(map(_is_settled, feed.streams.values())), 30)
            connection = feed.connections[0]
            connects = connection.state.connects
            await exchange.order("damage", market=market, stream="btcusdt@aggTrade", kinds=[kind])
            await until(partial(_has_reconnected, connection, connects), 30)
        await clock.sleep(65)
        await until(lambda: all(map(_is_settled, feed.streams.values())), 30)
        for symbol, stream in feed.streams.items():
            few = 20 * len(BREAKING) if symbol.name == "BTCUSDT" else 0  # half a minute of a quiet coin may be short
            assert stream.sequencer.duplicates > few
            assert not await wrong_bars(exchange, market, stream)
            assert (stream.tally.holes_lost, stream.tally.mismatched) == (0, 0)


async def test_every_kind_of_damage_is_known_to_this_suite() -> None:
    assert set(LOST + BROKEN + HARMLESS) == set(DAMAGES)
    assert {"twice", "in-pieces", "unknown", "novel-field", "answer", "deep"} <= set(HARMLESS)
