"""R-15: frames that come out of order, within a stream and between streams; no bar differs, nothing is taken twice."""

import pytest

from quantui.clock import Clock
from tests.faults.exchange import running_exchange, running_feed, until, wrong_bars

SPEED = 10.0
COINS = ("BTCUSDT", "ETHUSDT")
PLACES = (7, 50)


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_frames_that_come_fifty_places_late(market: str) -> None:
    clock = Clock(SPEED)
    arguments = ("--seed", "61", "--speed", str(SPEED), "--rate", "12", "--symbols", *COINS)
    async with running_exchange(*arguments) as exchange, running_feed(exchange, market, COINS, clock) as feed:
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        for places in PLACES:
            for coin in COINS:
                await exchange.order("late", market=market, stream=f"{coin.lower()}@aggTrade", count=places)
            await exchange.order("late", market=market, stream="btcusdt@kline_1m", count=1)
            await clock.sleep(10)
        await clock.sleep(70)
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        for stream in feed.streams.values():
            assert not await wrong_bars(exchange, market, stream)
            assert (stream.tally.holes_lost, stream.tally.mismatched) == (0, 0)
        assert feed.status.reconnects == 0
