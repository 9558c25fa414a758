"""Candles and columns as rows of text, one column a bar; rising and falling differ in their sign, not by colour alone."""

from collections.abc import Sequence
from typing import NamedTuple

from quantui.ui.render.glyphs import EIGHTHS, Glyphs
from quantui.ui.render.lines import Line, Role, Span
from quantui.ui.render.plot import row_of
from quantui.ui.render.scale import Scale


class Candle(NamedTuple):
    """One bar, or several in one."""

    open: float
    high: float
    low: float
    close: float

    @property
    def is_rising(self) -> bool:
        """Whether it closed no lower than it opened."""
        return self.close >= self.open


def candles(bars: Sequence[Candle], height: int, scale: Scale, glyphs: Glyphs) -> list[list[Span]]:
    """`height` rows with a span for each bar: half a cell is the resolution."""
    rows: list[list[Span]] = [[] for _ in range(height)]
    for bar in bars:
        role, signs = (Role.GOOD, glyphs.rising) if bar.is_rising else (Role.BAD, glyphs.falling)
        high, low = row_of(bar.high, scale, 2 * height), row_of(bar.low, scale, 2 * height)
        top, bottom = (row_of(edge(bar.open, bar.close), scale, 2 * height) for edge in (max, min))
        halves = [2 if top <= half <= bottom else 1 if high <= half <= low else 0 for half in range(2 * height)]
        for y, row in enumerate(rows):
            row.append(Span(signs[3 * halves[2 * y] + halves[2 * y + 1]], role))
    return rows


def columns(values: Sequence[float], height: int, top: float, glyphs: Glyphs) -> list[str]:
    """Upright bars from the bottom, `top` being the whole height."""
    steps = 1 if glyphs.name == "ascii" else 8
    filled = [round(height * steps * value / top) if top > 0 else 0 for value in values]
    rows = []
    for y in range(height):
        below = (height - 1 - y) * steps
        parts = [min(steps, max(0, each - below)) for each in filled]
        rows.append("".join((" #" if steps == 1 else EIGHTHS)[part] for part in parts))
    return rows


def merged(spans: Sequence[Span]) -> Line:
    """Neighbours of one role, or blank, in one span: bytes on the wire grow with the spans."""
    out: list[Span] = []
    for text, role in spans:
        if out and (out[-1].role is role or not text.strip()):
            out[-1] = Span(out[-1].text + text, out[-1].role)
        elif out and not out[-1].text.strip():
            out[-1] = Span(out[-1].text + text, role)
        else:
            out.append(Span(text, role))
    return tuple(out)
