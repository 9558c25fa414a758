"""A running exchange, small tapes made by hand, and sockets to read."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
import pytest

from quantui.clock import Clock
from quantui.exchange.connection import Timers
from quantui.exchange.control import Control
from quantui.exchange.generated import Halt, generated_tapes
from quantui.exchange.listings import Listing, Market
from quantui.exchange.prices import COINS
from quantui.exchange.recorded import RecordedTape
from quantui.exchange.server import EmbeddedExchange
from quantui.exchange.tape import Tape
from quantui.exchange.trades import Trades

DEADLINE_S = 8.0
Json = Any
"""What a frame or an answer holds: the assertions say."""
Row = tuple[int, int, int, int, bool]
"""Id, time in ms, price, quantity, buyer is maker."""


def hand_made(market: Market, rows: Sequence[Row], kinds: Sequence[int] | None = None, symbol: str = "BTCUSDT") -> RecordedTape:
    """A tape of these trades: prices with 2 decimals, quantities with 3."""
    ids, times, prices, quantities = (np.array([row[i] for row in rows], np.int64) for i in range(4))
    maker = np.array([row[4] for row in rows], np.bool_)
    kind = np.array(kinds or [0] * len(rows), np.uint8)
    return RecordedTape(Listing(market, symbol, 2, 3), Trades(ids, times, prices, quantities, maker, kind))


class Socket:
    """A client socket that hands out parsed frames."""

    def __init__(self, inner: aiohttp.ClientWebSocketResponse) -> None:
        self.inner = inner

    async def ask(self, method: str, params: Sequence[object] | None = None, request_id: object = 1) -> dict[str, Any]:
        """Send a request and return the answer, leaving data frames out."""
        request: dict[str, object] = {"method": method, "id": request_id}
        if params is not None:
            request["params"] = list(params)
        await self.inner.send_str(json.dumps(request))
        answer: dict[str, Any] = await self.until(lambda frame: isinstance(frame, dict) and ("result" in frame or "error" in frame))
        return answer

    async def frame(self, timeout: float = DEADLINE_S) -> Json:
        """The next frame, parsed; None where the exchange has ended the connection."""
        message = await self.inner.receive(timeout=timeout)
        return json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else None

    async def until(self, wanted: Callable[[Any], bool]) -> Json:
        """The first frame that is wanted."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                frame = await self.frame()
                assert frame is not None, f"closed with {self.inner.close_code} before the frame"
                if wanted(frame):
                    return frame

    async def frames_for(self, seconds: float) -> list[Any]:
        """All frames of so many seconds."""
        found: list[Any] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (frame := await self.frame()) is not None:
                    found.append(frame)
        return found

    async def end(self) -> int | None:
        """Read until the exchange ends the connection; its close code (1006: without CLOSE)."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = await self.inner.receive()
                if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                    return self.inner.close_code


@dataclass
class Venue:
    """A running exchange and a client session."""

    exchange: EmbeddedExchange
    session: aiohttp.ClientSession

    @property
    def control(self) -> Control:
        return Control(self.exchange)

    async def socket(self, base: str, *, autoping: bool = True) -> Socket:
        return Socket(await self.session.ws_connect(base, autoping=autoping))

    async def get(self, market: Market, path: str, **headers: str) -> tuple[int, Json, Mapping[str, str]]:
        """(status, parsed JSON or text, headers)."""
        addresses = self.exchange.addresses
        base = addresses.spot_rest + "/api/v3" if market is Market.SPOT else addresses.usdm_rest + "/fapi/v1"
        async with self.session.get(f"{base}/{path}", headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type == "application/json" else text, answer.headers


Start = Callable[..., "contextlib.AbstractAsyncContextManager[Venue]"]


@contextlib.asynccontextmanager
async def running(
    *,
    speed: float = 1.0,
    tapes: Sequence[Tape] = (),
    start_ms: int | None = None,
    timers: Mapping[Market, Timers] | None = None,
    weight_limits: Mapping[Market, int] | None = None,
    flat_errors: bool = False,
    rate: float = 3.0,
    dummy_every: int = 0,
    halts: Sequence[Halt] = (),
) -> AsyncIterator[Venue]:
    """An exchange with a generated tape of four coins, unless `tapes` are given."""
    clock = Clock(speed)
    coins = (*COINS[:3], COINS[-1])
    tapes = tapes or generated_tapes(7, clock.now_ms(), coins, rate=rate, dummy_every=dummy_every, halts=halts)
    exchange = EmbeddedExchange(
        tapes, clock, start_ms=start_ms, timers=timers, weight_limits=weight_limits, flat_errors=flat_errors
    )
    await exchange.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Venue(exchange, session)
    finally:
        await exchange.close()


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    """The plain exchange at real speed."""
    async with running() as one:
        yield one


@pytest.fixture
def started() -> Start:
    """Starts an exchange with options."""
    return running
