"""How frames are read: gathered while traffic is moderate, never dropped in a burst."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from quantui.clock import Clock
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.connection import QUEUE_LIMIT, Connection

_Play = Callable[[web.WebSocketResponse], Awaitable[None]]
_DEADLINE_S = 20.0


@asynccontextmanager
async def _served(play: _Play) -> AsyncIterator[str]:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await play(socket)
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/stream", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _receive(play: _Play, wanted: int) -> tuple[list[int], list[bytes]]:
    """The sizes of the batches, and the frames."""
    batches: list[int] = []
    received: list[bytes] = []
    complete = asyncio.Event()

    def take(frames: Sequence[bytes]) -> None:
        batches.append(len(frames))
        received.extend(frames)
        if len(received) >= wanted:
            complete.set()

    async def connected() -> None:
        return

    clock = Clock()
    async with _served(play) as url:
        connection = Connection(url, clock, Barrier("test", clock), take, lambda: None, connected, names={"a@aggTrade": None})
        task = asyncio.create_task(connection.run())
        async with asyncio.timeout(_DEADLINE_S):
            await complete.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return batches, received


async def test_a_burst_longer_than_the_queue_loses_nothing_and_keeps_its_order() -> None:
    count = QUEUE_LIMIT + 20_000

    async def play(socket: web.WebSocketResponse) -> None:
        for number in range(count):
            await socket.send_str(str(number))

    _, received = await _receive(play, count)
    assert received == [b"%d" % number for number in range(count)]


async def test_moderate_traffic_is_applied_in_gathered_batches() -> None:
    count = 500

    async def play(socket: web.WebSocketResponse) -> None:
        for number in range(count):
            await socket.send_str(str(number))
            await asyncio.sleep(0.001)

    batches, received = await _receive(play, count)
    assert len(received) == count
    assert len(batches) < count / 5
