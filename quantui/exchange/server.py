"""The embedded exchange: hosts of both markets on loopback, one set of tapes behind all of them."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from quantui.clock import Clock
from quantui.exchange.connection import SPOT_TIMERS, USDM_TIMERS, Connection, Timers
from quantui.exchange.control import Control
from quantui.exchange.faults import Faults
from quantui.exchange.hub import Hub, Timeline
from quantui.exchange.limits import IN_FLIGHT_S, WEIGHT_LIMIT, Account
from quantui.exchange.listings import Market
from quantui.exchange.requests import Desk, RequestError
from quantui.exchange.rest import RestHost
from quantui.exchange.streams import Route
from quantui.exchange.tape import Tape

_HOST = "127.0.0.1"
_MESSAGE_LIMIT = 1 << 16
_REFUSING = (403, 418, 429, 451)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base addresses, as a configuration takes them."""

    spot_ws: str
    spot_rest: str
    usdm_ws_public: str
    usdm_ws_market: str
    usdm_rest: str
    control: str

    @property
    def usdm_ws(self) -> str:
        """The socket host of futures without a route: the legacy paths."""
        return self.usdm_ws_public.removesuffix("/public")


class EmbeddedExchange:
    """Binance's protocol over `tapes`.

    Args:
        tapes: One per market and symbol.
        clock: Its time and its speed.
        start_ms: Exchange time at the start; None: the clock's.
        timers: Pings and ages, by market; the real ones unless a test wants others.
        weight_limits: Request weight a minute, by market.
        flat_errors: Errors of sockets in the flat form of the document instead of the nested one of the wire.
    """

    def __init__(
        self,
        tapes: Sequence[Tape],
        clock: Clock,
        *,
        start_ms: int | None = None,
        timers: Mapping[Market, Timers] | None = None,
        weight_limits: Mapping[Market, int] | None = None,
        flat_errors: bool = False,
    ) -> None:
        self.clock = clock
        self.tapes = {(tape.listing.market, tape.listing.symbol): tape for tape in tapes}
        self.timers = {Market.SPOT: SPOT_TIMERS, Market.USDM: USDM_TIMERS} | dict(timers or {})
        limits = {**WEIGHT_LIMIT, **(weight_limits or {})}
        self.accounts = {
            market: Account(market, limits[market], in_flight_ms=IN_FLIGHT_S * clock.speed * 1000) for market in Market
        }
        self.faults = {market: Faults(market) for market in Market}
        self.totals = dict.fromkeys(Market, 0)
        """Sockets accepted so far."""
        self._flat_errors = flat_errors
        self._start_ms = start_ms
        self._runners: list[web.AppRunner] = []
        self._task: asyncio.Task[None] | None = None
        self._addresses: Addresses | None = None
        self.hub = Hub(self.tapes, Timeline(clock, start_ms))
        self.control = Control(self)

    @property
    def addresses(self) -> Addresses:
        """Where it listens. Raises `RuntimeError` before `start`."""
        if self._addresses is None:
            raise RuntimeError("the exchange has not been started")
        return self._addresses

    def now_ms(self) -> int:
        """Exchange time."""
        return self.hub.timeline.now_ms()

    async def start(self) -> None:
        """Listen and begin to send."""
        self.hub.timeline = Timeline(self.clock, self._start_ms)
        sites = {}
        for market in Market:
            sites[f"{market}_ws"] = await self._listen(self._socket_host(market))
            sites[f"{market}_rest"] = await self._listen(self._rest_host(market))
        control = await self._listen(self.control.application())
        usdm = f"ws://{_HOST}:{sites['usdm_ws']}"
        self._addresses = Addresses(
            spot_ws=f"ws://{_HOST}:{sites['spot_ws']}",
            spot_rest=f"http://{_HOST}:{sites['spot_rest']}",
            usdm_ws_public=f"{usdm}/public",
            usdm_ws_market=f"{usdm}/market",
            usdm_rest=f"http://{_HOST}:{sites['usdm_rest']}",
            control=f"http://{_HOST}:{control}",
        )
        self._task = asyncio.create_task(self.hub.run())

    async def close(self) -> None:
        """End every socket and stop listening. Raises what the sending loop died of."""
        for connection in list(self.hub.connections):
            connection.reset()
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def wait(self) -> None:
        """Until the sending loop ends, which it does only by a fault of its own."""
        if self._task is not None:
            await self._task

    def connections(self, market: Market | None = None) -> list[Connection]:
        """Sockets that are open now."""
        return [one for one in self.hub.connections if market is None or one.market is market]

    async def _listen(self, application: web.Application) -> int:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5, handle_signals=False)
        self._runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, _HOST, 0)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    def _rest_host(self, market: Market) -> web.Application:
        tapes = {symbol: tape for (of, symbol), tape in self.tapes.items() if of is market}
        return RestHost(market, tapes, self.hub.timeline, self.clock, self.accounts[market], self.faults[market]).application()

    def _socket_host(self, market: Market) -> web.Application:
        app = web.Application()
        routes = (Route.LEGACY,) if market is Market.SPOT else tuple(Route)
        for route in routes:
            door = _Door(self, market, route, self._flat_errors)
            base = f"/{route.value}" if route.value else ""
            app.router.add_get(f"{base}/stream", door.combined)
            app.router.add_get(f"{base}/ws", door.raw)
            app.router.add_get(f"{base}/ws/{{names:.*}}", door.raw)
        return app


