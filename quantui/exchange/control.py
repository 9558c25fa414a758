"""The control port: faults on order and counters, as JSON over HTTP. Tests in the same process may call the methods instead."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiohttp import web

from quantui.exchange.connection import Connection
from quantui.exchange.damage import BREAKING, DAMAGES
from quantui.exchange.listings import INTERVALS, Market
from quantui.exchange.truth import bars

if TYPE_CHECKING:
    from quantui.exchange.server import EmbeddedExchange

Body = Mapping[str, Any]


class Control:
    """POST /control/<action> with a JSON object; every action takes `market` (`spot`, `usdm`; left out: both)."""

    def __init__(self, exchange: "EmbeddedExchange") -> None:
        self.exchange = exchange
        self.actions: dict[str, Callable[[Body], Awaitable[None]]] = {
            "disconnect": self._disconnect,
            "outage": self._outage,
            "half_open": self._half_open,
            "drip": self._drip,
            "stall": self._stall,
            "repeat": self._repeat,
            "silence": self._silence,
            "drop": self._drop,
            "late": self._late,
            "leap": self._leap,
            "damage": self._damage,
            "rest": self._rest,
            "life": self._life,
            "ping": self._ping,
        }

    def application(self) -> web.Application:
        """The routes of the port."""
        app = web.Application()
        for name, action in self.actions.items():
            app.router.add_post(f"/control/{name}", self._handler(action))
        app.router.add_get("/control/counters", self._counters)
        app.router.add_get("/control/bars", self._bars)
        return app

    async def obey(self, action: str, body: Body) -> None:
        """Do what POST /control/`action` with this body does. KeyError, TypeError, ValueError: it makes no sense."""
        await self.actions[action](body)

    def disconnect(self, how: str = "rst", market: Market | None = None, reason: str = "") -> int:
        """End every socket now: `rst`, `fin` or `torn` (within a frame) without CLOSE, or with a code. Returns how many."""
        found = self.exchange.connections(market)
        for connection in found:
            self._end(connection, how, reason)
        return len(found)

    def outage(self, seconds: float, market: Market | None = None, *, rest: bool = False) -> None:
        """Drop all sockets and take no new one for so many exchange seconds; the tape goes on."""
        until = self.exchange.clock.monotonic() + seconds
        for one in _markets(market):
            self.exchange.faults[one].ws_out_until = until
            if rest:
                self.exchange.faults[one].rest_out_until = until
        self.disconnect("rst", market)

    def half_open(self, market: Market | None = None) -> int:
        """The present sockets neither send nor read any more, and stay. Returns how many."""
        found = self.exchange.connections(market)
        for connection in found:
            connection.freeze()
        return len(found)

    def drip(self, market: Market | None = None) -> int:
        """The present sockets send one frame more, a byte every 0.3 s. Returns how many."""
        found = self.exchange.connections(market)
        for connection in found:
            connection.drip()
        return len(found)

    def stall(self, seconds: float, market: Market | None = None) -> None:
        """The present sockets say nothing for so many exchange seconds, and then everything at once."""
        for connection in self.exchange.connections(market):
            connection.stall(seconds)

    def repeat(self, seconds: float, market: Market | None = None) -> None:
        """Sockets accepted from now on are first told the last so many seconds again."""
        for one in _markets(market):
            self.exchange.hub.repeat_ms[one] = int(seconds * 1000)

    def silence(self, stream: str, market: Market | None = None, *, on: bool = True) -> None:
        """One stream says nothing, or speaks again."""
        for one in _markets(market):
            (self.exchange.hub.silenced.add if on else self.exchange.hub.silenced.discard)(f"{one.value}:{stream}")

    def drop(self, stream: str, count: int, market: Market | None = None) -> None:
        """The next `count` frames of a stream are lost."""
        for one in _markets(market):
            self.exchange.hub.to_drop[f"{one.value}:{stream}"] += count

    def late(self, stream: str, count: int, market: Market | None = None) -> None:
        """The next `count` frames of a stream are sent after the one that follows them."""
        for one in _markets(market):
            self.exchange.hub.to_delay[f"{one.value}:{stream}"] += count

    def leap(self, seconds: float) -> None:
        """All sockets are cut, and so many exchange seconds have passed when they can open again."""
        self.disconnect("rst")
        self.exchange.hub.leap(int(seconds * 1000))

    def damage(self, stream: str, kinds: Sequence[str], market: Market | None = None) -> None:
        """The next frames of a stream are damaged, one of each kind (`DAMAGES`, `BREAKING`). KeyError: no such kind."""
        for kind in kinds:
            DAMAGES.get(kind) or BREAKING[kind]
        for one in _markets(market):
            self.exchange.hub.to_damage.setdefault(f"{one.value}:{stream}", deque()).extend(kinds)

    def life(self, seconds: float, cut: str, notice: float | None = None, market: Market | None = None) -> None:
        """Sockets accepted from now on are cut after so many exchange seconds, as in `Timers`."""
        for one in _markets(market):
            self.exchange.timers[one] = replace(self.exchange.timers[one], life=seconds, cut=cut, shutdown_notice=notice)

    def ping(self, seconds: float, market: Market | None = None) -> None:
        """Sockets accepted from now on are pinged so often."""
        for one in _markets(market):
            self.exchange.timers[one] = replace(self.exchange.timers[one], ping=seconds)

    def rest(
        self,
        market: Market | None = None,
        *,
        next_statuses: tuple[int, ...] = (),
        status: int | None = None,
        delay: float | None = None,
        lag: float | None = None,
        time_goes_back: bool | None = None,
    ) -> None:
        """REST: status of the next answers, of all (0: well again), late answers and stale data (exchange seconds)."""
        for one in _markets(market):
            faults = self.exchange.faults[one]
            faults.statuses.extend(next_statuses)
            faults.rest_status = faults.rest_status if status is None else status
            faults.rest_delay_s = faults.rest_delay_s if delay is None else delay
            faults.rest_lag_ms = faults.rest_lag_ms if lag is None else int(lag * 1000)
            faults.time_goes_back = faults.time_goes_back if time_goes_back is None else time_goes_back

    def counters(self) -> dict[str, Any]:
        """What was handed to the sockets, and what was counted against the client."""
        exchange = self.exchange
        return {
            "now_ms": exchange.now_ms(),
            "frames": dict(exchange.hub.frames),
            "dropped": dict(exchange.hub.dropped),
            "damaged": dict(exchange.hub.damaged),
            "unsent_bytes": sum(connection.unsent for connection in exchange.connections()),
            "connections": {m.value: {"open": len(exchange.connections(m)), "total": exchange.totals[m]} for m in Market},
            "weight": {m.value: exchange.accounts[m].used for m in Market},
            "requests": {m.value: exchange.accounts[m].requests for m in Market},
            "slowest_pong_s": {m.value: exchange.accounts[m].slowest_pong_s for m in Market},
            "violations": {m.value: exchange.accounts[m].violations for m in Market},
        }

    def _end(self, connection: Connection, how: str, reason: str) -> None:
        if how == "rst":
            connection.reset()
        elif how == "fin":
            connection.finish()
        elif how == "torn":
            connection.tear()
        else:
            connection.close_soon(int(how), reason)

    def _handler(self, action: Callable[[Body], Awaitable[None]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                body = await request.json() if request.can_read_body else {}
                await action(body)
            except (KeyError, TypeError, ValueError) as error:
                return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
            return web.json_response({"ok": True})

        return handle

    async def _disconnect(self, body: Body) -> None:
        self.disconnect(str(body.get("how", "rst")), _market(body), str(body.get("reason", "")))

    async def _outage(self, body: Body) -> None:
        self.outage(float(body["seconds"]), _market(body), rest=bool(body.get("rest", False)))
        await asyncio.sleep(0)

    async def _half_open(self, body: Body) -> None:
        self.half_open(_market(body))

    async def _drip(self, body: Body) -> None:
        self.drip(_market(body))

    async def _stall(self, body: Body) -> None:
        self.stall(float(body["seconds"]), _market(body))

    async def _repeat(self, body: Body) -> None:
        self.repeat(float(body["seconds"]), _market(body))

    async def _silence(self, body: Body) -> None:
        self.silence(str(body["stream"]), _market(body), on=bool(body.get("on", True)))

    async def _drop(self, body: Body) -> None:
        self.drop(str(body["stream"]), int(body.get("count", 1)), _market(body))

    async def _late(self, body: Body) -> None:
        self.late(str(body["stream"]), int(body["count"]), _market(body))

    async def _leap(self, body: Body) -> None:
        self.leap(float(body["seconds"]))

    async def _rest(self, body: Body) -> None:
        self.rest(
            _market(body),
            next_statuses=tuple(int(status) for status in body.get("next", ())),
            status=None if "status" not in body else int(body["status"]),
            delay=None if "delay" not in body else float(body["delay"]),
            lag=None if "lag" not in body else float(body["lag"]),
            time_goes_back=None if "time_goes_back" not in body else bool(body["time_goes_back"]),
        )

    async def _damage(self, body: Body) -> None:
        self.damage(str(body["stream"]), [str(kind) for kind in body["kinds"]], _market(body))

    async def _life(self, body: Body) -> None:
        notice = float(body["notice"]) if "notice" in body else None
        self.life(float(body["seconds"]), str(body["cut"]), notice, _market(body))

    async def _ping(self, body: Body) -> None:
        self.ping(float(body["seconds"]), _market(body))

    async def _counters(self, request: web.Request) -> web.Response:
        return web.json_response(self.counters())

    async def _bars(self, request: web.Request) -> web.Response:
        """Ground truth of `market`, `symbol`, `interval` in [`from`, `to`): rows of exact scaled integers."""
        query = request.query
        try:
            tape = self.exchange.tapes[Market(query["market"]), query["symbol"]]
            interval, start, end = INTERVALS[query["interval"]], int(query["from"]), int(query["to"])
            fills = tape.trades(start, end).fills.rows()
            # In a thread: an hour of trades must not hold up the streams.
            rows = await asyncio.to_thread(bars, fills, interval, start, end, tape.halts, tape.close_at(start))
        except (KeyError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response(rows)


def _market(body: Body) -> Market | None:
    return Market(body["market"]) if "market" in body else None


def _markets(market: Market | None) -> tuple[Market, ...]:
    return tuple(Market) if market is None else (market,)
