"""A storm of resizes, down to one cell and up to a wall of screens: the picture after it is that of a fresh start."""

import random
import sys
import time

import pytest

from tests.ui.terminal import Terminal

SIZES = ((1, 1), (20, 5), (1000, 400), (60, 16), (59, 16), (80, 24), (200, 50), (2, 200), (400, 2), (300, 100), (120, 40), (79, 23))
FINAL = (120, 40)
RATE = 100


def storm(terminal: Terminal, seconds: float) -> None:
    """Resizes at a rate that nobody's hand reaches; ends with the final size."""
    chance, start = random.Random(7), time.monotonic()
    for number in range(int(seconds * RATE)):
        # the largest are rare, as even a terminal needs its time for them
        size = SIZES[number % len(SIZES)] if number % 25 == 2 else chance.choice([each for each in SIZES if each[0] <= 200])
        terminal.set_size(*size)
        terminal.pump(max(0.0, start + (number + 1) / RATE - time.monotonic()))
    terminal.set_size(1000, 400)
    terminal.set_size(*FINAL)
    terminal.forget()


def differing(one: Terminal, other: Terminal) -> list[tuple[object, object]]:
    """Cells that differ; those of the charts may, since their scales remember."""
    pairs = [pair for rows in zip(one.cells(), other.cells(), strict=True) for pair in zip(*rows, strict=True)]
    return [(a, b) for a, b in pairs if a != b and not any("\u2800" < cell.data < "\u28ff" for cell in (a, b))]


@pytest.mark.parametrize("seconds", [2, pytest.param(10, marks=pytest.mark.soak)])
@pytest.mark.parametrize("driver", ["diff", "stock"])
def test_after_a_storm_of_resizes_the_picture_is_that_of_a_fresh_start(opened: list[Terminal], driver: str, seconds: int) -> None:
    argv = ("-m", "tests.ui.fakes", "still", f"driver={driver}")
    fresh = Terminal(*argv, columns=FINAL[0], rows=FINAL[1])
    terminal = Terminal(*argv)
    opened += [fresh, terminal]
    fresh.wait_for("87/240")
    terminal.wait_for("87/240")
    storm(terminal, seconds)
    start = time.monotonic()
    terminal.wait_for(lambda _: differing(terminal, fresh) == [], 10)
    took = time.monotonic() - start
    sys.stdout.write(f"{driver}: right {took:.2f} s after {seconds} s of storm\n")
    assert took < 1 or seconds < 10, "on a quiet machine, as the long form wants"
    terminal.keys("2")
    terminal.wait_for("▸2")
    terminal.keys("q")
    terminal.wait_exit()
    assert terminal.code == 0


@pytest.mark.parametrize("driver", ["diff", "stock"])
@pytest.mark.parametrize("size", [(1, 1), (20, 5), (1000, 400)])
def test_it_starts_and_answers_at_every_size(opened: list[Terminal], driver: str, size: tuple[int, int]) -> None:
    terminal = Terminal("-m", "tests.ui.fakes", "still", f"driver={driver}", columns=size[0], rows=size[1])
    opened.append(terminal)
    while b"\x1b[?2004h" not in terminal.raw:
        assert terminal.pump(1), "it has not begun"
    terminal.set_size(80, 24)
    terminal.forget()
    terminal.wait_for("87/240")
    terminal.keys("3")
    terminal.wait_for("▸3")
