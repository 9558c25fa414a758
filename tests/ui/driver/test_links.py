"""The same picture as Textual's own driver makes, on any link."""

import os
import random
import time
from collections.abc import Iterator

import pytest

from tests.ui.terminal import Terminal

KEYS = "nnpp123456789jkhlgGttTwWwWbB+-+- sicm/rr<>??d".replace("q", "")
ESCAPE = "\x1b"
SIZES = ((80, 24), (120, 40), (200, 50), (60, 16), (40, 10), (81, 25))


@pytest.fixture
def opened() -> Iterator[list[Terminal]]:
    found: list[Terminal] = []
    yield found
    for terminal in found:
        terminal.close()


def cells(terminal: Terminal) -> list[list[object]]:
    terminal.text()
    screen = terminal.screen
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


def differing(one: Terminal, other: Terminal, patience_s: float = 5.0) -> list[tuple[int, int, object, object]]:
    """Cells that differ once both have had the time to draw."""
    end = time.monotonic() + patience_s
    while True:
        one.pump(0.03)
        other.pump(0.03)
        left, right = cells(one), cells(other)
        if left == right or time.monotonic() > end:
            return [(y, x, a, b) for y, (first, second) in enumerate(zip(left, right, strict=True))
                    for x, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]  # fmt: skip


def test_cells_equal_those_of_the_stock_driver_through_random_keys_and_sizes(opened: list[Terminal]) -> None:
    seed = int(os.environ.get("QUANTUI_KEYS_SEED", "5"))
    chance = random.Random(seed)
    stock, diff = (Terminal("-m", "tests.ui.fakes", "still", f"driver={name}") for name in ("stock", "diff"))
    opened += [stock, diff]
    for terminal in opened:
        terminal.wait_for("87/240")
    pressed = ""
    for number in range(200):
        key = ESCAPE if chance.random() < 0.15 else chance.choice(KEYS)
        pressed += key
        for terminal in opened:
            terminal.keys(key)
        if number % 20 == 19:
            size = chance.choice(SIZES)
            for terminal in opened:
                terminal.pump(0.05)
                terminal.resize(*size)
        if number % 5 == 4:
            found = differing(stock, diff)
            assert not found, (seed, pressed, found[:5])
    assert len(diff.raw) < len(stock.raw) / 2


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
