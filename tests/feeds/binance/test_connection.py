"""One socket kept alive: what is asked for, when it is given up, how it comes back."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from aiohttp import web

from quantui.clock import Clock
from quantui.feeds.binance import wire as module
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.connection import Connection
from tests.feeds.binance.emulator import running_emulator, until

NAMES = ("btcusdt@aggTrade", "ethusdt@aggTrade")


class Watched:
    """A connection and everything it gave."""

    def __init__(self, url: str, clock: Clock, names: Sequence[str]) -> None:
        self.frames: list[bytes] = []
        self.connects = 0
        self.idles = 0
        self.barrier = Barrier("spot", clock)
        self.connection = Connection(
            url,
            clock,
            self.barrier,
            self.frames.extend,
            self._idle,
            self._connected,
            rng=random.Random(1),
            names=dict.fromkeys(names),
        )
        self.state = self.connection.state

    def _idle(self) -> None:
        self.idles += 1

    async def _connected(self) -> None:
        self.connects += 1


@asynccontextmanager
async def _watched(url: str, clock: Clock | None = None, names: Sequence[str] = NAMES) -> AsyncIterator[Watched]:
    watched = Watched(url, clock or Clock(), names)
    task = asyncio.create_task(watched.connection.run())
    try:
        yield watched
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_streams_stand_in_the_address_and_a_name_in_chinese_arrives_as_it_is() -> None:
    async with (
        running_emulator() as emulator,
        _watched(emulator.ws, names=("币安人生usdt@aggTrade", "btcusdt@aggTrade")) as watched,
    ):
        await until(lambda: watched.state.connected)
        assert emulator.asked == ["币安人生usdt@aggTrade/btcusdt@aggTrade"]
        await emulator.send("币安人生usdt@aggTrade", {"s": "币安人生USDT"})
        await until(lambda: watched.frames)
        assert "币安人生USDT".encode() in watched.frames[0]
        assert watched.state.spoken
        assert emulator.said == []


@pytest.mark.parametrize("code", [1000, 1001, 1007, 1009, 1011, 1012])
async def test_a_closed_connection_comes_back_within_a_second_and_says_why(code: int) -> None:
    async with running_emulator() as emulator, _watched(emulator.ws) as watched:
        await until(lambda: watched.state.connected)
        await emulator.send("btcusdt@aggTrade", {})
        await until(lambda: watched.state.spoken)
        began = watched.connection.clock.monotonic()
        await emulator.sockets[0].close(code=code)
        await until(lambda: watched.state.connects == 2)
        assert watched.connection.clock.monotonic() - began < 1.5
        assert f"code {code}" in watched.state.error
        assert watched.connects == 2
        assert watched.idles >= 2


async def test_after_a_broken_rule_five_seconds_pass() -> None:
    clock = Clock(10.0)
    async with running_emulator() as emulator, _watched(emulator.ws, clock) as watched:
        await until(lambda: watched.state.connected)
        await emulator.sockets[0].close(code=1008)
        began = clock.monotonic()
        await until(lambda: watched.state.connects == 2)
        assert 5.0 <= clock.monotonic() - began <= 12.0


async def test_an_exchange_that_hangs_up_at_once_is_not_stormed() -> None:
    times: list[float] = []

    async def bye(socket: web.WebSocketResponse) -> None:
        times.append(clock.monotonic())
        await socket.send_str("{}")
        await socket.close()

    clock = Clock(30.0)
    async with running_emulator() as emulator:
        emulator.greet = bye
        async with _watched(emulator.ws, clock):
            await until(lambda: len(times) == 11)
    assert times[10] - times[0] > 59.0, "more than ten tries in a minute"
    assert times[2] - times[0] < 10.0, "an exchange that had spoken is tried again soon"


async def test_tries_of_all_connections_together_are_rationed() -> None:
    clock = Clock(30.0)
    async with running_emulator() as emulator, _watched(emulator.ws, clock, ()) as watched:
        for _ in range(60):
            watched.barrier.ration.spend(clock.monotonic())
        watched.connection.subscribe(NAMES)
        await asyncio.sleep(0.3)
        assert emulator.asked == []


async def test_a_refused_handshake_closes_the_barrier_and_is_not_repeated() -> None:
    async with running_emulator() as emulator:
        clock = Clock(20.0)
        async with _watched(emulator.ws + "/nowhere", clock) as watched:
            emulator.tell("stream", "restricted", 451)
            await until(lambda: watched.barrier.detail)
            assert "451" in watched.barrier.detail
            asked = emulator.count("stream")
            await clock.sleep(20)
            assert emulator.count("stream") == asked
            assert "451" in watched.state.error


async def test_another_refusal_of_the_handshake_is_tried_again() -> None:
    async with running_emulator() as emulator, _watched(emulator.ws + "/nowhere", Clock(20.0)) as watched:
        await until(lambda: emulator.count("stream") >= 3)
        assert "answered 404" in watched.state.error
        assert not watched.barrier.detail


async def test_nobody_there_is_said_and_tried_again() -> None:
    async with running_emulator() as emulator:
        url = emulator.ws
    async with _watched(url, Clock(20.0)) as watched:
        await until(lambda: watched.state.attempts >= 3)
        assert url in watched.state.error
        assert not watched.state.connected


async def test_a_name_that_nobody_knows_is_said_and_tried_again() -> None:
    async with _watched("ws://exchange.invalid", Clock(20.0)) as watched:
        await until(lambda: watched.state.attempts >= 3)
        assert "exchange.invalid" in watched.state.error


async def test_a_connection_that_never_speaks_is_given_up_and_the_route_is_named() -> None:
    clock = Clock(20.0)
    async with running_emulator() as emulator, _watched(emulator.ws, clock) as watched:
        await until(lambda: watched.state.connected)
        began = clock.monotonic()
        await until(lambda: watched.state.connects == 2)
        assert 14 < clock.monotonic() - began < 20
        assert "/market" in watched.state.error


async def test_a_trickle_of_bytes_is_not_a_message() -> None:
    """A frame is begun after the handshake and goes on byte by byte, for ever."""

    async def drip(socket: web.WebSocketResponse) -> None:
        emulator.greet = None  # the next connection stays silent, so that why the first one ended can still be read
        await socket.send_str("{}")
        assert socket._req is not None
        transport = socket._req.transport
        assert transport is not None
        transport.write(b"\x81\x7f" + (1 << 20).to_bytes(8, "big"))
        while not transport.is_closing():
            transport.write(b"x")
            await asyncio.sleep(0.02)

    clock = Clock(20.0)
    async with running_emulator() as emulator:
        emulator.greet = drip
        async with _watched(emulator.ws, clock) as watched:
            await until(lambda: watched.state.spoken)
            began = clock.monotonic()
            await until(lambda: not watched.state.connected)
            assert 13 < clock.monotonic() - began <= 15
            await until(lambda: watched.state.connects == 2)
            assert "no complete message" in watched.state.error


async def test_a_frame_beyond_the_limit_ends_the_connection_not_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MESSAGE_LIMIT", 1000)
    async with running_emulator() as emulator, _watched(emulator.ws) as watched:
        await until(lambda: watched.state.connected)
        await emulator.sockets[0].send_str("x" * 2000)
        await until(lambda: watched.state.connects == 2)
        assert watched.frames == []


async def test_changes_are_asked_for_one_at_a_time_half_a_second_apart() -> None:
    async with running_emulator() as emulator, _watched(emulator.ws) as watched:
        await until(lambda: watched.state.connected)
        watched.connection.subscribe([f"coin{n}usdt@aggTrade" for n in range(150)])
        watched.connection.unsubscribe([NAMES[0], "never@aggTrade"])
        watched.connection.subscribe([NAMES[1]])
        await until(lambda: len(emulator.said) == 3)
        assert [(said["method"], len(said["params"])) for said in emulator.said] == [
            ("SUBSCRIBE", 100), ("SUBSCRIBE", 50), ("UNSUBSCRIBE", 1),
        ]  # fmt: skip
        assert [said["id"] for said in emulator.said] == [1, 2, 3]
        assert all(later - earlier >= 0.49 for earlier, later in pairwise(emulator.said_at))
        assert NAMES[0] not in watched.connection.names


async def test_silent_streams_are_asked_for_again_but_requests_do_not_pile_up() -> None:
    async with running_emulator() as emulator, _watched(emulator.ws) as watched:
        await until(lambda: watched.state.connected)
        for _ in range(50):
            watched.connection.resubscribe([NAMES[0]])
        await until(lambda: len(emulator.said) == 2)
        assert [said["method"] for said in emulator.said] == ["UNSUBSCRIBE", "SUBSCRIBE"]
        assert len(watched.connection._changes) == 0


async def test_what_changes_while_connecting_is_asked_for_afterwards() -> None:
    async with running_emulator() as emulator:
        slow = asyncio.Event()

        async def wait(*_: object) -> None:
            slow.set()
            await go_on.wait()

        go_on = asyncio.Event()
        emulator.before = wait
        async with _watched(emulator.ws, names=NAMES) as watched:
            await slow.wait()
            watched.connection.subscribe(["solusdt@aggTrade"])
            watched.connection.unsubscribe([NAMES[0]])
            go_on.set()
            await until(lambda: len(emulator.said) == 2)
            assert emulator.asked == ["/".join(NAMES)]
            assert [(said["method"], said["params"]) for said in emulator.said] == [
                ("UNSUBSCRIBE", [NAMES[0]]), ("SUBSCRIBE", ["solusdt@aggTrade"]),
            ]  # fmt: skip


async def test_without_wanted_streams_nothing_is_connected() -> None:
    clock = Clock(20.0)
    async with running_emulator() as emulator, _watched(emulator.ws, clock, ()) as watched:
        await clock.sleep(5)
        assert emulator.asked == []
        watched.connection.subscribe(NAMES)
        await until(lambda: watched.state.connected)
        assert emulator.asked == ["/".join(NAMES)]


async def test_a_connection_can_be_given_up_on_order() -> None:
    async with running_emulator() as emulator, _watched(emulator.ws) as watched:
        await until(lambda: watched.state.connected)
        watched.connection.reconnect("somebody wants it")
        await until(lambda: watched.state.connects == 2)
        assert "somebody wants it" in watched.state.error
