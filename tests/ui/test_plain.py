"""Lines in place of the screen, on a real pty: what comes out, and how it ends."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Protocol

import pytest

from quantui.ui.plain import Journal
from tests.ui.fakes import snapshot
from tests.ui.hostile_source import TURNS
from tests.ui.sequences import decoded
from tests.ui.terminal import Terminal

BAR = r"\d\d:\d\d:\d\d ETH/BTC 1s ETH [\d,.]+ BTC [\d,.]+ beta 0\.912 z [+-]\d\.\d\d .* half-life 14 bars"

HIDDEN = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\u0300-\u036f]")


class Open(Protocol):
    """Opens a fake source of some kind on a terminal without a cursor."""

    def __call__(self, kind: str, *more: str, **environ: str) -> Terminal: ...


@pytest.fixture
def show() -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(kind: str, *more: str, **environ: str) -> Terminal:
        names = {"TERM": "dumb"} | environ
        opened.append(Terminal("-m", "tests.ui.fakes", kind, *more, columns=200, rows=50, environ=names))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def lines(terminal: Terminal) -> list[str]:
    return decoded(bytes(terminal.raw)).replace("\r\n", "\n").splitlines()


def wait_for_line(terminal: Terminal, pattern: str) -> list[str]:
    """All lines once a whole one matches; the terminal's own screen is not looked at, since it would cut them."""
    terminal.wait_for(lambda _: any(re.fullmatch(pattern, line) for line in lines(terminal)))
    return lines(terminal)


@pytest.mark.parametrize(
    ("term", "more", "said"),
    [("dumb", (), "TERM=dumb (plain"), ("", (), "TERM is unset (plain"), ("xterm-256color", ("plain=yes",), "plain line")],
)
def test_lines_and_not_one_escape_come_out(show: Open, term: str, more: tuple[str, ...], said: str) -> None:
    terminal = show("moving", *more, TERM=term)
    told = wait_for_line(terminal, BAR)
    assert told[0].startswith(f"quantui: {said}")
    assert told[0].endswith("Ctrl+C to leave")
    assert re.search(rb"[^\n\r -~]", bytes(terminal.raw)) is None


def test_nothing_is_written_when_nothing_changes(show: Open) -> None:
    terminal = show("still")
    wait_for_line(terminal, BAR)
    assert terminal.pump(1.5) == 0


def test_a_new_alert_is_a_line_once_and_old_ones_never_are(show: Open) -> None:
    terminal = show("alerting")
    wait_for_line(terminal, r"00:00:00 ALERT ETH/BTC LONG z -2\.31;\\x1b\]0;x\\x07")
    terminal.pump(1)
    assert sum("ALERT" in line for line in lines(terminal)) == 1
    assert b"\x07" not in terminal.raw


def test_hostile_text_comes_out_as_visible_escapes(show: Open) -> None:
    terminal = show("hostile")
    terminal.wait_for(lambda _: terminal.raw.count(b"watching") > TURNS)
    told = decoded(bytes(terminal.raw))
    assert "币安人生" in told
    assert "\\x1b]52;c;" in told
    assert HIDDEN.search(told) is None


def test_without_utf_8_everything_is_ascii(show: Open) -> None:
    terminal = show("hostile", LC_ALL="C", LANG="C")
    terminal.wait_for(lambda _: b"\\u5e01\\u5b89" in terminal.raw)
    assert terminal.raw.isascii()


def test_a_lost_collector_is_a_line_and_its_return_another(show: Open) -> None:
    terminal = show("lost")
    wait_for_line(terminal, "collector back")
    lost = [line for line in lines(terminal) if line.startswith("collector")]
    reason = "the collector at /run/x.sock cannot be reached: Connection refused; trying again"
    assert lost == [f"collector lost (newest bar 00:06:39): {reason}", "collector back"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_the_terminal_is_as_before(show: Open, number: int, code: int) -> None:
    terminal = show("moving")
    before = terminal.mode()
    wait_for_line(terminal, BAR)
    assert terminal.mode() == before, "nothing was switched on"
    os.kill(terminal.pid, number)
    assert terminal.wait_exit() < 2
    assert terminal.code == code
    assert terminal.mode() == before
    assert b"\x1b" not in terminal.raw


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 0)])
def test_ctrl_c_and_ctrl_d_end_it_and_other_input_is_dropped(show: Open, key: str, code: int) -> None:
    terminal = show("moving")
    wait_for_line(terminal, BAR)
    terminal.keys("typed\n" + key)
    assert terminal.wait_exit() < 2
    assert terminal.code == code


def test_a_signal_ends_it_while_the_terminal_does_not_read(show: Open) -> None:
    terminal = show("hostile")
    terminal.wait_for(lambda _: terminal.raw.count(b"watching") > 5)
    terminal.keys("\x13")  # Ctrl+S: the terminal stands still
    terminal.pump(1)
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.wait_exit(read=False) < 2.5
    assert terminal.code == 143


def test_it_ends_when_the_terminal_is_gone(show: Open) -> None:
    terminal = show("moving")
    wait_for_line(terminal, BAR)
    os.close(terminal.master)
    terminal.master = -1
    assert terminal.wait_exit(read=False) < 2
    assert terminal.code == 129


def test_a_closed_pipe_ends_it_quietly() -> None:
    command = f"{sys.executable} -m tests.ui.fakes moving plain=yes | head -n 2; echo code ${{PIPESTATUS[0]}}"
    terminal = Terminal("-c", command, columns=200, program="/bin/bash")
    try:
        terminal.wait_exit(10)
        told = lines(terminal)
        assert told[0].startswith("quantui: plain line")
        assert told[3:] == ["code 1"], "two lines for head, then nothing"
    finally:
        terminal.close()


def test_a_failure_is_one_line(show: Open) -> None:
    terminal = show("broken")
    terminal.wait_exit()
    assert terminal.code == 1
    assert lines(terminal)[1:] == ["quantui: the screen failed: ZeroDivisionError: [/] a bug"]


def test_without_a_terminal_it_says_so() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.ui.fakes", "still", "plain=yes"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert run.returncode == 2
    assert "no terminal" in run.stderr
    assert run.stdout == ""


def test_a_reason_that_differs_in_numbers_only_is_not_told_again() -> None:
    journal = Journal()
    journal.fetched(snapshot())
    assert len(journal.lost("no answer within 5 s")) == 1
    assert journal.lost("no answer within 6 s") == []
    assert journal.lost("it did not start") == ["collector still lost: it did not start; trying again"]
    assert journal.fetched(snapshot()) == ["collector back"]
    assert len(journal.lost("no answer within 5 s")) == 1
