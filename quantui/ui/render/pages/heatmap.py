"""Correlations of every two symbols: two digits a cell, so that it reads without colour; groups stand along the diagonal."""

from typing import TYPE_CHECKING, Final, cast

from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, fit
from quantui.ui.render.names import base_of
from quantui.ui.render.pages.sheet import Room, Sheet, View, as_of, left_out, notes, opening

if TYPE_CHECKING:
    from quantui.collector.pages import CorrelationPage, Page

_CELL: Final = 5
"""Cells of a column, with the gap before it."""
_NAME: Final = 9
_STRONG: Final = 0.7
_WEAK: Final = 0.3


def sheet(page: "Page", view: View, room: Room, glyphs: Glyphs) -> Sheet:
    """The matrix, as many columns as there is room for."""
    found = cast("CorrelationPage", page)
    width = room.width
    about = [f"{found.timeframe} W{found.window}", as_of(found.bar_ms), f"{len(found.symbols)} symbols", "hundredths, log returns"]
    head = [opening("Correlation", [part for part in about if part], width)]
    if found.note:
        head += notes([found.note], width)
    head += left_out(found.left_out, width)[:2]
    names = [base_of(symbol) for symbol in found.symbols]
    fitting = max(1, (width - _NAME) // _CELL)
    most_left = max(0, len(names) - fitting)
    first = min(view.left, most_left)
    if names:
        if most_left:
            head.append((Span(f"columns {first + 1}-{first + fitting} of {len(names)}", Role.DIM),))
        titles = "".join(fit(_short(name), _CELL - 1).rjust(_CELL) for name in names[first : first + fitting])
        head.append((Span(" " * _NAME + titles, Role.TITLE),))
    body = [
        (Span(fit(name, _NAME), Role.TITLE), *_runs(row[first : first + fitting], place - first))
        for place, (name, row) in enumerate(zip(names, found.rows, strict=True))
    ]
    if names:
        body += [(), *_legend(width)]
    return Sheet(head, body, most_left=most_left)


def _runs(row: tuple[float | None, ...], diagonal: int) -> Line:
    """The cells of a row; neighbours that look alike are one run."""
    spans: list[Span] = []
    for place, value in enumerate(row):
        text = "" if value is None else "--" if place == diagonal else f"{100 * value:.0f}"
        span = Span(text.rjust(_CELL), _role(None if place == diagonal else value))
        if spans and spans[-1].role is span.role:
            span = Span(spans.pop().text + span.text, span.role)
        spans.append(span)
    return tuple(spans)


def _role(value: float | None) -> Role:
    if value is None:
        return Role.DIM
    if value < 0:
        return Role.BAD
    return Role.GOOD if value >= _STRONG else Role.TEXT if value >= _WEAK else Role.DIM


def _legend(width: int) -> list[Line]:
    text = (
        "Pearson correlation of the log returns of closed bars, in hundredths: 83 is 0.83; blank where a symbol does not move."
        " Symbols that move together stand side by side. Moving together is not cointegration: the scanner tests that."
    )
    return [(Span(line[0].text, Role.DIM),) for line in notes([text], width)]


def _short(name: str) -> str:
    """A column's heading in four cells: `1000PEPE` is `PEPE`."""
    return name.lstrip("0123456789")[: _CELL - 1] or name[: _CELL - 1]
