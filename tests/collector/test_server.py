"""The collector's door, over a real socket, with a real collector behind it."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pytest

from quantui.alerts.records import AlertRecord
from quantui.clock import Clock
from quantui.collector.client import Client
from quantui.collector.core import Collector
from quantui.collector.pages import ScanPage, StatisticsPage
from quantui.collector.server import BODY_LIMIT, Server, is_welcome, serve_unix
from quantui.market.instruments import Timeframe
from tests.collector.market import TapeFeed, collecting


@dataclass(slots=True)
class Door:
    """A running door."""

    path: Path
    feed: TapeFeed
    collector: Collector
    left: list[bool] = field(default_factory=list)

    async def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One request on a connection of its own."""
        return await asyncio.to_thread(self._ask, method, path, body)

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        connection = HTTPConnection("localhost", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(5)
        connection.sock.connect(str(self.path))
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    async def version(self, client: Client, since: int, points: int) -> int | None:
        """The version a screen is given; None where nothing is new."""
        found = await asyncio.to_thread(client.screen, since, points)
        return found.version if found else None


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Door]:
    clock = Clock()
    feed = TapeFeed(clock)
    async with collecting(folder, [feed], clock) as collector:
        door = Door(folder / "s", feed, collector)
        collector.audience.on_leave = door.left.append
        feed.bars(0, 80)
        await collector.settle()
        runner = await serve_unix(Server(collector), door.path)
        try:
            yield door
        finally:
            await runner.cleanup()


async def test_screens_of_different_sizes_each_get_what_is_new_to_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        small, large = Client(door.path), Client(door.path)
        a = await door.version(small, 0, 10)
        b = await door.version(large, 0, 50)
        assert a is not None
        assert b is not None
        assert await door.version(small, a, 10) is None
        assert await door.version(large, b, 50) is None
        assert await door.version(small, a, 10) is None, "the other screen's question is no news"
        assert await door.version(small, a, 50) == b, "a version of another size is not this one"
        door.feed.bars(80, 81)
        await door.collector.settle()
        c = await door.version(small, a, 10)
        assert c is not None
        assert c not in (a, b)
        assert await door.version(large, b, 50) not in (None, b)
        assert await door.version(small, c, 10) is None
        small.close()
        large.close()


async def test_the_lines_are_as_long_as_asked_for(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        client = Client(door.path)
        for points in (1, 5, 40):
            for more in range(3):
                found = await asyncio.to_thread(client.screen, -1, points)
                assert found is not None
                assert len(found.series.y) == len(found.series.zscore) == points
                assert found.series.open_ms[-1] == door.feed.streams[door.feed.symbols[0]].frames[Timeframe.S1].times[-1]
                door.feed.bars(80 + more, 81 + more)
                await door.collector.settle()
        client.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/nothing", None, 404),
        ("GET", "/", None, 404),
        ("DELETE", "/api/session", None, 405),
        ("POST", "/api/session", b"{", 400),
        ("POST", "/api/session", b"", 400),
        ("POST", "/api/session", b"\xff\xfe", 400),
        ("POST", "/api/session", b"[" * 100_000, 400),
        ("POST", "/api/session", b'{"window": "x"}', 400),
        ("POST", "/api/session", b'{"window": 1}', 400),
        ("POST", "/api/session", b'{"entry": 1e999}', 400),
        ("POST", "/api/session", b'{"venue": "x"}', 400),
        ("POST", "/api/session", b'{"window": ' + b" " * BODY_LIMIT + b"60}", 413),
        ("GET", "/api/export/nothing.csv", None, 400),
        ("GET", "/api/screen?points=x&since=-99999999999999999999", None, 200),
        ("GET", "/api/screen?points=0", None, 200),
    ],
)
async def test_a_wrong_request_is_answered_in_json_and_changes_nothing(
    method: str, path: str, body: bytes | None, status: int, tmp_path: Path
) -> None:
    async with opened(tmp_path) as door:
        before = door.collector.session
        code, answer = await door.ask(method, path, body)
        assert code == status
        if status != 200:
            assert json.loads(answer)["error"]["message"]
        assert door.collector.session == before


