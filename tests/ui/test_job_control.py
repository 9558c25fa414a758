"""Ctrl+Z, fg, and what may happen in between, in a real shell with both drivers."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.ui.terminal import Terminal
from tests.ui.test_terminal import switched_on

PROMPT = "READY$"


def shell(opened: list[Terminal]) -> Terminal:
    """An interactive bash."""
    terminal = Terminal("--norc", "--noprofile", "-i", program="/bin/bash", environ={"PS1": f"{PROMPT} "})
    opened.append(terminal)
    terminal.wait_for(PROMPT)
    return terminal


def command(terminal: Terminal, line: str, shown: str) -> str:
    """What a command prints, on an empty screen."""
    terminal.keys(f"clear; {line}\n")
    return terminal.wait_for(lambda text: shown in text and text.rstrip().endswith(PROMPT))


def settings(terminal: Terminal) -> str:
    """What `stty -a` says, but the size."""
    words = " ".join(command(terminal, "stty -a", "echoke").split())
    return words[words.index("intr") : words.index("echoke")]


def begin(terminal: Terminal, driver: str) -> int:
    """The screen in front; its process id."""
    terminal.keys(f"clear; {sys.executable} -m tests.ui.fakes moving driver={driver}\n")
    terminal.wait_for("87/240")
    return os.tcgetpgrp(terminal.master)


def stop(terminal: Terminal) -> None:
    terminal.keys("\x1a")
    terminal.wait_for("Stopped")
    terminal.wait_for(lambda text: PROMPT in text)


def state(pid: int) -> str:
    """T: stopped; empty: ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def ended(pid: int, seconds: float = 2) -> bool:
    """Whether it has ended within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and state(pid) not in ("", "Z"):
        time.sleep(0.02)
    return state(pid) in ("", "Z")


@pytest.mark.parametrize("driver", ["diff", "stock"])
def test_it_stops_and_goes_on_and_draws_all_again_at_the_same_size_and_another(opened: list[Terminal], driver: str) -> None:
    terminal = shell(opened)
    before = settings(terminal)
    pid = begin(terminal, driver)
    for columns, rows, pair in ((80, 24, "SOL/ETH"), (120, 40, "BNB/BTC"), (200, 50, "LINK/ETH")):
        stop(terminal)
        assert switched_on(terminal) == {b"2004"}, "what bash itself has on at its prompt"
        assert settings(terminal) == before
        assert state(pid) == "T"
        terminal.keys("clear; bg\n")
        terminal.wait_for("&")
        terminal.pump(0.3)
        assert state(pid) == "T", "without the terminal it can only stop again"
        terminal.set_size(columns, rows)
        terminal.forget()
        terminal.keys("fg\n")
        terminal.wait_for(lambda text, columns=columns: "LIVE" in text and "quit" in text and f"{'─' * (columns // 6)}" in text)  # type: ignore[misc]
        terminal.keys("n")
        terminal.wait_for(lambda text, pair=pair: pair in text.split("\n", 1)[0])  # type: ignore[misc]
        assert terminal.pump(0.6) > 0, "it moves"
    terminal.keys("q")
    terminal.wait_for(PROMPT)
    assert settings(terminal) == before
    assert ended(pid)


@pytest.mark.parametrize("driver", ["diff", "stock"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_though_it_is_stopped_and_leaves_the_shell_alone(
    opened: list[Terminal], driver: str, number: signal.Signals
) -> None:
    terminal = shell(opened)
    before = settings(terminal)
    pid = begin(terminal, driver)
    stop(terminal)
    terminal.keys(f"clear; kill -{number.name} %1; kill -CONT %1\n")
    assert ended(pid)
    terminal.pump(0.3)
    assert "no process" in command(terminal, f"ps -p {pid} || echo no process", "no process")
    assert settings(terminal) == before


@pytest.mark.parametrize("driver", ["diff", "stock"])
def test_a_terminal_that_goes_while_it_is_stopped_takes_it_along(opened: list[Terminal], driver: str) -> None:
    terminal = shell(opened)
    pid = begin(terminal, driver)
    stop(terminal)
    terminal.hang_up()
    assert ended(pid, 3)
