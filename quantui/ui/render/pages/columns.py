"""Columns of a table, whichever page it is on."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from quantui.ui.render.lines import fit

Row = TypeVar("Row")


class Column(NamedTuple, Generic[Row]):
    """One column: its title, and what it says of a row."""

    title: str
    width: int
    """Cells, with the blank before it."""
    text: Callable[[Row], str]
    is_words: bool = False
    """Words stand at the left, numbers at the right."""


def fitting(columns: Sequence[Column[Row]], room: int) -> tuple[Column[Row], ...]:
    """As many of the first columns as there are cells for."""
    shown: list[Column[Row]] = []
    for column in columns:
        room -= column.width
        if room < 0:
            break
        shown.append(column)
    return tuple(shown)


def titles(columns: Sequence[Column[Row]]) -> str:
    """The row above them."""
    return "".join(_cell(column, column.title) for column in columns)


def texts(columns: Sequence[Column[Row]], row: Row) -> str:
    """What they say of a row."""
    return "".join(_cell(column, column.text(row)) for column in columns)


def _cell(column: Column[Row], text: str) -> str:
    return " " + fit(text, column.width - 1, right=not column.is_words)
