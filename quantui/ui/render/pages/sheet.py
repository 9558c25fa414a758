"""What a page is drawn from and drawn to, whichever page it is."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from quantui.ui.render import local
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Field, Line, Role, Span, bar, fit, wrapped

if TYPE_CHECKING:
    from quantui.collector.pages import Page


LINE: Final = 110
"""Longest line of prose, in cells: longer ones are hard to read."""


class View(NamedTuple):
    """What the keys of a page have chosen."""

    cursor: int = 0
    """Row that is selected, where rows can be."""
    left: int = 0
    """Columns scrolled off to the left; on a chart those between the crosshair and the newest bar."""
    sort: int = 0
    """Column sorted by; 0 is the order in which the rows came."""
    is_reversed: bool = False
    filter: str = ""
    zoom: int = 0
    """Of a chart: which of its numbers of bars a column."""
    shown: int = 0
    """Of a chart: which of its pictures."""


class Sheet(NamedTuple):
    """A whole page, before it is cut to the height of the screen."""

    head: Sequence[Line]
    """Stays in sight."""
    body: Sequence[Line]
    """Scrolls."""
    rows: Sequence[str] = ()
    """What each line of the body stands for; empty where no row can be selected."""
    marked: frozenset[str] = frozenset()
    """Rows that are on the watch list."""
    most_left: int = 0
    """Columns that can be scrolled off to the left."""
    sorts: int = 0
    """Columns that can be sorted by."""
    span: int = 0
    """Columns of a chart in sight: there, left is back in time."""
    zooms: int = 0
    """Of a chart: how many numbers of bars a column it has."""


class Room(NamedTuple):
    """Cells there are for a page."""

    width: int
    height: int


Draw = Callable[["Page", View, Room, Glyphs], Sheet]
"""A page, what the keys have chosen, and how much room there is, to lines."""


def opening(title: str, parts: Sequence[str], width: int) -> Line:
    """The first line: the page's name and what it is about."""
    fields = [Field(part, priority=len(parts) - place) for place, part in enumerate(parts)]
    rest = "  ".join(field.text for field in bar(fields, width - len(title) - 2, "  "))
    return (Span(title, Role.TITLE), Span(fit("  " + rest, max(0, width - len(title))), Role.DIM))


def as_of(bar_ms: int) -> str:
    """Which bar the numbers are of: the time it opened."""
    return f"bar {local.at(bar_ms):%H:%M:%S %Z}" if bar_ms else ""


def notes(texts: Sequence[str], width: int) -> list[Line]:
    """Sentences as they are, in rows of the width."""
    return [(Span(row, Role.WARN),) for text in texts for row in wrapped(text, min(width, LINE))]


def left_out(reasons: "dict[str, str]", width: int) -> list[Line]:
    """Which symbols have no part in it, and why: alike reasons together."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        by_reason.setdefault(reason, []).append(name)
    texts = [f"left out: {' '.join(names)} ({reason})" for reason, names in by_reason.items()]
    return [(Span(row, Role.DIM),) for text in texts for row in wrapped(text, width)]
