"""A line of the screen before it has colours: spans of text, each with a role that a theme turns into a style."""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from unicodedata import east_asian_width


class Role(StrEnum):
    """What a piece of text means; `ui/themes.py` says how it looks."""

    TEXT = "text"
    DIM = "dim"
    TITLE = "title"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    FOCUS = "focus"
    FLASH = "flash"
    LINE = "line"
    """The line of a chart."""


class Span(NamedTuple):
    """A run of text in one role."""

    text: str
    role: Role = Role.TEXT


Line = tuple[Span, ...]
"""One row; two spans at most where it changes often: bytes on the wire grow with the runs of style, not with the cells."""


_MAYBE_WIDE = re.compile("[^\0-\u02ff\u03b1-\u03c9\u2010-\u2027\u2190-\u22ff\u2500-\u25fc\u2713\u2800-\u28ff]")
"""Anything but what our own pictures are made of: Latin, Greek, arrows, lines, blocks, braille, all one cell wide."""


@lru_cache(maxsize=4096)
def cells(text: str) -> int:
    """Cells the text takes on a terminal. Sanitised text has no zero-width characters (`quantui.text`)."""
    if text.isascii() or not _MAYBE_WIDE.search(text):
        return len(text)
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells: padded, or cut at the end."""
    length = cells(text)
    if length > width:
        text = _cut(text, width)
        length = cells(text)
    gap = " " * (width - length)
    return gap + text if right else text + gap


def _cut(text: str, width: int) -> str:
    taken = 0
    for index, char in enumerate(text):
        taken += cells(char)
        if taken > width:
            return text[:index]
    return text


def line(*parts: Span | str) -> Line:
    """A line of spans; a plain string is text."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts if part)


def cut(spans: Line, width: int) -> Line:
    """The first `width` cells of the line."""
    out: list[Span] = []
    for text, role in spans:
        if width <= 0:
            break
        length = cells(text)
        kept = text if length <= width else _cut(text, width)
        out.append(Span(kept, role))
        width -= length
    return tuple(out)


def joined(spans: Line) -> str:
    """The text alone."""
    return "".join(text for text, _ in spans)


def wrapped(text: str, width: int) -> list[str]:
    """`text` in rows of at most `width` cells, broken at spaces where there are any."""
    rows: list[str] = []
    row = ""
    for word in text.split(" "):
        candidate = f"{row} {word}" if row else word
        if cells(candidate) <= width:
            row = candidate
            continue
        if row:
            rows.append(row)
        while cells(word) > width > 1:
            head = _cut(word, width)
            rows.append(head)
            word = word[len(head) :]
        row = word
    if row:
        rows.append(row)
    return rows


_LONG_WORD = 12


def measures(text: str, width: int) -> str:
    """The beginning of `text` that fits into `width` cells and ends with a whole measure: `z +2.60` is never cut to `z`.

    A word too long to be a number is cut where the room ends.
    """
    if cells(text) <= width:
        return text
    words = text.split(" ")
    for count in range(len(words) - 1, 0, -1):
        head, last = " ".join(words[:count]), words[count - 1]
        if cells(head) > width:
            continue
        if cells(words[count]) > _LONG_WORD:
            break
        if not (last.islower() and last.isalpha()):
            return head
    return _cut(text, width)


class Field(NamedTuple):
    """A piece of a one-line bar that may be left out where there is no room."""

    text: str
    role: Role = Role.TEXT
    priority: int = 0
    """The lowest goes first."""


def bar(fields: Sequence[Field], width: int, separator: str = " ") -> list[Field]:
    """The fields that fit into `width` cells, in their order; the least important are left out first."""
    kept = [field for field in fields if field.text]
    gap = cells(separator)
    left = width + gap - sum(cells(field.text) + gap for field in kept)
    while left < 0 and kept:
        lowest = min(kept, key=lambda field: field.priority)
        if len(kept) == 1:
            return [lowest._replace(text=_cut(lowest.text, width))]
        kept.remove(lowest)
        left += cells(lowest.text) + gap
    return kept