@dataclass(frozen=True, slots=True)
class _Door:
    """Where sockets of one market and route come in."""

    exchange: EmbeddedExchange
    market: Market
    route: Route
    flat_errors: bool
    _names: list[str] = field(default_factory=list)

    async def combined(self, request: web.Request) -> web.StreamResponse:
        """`/stream?streams=a/b`."""
        return await self._enter(request, request.query.get("streams", ""), combined=True)

    async def raw(self, request: web.Request) -> web.StreamResponse:
        """`/ws/a/b`."""
        return await self._enter(request, request.match_info.get("names", ""), combined=False)

    async def _enter(self, request: web.Request, names: str, *, combined: bool) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        exchange = self.exchange
        response = web.WebSocketResponse(autoping=False, compress=False, timeout=1.0, max_msg_size=_MESSAGE_LIMIT)
        try:
            await response.prepare(request)
        except ConnectionResetError:  # the client has given up meanwhile
            return web.Response()
        if not isinstance(request.transport, asyncio.Transport):
            return response
        connection = Connection(
            market=self.market,
            route=self.route,
            unit=1000 if self.market is Market.SPOT and request.query.get("timeUnit", "").upper() == "MICROSECOND" else 1,
            socket=response,
            transport=request.transport,
            desk=Desk(self.market, combined, self.flat_errors),
            clock=exchange.clock,
            exchange_ms=exchange.now_ms,
            timers=exchange.timers[self.market],
            account=exchange.accounts[self.market],
            on_change=exchange.hub.changed,
        )
        exchange.totals[self.market] += 1
        try:
            connection.desk.add(name for name in names.split("/") if name)
            exchange.hub.joined(connection)
            await connection.serve()
        except RequestError as error:
            await connection.refuse(connection.desk.error_text(error, None))
        finally:
            exchange.hub.left(connection)
        await connection.closed()
        return response

    def _refusal(self, request: web.Request) -> web.StreamResponse | None:
        exchange, market = self.exchange, self.market
        faults, account, now = exchange.faults[market], exchange.accounts[market], exchange.now_ms()
        if exchange.clock.monotonic() < faults.ws_out_until:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        status = faults.rest_status if faults.rest_status in _REFUSING else 0
        retry = 10
        if now < account.banned_until:
            account.violations += 1
            status, retry = 418, -(-(account.banned_until - now) // 1000)
        elif not status and not account.connections.take(now):
            account.violations += 1
            status, retry = 429, 300
        if not status:
            return None
        text, kind = faults.body(status, limit=account.weight_limit, until_ms=now + retry * 1000)
        headers = {"Retry-After": str(retry)} if status in (418, 429) else {}
        return web.Response(status=status, text=text, content_type=kind, headers=headers)
