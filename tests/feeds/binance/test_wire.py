"""One WebSocket: whole messages, honest endings, proxies as the environment says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType, web

from quantui.feeds.binance import wire as module
from quantui.feeds.binance.wire import RefusedHandshakeError, Wire, WireError, connect
from tests.feeds.binance.emulator import Emulator, running_emulator, until


@asynccontextmanager
async def _wired(emulator: Emulator) -> AsyncIterator[tuple[Wire, list[bytes]]]:
    messages: list[bytes] = []
    wire = await connect(emulator.ws + "/stream?streams=a", messages.append)
    try:
        yield wire, messages
    finally:
        await wire.close()


async def _raw(emulator: Emulator, *frames: bytes) -> None:
    socket = emulator.sockets[0]
    assert socket._req is not None
    transport = socket._req.transport
    assert transport is not None
    for frame in frames:
        transport.write(frame)


async def test_a_message_in_pieces_arrives_whole_even_around_a_ping() -> None:
    async with running_emulator() as emulator, _wired(emulator) as (_, messages):
        await until(lambda: emulator.sockets)
        await _raw(emulator, b"\x01\x02ab", b"\x89\x01!", b"\x00\x01c", b"\x80\x01d", b"\x81\x02ef")
        await until(lambda: len(messages) == 2)
        assert messages == [b"abcd", b"ef"]


async def test_pieces_without_end_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MESSAGE_LIMIT", 200)
    async with running_emulator() as emulator, _wired(emulator) as (wire, messages):
        await until(lambda: emulator.sockets)
        await _raw(emulator, b"\x01\x64" + b"x" * 100, *[b"\x00\x64" + b"x" * 100] * 5)
        with pytest.raises(WireError, match="more than 200 bytes"):
            await wire.ended()
        assert messages == []


async def test_a_paused_wire_leaves_messages_in_the_kernel() -> None:
    async with running_emulator() as emulator, _wired(emulator) as (wire, messages):
        await until(lambda: emulator.sockets)
        wire.pause()
        await emulator.sockets[0].send_str("later")
        await asyncio.sleep(0.05)
        assert messages == []
        wire.resume()
        await until(lambda: messages == [b"later"])


async def test_the_close_code_of_the_exchange_is_kept() -> None:
    async with running_emulator() as emulator, _wired(emulator) as (wire, _):
        await until(lambda: emulator.sockets)
        await emulator.sockets[0].close(code=1008, message=b"too many messages")
        with pytest.raises(WireError, match="code 1008") as ended:
            await wire.ended()
        assert ended.value.code == 1008


async def test_a_cut_connection_and_rubbish_are_told_apart() -> None:
    async with running_emulator() as emulator, _wired(emulator) as (wire, _):
        await until(lambda: emulator.sockets)
        assert emulator.sockets[0]._req is not None
        transport = emulator.sockets[0]._req.transport
        assert transport is not None
        transport.abort()
        with pytest.raises(WireError, match="lost"):
            await wire.ended()
    async with running_emulator() as emulator, _wired(emulator) as (wire, _):
        await until(lambda: emulator.sockets)
        await _raw(emulator, b"\xff\x7f rubbish")
        with pytest.raises(WireError, match="broken frame"):
            await wire.ended()


async def test_a_refusal_keeps_its_status_and_headers() -> None:
    async with running_emulator() as emulator:
        emulator.tell("nowhere", "slow down", 429, {"Retry-After": "7"})
        with pytest.raises(RefusedHandshakeError) as refused:
            await connect(emulator.ws + "/nowhere", lambda message: None)
        assert refused.value.status == 429
        assert refused.value.headers["Retry-After"] == "7"


async def test_an_answer_that_is_no_handshake_is_an_error_of_the_wire() -> None:
    async def rubbish(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(rubbish, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(WireError):
            await connect(f"ws://127.0.0.1:{port}/stream", lambda message: None)


async def test_a_connection_lost_during_the_handshake_is_an_error_of_the_wire() -> None:
    async def bye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(bye, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises((WireError, OSError)):
            await connect(f"ws://127.0.0.1:{port}/stream", lambda message: None)


async def test_a_peer_that_does_not_answer_pings_is_given_up() -> None:
    async def deaf(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.PING
        return socket

    app = web.Application()
    app.router.add_get("/stream", deaf)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        wire = await connect(f"ws://127.0.0.1:{runner.addresses[0][1]}/stream", lambda message: None, speed=50.0)
        async with asyncio.timeout(5):
            with pytest.raises(WireError):
                await wire.ended()
    finally:
        await runner.cleanup()


async def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    done = asyncio.Event()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        target = head.split()[1].decode()
        asked.append(target)
        host, _, port = target.partition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))
        done.set()

    async with running_emulator() as emulator, await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with _wired(emulator) as (_, messages):
            await until(lambda: emulator.sockets)
            await emulator.sockets[0].send_str("through")
            await until(lambda: messages == [b"through"])
        await done.wait()
        assert asked == [emulator.url.removeprefix("http://")]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with _wired(emulator):
            await until(lambda: len(emulator.sockets) == 2)
        assert len(asked) == 1


async def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        writer.close()

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(WireError, match=r"the proxy refuses: .*407"):
            await connect("ws://198.51.100.1:9443/stream", lambda message: None)


async def test_an_exchange_that_accepts_and_says_nothing_is_given_up() -> None:
    hung_up = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()
        hung_up.set()

    async with asyncio.timeout(5), await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TimeoutError):
            await connect(f"ws://127.0.0.1:{port}/stream", lambda message: None, speed=50.0)
        await hung_up.wait()
