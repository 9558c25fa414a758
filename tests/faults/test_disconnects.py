"""Twenty disconnections at random moments under 500 trades a second: no bar differs from the tape's."""

import random
from functools import partial

import pytest

from quantui.clock import Clock
from quantui.feeds.binance.feed import BinanceFeed
from tests.faults.exchange import running_exchange, running_feed, until, wrong_bars

COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "LINKUSDT", "DOGEUSDT", "XRPUSDT", "LTCUSDT")
SPEED = 10.0
RATE = 14.0
"""Makes these coins trade some 500 times a second together."""


def _is_past(feed: BinanceFeed, connects: int) -> bool:
    return feed.connections[0].state.connects > connects


@pytest.mark.parametrize(("market", "seed"), [("usdm", 11), ("spot", 12)])
async def test_every_bar_equals_the_tape_after_twenty_disconnections(market: str, seed: int) -> None:
    rng = random.Random(seed)
    print(f"seed {seed}")  # noqa: T201 - a random run names its seed
    clock = Clock(SPEED)
    arguments = ("--seed", str(seed), "--speed", str(SPEED), "--rate", str(RATE), "--symbols", *COINS)
    async with running_exchange(*arguments) as exchange, running_feed(exchange, market, COINS, clock) as feed:
        await until(lambda: feed.status.link == "live", 30)
        for _ in range(20):
            await clock.sleep(rng.uniform(0.5, 6))
            before = feed.connections[0].state.connects
            how = rng.choice(["rst", "fin", "1001", "1008", "outage"])
            if how == "outage":
                await exchange.order("outage", market=market, seconds=rng.uniform(0, 30), rest=rng.random() < 0.3)
            else:
                await exchange.order("disconnect", market=market, how=how)
            await until(partial(_is_past, feed, before), 30)
        await until(
            lambda: feed.status.link == "live" and all(s.is_complete and not s.suspended for s in feed.streams.values()), 60
        )
        await clock.sleep(65)  # every stream closes at least one more minute
        await until(lambda: all(stream.is_complete for stream in feed.streams.values()), 30)
        wrong = [line for stream in feed.streams.values() for line in await wrong_bars(exchange, market, stream)]
        counters = await exchange.counters()
        tallies = [stream.tally for stream in feed.streams.values()]
        assert not wrong, wrong[:10]
        assert sum(tally.holes_lost for tally in tallies) == 0
        assert sum(tally.mismatched for tally in tallies) == 0
        assert feed.status.reconnects >= 20
        assert sum(stream.builder.closed_until - stream.builder.covered_from for stream in feed.streams.values()) > 8 * 200_000
        assert counters["violations"][market] == 0
