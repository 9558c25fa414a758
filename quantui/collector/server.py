"""The collector's HTTP door: a Unix socket that only its owner can open."""

import asyncio
import os
import socket
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from quantui.collector.pages import PAGES, Page
from quantui.collector.session import SessionChange, WatchChange
from quantui.collector.snapshot import Snapshot

BODY_LIMIT = 1 << 20
_CHUNK = 1 << 18
_SIZES = 8
"""Numbers of points whose newest answer is remembered."""
_encode = msgspec.json.Encoder().encode


class Door(Protocol):
    """What the server needs of the collector."""

    def snapshot(self, points: int) -> Snapshot:
        """The present state, with version 0."""
        ...

    async def past(self, bar_ms: int, points: int) -> Snapshot:
        """The state when the bar that opens at `bar_ms` had closed. Raises `ValueError` with one line."""
        ...

    def newest_alert(self) -> int:
        """Id of the newest alert; 0 where there is none."""
        ...

    def health(self) -> dict[str, Any]:
        """What `quantui status --json` prints."""
        ...

    def change(self, change: SessionChange) -> None:
        """Apply a change. Raises `ValueError` with one line where it cannot be."""
        ...

    def page(self, name: str) -> Page:
        """The document of a screen, with version 0. Raises `KeyError` where there is none of this name."""
        ...

    def watch(self, pair: str, *, drop: bool) -> None:
        """Put a pair (Y/X) on the watch list and in focus, or drop one. Raises `ValueError` with one line."""
        ...

    async def export(self, kind: str, target: Path) -> None:
        """Write `kind` as CSV to the new file `target`. Raises `ValueError`."""
        ...

    def leave(self, screen: int, *, stop: bool) -> None:
        """A screen goes: `stop` when its user quits, else it detaches. `screen` is what `seen` was told."""
        ...

    def stop(self) -> None:
        """End the collector."""
        ...

    def seen(self, screen: int) -> None:
        """A screen is looking; a number tells one from another."""
        ...


