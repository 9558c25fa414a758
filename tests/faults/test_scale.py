"""R-25: more streams than one socket may carry, within the limits of the exchange."""

import random

import pytest

from quantui.clock import Clock
from quantui.exchange.prices import more_coins
from tests.faults.exchange import running_exchange, running_feed, until, wrong_bars

SPEED = 5.0


@pytest.mark.parametrize("coins", [70, pytest.param(340, marks=pytest.mark.soak)])
async def test_many_streams_are_spread_over_sockets(coins: int) -> None:
    clock = Clock(SPEED)
    names = [coin.symbol for coin in more_coins(coins)]
    arguments = ("--seed", "51", "--speed", str(SPEED), "--rate", "0.5", "--more", str(coins))
    async with running_exchange(*arguments) as exchange, running_feed(exchange, "spot", names, clock) as feed:
        await until(lambda: len(feed.streams) == coins, 30)
        sizes = [len(connection.names) for connection in feed.connections]
        assert sum(sizes) >= 3 * coins
        assert max(sizes) <= 200
        await until(lambda: feed.status.link == "live", coins)
        await until(lambda: all(stream.is_complete for stream in feed.streams.values()), coins)
        await clock.sleep(65)  # every stream closes at least one more minute
        await until(lambda: feed.status.link == "live", 30)
        for stream in random.Random(51).sample(list(feed.streams.values()), 12):
            assert not await wrong_bars(exchange, "spot", stream)
        counters = await exchange.counters()
        assert counters["violations"]["spot"] == 0
        assert counters["connections"]["spot"]["open"] == len(sizes)
        assert sum(stream.tally.mismatched for stream in feed.streams.values()) == 0
