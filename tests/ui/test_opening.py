"""The empty monitor before the program is loaded: where it may be shown, and that it is the one that comes."""

import pyte
import pytest

from quantui.ui import opening
from quantui.ui.render import geometry
from tests.ui.test_snapshots import FOLDER, SIZES


@pytest.mark.parametrize(
    ("line", "is_screen"),
    [
        ("", True),
        ("demo", True),
        ("--data-dir /tmp/x --config=y.toml demo --speed 10 --faults", True),
        ("replay --speed max a.csv b.csv", True),
        ("attach http://host:1", True),
        ("--log-level debug", True),
        ("demo --help", False),
        ("-h", False),
        ("--version", False),
        ("demo --plain", False),
        ("replay --headless a.csv", False),
        ("replay -", False),
        ("demo --spee 10", False),
        ("--data-dir", False),
        ("status", False),
        ("export bars", False),
        ("demmo", False),
        ("--faults", False),
    ],
)
def test_only_a_command_that_surely_shows_the_screen_begins_with_it(line: str, is_screen: bool) -> None:
    assert opening.is_screen(line.split()) is is_screen


def rows_of(picture: str, columns: int, rows: int) -> list[str]:
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(picture)
    return list(screen.display)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_its_frames_stand_where_those_of_the_monitor_will(columns: int, rows: int) -> None:
    shown = rows_of(opening.picture(columns, rows, is_ascii=False), columns, rows)
    monitor = (FOLDER / f"monitor-{columns}x{rows}-dark.txt").read_text().split("\n")
    for y in range(1, 1 + geometry.plan(columns, rows).card):
        frame = [(x, sign) for x, sign in enumerate(shown[y]) if sign in "╭╮╰╯│"]
        assert len(frame) == 8
        assert [sign for _, sign in frame] == [monitor[y][x] for x, _ in frame]
    assert "─ Price ─" in shown[1]
    assert "─ Price ─" in monitor[1]
    assert opening.SAID in shown[0]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    assert opening.picture(80, 24, is_ascii=True).isascii()
    assert "+- Price -" in rows_of(opening.picture(80, 24, is_ascii=True), 80, 24)[1]
