"""The life of a collector process: how it starts, ends and breaks."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from quantui.clock import Clock
from quantui.collector import build
from quantui.collector.client import Client
from quantui.collector.client import CollectorError as NoAnswer
from quantui.collector.ending import CollectorError
from quantui.collector.lock import find, is_abandoned
from quantui.collector.process import Job, run
from quantui.config import Settings
from quantui.market.instruments import Symbol, Timeframe
from quantui.paths import Paths, resolve
from quantui.store.reader import read_frames
from quantui.store.writer import Store
from tests.collector.market import T0, TapeFeed, Y, settings

DEAD = """
[market]
venue = "binance-usdm"
[endpoints.binance-usdm]
ws_public = "ws://127.0.0.1:9/public"
ws_market = "ws://127.0.0.1:9/market"
rest = "http://127.0.0.1:9"
"""


class Program:
    """`quantui collect`, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "QUANTUI_"))}
        self.env = kept | {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "s"), "XDG_CONFIG_HOME": str(folder / "c")}
        self.folder = folder
        self.places = resolve(folder / "data", self.env)
        self.started: list[subprocess.Popen[str]] = []
        (folder / "config.toml").write_text(DEAD)

    def words(self, *arguments: str) -> list[str]:
        options = ["--config", str(self.folder / "config.toml"), "--data-dir", str(self.folder / "data")]
        return [sys.executable, "-X", "dev", "-m", "quantui", *options, *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(self.words(*arguments), env=self.env, cwd=self.folder, stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words(*arguments), env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=30, check=False
        )

    def health(self) -> dict[str, object]:
        client = Client(self.places.socket)
        try:
            return client.health()
        except NoAnswer:
            return {}
        finally:
            client.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def _said(stderr: str) -> list[str]:
    """Lines for people: what is no log line. Nothing may be left over by the event loop or the garbage collector."""
    for trouble in (
        "Task was destroyed",
        "never retrieved",
        "never awaited",
        "ResourceWarning",
        "Traceback (most recent call last):\n",
    ):
        assert trouble not in stderr, stderr
    return [line for line in stderr.splitlines() if not line.startswith("{")]


def _logged(stderr: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]


def test_it_ends_on_time(program: Program) -> None:
    process = program.start("collect", "--for", "1.5s")
    _until(program.health)
    begun = time.monotonic()
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 0
    assert time.monotonic() - begun < 2.6
    assert _said(stderr) == []
    assert [entry["event"] for entry in _logged(stderr)][-1] == "ended"
    assert not is_abandoned(program.places.lock)
    assert not program.places.socket.exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)])
def test_a_signal_ends_it_in_order(program: Program, number: signal.Signals, code: int) -> None:
    process = program.start("collect")
    _until(program.health)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == code
    assert _said(stderr) == []
    assert not is_abandoned(program.places.lock)


def test_a_signal_while_the_exchange_of_a_demo_starts_ends_both(program: Program) -> None:
    process = program.start("collect", "--as-child", "demo")
    _until(lambda: find(program.places.lock) and _children(process.pid))
    (child,) = _children(process.pid)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=10)
    assert (process.returncode, _said(stderr)) == (0, [])
    assert not is_abandoned(program.places.lock)
    _until(lambda: not Path(f"/proc/{child}").exists())


def test_a_demo_whose_exchange_died_says_so_and_what_it_had_is_there(program: Program) -> None:
    process = program.start("collect", "--as-child", "demo")
    _until(lambda: _link(program.health()) == "live", 30)
    status = program.call("status", "--json")
    assert (status.returncode, json.loads(status.stdout)["healthy"]) == (0, True)
    bars = ("export", "bars", "--symbol", "BTCUSDT", "--timeframe", "1s")
    _until(lambda: program.call(*bars).stdout.count("\n") > 60, 10)  # with the next checkpoint
    nobody = program.call("export", "analytics", "--symbol", "NOPEUSDT")
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "no NOPEUSDT in the store" in nobody.stderr
    assert "BTCUSDT" in nobody.stderr
    for child in _children(process.pid):
        os.kill(child, signal.SIGKILL)
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 1
    (line,) = _said(stderr)
    assert "the embedded exchange has ended" in line
    assert is_abandoned(program.places.lock), "a screen that looks starts another"
    assert read_frames(program.places.database, Symbol("binance-usdm", "BTCUSDT"), dict.fromkeys(Timeframe, 1)).cursor > 0


def test_a_store_that_cannot_be_opened_is_one_line(program: Program) -> None:
    program.places.database.mkdir(parents=True)
    done = program.call("collect", "--for", "5s")
    assert done.returncode == 1
    (line,) = _said(done.stderr)
    assert str(program.places.database) in line


def test_a_place_for_the_socket_that_is_taken_is_one_line(program: Program) -> None:
    program.places.socket.mkdir(parents=True)
    program.places.runtime_dir.chmod(0o700)
    done = program.call("collect", "--for", "5s")
    assert done.returncode == 1
    (line,) = _said(done.stderr)
    assert "cannot listen at" in line


def _children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _link(health: dict[str, object]) -> object:
    feed = health.get("feed")
    return feed.get("link") if isinstance(feed, dict) else None


class _LateFeed(TapeFeed):
    """Its last bars come when it is told to end; or it breaks."""

    async def run(self) -> None:
        self.bars(0, 50)
        try:
            await asyncio.sleep(30)
        finally:
            self.bars(50, 60)


class _BrokenFeed(TapeFeed):
    async def run(self) -> None:
        self.bars(0, 50)
        await asyncio.sleep(0.05)
        raise ZeroDivisionError("a bug\nin two lines")


async def _run(feed: type[TapeFeed], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    async def feeds(
        settings: Settings, plan: build.Plan, clock: Clock, store: Store, on_update: Callable[[], None]
    ) -> Sequence[TapeFeed]:
        return [feed(clock)]

    monkeypatch.setattr(build, "live_feeds", feeds)
    places = Paths(folder / "d", folder / "s", folder / "r")
    switch = sys.getswitchinterval()
    try:
        await run(settings(), places, Job(for_s=0.3))
    finally:
        sys.setswitchinterval(switch)
    return places


async def test_the_last_closed_bars_are_in_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = await _run(_LateFeed, tmp_path, monkeypatch)
    rows = read_frames(places.database, Y, dict.fromkeys(Timeframe, 100)).frames[Timeframe.S1]
    assert rows[:, 0].tolist() == [T0 + i * 1000 for i in range(60)]


async def test_an_error_in_a_feed_is_one_line_and_a_traceback_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(CollectorError, match=r"broke \(ZeroDivisionError: a bug in two lines\); its log"):
        await _run(_BrokenFeed, tmp_path, monkeypatch)
    (record,) = [each for each in caplog.records if each.levelno == logging.CRITICAL]
    assert record.exc_info
    rows = read_frames(tmp_path / "d" / "quantui.db", Y, dict.fromkeys(Timeframe, 100)).frames[Timeframe.S1]
    assert len(rows) == 50
