"""The collector's HTTP API from the outside, blocking, for one thread: what the screen and the commands use.

Light on purpose: the network and the decoder are imported when the first call is made, after the screen has painted.
"""

import os
import socket
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPConnection, HTTPResponse

    from quantui.collector.pages import Page
    from quantui.collector.snapshot import Snapshot

TIMEOUT_S: Final = 5.0
"""Longest wait for one answer."""

BODY_LIMIT: Final = 16 << 20
"""Largest answer read, in bytes."""

_CHUNK: Final = 1 << 16


class CollectorError(Exception):
    """The collector could not do what was asked."""


class CollectorGoneError(CollectorError):
    """Nobody answers at the address, or not in time."""


class CollectorRefusedError(CollectorError):
    """The collector answered that this cannot be; the message is its own."""


class Client:
    """One keep-alive connection to a collector.

    Args:
        address: Path of a Unix socket, or `http://host:port`.
        token: Bearer token, for TCP.
        exports: Folder exports are written to; the working directory where not given.
    """

    def __init__(self, address: str | Path, token: str | None = None, *, exports: Path | None = None) -> None:
        self._address = str(address)
        self._token = token
        self._exports = exports
        self._connection: HTTPConnection | None = None

    def screen(self, since: int, points: int) -> "Snapshot | None":
        """The snapshot newer than version `since`, with up to `points` values a line; None when nothing changed."""
        status, body = self._ask("GET", f"/api/screen?since={since}&points={points}")
        return None if status == HTTPStatus.NO_CONTENT else self._snapshot(body)

    def past(self, bar_ms: int, points: int) -> "Snapshot":
        """The snapshot of a closed bar before: the one that opens at `bar_ms`, or the last before it."""
        return self._snapshot(self._ask("GET", f"/api/past?bar={bar_ms}&points={points}")[1])

    def _snapshot(self, body: bytes) -> "Snapshot":
        import msgspec

        from quantui.collector.snapshot import Snapshot

        try:
            return msgspec.json.decode(body, type=Snapshot)
        except msgspec.DecodeError as error:
            raise self._stranger(error) from error

    def newest_alert(self) -> int:
        """Id of the newest alert; 0 where there is none."""
        import json

        _, body = self._ask("GET", "/api/alert")
        try:
            return int(json.loads(body)["id"])
        except (ValueError, TypeError, KeyError) as error:
            raise self._stranger(error) from error

    def page(self, name: str, since: int) -> "Page | None":
        """The document of a screen (`scan`, `correlation`, ...) newer than version `since`; None when nothing changed."""
        status, body = self._ask("GET", f"/api/page/{name}?since={since}")
        if status == HTTPStatus.NO_CONTENT:
            return None
        import msgspec

        from quantui.collector.pages import PAGES

        try:
            return msgspec.json.decode(body, type=PAGES[name])
        except msgspec.DecodeError as error:
            raise self._stranger(error) from error

    def watch(self, pair: str, *, drop: bool = False) -> None:
        """Put a pair (Y/X) on the watch list and in focus, or drop it."""
        import json

        self._ask("POST", "/api/watch", json.dumps({"pair": pair, "drop": drop}).encode())

    def session(self, **changes: float | str) -> None:
        """Change what is shown: `pair`, `timeframe`, `window`, `entry`, `estimator`."""
        import json

        self._ask("POST", "/api/session", json.dumps(changes).encode())

    def stop(self) -> None:
        """Ask the collector to end."""
        self._ask("POST", "/api/stop", b"{}")

    def leave(self) -> None:
        """Say that a screen's user quits: a collector made for a screen ends, another goes on."""
        self._ask("POST", "/api/leave", b"{}")

    def detach(self) -> None:
        """Say that this screen leaves and the collector goes on."""
        self._ask("POST", "/api/detach", b"{}")

    def health(self) -> dict[str, object]:
        """The collector's own account of how it is."""
        import json

        _, body = self._ask("GET", "/api/health")
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise CollectorGoneError(f"what answers at {self._address} is no collector") from error
        if not isinstance(answer, dict):
            raise CollectorGoneError(f"what answers at {self._address} is no collector")
        return answer

    def export(self, kind: str) -> str:
        """Write `kind` as CSV to a new file of its own name and return the path. An existing file is never touched."""
        folder = self._exports or Path.cwd()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target = folder / f"quantui-{kind}-{stamp}.csv"
        partial = folder / f".{target.name}.{os.getpid()}"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                self._download(f"/api/export/{kind}.csv", file.write)
                file.flush()
                os.fsync(file.fileno())
            os.link(partial, target)
        finally:
            partial.unlink()
        return str(target)

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _download(self, path: str, write: "Callable[[bytes], object]") -> None:
        from http.client import HTTPException

        connection = self._opened()
        try:
            connection.request("GET", path, headers=self._headers())
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise CollectorRefusedError(_refusal(answer.status, answer.read(_CHUNK)))
            while chunk := answer.read(_CHUNK):
                write(chunk)
        except (HTTPException, OSError) as error:
            raise self._gone(error) from error
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One request, and once more on a new connection when a kept one turns out to be broken."""
        from http.client import HTTPException

        kept = self._connection is not None
        try:
            return self._exchange(method, path, body)
        except TimeoutError as error:
            self.close()
            raise self._gone(error) from error
        except (HTTPException, OSError) as error:
            self.close()
            if not kept:
                raise self._gone(error) from error
        try:
            return self._exchange(method, path, body)
        except (HTTPException, OSError) as error:
            self.close()
            raise self._gone(error) from error

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._opened()
        self._connection.request(method, path, body, self._headers())
        answer = self._connection.getresponse()
        text = _whole(answer)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise CollectorRefusedError(_refusal(answer.status, text))
        return answer.status, text

    def _opened(self) -> "HTTPConnection":
        from http.client import HTTPConnection

        if self._address.startswith("http://"):
            host, _, port = self._address.removeprefix("http://").rstrip("/").rpartition(":")
            if not host or not port.isdigit():
                raise CollectorGoneError(f"{self._address!r} is no address of a collector; write http://host:port")
            return HTTPConnection(host.strip("[]"), int(port), timeout=TIMEOUT_S)
        connection = HTTPConnection("localhost", timeout=TIMEOUT_S)
        connection.sock = self._unix_socket()
        return connection

    def _unix_socket(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(TIMEOUT_S)
            made.connect(self._address)
        except OSError as error:
            made.close()
            raise self._gone(error) from error
        return made

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _stranger(self, error: Exception) -> CollectorGoneError:
        return CollectorGoneError(f"the collector at {self._address} speaks another version ({error}); `quantui stop` it")

    def _gone(self, error: Exception) -> CollectorGoneError:
        if isinstance(error, CollectorGoneError):
            return error
        if isinstance(error, TimeoutError):
            why = f"no answer within {TIMEOUT_S:.0f} s"
        elif isinstance(error, FileNotFoundError):
            why = "no collector is running there"
        else:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return CollectorGoneError(f"the collector at {self._address} cannot be reached: {why}")


def _whole(answer: "HTTPResponse") -> bytes:
    text = answer.read(BODY_LIMIT + 1)
    if len(text) > BODY_LIMIT:
        raise OSError(f"answer of more than {BODY_LIMIT >> 20} MB")
    return text


def _refusal(status: int, body: bytes) -> str:
    """The message of `{"error": {"code", "message"}}`."""
    import json

    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, TypeError, KeyError, RecursionError):
        message = None
    return message if isinstance(message, str) and message else f"the collector refused (HTTP {status})"
