import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from quantui.alerts.channels import Channel
from quantui.alerts.channels.desktop import QUEUE_LIMIT, DesktopChannel, arguments
from quantui.alerts.records import AlertRecord, data_alert
from quantui.clock import Clock


def record(text: str, pair: str = "ETHUSDT/BTCUSDT") -> AlertRecord:
    return data_alert("gap", text, now_ms=1, since_ms=1, pair=pair)


def raw(text: str, pair: str) -> AlertRecord:
    """A record whose texts were not cleaned on the way."""
    return AlertRecord(time_ms=1, bar_ms=1, pair=pair, timeframe="1m", rule="r", severity="alert", message=text)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], DesktopChannel]:
    """A channel with a real program in the place of notify-send: a shell script."""

    def make(script: str) -> DesktopChannel:
        path = tmp_path / "notify-send"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/none", "OUT": str(tmp_path / "out")}
        channel = DesktopChannel.find(env, Clock())
        assert channel is not None
        channel.interval_s = 0.01
        return channel

    return make


@asynccontextmanager
async def running(channel: Channel) -> AsyncIterator[None]:
    task = asyncio.create_task(channel.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(predicate: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not predicate():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def is_alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def test_there_is_no_channel_without_a_desktop_bus_or_without_the_program(tmp_path: Path) -> None:
    (tmp_path / "notify-send").write_text("#!/bin/sh\n")
    (tmp_path / "notify-send").chmod(0o755)
    assert DesktopChannel.find({"PATH": str(tmp_path)}, Clock()) is None
    assert DesktopChannel.find({"PATH": "/nowhere", "DBUS_SESSION_BUS_ADDRESS": "x"}, Clock()) is None
    assert DesktopChannel.find({"PATH": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": "x"}, Clock()) is not None


async def test_an_alert_reaches_the_program_as_plain_text(program: Callable[[str], DesktopChannel], tmp_path: Path) -> None:
    channel = program('for part in "$@"; do printf "%s\\n" "$part"; done > "$OUT.tmp"; mv "$OUT.tmp" "$OUT"')
    async with running(channel):
        channel.offer(raw("--expire <b>$(reboot)</b>\x1b[2J\x00", "-A"))
        await until(lambda: channel.sent)
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines == [
        "--app-name=quantui",
        "--urgency=normal",
        "--",
        "quantui: -A",
        "--expire &lt;b&gt;$(reboot)&lt;/b&gt;\\x1b[2J\\x00",
    ]
    assert (channel.failed, channel.dropped) == (0, 0)


async def test_what_waits_goes_out_in_one_notification(program: Callable[[str], DesktopChannel], tmp_path: Path) -> None:
    channel = program('printf x >> "$OUT"')
    for number in range(20):
        channel.offer(record(str(number)))
    async with running(channel):
        await until(lambda: channel.sent)
        channel.offer(record("later"))
        await until(lambda: channel.sent == 2)
    assert (tmp_path / "out").read_text() == "xx"


def test_many_alerts_are_counted_and_the_newest_named() -> None:
    title, body = arguments([record(str(number)) for number in range(8)])[-2:]
    assert title == "quantui: 8 alerts"
    assert body.splitlines() == ["7", "6", "5", "4", "3", "and 3 earlier"]


def test_too_many_waiting_drop_the_oldest_and_are_counted(program: Callable[[str], DesktopChannel]) -> None:
    channel = program("true")
    for number in range(QUEUE_LIMIT + 7):
        channel.offer(record(str(number)))
    assert channel.dropped == 7
    assert channel._waiting[0].message == "7"


async def test_a_failing_program_is_counted_and_the_next_alert_still_goes_out(program: Callable[[str], DesktopChannel]) -> None:
    channel = program('[ -e "$OUT" ] || { : > "$OUT"; exit 3; }')
    async with running(channel):
        channel.offer(record("a"))
        await until(lambda: channel.failed)
        assert "ended with 3" in channel.error
        channel.offer(record("b"))
        await until(lambda: channel.sent)
    assert (channel.failed, channel.error) == (1, ""), "counted, but no longer so"


async def test_a_program_that_is_gone_is_counted(program: Callable[[str], DesktopChannel], tmp_path: Path) -> None:
    channel = program("true")
    (tmp_path / "notify-send").unlink()
    async with running(channel):
        channel.offer(record("a"))
        await until(lambda: channel.failed)
    assert "cannot be started" in channel.error


async def test_a_program_that_hangs_is_ended(program: Callable[[str], DesktopChannel], tmp_path: Path) -> None:
    channel = program('echo $$ > "$OUT"; exec sleep 60')
    channel.timeout_s = 0.5
    async with running(channel):
        channel.offer(record("a"))
        await until(lambda: channel.failed)
    assert "did not end" in channel.error
    assert not is_alive(tmp_path / "out")


async def test_stopping_the_channel_ends_its_program(program: Callable[[str], DesktopChannel], tmp_path: Path) -> None:
    out = tmp_path / "out"
    channel = program('echo $$ > "$OUT"; exec sleep 60')
    async with running(channel):
        channel.offer(record("a"))
        await until(lambda: out.exists() and out.read_text().strip())
    await until(lambda: not is_alive(out))
