"""The cells of a terminal, as what Textual writes makes them."""

import re
from typing import Final

from rich.cells import get_character_cell_size

_TOKENS: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f]+)"
    r"|\x1b\[(?P<parameters>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|(?P<string>\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP(?:[^\x1b]|\x1b[^\\])*\x1b\\)"
    r"|(?P<other>\x1b.|[\x00-\x1f\x7f])",
    re.DOTALL,
)
_NARROW: Final = re.compile("[ -~⠀-⣿─-▟·±²°β▲▼●○✓▸…≥]*")
"""Signs known to take one cell each, as nearly all of a picture's do."""
_LINK: Final = "\x1b]8;"
BLANK: Final = " "
PLAIN: Final = ""
UNKNOWN: Final = "?"
"""Pen of a cell of which nobody knows what it shows; equal to none that is wanted."""
ENTER: Final = "\x1b[?1049h"
LEAVE: Final = "\x1b[?1049l"
BEGIN: Final = "\x1b[?2026h"
END: Final = "\x1b[?2026l"


class Grid:
    """Rows of cells: a sign and a pen (parameters of SGR) each. Behind a sign two cells wide stands an empty one."""

    def __init__(self, columns: int = 0, rows: int = 0) -> None:
        self.columns, self.rows = columns, rows
        self.signs = [[BLANK] * columns for _ in range(rows)]
        self.pens = [[PLAIN] * columns for _ in range(rows)]
        self.x = self.y = 0
        self._pen = PLAIN
        self.touched = set(range(rows))
        """Rows that may have changed since whoever compares them emptied this."""

    def resize(self, columns: int, rows: int) -> None:
        """Cut or fill up with blanks, at the right and at the bottom."""
        for cells, blank in ((self.signs, BLANK), (self.pens, PLAIN)):
            del cells[rows:]
            for row in cells:
                del row[columns:]
                row += [blank] * (columns - len(row))
            cells += [[blank] * columns for _ in range(rows - len(cells))]
        self.columns, self.rows = columns, rows
        self.touched = set(range(rows))

    def forget(self) -> None:
        """Nobody knows any more what the cells show."""
        for row in self.pens:
            row[:] = [UNKNOWN] * self.columns

    def apply(self, text: str) -> list[str]:
        """Draw what was written; returns the sequences that are no picture, in their order: modes, bells, questions."""
        controls: list[str] = []
        for token in _TOKENS.finditer(text):
            kind = token.lastgroup
            if kind == "text":
                self._put(token.group())
            elif kind == "final":
                if not self._command(token["parameters"], token["final"], plain=not token["between"]):
                    controls.append(token.group())
            elif token.group() == "\n":
                self.x, self.y = 0, self.y + 1
            elif token.group() == "\r":
                self.x = 0
            elif not token.group().startswith(_LINK):
                controls.append(token.group())
        return controls

    def _command(self, parameters: str, final: str, *, plain: bool) -> bool:
        """Whether the sequence is part of a picture."""
        if not plain or parameters[:1] in ("<", "=", ">", "?"):
            return False
        if final == "m":
            # Rich selects every pen from plain and goes back to plain after it.
            self._pen = PLAIN if parameters in ("", "0") else f"{self._pen};{parameters}" if self._pen else parameters
        elif final == "H":
            y, _, x = parameters.partition(";")
            self.y, self.x = int(y or 1) - 1, int(x or 1) - 1
        elif final == "J" and parameters == "2":
            self.signs[:] = [[BLANK] * self.columns for _ in range(self.rows)]
            self.pens[:] = [[PLAIN] * self.columns for _ in range(self.rows)]
            self.touched = set(range(self.rows))
        else:
            return False
        return True

    def _put(self, text: str) -> None:
        signs = list(text) if _NARROW.fullmatch(text) else _cells_of(text)
        start, self.x = self.x, self.x + len(signs)
        if not 0 <= self.y < self.rows or start >= self.columns:
            return
        self.touched.add(self.y)
        end, row = min(self.x, self.columns), self.signs[self.y]
        if not row[start]:  # of a wide sign that is half written over nothing is left
            row[start - 1] = BLANK
        if end < self.columns and not row[end]:
            row[end] = BLANK
        row[start:end] = signs[: end - start]
        self.pens[self.y][start:end] = [self._pen] * (end - start)


def _cells_of(text: str) -> list[str]:
    """A string a cell; what takes no cell stands with the sign before it."""
    cells: list[str] = []
    for char in text:
        width = get_character_cell_size(char)
        if width:
            cells += [char, ""][:width]
        elif cells:
            cells[-1 if cells[-1] else -2] += char
    return cells
