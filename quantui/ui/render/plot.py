"""A line chart as rows of text: one string a row, one style for all of it."""

from collections.abc import Sequence

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
    masks = _masks(values[-points_of(width, glyphs) :], width, height, scale, glyphs)
    level_rows = {row_of(level, scale, height) for level in levels if scale.low <= level <= scale.high}
    return [
        "".join(glyphs.char(mask) if mask else (glyphs.level if row in level_rows else " ") for mask in cells)
        for row, cells in enumerate(masks)
    ]


def _masks(values: Sequence[float | None], width: int, height: int, scale: Scale, glyphs: Glyphs) -> list[list[int]]:
    across, down = len(glyphs.bits), len(glyphs.bits[0])
    rows = height * down
    masks = [[0] * width for _ in range(height)]
    start = width * across - len(values)
    previous: int | None = None
    for offset, value in enumerate(values):
        if value is None:
            previous = None
            continue
        column = start + offset
        cell, dot = divmod(column, across)
        bits = glyphs.bits[dot]
        row = row_of(value, scale, rows)
        first, last = _run(previous, row)
        for y in range(first, last + 1):
            masks[y // down][cell] |= bits[y % down]
        previous = row
    return masks


def _run(previous: int | None, row: int) -> tuple[int, int]:
    """Dots of this column: from just behind the previous one to the new one, so that the line has no holes."""
    if previous is None or previous == row:
        return row, row
    return (previous + 1, row) if previous < row else (row, previous - 1)


def _eighths(values: Sequence[float | None], width: int, scale: Scale) -> str:
    drawn = "".join(" " if value is None else EIGHTHS[8 - row_of(value, scale, 8)] for value in values[-width:])
    return drawn.rjust(width)
