"""One socket of the exchange: its requests, its pings, its age, and the ways it can end."""

import asyncio
import contextlib
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from quantui.clock import Clock
from quantui.exchange.frames import PING, PONG, TEXT, frame
from quantui.exchange.limits import DOCUMENTED_LIMIT, MESSAGE_LIMIT, Account, Rolling
from quantui.exchange.listings import Market
from quantui.exchange.requests import Desk
from quantui.exchange.streams import Route

UNSENT_LIMIT = 32 << 20
"""A reader so slow that more waits for it is cut off."""
_POLICY = 1008
_DRIP_S = 0.3
_DRIP_BYTES = 1 << 20
_LINGER_0 = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds of exchange time (binance.md A4)."""

    ping: float
    pong: float
    life: float = 86_400.0
    cut: str = "1001"
    """How a socket ends after its life: `1001`, `1000`, or `rst` without CLOSE."""
    shutdown_notice: float | None = None
    """Spot only: `serverShutdown` is sent so long before the end."""


SPOT_TIMERS = Timers(ping=20.0, pong=60.0)
USDM_TIMERS = Timers(ping=180.0, pong=600.0)


@dataclass(eq=False, slots=True)
class Connection:
    """A socket between handshake and end."""

    market: Market
    route: Route
    unit: int
    socket: web.WebSocketResponse
    transport: asyncio.Transport
    desk: Desk
    clock: Clock
    exchange_ms: Callable[[], int]
    """Exchange time, which pings, notices and bans go by."""
    timers: Timers
    account: Account
    on_change: Callable[["Connection"], None]
    """Called when the subscriptions have changed."""
    sent: int = 0
    half_open: bool = False
    _opened: float = 0.0
    _pinged: float = 0.0
    _waiting: OrderedDict[bytes, float] = field(default_factory=OrderedDict)
    _noticed: bool = False
    _stalled_until: float = 0.0
    _stalled: list[bytes] = field(default_factory=list)
    _ending: bool = False
    _closing: asyncio.Task[None] | None = None
    _messages: Rolling = field(init=False)
    _documented: Rolling = field(init=False)

    def __post_init__(self) -> None:
        self._opened = self._pinged = self.clock.monotonic()
        self._messages = Rolling(MESSAGE_LIMIT[self.market], 1_000)
        self._documented = Rolling(DOCUMENTED_LIMIT[self.market], 1_000)

    @property
    def is_open(self) -> bool:
        """Whether frames may still be written."""
        return not (self._ending or self.half_open or self.transport.is_closing())

    @property
    def unsent(self) -> int:
        """Bytes handed to the transport that the kernel has not taken yet."""
        return 0 if self.transport.is_closing() else self.transport.get_write_buffer_size()

    def write(self, frames: bytes, count: int) -> None:
        """Hand whole frames to the transport; a reader too slow for them is cut off."""
        if self.is_open:
            self.sent += count
            self._stalled.append(frames)
            if self.clock.monotonic() < self._stalled_until:
                return
            self.transport.writelines(self._stalled)
            self._stalled.clear()
            if self.unsent > UNSENT_LIMIT:
                self.reset()

    def text(self, payload: str) -> None:
        """Send one text frame."""
        self.write(frame(payload.encode(), TEXT), 1)

    async def serve(self) -> None:
        """Read until the socket ends."""
        async for message in self.socket:
            if message.type is WSMsgType.ERROR:
                return
            if self.half_open:
                continue
            now = int(self.clock.monotonic() * 1000)
            is_documented = self._documented.take(now)
            if not self._messages.take(now):
                self.account.offend(self.exchange_ms())
                await self.close(_POLICY, "Too many requests")
                return
            if not is_documented:
                self.account.violations += 1
            if message.type is WSMsgType.PING:
                self.write(frame(bytes(message.data), PONG), 0)
            elif message.type is WSMsgType.PONG:
                self._ponged(bytes(message.data))
            elif message.type is WSMsgType.TEXT:
                await self._request(str(message.data))

    async def refuse(self, answer: str) -> None:
        """Say what is wrong with the address or a request and end."""
        self.text(answer)
        await self.close(_POLICY, "Invalid request")

    async def close(self, code: int, reason: str) -> None:
        """The WebSocket's own end: a CLOSE frame with code and reason, and a short wait for the client's."""
        self._ending = True
        with contextlib.suppress(ConnectionError):
            await self.socket.close(code=code, message=reason.encode())

    def close_soon(self, code: int, reason: str) -> None:
        """Begin to close; whoever serves the socket awaits the end."""
        if not self._ending:
            self._ending = True
            self._closing = asyncio.create_task(self.close(code, reason))

    async def closed(self) -> None:
        """Wait for a close that has begun."""
        if self._closing is not None:
            await self._closing

    def reset(self) -> None:
        """RST: what was not delivered is lost, no CLOSE frame."""
        self._ending = True
        raw = self.transport.get_extra_info("socket")
        if raw is not None and not self.transport.is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        self.transport.abort()

    def finish(self) -> None:
        """FIN without a CLOSE frame, after everything written is delivered."""
        self._ending = True
        self.transport.close()

    def tear(self) -> None:
        """FIN in the middle of a frame."""
        if self.is_open:
            whole = frame(b'{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade"}}')
            self.transport.write(whole[: len(whole) // 2])
        self.finish()

    def stall(self, seconds: float) -> None:
        """Nothing is sent for so many exchange seconds, then everything at once."""
        self._stalled_until = self.clock.monotonic() + seconds

    def freeze(self) -> None:
        """Half-open: nothing is sent or read any more, and nothing is closed."""
        self.half_open = True
        self.transport.pause_reading()

    def drip(self) -> None:
        """A frame begins that comes byte by byte, and nothing else any more."""
        if self.is_open:
            self.half_open = True
            self.transport.write(frame(bytes(_DRIP_BYTES))[:-_DRIP_BYTES])
            self._closing = asyncio.create_task(self._drip())

    async def _drip(self) -> None:
        while not self.transport.is_closing():
            self.transport.write(b"x")
            await self.clock.sleep(_DRIP_S)

    def keep(self) -> None:
        """Pings, pong deadlines and the 24 h cut; called now and then."""
        now, timers = self.clock.monotonic(), self.timers
        if not self.is_open:
            return
        if self._stalled:
            self.write(b"", 0)
        if now - self._pinged >= timers.ping:
            self._pinged = now
            payload = str(self.exchange_ms()).encode()
            self._waiting[payload] = now
            self.write(frame(payload, PING), 0)
        age = now - self._opened
        if self._waiting and now - next(iter(self._waiting.values())) >= timers.pong:
            self.close_soon(_POLICY, "Pong timeout")
        elif age >= timers.life:
            if timers.cut == "rst":
                self.reset()
            else:
                self.close_soon(int(timers.cut), "going away" if timers.cut == "1001" else "")
        elif timers.shutdown_notice is not None and not self._noticed and age >= timers.life - timers.shutdown_notice:
            self._noticed = True
            data = f'{{"e":"serverShutdown","E":{self.exchange_ms() * self.unit}}}'
            self.text(f'{{"stream":"!serverShutdown","data":{data}}}' if self.desk.combined else data)

    def _ponged(self, payload: bytes) -> None:
        """Only a pong with the payload of a ping counts; it answers the earlier ones too. Others are allowed and mean nothing."""
        if payload in self._waiting:
            self.account.slowest_pong_s = max(self.account.slowest_pong_s, self.clock.monotonic() - self._waiting[payload])
            while self._waiting.popitem(last=False)[0] != payload:
                pass

    async def _request(self, text: str) -> None:
        answer, fatal = self.desk.answer(text)
        if fatal:
            await self.refuse(answer)
            return
        self.on_change(self)
        self.text(answer)
