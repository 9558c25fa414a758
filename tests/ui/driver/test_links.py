"""The same picture as Textual's own driver makes, on any link."""

import json
import os
import random
import time
from pathlib import Path

import pyte
import pytest

from tests.ui.terminal import _UNKNOWN_TO_PYTE, Terminal

KEYS = "nnpp123456789jkhlgGttTwWwWbB+-+- sicmvH/rr<>zZx??df\tf".replace("q", "")
ESCAPE = "\x1b"
SIZES = ((80, 24), (120, 40), (200, 50), (60, 16), (40, 10), (81, 25))


BESIDE = """
import json, sys
from quantui.ui.driver.drivers import DiffDriver
from tests.ui.fakes import main

log = open(sys.argv.pop(), "w", buffering=1)
write = DiffDriver.write

def told(self, data):
    size = self.painter._size()
    log.write(json.dumps([*size, data]) + "\\n")
    write(self, data)

DiffDriver.write = told
sys.exit(main())
"""
"""The screen by the diff driver, and in a file what the stock driver would have written."""


class Stock:
    """The screen as that file makes it."""

    def __init__(self, log: Path, columns: int, rows: int) -> None:
        self._log, self._at = log, 0
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)
        self.bytes = 0

    def read(self) -> None:
        with self._log.open("rb") as log:
            log.seek(self._at)
            whole, found, _ = log.read().rpartition(b"\n")
        self._at += len(whole) + len(found)
        for line in whole.splitlines():
            columns, rows, data = json.loads(line)
            if (columns, rows) != (self.screen.columns, self.screen.lines):
                self.screen.resize(rows, columns)
            self.bytes += len(data.encode())
            self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data.encode()).decode())


def cells(screen: pyte.Screen) -> list[list[object]]:
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


def differing(terminal: Terminal, stock: Stock, patience_s: float = 5.0) -> list[tuple[int, int, object, object]]:
    """Cells that differ once both have had the time to draw."""
    end = time.monotonic() + patience_s
    while True:
        terminal.pump(0.05)
        terminal.text()
        stock.read()
        left, right = cells(terminal.screen), cells(stock.screen)
        if left == right or time.monotonic() > end:
            return [(y, x, a, b) for y, (first, second) in enumerate(zip(left, right, strict=False))
                    for x, (a, b) in enumerate(zip(first, second, strict=False)) if a != b]  # fmt: skip


@pytest.mark.parametrize("kind", ["still", "moving"])
def test_cells_equal_those_of_the_stock_driver_through_random_keys_and_sizes(
    opened: list[Terminal], tmp_path: Path, kind: str
) -> None:
    seed = int(os.environ.get("QUANTUI_KEYS_SEED", "5"))
    chance = random.Random(seed)
    log = tmp_path / "stock"
    terminal = Terminal("-c", BESIDE, kind, str(log))
    opened.append(terminal)
    terminal.wait_for("87/240")
    stock = Stock(log, 80, 24)
    pressed = ""
    for number in range(200):
        key = ESCAPE if chance.random() < 0.15 else chance.choice(KEYS)
        pressed += key
        terminal.keys(key)
        if number % 20 == 19:
            terminal.resize(*chance.choice(SIZES))
        if number % 5 == 4:
            found = differing(terminal, stock)
            assert not found, (seed, pressed, found[:5])
    assert len(terminal.raw) < stock.bytes / 2


def test_a_frozen_terminal_stops_nobody(opened: list[Terminal]) -> None:
    terminal = Terminal("-m", "tests.ui.fakes", "moving", columns=200, rows=50)
    opened.append(terminal)
    terminal.wait_for("87/240")
    before = terminal.text()
    time.sleep(3)
    start = len(terminal.raw)
    terminal.wait_for(lambda text: text != before)
    terminal.pump(0.5)
    assert len(terminal.raw) - start < 64_000, "what was drawn meanwhile is not told again"