async def test_quitting_one_of_two_screens_leaves_the_other_its_collector(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        first, second = Client(door.path), Client(door.path)
        await door.version(first, 0, 10)
        await door.version(second, 0, 10)
        await asyncio.to_thread(first.leave)
        assert door.left == []
        await door.version(second, 0, 10)
        await asyncio.to_thread(second.leave)
        assert door.left == [True]
        await door.version(second, 0, 10)
        await asyncio.to_thread(second.detach)
        assert door.left == [True, False]
        first.close()
        second.close()


async def test_a_screen_that_vanished_does_not_hold_the_collector(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        first, second = Client(door.path), Client(door.path)
        await door.version(first, 0, 10)
        first.close()
        looks = door.collector.audience._looks
        looks |= {who: looked - 3.5 for who, looked in looks.items()}
        await door.version(second, 0, 10)
        await asyncio.to_thread(second.leave)
        assert door.left == [True]
        second.close()


async def test_the_socket_is_its_owners_and_a_stale_one_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "s"))
    left.close()
    async with opened(tmp_path) as door:
        assert door.path.stat().st_mode & 0o777 == 0o600
        status, body = await door.ask("GET", "/api/health")
        assert (status, json.loads(body)["pid"]) == (200, os.getpid())


async def test_a_place_that_cannot_be_listened_at_is_named(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    with pytest.raises(OSError, match=r"cannot listen at .*s: Is a directory; remove it"):
        async with opened(tmp_path):
            pass


def test_only_the_owner_and_root_are_welcome() -> None:
    assert is_welcome(1000, 1000)
    assert is_welcome(0, 1000)
    assert not is_welcome(1001, 1000)
    assert not is_welcome(1000, 0)


async def test_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as door:
        monkeypatch.setattr("quantui.collector.server.is_welcome", lambda uid, own: uid != os.getuid())
        status, body = await door.ask("GET", "/api/health")
        assert status == 403
        assert json.loads(body)["error"]["code"] == "forbidden"


async def test_an_export_is_the_whole_store(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        status, body = await door.ask("GET", "/api/export/bars.csv")
        assert status == 200
        assert body.count(b"\n") == 1 + 160


async def test_a_page_is_told_once_and_then_only_when_it_has_changed(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        running = asyncio.create_task(door.collector.studies.run())
        client = Client(door.path)
        first = await asyncio.to_thread(client.page, "statistics", 0)
        assert first is not None
        while first.note == "computing":
            await asyncio.sleep(0.02)
            first = await asyncio.to_thread(client.page, "statistics", first.version) or first
        assert isinstance(first, StatisticsPage)
        assert [row.symbol for row in first.rows] == ["BTCUSDT", "ETHUSDT"]
        assert await asyncio.to_thread(client.page, "statistics", first.version) is None
        assert await asyncio.to_thread(client.page, "statistics", 0) == first, "another screen gets the whole of it"
        scan = await asyncio.to_thread(client.page, "scan", first.version)
        assert isinstance(scan, ScanPage)
        assert scan.note == "waiting for the first closed bar"
        client.close()
        running.cancel()


async def test_a_frozen_screen_asks_for_the_newest_alert_and_is_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        first, second = Client(door.path), Client(door.path)
        assert await asyncio.to_thread(first.newest_alert) == 0
        door.collector.alarm.warn(AlertRecord(time_ms=5, bar_ms=5, pair="ETH/BTC", timeframe="1s", rule="gap", severity="warning"))
        newest = await asyncio.to_thread(first.newest_alert)
        found = await asyncio.to_thread(first.screen, 0, 10)
        assert found is not None
        assert newest == found.alerts[0].id > 0
        await asyncio.to_thread(second.newest_alert)
        await asyncio.to_thread(first.leave)
        assert door.left == [], "the other still looks"
        first.close()
        second.close()


async def test_another_collector_counts_on_from_higher_versions(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        server = Server(door.collector, version=5_000)
        runner = await serve_unix(server, tmp_path / "t")
        client = Client(tmp_path / "t")
        assert await door.version(client, 17, 10) == 5_001
        client.close()
        await runner.cleanup()


async def test_pages_and_the_watch_list_refuse_in_one_line(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        status, body = await door.ask("GET", "/api/page/nothing")
        assert status == 404
        assert "there are scan, correlation, statistics, pair" in json.loads(body)["error"]["message"]
        for bad in (b"", b"{}", b'{"pair": 3}', b'{"pair": "A/B", "x": 1}', b'{"pair": "DOGEUSDT/BTCUSDT"}'):
            status, body = await door.ask("POST", "/api/watch", bad)
            assert status == 400
            assert json.loads(body)["error"]["code"] == "bad_request"
        assert (await door.ask("POST", "/api/watch", b'{"pair": "BTCUSDT/ETHUSDT"}'))[0] == 200
        assert [pair.label for pair in door.collector.pairs] == ["ETHUSDT/BTCUSDT", "BTCUSDT/ETHUSDT"]
