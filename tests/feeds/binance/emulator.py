"""A third party's exchange: as little of the protocol as a test wants, over loopback."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from quantui.clock import Clock
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.network import make_session
from quantui.feeds.binance.rest import Rest
from quantui.feeds.binance.venues import VENUES
from quantui.market.instruments import Instrument, Symbol

SPOT = VENUES["binance-spot"]
USDM = VENUES["binance-usdm"]
BTC = Instrument(Symbol("binance-spot", "BTCUSDT"), 2, 5)
INFO = {
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "filters": [
                {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"},
                {"filterType": "LOT_SIZE", "stepSize": "0.00001000"},
            ],
        }
    ]
}
Answer = Callable[[Mapping[str, str]], web.Response]


@dataclass(slots=True)
class Emulator:
    """What it answers, and what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    """By the last part of the path; everything else is 404."""
    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The `streams` of every socket."""
    said: list[dict[str, Any]] = field(default_factory=list)
    """Messages of the client."""
    said_at: list[float] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None
    """Comes before a handshake is answered."""
    greet: Callable[[web.WebSocketResponse], Awaitable[None]] | None = None
    """What a new socket is told; may close it."""

    @property
    def ws(self) -> str:
        """Base address of the sockets."""
        return self.url.replace("http", "ws", 1)

    def tell(self, path: str, body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer `path` with JSON, or with text as it is."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.answers[path] = lambda query: web.Response(text=text, status=status, headers=headers)

    def in_turn(self, path: str, *answers: Answer) -> None:
        """Answer `path` differently each time; the last answer stays."""
        left = list(answers)
        self.answers[path] = lambda query: (left.pop(0) if len(left) > 1 else left[0])(query)

    def count(self, path: str) -> int:
        """How often `path` was asked for."""
        return sum(asked == path for asked, _ in self.requests)

    async def send(self, stream: str, data: object) -> None:
        """A combined frame to every open socket."""
        text = json.dumps({"stream": stream, "data": data}, ensure_ascii=False)
        for socket in self.sockets:
            if not socket.closed:
                await socket.send_str(text)

    async def trade(self, number: int, time_ms: int, *, price: str = "100.00", symbol: str = "BTCUSDT", size: str = "0.5") -> None:
        """An aggTrade of one fill, its raw id that of the aggregate; with a field nobody knows."""
        event = {"e": "aggTrade", "E": time_ms, "s": symbol, "a": number, "p": price, "q": size}
        event |= {"f": number, "l": number, "T": time_ms, "m": False, "novel": [1]}
        await self.send(f"{symbol.lower()}@aggTrade", event)

    async def on_rest(self, request: web.Request) -> web.Response:
        path = request.path.rpartition("/")[2]
        self.requests.append((path, dict(request.query)))
        answer = self.answers.get(path)
        return answer(request.query) if answer else web.Response(status=404, text="not here")

    async def on_socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        if self.before is not None:
            await self.before()
        await socket.prepare(request)
        self.asked.append(request.query["streams"])
        self.sockets.append(socket)
        if self.greet is not None:
            await self.greet(socket)
        async for message in socket:
            self.said.append(json.loads(message.data))
            self.said_at.append(asyncio.get_running_loop().time())
            await socket.send_json({"result": None, "id": self.said[-1]["id"]})
        return socket


def row(number: int, time_ms: int, price: str = "100.00", size: str = "0.5") -> dict[str, object]:
    """A REST aggTrade of one fill."""
    return {"a": number, "p": price, "q": size, "f": number, "l": number, "T": time_ms, "m": False, "M": True}


def kline_row(open_ms: int, length_ms: int, price: str = "100.00", volume: str = "1", count: int = 1) -> list[object]:
    """A REST kline in which the price stood still."""
    end = open_ms + length_ms - 1
    return [open_ms, price, price, price, price, volume, end, "100", count, volume, "100", "0"]


@asynccontextmanager
async def running_emulator(tls: ssl.SSLContext | None = None) -> AsyncIterator[Emulator]:
    """An emulator that knows one symbol and nothing else; with `tls` as `https://localhost`."""
    emulator = Emulator()
    emulator.tell("exchangeInfo", INFO)
    app = web.Application()
    app.router.add_get("/stream", emulator.on_socket)
    app.router.add_get("/{path:.*}", emulator.on_rest)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    emulator.url = f"{'http://127.0.0.1' if tls is None else 'https://localhost'}:{runner.addresses[0][1]}"
    try:
        yield emulator
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running_rest(emulator: Emulator, clock: Clock | None = None) -> AsyncIterator[Rest]:
    """The client of its REST."""
    clock = clock or Clock()
    async with make_session(emulator.url) as session:
        yield Rest(session, SPOT, emulator.url, clock, Barrier(SPOT.name, clock))


async def until(predicate: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until `predicate()` holds; fails after so many real seconds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not predicate():
        assert asyncio.get_running_loop().time() < deadline, "it did not come about in time"
        await asyncio.sleep(0.01)


class StillClock(Clock):
    """Time that passes only while somebody sleeps, and then at once."""

    def __init__(self, now_ms: int) -> None:
        super().__init__()
        self.ms = now_ms
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds since 1970."""
        return self.ms / 1000

    def now_ms(self) -> int:
        """The time it stands at."""
        return self.ms

    async def sleep(self, seconds: float) -> None:
        """Go forward."""
        self.slept.append(seconds)
        self.ms += int(seconds * 1000)
        await asyncio.sleep(0)
