"""From the cells a terminal shows to those it should show, in few bytes."""

from collections.abc import Iterable
from typing import Final

from quantui.ui.driver.grid import Grid
from quantui.ui.driver.pens import switch

_STEP: Final = 4
"""Bytes of a move to the right on the same row: so many are written again rather than left out."""


class Difference:
    """Writes what differs, and remembers what the terminal shows and with which pen it draws."""

    def __init__(self) -> None:
        self._shown = Grid()
        self._pen = ""
        self._is_forgotten = False

    def forget(self) -> None:
        """The terminal may show anything, and draw with any pen."""
        self._shown.forget()
        self._is_forgotten = True

    def to(self, wanted: Grid, rows: Iterable[int] | None = None) -> str:
        """What makes the terminal show `wanted`; it is taken to be written.

        Args:
            wanted: The cells.
            rows: All that may have changed since the last time; None where that is not known.
        """
        shown = self._shown
        if rows is None or self._is_forgotten or (shown.columns, shown.rows) != (wanted.columns, wanted.rows):
            rows = range(wanted.rows)
        if (shown.columns, shown.rows) != (wanted.columns, wanted.rows):
            shown.resize(wanted.columns, wanted.rows)
            shown.forget()
        out: list[str] = []
        if self._is_forgotten:
            out.append("\x1b[m")
            self._is_forgotten, self._pen = False, ""
        for y in rows:
            if wanted.signs[y] == shown.signs[y] and wanted.pens[y] == shown.pens[y]:
                continue
            self._row(wanted.signs[y], wanted.pens[y], _changed(wanted, shown, y), y, out)
            shown.signs[y][:] = wanted.signs[y]
            shown.pens[y][:] = wanted.pens[y]
        return "".join(out)

    def plain(self) -> str:
        """What takes the pen back to plain."""
        before, self._pen = self._pen, ""
        return switch(before, "")

    def _row(self, signs: list[str], pens: list[str], changed: list[int], y: int, out: list[str]) -> None:
        end = -1  # where the cursor stands in this row
        for x in changed:
            if x < end:
                continue
            if end < 0:
                out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
            elif x > end:
                between = "".join(signs[end:x])
                if len(between.encode()) < _STEP and pens[end:x] == [self._pen] * (x - end):
                    out.append(between)
                else:
                    out.append(f"\x1b[{x - end}C" if x - end > 1 else "\x1b[C")
            if pens[x] != self._pen:
                out.append(switch(self._pen, pens[x]))
                self._pen = pens[x]
            out.append(signs[x])
            end = x + 1 + (x + 1 < len(signs) and not signs[x + 1])


def _changed(wanted: Grid, shown: Grid, y: int) -> list[int]:
    """Columns to write, in their order; a sign two cells wide is written whole."""
    signs = wanted.signs[y]
    cells = zip(signs, shown.signs[y], wanted.pens[y], shown.pens[y], strict=True)
    found = [x for x, (sign, old, pen, old_pen) in enumerate(cells) if sign != old or pen != old_pen]
    if "" in signs:
        found = sorted({x if signs[x] or not x else x - 1 for x in found})
    return found
