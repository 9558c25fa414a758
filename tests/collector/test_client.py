"""The blocking client against a real HTTP server on a Unix socket and on TCP."""

import contextlib
import json
import socketserver
import stat
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from quantui.collector import client as client_module
from quantui.collector.client import Client, CollectorGoneError, CollectorRefusedError
from tests.ui.fakes import snapshot

Answer = Callable[[BaseHTTPRequestHandler], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str, bytes, str]]] = []
    answer: ClassVar[Answer]

    def do_GET(self) -> None:
        self.answered()

    def do_POST(self) -> None:
        self.answered()

    def answered(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Handler.seen.append((self.command, self.path, body, self.headers.get("Authorization", "")))
        Handler.answer(self)

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: object) -> None:
        pass


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


def reply(status: int, body: bytes = b"", *, close: bool = False) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if status != 204:
            handler.send_header("Content-Length", str(len(body)))
        if close:
            handler.send_header("Connection", "close")
        handler.end_headers()
        with contextlib.suppress(BrokenPipeError):
            handler.wfile.write(body)

    return send


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Socket of a running server; what it answers is set on `Handler.answer`."""
    Handler.seen.clear()
    server = UnixServer(str(tmp_path / "c.sock"), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield tmp_path / "c.sock"
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def client(path: Path, tmp_path: Path) -> Iterator[Client]:
    made = Client(path, exports=tmp_path)
    yield made
    made.close()


def test_a_snapshot_crosses_the_wire_unchanged(client: Client) -> None:
    sent = snapshot()
    Handler.answer = reply(200, msgspec.json.encode(sent))
    assert client.screen(17, 160) == sent
    assert Handler.seen == [("GET", "/api/screen?since=17&points=160", b"", "")]


def test_nothing_new_is_none(client: Client) -> None:
    Handler.answer = reply(204)
    assert client.screen(1, 2) is None
    assert client.screen(1, 2) is None


def test_changes_stop_and_detach_are_posted(client: Client) -> None:
    Handler.answer = reply(200, b"{}")
    client.session(pair=1, timeframe="5m", window=120, entry=2.5)
    client.stop()
    client.detach()
    assert [(method, path) for method, path, _, _ in Handler.seen] == [
        ("POST", "/api/session"),
        ("POST", "/api/stop"),
        ("POST", "/api/detach"),
    ]
    assert json.loads(Handler.seen[0][2]) == {"pair": 1, "timeframe": "5m", "window": 120, "entry": 2.5}


def test_health_is_an_object_or_no_collector(client: Client) -> None:
    Handler.answer = reply(200, b'{"link": "live"}')
    assert client.health() == {"link": "live"}
    for body in (b"[]", b"<html>"):
        Handler.answer = reply(200, body)
        with pytest.raises(CollectorGoneError, match="no collector"):
            client.health()


def test_a_refusal_carries_the_collectors_own_words(client: Client) -> None:
    Handler.answer = reply(409, b'{"error": {"code": "bound", "message": "entry 9 is above the bound of z, 7.7"}}')
    with pytest.raises(CollectorRefusedError, match="above the bound"):
        client.session(entry=9.0)
    for body in (b"", b"[]", b'{"error": 5}', b"\xff"):
        Handler.answer = reply(500, body)
        with pytest.raises(CollectorRefusedError, match="HTTP 500"):
            client.stop()


def test_a_kept_connection_that_broke_is_opened_anew_once(client: Client) -> None:
    Handler.answer = reply(204, close=True)
    client.screen(1, 1)

    def drop(handler: BaseHTTPRequestHandler) -> None:
        Handler.answer = reply(204)
        handler.close_connection = True

    Handler.answer = reply(204)
    client.screen(1, 1)
    Handler.answer = drop
    assert client.screen(1, 1) is None
    assert len(Handler.seen) == 4


def test_nobody_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CollectorGoneError, match=r"collector at .*none.sock cannot be reached: no collector is running there"):
        Client(tmp_path / "none.sock").screen(0, 1)
    with pytest.raises(CollectorGoneError, match="write http://host:port"):
        Client("http://nonsense").screen(0, 1)


def test_an_answer_that_does_not_come_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT_S", 0.1)
    done = threading.Event()

    def wait(_handler: BaseHTTPRequestHandler) -> None:
        done.wait(5)

    Handler.answer = wait
    with pytest.raises(CollectorGoneError, match="no answer within"):
        client.screen(0, 1)
    done.set()


def test_another_version_of_the_snapshot_is_named(client: Client) -> None:
    Handler.answer = reply(200, b'{"version": "x"}')
    with pytest.raises(CollectorGoneError, match="speaks another version"):
        client.screen(0, 1)


def test_an_answer_without_end_is_not_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "BODY_LIMIT", 1000)
    Handler.answer = reply(200, b"x" * 2000)
    with pytest.raises(CollectorGoneError, match="more than"):
        client.health()


def test_an_export_is_a_new_private_file(client: Client, tmp_path: Path) -> None:
    Handler.answer = reply(200, b"timestamp,symbol_y\n" * 9000)
    target = Path(client.export("analytics"))
    assert target.parent == tmp_path
    assert target.read_bytes() == b"timestamp,symbol_y\n" * 9000
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.glob("*.csv*")] == [target.name]


def test_an_export_never_overwrites(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.strftime", lambda *_: "20260101T000000Z")
    existing = tmp_path / "quantui-analytics-20260101T000000Z.csv"
    existing.write_text("mine")
    Handler.answer = reply(200, b"theirs")
    with pytest.raises(FileExistsError):
        client.export("analytics")
    assert existing.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir() if "analytics" in each.name] == [existing.name]


def test_a_refused_export_leaves_no_file(client: Client, tmp_path: Path) -> None:
    Handler.answer = reply(404, b'{"error": {"code": "unknown", "message": "nothing to export yet"}}')
    with pytest.raises(CollectorRefusedError, match="nothing to export yet"):
        client.export("analytics")
    assert [each for each in tmp_path.iterdir() if "analytics" in each.name] == []


def test_tcp_sends_the_token() -> None:
    Handler.seen.clear()
    Handler.answer = reply(204)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    made = Client(f"http://127.0.0.1:{server.server_address[1]}", "secret")
    try:
        assert made.screen(0, 1) is None
        assert Handler.seen[0][3] == "Bearer secret"
    finally:
        made.close()
        server.shutdown()
        server.server_close()
        thread.join(5)
