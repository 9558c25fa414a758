"""A line chart as rows of text: one string a row, one style for all of it."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from quantui.ui.render.glyphs import EIGHTHS, Glyphs
from quantui.ui.render.scale import Scale


def points_of(width: int, glyphs: Glyphs) -> int:
    """Values that fit side by side into `width` cells."""
    return width * len(glyphs.bits)


def row_of(value: float, scale: Scale, rows: int) -> int:
    """Row (0 is the top) of a value among `rows`; beyond the scale it is the first or the last."""
    if scale.span <= 0:
        return rows // 2
    return min(rows - 1, max(0, int((scale.high - value) / scale.span * rows)))


def plot(
    values: Sequence[float | None], width: int, height: int, scale: Scale | None, glyphs: Glyphs, levels: Sequence[float] = ()
) -> list[str]:
    """The newest values as a line, right-aligned; a None is a hole in it.

    Args:
        values: Oldest first.
        width: Cells.
        height: Rows.
        scale: What the top and the bottom mean; None draws nothing.
        glyphs: The signs to draw with.
        levels: Values marked by a dashed line where the curve leaves room.

    Returns:
        `height` strings of exactly `width` cells.
    """
    if width <= 0 or height <= 0:
        return []
    if scale is None:
        return [" " * width] * height
    if height == 1 and glyphs.name == "block":
        return [_eighths(values, width, scale)]
    return overlay([values], width, height, scale, glyphs, levels)


def overlay(
    lines: Sequence[Sequence[float | None]], width: int, height: int, scale: Scale, glyphs: Glyphs, levels: Sequence[float] = ()
) -> list[str]:
    """As `plot`, of several lines in one picture."""
    shown = [_masks(values[-points_of(width, glyphs) :], width, height, scale, glyphs) for values in lines]
    masks = [[reduce(or_, cells) for cells in zip(*rows, strict=True)] for rows in zip(*shown, strict=True)]
    level_rows = {row_of(level, scale, height) for level in levels if scale.low <= level <= scale.high}
    rows = ["".join(map(glyphs.chars.__getitem__, cells)) for cells in masks]
    for row in level_rows:
        rows[row] = rows[row].replace(" ", glyphs.level)
    return rows


def _masks(values: Sequence[float | None], width: int, height: int, scale: Scale, glyphs: Glyphs) -> list[list[int]]:
    """The dots of each cell. Written out in one loop: it runs for every value of every chart at every bar."""
    across, down = len(glyphs.bits), len(glyphs.bits[0])
    rows = height * down
    masks = [[0] * width for _ in range(height)]
    column = width * across - len(values) - 1
    places = [(y // down, y % down) for y in range(rows)]
    high, span, last, bits = scale.high, scale.span, rows - 1, glyphs.bits
    previous = -1
    for value in values:
        column += 1
        if value is None:
            previous = -1
            continue
        row = min(last, max(0, int((high - value) / span * rows))) if span > 0 else rows // 2  # as `row_of`
        cell, dot = divmod(column, across)
        if previous in (-1, row):
            at, bit = places[row]
            masks[at][cell] |= bits[dot][bit]
        else:  # from just behind the previous dot to the new one, so that the line has no holes
            for at, bit in places[previous + 1 : row + 1] if previous < row else places[row:previous]:
                masks[at][cell] |= bits[dot][bit]
        previous = row
    return masks


def _eighths(values: Sequence[float | None], width: int, scale: Scale) -> str:
    drawn = "".join(" " if value is None else EIGHTHS[8 - row_of(value, scale, 8)] for value in values[-width:])
    return drawn.rjust(width)
