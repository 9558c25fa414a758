"""What is typed, however it comes; and nothing at all where nothing is typed."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.terminal import Terminal

DRIVERS = ("diff", "stock")


@pytest.fixture(params=DRIVERS)
def still(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    terminal = Terminal("-m", "tests.ui.fakes", "still", f"driver={request.param}")
    terminal.wait_for("87/240")
    yield terminal
    terminal.close()


def wakes(pid: int) -> int:
    """How often the threads of a process have slept so far."""
    found = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        found += int(re.findall(r"^voluntary_ctxt_switches:\s*(\d+)", status.read_text(), re.M)[0])
    return found


def test_a_frozen_picture_wakes_nobody(still: Terminal) -> None:
    still.keys(" ")
    still.wait_for("PAUSED")
    still.pump(1.5)
    before = wakes(still.pid)
    assert still.pump(3) == 0
    assert wakes(still.pid) - before <= 12, "Textual's own reader alone wakes 30 times"


def test_rubbish_is_survived_and_the_next_key_works(still: Terminal) -> None:
    for rubbish in (b"\xff\xfe\xc3", b"\x1b[999999;;;~", b"\x1b[<0;1M", b"\x00\x80\x9b", b"\xf0\x9f"):
        os.write(still.master, rubbish)
        still.pump(0.15)
    still.keys(" ")
    still.wait_for("PAUSED")


def test_a_key_in_two_pieces_is_one_key(still: Terminal) -> None:
    os.write(still.master, b"\x1b[")
    still.pump(0.02)
    os.write(still.master, b"B")
    still.wait_for("SOL/ETH")
    os.write(still.master, b"?")
    still.wait_for("Help ─")
    os.write(still.master, b"\x1b")
    still.wait_for(lambda text: "Help ─" not in text)
