"""R-13 and R-17: frames lost without a disconnection, and ids that placeholders use up."""

from functools import partial

import pytest

from quantui.clock import Clock
from quantui.market.bars import BarState
from quantui.market.instruments import Timeframe
from quantui.market.stream import Tally
from tests.faults.exchange import running_exchange, running_feed, until, wrong_bars

SPEED = 4.0
COINS = ("BTCUSDT", "ETHUSDT")


def _has_filled(tally: Tally, holes: int) -> bool:
    return tally.holes_filled == holes


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_a_hole_is_seen_with_the_next_trade_and_filled_within_five_seconds(market: str) -> None:
    clock = Clock(SPEED)
    async with (
        running_exchange("--seed", "41", "--speed", str(SPEED), "--rate", "12", "--symbols", *COINS) as exchange,
        running_feed(exchange, market, COINS, clock) as feed,
    ):
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        stream = next(stream for symbol, stream in feed.streams.items() if symbol.name == "BTCUSDT")
        dropped = 0
        for number, count in enumerate((1, 10, 1000), 1):
            read_back = stream.tally.trades_filled
            await exchange.order("drop", market=market, stream="btcusdt@aggTrade", count=count)
            dropped += count
            while (await exchange.counters())["dropped"].get(f"{market}:btcusdt@aggTrade", 0) < dropped:
                await clock.sleep(0.2)
            lost = clock.monotonic()
            await until(partial(_has_filled, stream.tally, number), 10)
            assert clock.monotonic() - lost < 5
            assert stream.tally.trades_filled - read_back >= count  # more where the stream was taken for dead meanwhile
        await clock.sleep(65)
        assert not await wrong_bars(exchange, market, stream)
        assert (stream.tally.holes_lost, stream.tally.mismatched, feed.status.reconnects) == (0, 0, 0)


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_a_lost_closing_kline_is_asked_for(market: str) -> None:
    clock = Clock(10.0)
    async with (
        running_exchange("--seed", "44", "--speed", "10", "--rate", "5", "--symbols", "BTCUSDT") as exchange,
        running_feed(exchange, market, ["BTCUSDT"], clock) as feed,
    ):
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        (stream,) = feed.streams.values()
        await exchange.order("silence", market=market, stream="btcusdt@kline_1m")
        minutes = stream.frames[Timeframe.M1]
        begun = len(minutes)
        await until(lambda: len(minutes) >= begun + 2, 20)
        await until(lambda: minutes.bar(begun).state is BarState.CERTIFIED, 10)
        assert not await wrong_bars(exchange, market, stream)
        assert stream.tally.mismatched == 0


@pytest.mark.soak
@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_ten_thousand_lost_trades_are_read_back_within_a_minute(market: str) -> None:
    clock = Clock()
    async with (
        running_exchange("--seed", "43", "--rate", "200", "--symbols", "BTCUSDT") as exchange,
        running_feed(exchange, market, ["BTCUSDT"], clock) as feed,
    ):
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 30)
        (stream,) = feed.streams.values()
        read_back = stream.tally.trades_filled
        await exchange.order("drop", market=market, stream="btcusdt@aggTrade", count=10_000)
        while (await exchange.counters())["dropped"].get(f"{market}:btcusdt@aggTrade", 0) < 10_000:
            await clock.sleep(0.2)
        lost = clock.monotonic()
        await until(lambda: stream.is_complete and not stream.suspended and stream.tally.trades_filled - read_back >= 10_000, 60)
        seconds = clock.monotonic() - lost
        print(f"{market}: {stream.tally.trades_filled - read_back:,} read back within {seconds:.1f} s")  # noqa: T201 - a long run's word
        await clock.sleep(65)
        assert not await wrong_bars(exchange, market, stream)
        assert (stream.tally.holes_lost, feed.status.reconnects) == (0, 0)


async def test_placeholders_make_no_hole_and_stand_in_no_bar() -> None:
    speed = 10.0
    clock = Clock(speed)
    arguments = ("--seed", "42", "--speed", str(speed), "--rate", "5", "--placeholders", "0.1", "--symbols", *COINS)
    async with running_exchange(*arguments) as exchange, running_feed(exchange, "usdm", COINS, clock) as feed:
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        await clock.sleep(130)
        for stream in feed.streams.values():
            assert not await wrong_bars(exchange, "usdm", stream, counts=False)
            assert (stream.tally.holes_lost, stream.tally.holes_filled, stream.tally.mismatched) == (0, 0, 0)
