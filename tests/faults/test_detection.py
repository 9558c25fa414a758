"""How soon a fault is noticed, in exchange seconds: the times of docs/reliability.md."""

from functools import partial

import pytest

from quantui.clock import Clock
from quantui.feeds.binance.connection import Connection
from tests.faults.exchange import running_exchange, running_feed, until

COINS = ("BTCUSDT", "ETHUSDT")


def _is_gone(connection: Connection, connects: int) -> bool:
    return not connection.state.connected or connection.state.connects > connects


@pytest.mark.parametrize(
    ("market", "fault", "within_s", "speed"),
    [
        ("spot", "rst", 1.0, 1.0),
        ("usdm", "fin", 1.0, 1.0),
        ("spot", "half_open", 15.0, 5.0),
        ("usdm", "drip", 15.0, 5.0),
        ("usdm", "silence", 30.0, 5.0),
        ("spot", "silence", 30.0, 5.0),
    ],
)
async def test_a_fault_is_noticed_in_time(market: str, fault: str, within_s: float, speed: float) -> None:
    clock = Clock(speed)
    async with (
        running_exchange("--seed", "81", "--speed", str(speed), "--rate", "10", "--symbols", *COINS) as exchange,
        running_feed(exchange, market, COINS, clock) as feed,
    ):
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        connection, connects = feed.connections[0], feed.connections[0].state.connects
        (stream,) = [stream for symbol, stream in feed.streams.items() if symbol.name == "BTCUSDT"]
        begun, asked = clock.monotonic(), stream.interruptions
        if fault == "silence":
            await exchange.order("silence", market=market, stream="btcusdt@aggTrade")
            await until(lambda: stream.interruptions > asked, 20)
        elif fault in ("half_open", "drip"):
            await exchange.order(fault, market=market)
            await until(partial(_is_gone, connection, connects), 20)
        else:
            await exchange.order("disconnect", market=market, how=fault)
            await until(partial(_is_gone, connection, connects), 20)
        noticed = clock.monotonic() - begun
        print(f"{fault}: noticed after {noticed:.2f} s")  # noqa: T201 - a row of docs/reliability.md
        assert noticed <= within_s
        if fault != "silence":
            await until(lambda: connection.state.connects > connects, 20)
            print(f"{fault}: connected again after {clock.monotonic() - begun:.2f} s")  # noqa: T201 - a row of docs/reliability.md
