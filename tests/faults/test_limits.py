"""R-24: subscriptions that change all the time and sockets that break all the time: never a message too many."""

import random
from functools import partial

import pytest

from quantui.clock import Clock
from quantui.exchange.prices import COINS
from quantui.feeds.binance.feed import BinanceFeed
from tests.faults.exchange import running_exchange, running_feed, until

SPEED = 20.0
NAMES = [coin.symbol for coin in COINS if coin.ticks[1] >= 0]


def _is_past(feed: BinanceFeed, connects: int) -> bool:
    return feed.connections[0].state.connects > connects


@pytest.mark.parametrize("market", ["spot", "usdm"])
@pytest.mark.parametrize(("changes", "resets"), [(24, 5), pytest.param(200, 100, marks=pytest.mark.soak)])
async def test_no_message_too_many(market: str, changes: int, resets: int) -> None:
    seed = 71
    rng, clock = random.Random(seed), Clock(SPEED)
    print(f"seed {seed}")  # noqa: T201 - a random run names its seed
    arguments = ("--seed", str(seed), "--speed", str(SPEED), "--rate", "0.2")
    async with running_exchange(*arguments) as exchange, running_feed(exchange, market, NAMES, clock) as feed:
        await until(lambda: feed.status.link == "live", 30)
        await exchange.order("ping", seconds=3.0)  # for the sockets to come: many more pongs than in real life
        for number in range(changes):
            feed.focus(rng.sample(feed.wanted, 2))
            await clock.sleep(rng.uniform(0, 1.5))
            if number * resets // changes < (number + 1) * resets // changes:
                before = feed.connections[0].state.connects
                await exchange.order("disconnect", market=market, how=rng.choice(["rst", "1001"]))
                await until(partial(_is_past, feed, before), 30)
        await until(lambda: feed.status.link == "live", 60)
        counters = await exchange.counters()
        assert feed.status.reconnects >= resets
        assert counters["violations"] == {"spot": 0, "usdm": 0}
