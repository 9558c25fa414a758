"""Binance's REST API as far as quantui reads it, within its weights."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import aiohttp
import msgspec

from quantui.clock import Clock
from quantui.feeds.binance import codec
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.info import ExchangeInfo, decode_exchange_info
from quantui.feeds.binance.network import UNREACHABLE, reason
from quantui.feeds.binance.venues import Venue
from quantui.market.bars import Bar
from quantui.market.instruments import Instrument, Timeframe

T = TypeVar("T")
_TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5)
_BODY_LIMIT = 32 << 20
_RESERVE = 0.9
"""Share of the minute's weight that is used at most."""
OUT_OF_REACH = -4166
"""Futures aggTrades older than 48 hours."""
PAGE = 1000


class RestError(Exception):
    """The exchange answered, but not with what was asked."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"HTTP {status}, code {code}: {message[:200]}")
        self.status = status
        self.code = code

    @property
    def is_final(self) -> bool:
        """The same request would be answered in the same way; a server's trouble and a backend's timeout (408) pass."""
        return 300 <= self.status < 500 and self.status != 408


class UnreachableError(ConnectionError):
    """No answer: name not found, connection refused, timed out, cut off."""


class Rest:
    """Requests of one venue, one minute's weight shared by all."""

    def __init__(self, session: aiohttp.ClientSession, venue: Venue, base: str, clock: Clock, barrier: Barrier) -> None:
        self._session = session
        self._venue = venue
        self._base = base.rstrip("/") + venue.rest_path
        self._clock = clock
        self._barrier = barrier
        self.weight_limit = venue.weight_limit
        self._skew_ms = 0
        self._minute = 0
        self._used = 0

    @property
    def weight_used(self) -> int:
        """Of this UTC minute, as far as it is known."""
        return self._used if (self._clock.now_ms() - self._skew_ms) // 60_000 == self._minute else 0

    async def server_time(self) -> tuple[int, int]:
        """(exchange time, local time at the middle of the request), ms."""
        before = self._clock.now_ms()
        body = await self._get("/time", {}, 1)
        local = (before + self._clock.now_ms()) // 2
        served = _decode(_decode_time, body).server_time
        self._skew_ms = local - served
        return served, local

    async def exchange_info(self) -> ExchangeInfo:
        """Symbols, their decimals and the limits."""
        body = await self._get("/exchangeInfo", {}, self._venue.info_weight)
        info = _decode(decode_exchange_info, body)
        self.weight_limit = info.weight_limit() or self.weight_limit
        return info

    async def agg_trades(
        self, symbol: str, *, from_id: int | None = None, start_ms: int | None = None, limit: int = PAGE
    ) -> list[codec.AggTradeRow]:
        """Aggregate trades from an id (inclusive) or from a time on, oldest first."""
        params = {"symbol": symbol, "limit": str(limit)}
        if from_id is not None:
            params["fromId"] = str(from_id)
        if start_ms is not None:
            params["startTime"] = str(start_ms)
        return _decode(codec.decode_agg_trades, await self._get("/aggTrades", params, self._venue.aggtrades_weight))

    async def klines(
        self, instrument: Instrument, timeframe: Timeframe, *, limit: int, start_ms: int | None = None, end_ms: int | None = None
    ) -> list[Bar]:
        """Klines, oldest first; the newest may still be open. Raises `codec.TooFineError` where their decimals are finer."""
        params = {"symbol": instrument.symbol.name, "interval": timeframe.value, "limit": str(limit)}
        if start_ms is not None:
            params["startTime"] = str(start_ms)
        if end_ms is not None:
            params["endTime"] = str(end_ms)
        body = await self._get("/klines", params, self._venue.klines_weight(limit))
        try:
            bars = [codec.bar_of_row(row, instrument) for row in _decode(codec.decode_klines, body)]
        except codec.TooFineError:
            raise
        except codec.RefusedError as error:
            raise RestError(200, 0, f"klines of {instrument.symbol}: {error}") from error
        return [bar for bar in bars if bar.open_ms % timeframe.ms == 0]

    async def day_turnovers(self) -> dict[str, float]:
        """Quote turnover of the last day by symbol."""
        rows = _decode(_decode_days, await self._get("/ticker/24hr", {}, self._venue.days_weight))
        return {row.symbol: float(row.quote_volume) for row in rows if _PLAIN.fullmatch(row.quote_volume)}

    async def _get(self, path: str, params: Mapping[str, str], weight: int) -> bytes:
        self._barrier.check()
        await self._take(weight)
        self._barrier.check()  # it may have closed while we waited for the minute
        try:
            async with self._session.get(self._base + path, params=params, timeout=_TIMEOUT, allow_redirects=False) as answer:
                body = await answer.content.read(_BODY_LIMIT)
                while not answer.content.at_eof() and len(body) < _BODY_LIMIT:
                    body += await answer.content.read(_BODY_LIMIT - len(body))
        except UNREACHABLE as error:
            raise UnreachableError(f"{self._base}{path}: {reason(error)}") from error
        self._note_used(answer.headers)
        if answer.status != 200:
            self._barrier.answered(answer.status, answer.headers)
            problem = _problem(body)
            raise RestError(answer.status, problem.code, problem.msg)
        return body

    async def _take(self, weight: int) -> None:
        """Wait until the minute has room for the request: the exchange counts by UTC minute."""
        while True:
            now = self._clock.now_ms() - self._skew_ms
            minute = now // 60_000
            if minute != self._minute:
                self._minute, self._used = minute, 0
            if self._used + weight <= self.weight_limit * _RESERVE or self._used == 0:
                self._used += weight
                return
            await self._clock.sleep((60_000 - now % 60_000) / 1000 + 0.05)

    def _note_used(self, headers: Mapping[str, str]) -> None:
        text = headers.get("X-MBX-USED-WEIGHT-1M", "")
        if text.isascii() and text.isdigit() and len(text) < 10:
            self._used = max(self._used, int(text))


class _Time(msgspec.Struct, frozen=True, rename="camel"):
    server_time: int


class _Day(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    quote_volume: str = ""


_PLAIN = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
_decode_days = msgspec.json.Decoder(list[_Day]).decode
_decode_time = msgspec.json.Decoder(_Time).decode
_decode_problem = msgspec.json.Decoder(codec.Problem).decode


def _decode(decoder: Callable[[bytes], T], body: bytes) -> T:
    try:
        return decoder(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RestError(200, 0, f"unreadable answer: {error}") from error


def _problem(body: bytes) -> codec.Problem:
    try:
        return _decode_problem(body)
    except (msgspec.DecodeError, RecursionError):
        return codec.Problem(0, body[:200].decode("utf-8", "replace"))