class Server:
    """Routes of the collector (contracts: collector API). One version counter for all screens.

    Args:
        door: The collector.
        version: Versions count on from here: higher than any that an earlier collector gave, whose screens may still ask.
    """

    def __init__(self, door: Door, version: int = 0) -> None:
        self._door = door
        self._version = version
        self._last: dict[int, tuple[int, bytes]] = {}
        """By number of points: the newest body and its version, which no other body has."""
        self._pages: dict[str, Page] = {}
        """The newest of each name, with its version."""
        self.app = web.Application(client_max_size=BODY_LIMIT, middlewares=[_errors])
        self.app.add_routes(
            [
                web.get("/api/health", self._health),
                web.get("/api/screen", self._screen),
                web.get("/api/past", self._past),
                web.get("/api/alert", self._alert),
                web.get("/api/page/{name}", self._page),
                web.post("/api/session", self._session),
                web.post("/api/watch", self._watch),
                web.get("/api/export/{kind}.csv", self._export),
                web.post("/api/leave", self._act(lambda screen: door.leave(screen, stop=True))),
                web.post("/api/detach", self._act(lambda screen: door.leave(screen, stop=False))),
                web.post("/api/stop", self._act(lambda screen: door.stop())),
            ]
        )

    async def _health(self, request: web.Request) -> web.Response:
        return _json(self._door.health())

    async def _screen(self, request: web.Request) -> web.Response:
        """The snapshot, or 204 where it says nothing new to a screen that holds version `since`."""
        self._door.seen(_screen_of(request))
        points = min(max(_integer(request, "points", 240), 1), 2_000)
        snapshot = self._door.snapshot(points)
        # The time of the snapshot alone is no news.
        body = _encode(msgspec.structs.replace(snapshot, time_ms=0))
        version, before = self._last.get(points, (0, b""))
        if before != body:
            self._version = version = self._version + 1
            if len(self._last) > _SIZES:
                self._last.clear()
            self._last[points] = version, body
        elif _integer(request, "since", -1) == version:
            return web.Response(status=204)
        return _json(msgspec.structs.replace(snapshot, version=version))

    async def _past(self, request: web.Request) -> web.Response:
        """The snapshot of a closed bar before."""
        self._door.seen(_screen_of(request))
        points = min(max(_integer(request, "points", 240), 1), 2_000)
        try:
            return _json(await self._door.past(_integer(request, "bar", 0), points))
        except ValueError as error:
            return _problem(400, "bad_request", str(error))

    async def _alert(self, request: web.Request) -> web.Response:
        """Whether something rang, for a screen that needs nothing else."""
        self._door.seen(_screen_of(request))
        return _json({"id": self._door.newest_alert()})

    async def _page(self, request: web.Request) -> web.Response:
        """A page's document, or 204 where it says nothing new to a screen that holds version `since`."""
        self._door.seen(_screen_of(request))
        name = request.match_info["name"]
        try:
            page = self._door.page(name)
        except KeyError:
            return _problem(404, "unknown", f"there is no page {name!r}: there are {', '.join(PAGES)}")
        known = self._pages.get(name)
        if known is None or msgspec.structs.replace(known, version=0) != page:
            self._version += 1
            known = self._pages[name] = msgspec.structs.replace(page, version=self._version)
        elif _integer(request, "since", -1) == known.version:
            return web.Response(status=204)
        return _json(known)

    async def _watch(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=WatchChange)
            self._door.watch(asked.pair, drop=asked.drop)
        except (msgspec.DecodeError, ValueError) as error:
            return _problem(400, "bad_request", str(error))
        return _json({"ok": True})

    async def _session(self, request: web.Request) -> web.Response:
        try:
            change = msgspec.json.decode(await request.read(), type=SessionChange)
            self._door.change(change)
        except (msgspec.DecodeError, ValueError) as error:
            return _problem(400, "bad_request", str(error))
        return _json({"ok": True})

    async def _export(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        with tempfile.TemporaryDirectory(prefix="quantui-") as folder:
            target = Path(folder) / "export.csv"
            try:
                await self._door.export(kind, target)
            except ValueError as error:
                return _problem(400, "bad_request", str(error))
            answer = web.StreamResponse(headers={"Content-Type": "text/csv; charset=utf-8"})
            await answer.prepare(request)
            with target.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, _CHUNK):
                    await answer.write(chunk)
            await answer.write_eof()
            return answer

    def _act(self, action: Callable[[int], None]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            action(_screen_of(request))
            return _json({"ok": True})

        return handle


async def serve_unix(server: Server, path: Path) -> web.AppRunner:
    """Listen at `path` (mode 0600); peers of another user are refused. The caller cleans the runner up."""
    listener = _listener(path)
    runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner


def _listener(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)  # of a collector that was killed: the lock says that nobody listens there
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen at {path}: {error.strerror or error}; remove it, or set XDG_STATE_HOME") from error
    return listener


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not _same_user(request):
        return _problem(403, "forbidden", "this socket belongs to another user")
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _problem(error.status, "http", error.reason)


def _same_user(request: web.Request) -> bool:
    """Whether the peer of a Unix socket is the collector's own user (root may look at its own machine)."""
    peer = request.get_extra_info("socket")
    if peer is None or peer.family != socket.AF_UNIX or not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return is_welcome(struct.unpack("3i", credentials)[1], os.getuid())


def is_welcome(uid: int, own: int) -> bool:
    """Whether user `uid` may speak to a collector of user `own`."""
    return uid in (own, 0)


def _screen_of(request: web.Request) -> int:
    """A screen keeps one connection: it is known by it."""
    return id(request.protocol)


def _integer(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.lstrip("-").isdigit() and len(text) < 16 and text.isascii() else default


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=_encode(value), content_type="application/json", status=status)


def _problem(status: int, code: str, message: str) -> web.Response:
    return _json({"error": {"code": code, "message": message}}, status)
