"""One socket takes over from another before the exchange cuts it, and nothing is missed in between."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from quantui.clock import Clock
from quantui.feeds.binance import succession
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.connection import Connection
from tests.feeds.binance.emulator import Emulator, running_emulator, until

SPEED = 20.0
LIFE_S = 30.0
NAMES = ("btcusdt@aggTrade", "ethusdt@aggTrade")


class Watched:
    """A connection whose sockets live for thirty seconds, and everything it gave."""

    def __init__(self, emulator: Emulator, names: Sequence[str]) -> None:
        self.frames: list[bytes] = []
        self.connects = 0
        self.is_complete = True
        clock = Clock(SPEED)
        self.connection = Connection(
            emulator.ws, clock, Barrier("spot", clock), self.frames.extend, lambda: None, self._connected,
            is_complete=lambda: self.is_complete, rng=random.Random(1), names=dict.fromkeys(names),
        )  # fmt: skip
        self.clock, self.state = clock, self.connection.state

    async def _connected(self) -> None:
        self.connects += 1


@asynccontextmanager
async def _watched(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(succession, "LIFE_S", LIFE_S)
    watched = Watched(emulator, NAMES)
    running = asyncio.create_task(watched.connection.run())
    speaking = asyncio.create_task(_speak(emulator))
    try:
        yield watched
        assert not running.done(), running.exception()
        assert not speaking.done(), speaking.exception()
    finally:
        for task in (running, speaking):
            task.cancel()
        await asyncio.gather(running, speaking, return_exceptions=True)


async def _speak(emulator: Emulator) -> None:
    """A numbered message to every open socket, ten a real second."""
    number = 0
    while True:
        number += 1
        await emulator.send(NAMES[0], number)
        await asyncio.sleep(0.02)


def _open(emulator: Emulator) -> int:
    return sum(not socket.closed for socket in emulator.sockets)


def _numbers(watched: Watched) -> set[int]:
    return {int(frame.rpartition(b":")[2].rstrip(b"} ")) for frame in watched.frames}


async def test_the_next_socket_takes_over_and_nothing_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_emulator() as emulator, _watched(emulator, monkeypatch) as watched:
        await until(lambda: len(emulator.sockets) == 4)
        await until(lambda: _open(emulator) == 1)
        assert watched.connects == watched.state.connects == 1, "a takeover is no reconnection"
        numbers = _numbers(watched)
        assert numbers == set(range(min(numbers), max(numbers) + 1))
        assert watched.state.connected


async def test_both_deliver_until_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_emulator() as emulator, _watched(emulator, monkeypatch) as watched:
        watched.is_complete = False
        await until(lambda: _open(emulator) == 2)
        began = watched.clock.monotonic()
        await watched.clock.sleep(20)
        assert _open(emulator) == 2
        assert watched.connection.is_overlapping
        watched.is_complete = True
        await until(lambda: _open(emulator) == 1)
        assert watched.clock.monotonic() - began < 60


async def test_an_overlap_ends_within_a_minute_whatever_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_emulator() as emulator, _watched(emulator, monkeypatch) as watched:
        watched.is_complete = False
        await until(lambda: _open(emulator) == 2)
        began = watched.clock.monotonic()
        await until(lambda: not watched.connection.is_overlapping)
        assert watched.clock.monotonic() - began < 60


async def test_an_announced_end_makes_the_next_socket_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(succession, "_RETRY_S", 1e6)
    async with running_emulator() as emulator, _watched(emulator, monkeypatch) as watched:
        await until(lambda: watched.state.spoken)
        began = watched.clock.monotonic()
        watched.connection.announced()
        await until(lambda: len(emulator.sockets) == 2)
        assert watched.clock.monotonic() - began < 5


async def test_sockets_that_are_all_told_to_go_do_not_chase_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_emulator() as emulator, _watched(emulator, monkeypatch) as watched:
        monkeypatch.setattr(succession, "LIFE_S", 1e6)
        await until(lambda: watched.state.spoken)
        watched.connection.announced()
        await until(lambda: len(emulator.sockets) == 2)
        await until(lambda: not watched.connection.is_overlapping)
        began = watched.clock.monotonic()
        watched.connection.announced()
        await until(lambda: len(emulator.sockets) == 3)
        assert watched.clock.monotonic() - began > 50


async def test_a_socket_that_ends_during_the_overlap_leaves_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_emulator() as emulator, _watched(emulator, monkeypatch) as watched:
        watched.is_complete = False
        await until(lambda: _open(emulator) == 2)
        await emulator.sockets[0].close(code=1001)
        await until(lambda: not watched.connection.is_overlapping)
        watched.is_complete = True
        assert watched.connects == 1
        await until(lambda: len(emulator.sockets) >= 4)
        assert watched.connects == 1


async def test_an_heir_that_cannot_come_leaves_the_present_socket_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(succession, "_RETRY_S", 10.0)
    refusals = 0

    async def refuse() -> None:
        nonlocal refusals
        refusals += 1
        raise ConnectionError("no")

    async with running_emulator() as emulator, _watched(emulator, monkeypatch) as watched:
        await until(lambda: watched.state.spoken)
        emulator.before = refuse
        await until(lambda: refusals >= 2)
        assert _open(emulator) == 1
        assert watched.state.connected
        emulator.before = None
        await until(lambda: len(emulator.sockets) == 2)
        await until(lambda: _open(emulator) == 1)
        assert watched.connects == 1


async def test_what_is_asked_for_during_the_overlap_is_said_to_the_heir_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_emulator() as emulator, _watched(emulator, monkeypatch) as watched:
        watched.is_complete = False
        await until(lambda: _open(emulator) == 2)
        watched.connection.subscribe(["solusdt@aggTrade"])
        watched.connection.unsubscribe([NAMES[1]])
        await watched.clock.sleep(5)
        assert emulator.said == []
        watched.is_complete = True
        await until(lambda: len(emulator.said) == 2)
        assert [(said["method"], said["params"]) for said in emulator.said] == [
            ("UNSUBSCRIBE", [NAMES[1]]), ("SUBSCRIBE", ["solusdt@aggTrade"]),
        ]  # fmt: skip
        await until(lambda: len(emulator.asked) == 3)
        assert emulator.asked[2] == f"{NAMES[0]}/solusdt@aggTrade"
