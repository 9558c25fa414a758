"""The screen on a real pty: what it shows, what it costs, how it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.ui.terminal import Terminal


class Open(Protocol):
    """Opens a fake source of some kind on a terminal."""

    def __call__(
        self, kind: str, *more: str, columns: int = 80, rows: int = 24, environ: Mapping[str, str] | None = None
    ) -> Terminal: ...


@pytest.fixture
def show() -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(kind: str, *more: str, columns: int = 80, rows: int = 24, environ: Mapping[str, str] | None = None) -> Terminal:
        opened.append(Terminal("-m", "tests.ui.fakes", kind, *more, columns=columns, rows=rows, environ=environ))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


PANELS = (
    "LIVE",
    "Price",
    "Regression",
    "Stationarity",
    "Alerts",
    "spread",
    "corr",
    "+2.0",
    "-2.0",
    "preview",
    "Pairs",
    "87/240",
    "? help",
)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (200, 50)])
def test_every_panel_stands_on_the_screen(show: Open, columns: int, rows: int) -> None:
    text = show("still", columns=columns, rows=rows).wait_for("87/240")
    assert [panel for panel in PANELS if panel not in text] == []
    assert all(len(line) <= columns for line in text.split("\n"))


def test_too_small_says_have_and_need_and_recovers(show: Open) -> None:
    terminal = show("still", columns=50, rows=12)
    terminal.wait_for("have 50x12, need 60x16")
    terminal.resize(80, 24)
    terminal.wait_for("87/240")


@pytest.mark.parametrize(("columns", "rows", "limit"), [(80, 24, 8_000), (200, 50, 25_000)])
def test_bytes_and_cpu_stay_within_the_budget(show: Open, columns: int, rows: int, limit: int) -> None:
    terminal = show("moving", columns=columns, rows=rows)
    terminal.wait_for("87/240")
    terminal.pump(1)
    seconds, cpu = 2.0, terminal.cpu_seconds()
    rate = terminal.pump(seconds) / seconds
    share = (terminal.cpu_seconds() - cpu) / seconds
    sys.stdout.write(f"{columns}x{rows}: {rate:.0f} B/s, {100 * share:.1f} % CPU\n")
    assert 0 < rate <= limit
    assert share < 0.15, "the budget is 3 % of a quiet core; the rest is what a loaded machine adds"


def test_nothing_is_written_when_nothing_changes(show: Open) -> None:
    terminal = show("still")
    terminal.wait_for("87/240")
    terminal.pump(1)
    assert terminal.pump(1.5) == 0


def test_nothing_is_written_while_paused(show: Open) -> None:
    terminal = show("moving")
    terminal.wait_for("87/240")
    terminal.keys(" ")
    terminal.wait_for("PAUSED")
    terminal.pump(0.5)
    assert terminal.pump(1.5) == 0
    terminal.keys(" ")
    terminal.wait_for("LIVE")
    assert terminal.pump(1) > 0


def test_the_health_page_tells_what_this_terminal_costs(show: Open) -> None:
    for driver in ("diff", "stock"):
        terminal = show("moving", f"driver={driver}")
        terminal.wait_for("87/240")
        terminal.keys("H")
        assert f"driver {driver}" in terminal.wait_for("sent")


@pytest.mark.parametrize("key", ["s", "i", "c", "m", "v", "?"])
def test_a_page_that_stands_still_costs_nothing_though_the_market_moves(show: Open, key: str) -> None:
    terminal = show("moving")
    terminal.wait_for("87/240")
    terminal.keys(key)
    terminal.wait_for(lambda text: "bar 00:00:00 UTC" in text or "Help" in text)
    terminal.pump(0.7)
    assert terminal.pump(1.5) == 0
    terminal.keys("q")
    terminal.wait_for("87/240")
    assert terminal.pump(1) > 0


def switched_on(terminal: Terminal) -> set[bytes]:
    """Terminal modes the program has left on; line wrap and cursor, off."""
    modes = dict(re.findall(rb"\x1b\[\?(\d+)([hl])", bytes(terminal.raw)))
    normal = {b"7": b"h", b"25": b"h"}
    return {mode for mode, state in modes.items() if state != normal.get(mode, b"l")}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_the_terminal_is_as_before(show: Open, number: int, code: int) -> None:
    terminal = show("moving")
    before = terminal.mode()
    terminal.wait_for("87/240")
    assert terminal.mode() != before
    os.kill(terminal.pid, number)
    assert terminal.wait_exit() < 2
    assert terminal.code == code
    assert terminal.mode() == before
    assert switched_on(terminal) == set()


def test_a_signal_ends_it_while_the_terminal_does_not_read(show: Open) -> None:
    terminal = show("moving", columns=200, rows=50)
    before = terminal.mode()
    terminal.wait_for("87/240")
    time.sleep(3)  # the pty's buffer and the driver's queue fill up
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.wait_exit(read=False) < 2
    assert terminal.code == 143
    assert terminal.mode() == before


def test_it_ends_when_the_terminal_is_gone(show: Open) -> None:
    terminal = show("moving")
    terminal.wait_for("87/240")
    terminal.hang_up()
    assert terminal.wait_exit(read=False) < 2
    assert terminal.code == 129


WITHOUT_HANGUP = """
import signal, sys
from tests.ui.fakes import main
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
sys.argv = ["fakes", "moving"]
sys.exit(main())
"""


def test_end_of_input_without_a_signal_ends_it_too() -> None:
    terminal = Terminal("-c", WITHOUT_HANGUP)
    try:
        terminal.wait_for("87/240")
        terminal.hang_up()
        assert terminal.wait_exit(read=False) < 2
        assert terminal.code == 129
    finally:
        terminal.close()


def test_a_crash_restores_the_terminal_and_prints_one_line(show: Open, tmp_path: Path) -> None:
    log = tmp_path / "screen.log"
    terminal = show("broken", f"log_path={log}")
    before = terminal.mode()
    terminal.wait_exit()
    assert terminal.code == 1
    assert terminal.mode() == before
    last = terminal.raw[terminal.raw.rfind(b"\x1b[?1004l") :].decode()
    assert f"quantui: the screen failed: ZeroDivisionError: [/] a bug; details in {log}" in last
    assert last.count("\n") == 1
    assert "Traceback" in log.read_text()


def test_times_and_digits_are_those_that_were_chosen(show: Open) -> None:
    terminal = show("still", "time_zone=Asia/Kolkata", "digits=apostrophe")
    text = terminal.wait_for("87/240")
    assert "Alerts (IST)" in text
    assert "05:29:00 ETH/BTC SHORT" in text
    assert "61'685.99" in text


def test_a_lost_collector_is_named_and_the_data_stay_until_it_is_back(show: Open) -> None:
    terminal = show("lost")
    text = terminal.wait_for("COLLECTOR LOST")
    assert "old data" in text
    terminal.wait_for(lambda shown: "Connection refused; trying again" in shown and "87/240" in shown)
    terminal.wait_for(lambda shown: "LIVE" in shown and "refused" not in shown)


def test_a_new_alert_rings_and_notifies_once_and_old_ones_never(show: Open) -> None:
    terminal = show("alerting")
    terminal.wait_for("LONG z -2.31")
    terminal.pump(1)
    assert terminal.raw.count(b"\x1b]9;quantui: ETHUSDT/BTCUSDT LONG z -2.31,\\x1b]0,x\\x07\x07") == 1
    assert terminal.raw.count(b"\x1b]777;notify;quantui;ETHUSDT/BTCUSDT LONG z -2.31,\\x1b]0,x\\x07\x07") == 1
    sequences = len(re.findall(rb"\x1b\][^\x07]*\x07", bytes(terminal.raw)))
    assert terminal.raw.count(b"\x07") - sequences == 1


def test_notifications_pass_through_tmux(show: Open) -> None:
    terminal = show("alerting", environ={"TMUX": "/tmp/tmux-0/default,1,0"})
    terminal.wait_for("LONG z -2.31")
    assert b"\x1bPtmux;\x1b\x1b]9;quantui: ETHUSDT/BTCUSDT LONG" in terminal.raw


def test_without_a_terminal_it_says_so() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.ui.fakes", "still"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert run.returncode == 2
    assert "no terminal" in run.stderr
    assert run.stderr.count("\n") == 1


def test_the_first_paint_needs_neither_numpy_nor_the_network() -> None:
    code = "import sys; import quantui.ui.app, quantui.ui.guard; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=10, check=True).stdout.split()
    heavy = {
        "numpy",
        "polars",
        "scipy",
        "statsmodels",
        "aiohttp",
        "aiosqlite",
        "sqlite3",
        "plotext",
        "msgspec",
        "http.client",
        "zstandard",
    }
    assert heavy & set(loaded) == set()


def test_the_first_paint_comes_early(show: Open) -> None:
    """0.25 s on a quiet machine; the limit here leaves room for a loaded one."""
    terminal = show("still")
    while b"quit" not in terminal.raw:
        terminal.pump(0.005)
        assert time.monotonic() - terminal.started < 5
    seconds = time.monotonic() - terminal.started
    sys.stdout.write(f"first paint after {seconds:.3f} s\n")
    assert seconds < 1.5


@pytest.mark.parametrize("key", ["n", "p", "2", "t", "w", "+", "-"])
def test_a_key_is_painted_soon(show: Open, key: str) -> None:
    """10 ms on a quiet machine."""
    terminal = show("still")
    terminal.wait_for("87/240")
    terminal.pump(0.4)
    before, start = len(terminal.raw), time.monotonic()
    terminal.keys(key)
    while len(terminal.raw) == before:
        terminal.pump(0.002)
        assert time.monotonic() - start < 2
    sys.stdout.write(f"{key}: {1000 * (time.monotonic() - start):.1f} ms\n")
