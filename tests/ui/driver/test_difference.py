"""Whatever is written, the cells that come out are those a terminal would have made of it."""

from itertools import chain

import pyte
from hypothesis import given
from hypothesis import strategies as st

from quantui.ui.driver.difference import Difference
from quantui.ui.driver.grid import Grid
from quantui.ui.driver.pens import switch

PENS = ("", "1", "31", "38;5;107", "38;5;252;48;5;233", "1;38;2;1;2;3", "7", "2;4;44", "97;100", "3;9")

pens = st.sampled_from(PENS)
texts = st.text(st.sampled_from("ab  |─█⠉▲币安"), min_size=1, max_size=30)
runs = st.tuples(st.integers(0, 24), st.integers(0, 7), pens, texts)
frames = st.lists(st.lists(runs, max_size=6), max_size=6)
sizes = st.tuples(st.integers(4, 30), st.integers(2, 9))


Run = tuple[int, int, str, str]
"""Column, row, pen, text."""


def written(run: Run) -> str:
    """As Textual writes it."""
    x, y, pen, text = run
    return f"\x1b[{y + 1};{x + 1}H" + (f"\x1b[{pen}m{text}\x1b[0m" if pen else text)


def cells(screen: pyte.Screen) -> list[list[object]]:
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


def fits(run: Run, columns: int, rows: int) -> bool:
    x, y, _, text = run
    return y < rows and x + sum(2 if char in "币安" else 1 for char in text) <= columns


@given(frames, sizes, sizes)
def test_a_terminal_shows_the_same(frames: list[list[Run]], size: tuple[int, int], other: tuple[int, int]) -> None:
    grid, difference = Grid(*size), Difference()
    straight, ours = pyte.Screen(*size), pyte.Screen(*size)
    for screen in (straight, ours):
        screen.reset_mode(pyte.modes.DECAWM)
    straight_stream, our_stream = pyte.Stream(straight), pyte.Stream(ours)
    for number, frame in enumerate(frames):
        if number == len(frames) // 2 and other != size:
            grid.resize(*other)
            for screen in (straight, ours):
                screen.resize(other[1], other[0])
                screen.erase_in_display(2)
            straight_stream.feed("".join(written((0, y, "", "x" * other[0])) for y in range(other[1])))
            grid.apply("".join(written((0, y, "", "x" * other[0])) for y in range(other[1])))
        for run in frame:
            if fits(run, grid.columns, grid.rows) and not _splits(grid, run):
                straight_stream.feed(written(run))
                assert grid.apply(written(run)) == []
        our_stream.feed(difference.to(grid))
        assert cells(ours) == cells(straight)
        assert difference.to(grid) == ""


def _splits(grid: Grid, run: Run) -> bool:
    """Whether it would write over half of a wide sign, which Textual never does."""
    x, y, _, text = run
    end = x + sum(2 if char in "币安" else 1 for char in text)
    row = grid.signs[y]
    return any(at < len(row) and not row[at] for at in (x, end))


@given(st.lists(pens, min_size=2, max_size=6))
def test_a_pen_is_the_same_whatever_came_before(sequence: list[str]) -> None:
    ours, straight = pyte.Screen(4, 1), pyte.Screen(4, 1)
    steps = [switch(before, after) for before, after in zip(["", *sequence], sequence, strict=False)]
    pyte.Stream(ours).feed("".join(steps) + "a")
    pyte.Stream(straight).feed(f"\x1b[{sequence[-1]}ma")
    assert ours.buffer[0][0] == straight.buffer[0][0]


def test_only_what_differs_is_written() -> None:
    grid, difference = Grid(80, 24), Difference()
    grid.apply("\x1b[5;1H" + "x" * 80)
    difference.to(grid)
    grid.apply("\x1b[5;1H" + "x" * 40 + "y" + "x" * 39)
    assert difference.to(grid) == "\x1b[5;41Hy"


def test_a_few_cells_between_are_written_rather_than_left_out() -> None:
    grid, difference = Grid(80, 1), Difference()
    grid.apply("\x1b[1;1H" + "abcdefghij")
    difference.to(grid)
    grid.apply("\x1b[1;1H" + "Abc")
    grid.apply("\x1b[1;4H" + "D" + "efghi" + "J")
    assert difference.to(grid) == "\x1b[1HAbcD\x1b[5CJ"


def test_what_is_no_picture_is_handed_back_in_its_order() -> None:
    grid = Grid(20, 2)
    tmux = "\x1bPtmux;\x1b\x1b]9;quantui: x\x07\x1b\\"
    parts = ["\x1b[?1003h", "\x07", "\x1b]9;quantui: a\x07", tmux, "\x1b[?2048$p", "\x1b[>1u", "\x1b[6n"]
    assert grid.apply("".join(chain.from_iterable((part, "ab") for part in parts))) == parts
    assert "".join(grid.signs[0]) == "ab" * len(parts) + " " * 6


def test_after_forgetting_every_cell_is_written_again() -> None:
    grid, difference = Grid(10, 2), Difference()
    grid.apply("\x1b[1;1H\x1b[31mab\x1b[0m")
    first = difference.to(grid)
    difference.forget()
    assert difference.to(grid) == "\x1b[m" + first, "with whatever pen the terminal draws"
    assert first == "\x1b[1H\x1b[31mab\x1b[m" + " " * 8 + "\x1b[2H" + " " * 10
