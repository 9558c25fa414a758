"""R-28 and R-30: names that are not found, slow or half dead, and proxies; nothing but the way to the exchange is faulty."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from quantui.clock import Clock
from quantui.feeds.binance.feed import BinanceFeed
from tests.faults.exchange import Exchange, running_exchange, running_feed, until, wrong_bars

NAME = "exchange.test"
HERE = "127.0.0.1"
SPEED = 8.0
COINS = ("BTCUSDT", "ETHUSDT")
ARGUMENTS = ("--seed", "61", "--speed", str(SPEED), "--rate", "5", "--symbols", *COINS)
SECRET = "hunter2"

Resolve = Callable[[str], Awaitable[list[str]]]


def _resolving(monkeypatch: pytest.MonkeyPatch, resolve: Resolve) -> None:
    """Names of this test are looked up by `resolve`."""
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def getaddrinfo(host: str, port: int, **options: int) -> list[Any]:
        if host != NAME:
            return await real(host, port, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (found, port)) for found in await resolve(host)]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)


def _named(exchange: Exchange) -> Exchange:
    """The exchange by a name instead of an address."""
    return replace(exchange, addresses={key: address.replace(HERE, NAME) for key, address in exchange.addresses.items()})


def _is_live(feed: BinanceFeed) -> bool:
    return feed.status.link == "live" and all(stream.is_complete and not stream.suspended for stream in feed.streams.values())


async def _bars_are_right(exchange: Exchange, feed: BinanceFeed, clock: Clock) -> None:
    await clock.sleep(65)
    for stream in feed.streams.values():
        assert not await wrong_bars(exchange, "usdm", stream)


async def test_a_name_that_is_not_found_is_said_and_found_within_five_seconds_once_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_known, clock = asyncio.Event(), Clock(SPEED)

    async def resolve(_: str) -> list[str]:
        if not is_known.is_set():
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [HERE]

    _resolving(monkeypatch, resolve)
    async with running_exchange(*ARGUMENTS) as exchange, running_feed(_named(exchange), "usdm", COINS, clock) as feed:
        for _ in range(2):
            await clock.sleep(30)
            assert feed.status.link in ("offline", "reconnecting")
            assert "name is not found" in feed.status.detail
            is_known.set()
            again = clock.monotonic()
            await until(lambda: bool(feed.connections) and feed.connections[0].state.connected, 20)
            assert clock.monotonic() - again <= 5
            await until(lambda: _is_live(feed), 20)
            is_known.clear()
            await exchange.order("disconnect", market="usdm")
        is_known.set()
        await until(lambda: _is_live(feed), 20)
        await _bars_are_right(exchange, feed, clock)


@asynccontextmanager
async def _black_hole(address: str, port: int) -> AsyncIterator[None]:
    """An address that takes no connection and refuses none."""
    with closing(socket.socket()) as listening, contextlib.ExitStack() as stack:
        listening.bind((address, port))
        listening.listen(0)
        for _ in range(3):  # the queue is full now: whoever comes next is not answered
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((address, port))
        yield


async def test_a_dead_first_address_does_not_keep_us_from_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    dead, clock = "127.0.0.2", Clock()

    async def resolve(_: str) -> list[str]:
        return [dead, HERE]

    _resolving(monkeypatch, resolve)
    async with running_exchange(*ARGUMENTS[:2], *ARGUMENTS[6:]) as exchange, contextlib.AsyncExitStack() as stack:
        ports = {address.split(":")[2].split("/")[0] for address in exchange.addresses.values()}
        for port in ports:
            await stack.enter_async_context(_black_hole(dead, int(port)))
        feed = await stack.enter_async_context(running_feed(_named(exchange), "usdm", COINS, clock))
        await until(lambda: _is_live(feed), 10)


async def test_a_slow_resolver_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, clock = list[float](), Clock(20.0)

    async def resolve(_: str) -> list[str]:
        asked.append(clock.monotonic())
        await clock.sleep(8)
        return [HERE]

    _resolving(monkeypatch, resolve)
    arguments = ("--seed", "61", "--speed", "20", "--symbols", *COINS)
    async with running_exchange(*arguments) as exchange, running_feed(_named(exchange), "usdm", COINS, clock) as feed:
        latest = asyncio.get_running_loop().time()
        while not _is_live(feed):
            await asyncio.sleep(0.01)
            now = asyncio.get_running_loop().time()
            assert now - latest < 0.5, "the loop stood still"
            latest = now
        assert asked


@dataclass(slots=True)
class Socks:
    """A SOCKS5 proxy (RFC 1928, RFC 1929)."""

    password: str = ""
    """Wanted of user `quant`; empty: nobody is asked."""
    is_refusing: bool = False
    asked: list[str] = field(default_factory=list)
    pipes: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), closing(writer):
            await reader.readexactly((await reader.readexactly(2))[1])
            writer.write(b"\x05\x02" if self.password else b"\x05\x00")
            if self.password and not await self._is_known(reader, writer):
                return
            _, _, _, kind = await reader.readexactly(4)
            host = socket.inet_ntoa(await reader.readexactly(4)) if kind == 1 else await _text(reader)
            (port,) = struct.unpack(">H", await reader.readexactly(2))
            self.asked.append(host)
            if self.is_refusing:
                writer.write(b"\x05\x02\x00\x01" + bytes(6))
                return
            far_reader, far_writer = await asyncio.open_connection(HERE, port)
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            self.pipes |= {writer, far_writer}
            await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer))

    async def _is_known(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await reader.readexactly(1)
        is_known = [await _text(reader), await _text(reader)] == ["quant", self.password]
        writer.write(b"\x01\x00" if is_known else b"\x01\x01")
        return is_known

    def die(self) -> None:
        """Cut whoever is connected."""
        for pipe in self.pipes:
            pipe.transport.abort()
        self.pipes.clear()


async def _text(reader: asyncio.StreamReader) -> str:
    return (await reader.readexactly((await reader.readexactly(1))[0])).decode()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError), closing(writer):
        while data := await reader.read(65536):
            writer.write(data)


@asynccontextmanager
async def _running_socks(monkeypatch: pytest.MonkeyPatch, said: str = "", wanted: str = "") -> AsyncIterator[Socks]:
    """The proxy, named by the environment with the user and password `said`."""
    proxy = Socks(wanted)
    async with await asyncio.start_server(proxy.serve, HERE, 0) as server:
        for name in ("no_proxy", "NO_PROXY", "http_proxy", "ws_proxy", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        user = f"quant:{said}@" if said else ""
        monkeypatch.setenv("all_proxy", f"socks5h://{user}{HERE}:{server.sockets[0].getsockname()[1]}")
        yield proxy
        proxy.die()


async def test_sockets_and_rest_go_through_a_socks_proxy_which_may_die(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(SPEED)
    async with (
        running_exchange(*ARGUMENTS) as exchange,
        _running_socks(monkeypatch, SECRET, SECRET) as proxy,
        running_feed(_named(exchange), "usdm", COINS, clock) as feed,
    ):
        await until(lambda: _is_live(feed), 20)
        assert set(proxy.asked) == {NAME}, "the proxy looks the name up"
        before = feed.status.reconnects
        proxy.die()
        died = clock.monotonic()
        await until(lambda: feed.status.reconnects > before and _is_live(feed), 20)
        assert clock.monotonic() - died < 10
        await _bars_are_right(exchange, feed, clock)


@pytest.mark.parametrize("fault", ["refuses", "wrong password", "is not there"])
async def test_a_proxy_in_the_way_is_named_without_its_password(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(SPEED)
    async with running_exchange(*ARGUMENTS) as exchange, _running_socks(monkeypatch, SECRET, "other") as proxy:
        proxy.is_refusing = fault == "refuses"
        proxy.password = "" if proxy.is_refusing else "other"
        if fault == "is not there":
            monkeypatch.setenv("all_proxy", f"socks5://quant:{SECRET}@{HERE}:9")
        async with running_feed(_named(exchange), "usdm", COINS, clock) as feed:
            await until(lambda: feed.status.link == "offline", 20)
            assert "proxy" in feed.status.detail
            assert SECRET not in feed.status.detail
            monkeypatch.delenv("all_proxy")
