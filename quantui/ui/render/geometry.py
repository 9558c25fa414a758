"""Where every panel stands, for each size of terminal: a pure function, so that each layout can be tested without a screen."""

from typing import Final, NamedTuple

SMALLEST: Final = (60, 16)
"""Columns and rows below which nothing readable fits."""

NOTICE_LIMIT: Final = 4
"""Rows the notice may take from the z panel."""


class Rect(NamedTuple):
    """Cells of a panel, from the top left corner of the screen."""

    x: int
    y: int
    width: int
    height: int


class _Plan(NamedTuple):
    """What one class of terminal sizes gives to each part, in rows (and columns where it says so)."""

    card: int
    sparks: int
    """Number of sparkline panels."""
    spark: int
    lists: int
    """Rows of the lists below the charts; 0 where they stand beside them."""
    health: int
    """Columns of the right part of the status line."""
    label: int
    value: int


def plan(width: int, height: int) -> _Plan:
    """The layout of this size: small, 80x24, 120x40 or 200x50 and above."""
    if width >= 180 and height >= 45:
        return _Plan(card=8, sparks=4, spark=4, lists=0, health=66, label=8, value=16)
    if width >= 110 and height >= 34:
        return _Plan(card=6, sparks=4, spark=2, lists=height // 4 + 1, health=62, label=8, value=16)
    if width >= 80 and height >= 24:
        return _Plan(card=5, sparks=4, spark=1, lists=5 + max(0, height - 24) // 3, health=45, label=7, value=14)
    return _Plan(card=4, sparks=2 if height < 24 else 4, spark=1, lists=4, health=27, label=6, value=11)


def fits(width: int, height: int) -> bool:
    """Whether the monitor can be drawn at all."""
    return width >= SMALLEST[0] and height >= SMALLEST[1]


def notice_room(width: int, height: int) -> int:
    """Rows the notice may have here: the z panel keeps two."""
    sizes = plan(width, height)
    z = height - 2 - sizes.card - sizes.sparks * sizes.spark - sizes.lists
    return max(0, min(NOTICE_LIMIT, z - 2))


PANELS: Final = ("price", "regression", "stationarity", "alerts", "spark", "z", "pairs", "log")
"""What can be marked and fill the screen, in reading order; `spark` and `z` are charts with their columns."""


def arrange(width: int, height: int, notice_rows: int = 0, only: str = "") -> dict[str, Rect]:
    """The rectangle of each panel by its name; they touch and never overlap.

    Args:
        width: Columns of the terminal.
        height: Rows of the terminal.
        notice_rows: Rows the notice needs now.
        only: The panel that fills the screen; empty for all.
    """
    sizes = plan(width, height)
    notice = min(notice_rows, notice_room(width, height))
    panels = {
        "status": Rect(0, 0, width - sizes.health, 1),
        "health": Rect(width - sizes.health, 0, sizes.health, 1),
        "footer": Rect(0, height - 1, width, 1),
    }
    if notice:
        panels["notice"] = Rect(0, 1, width, notice)
    y = 1 + notice
    if only:
        whole = Rect(0, y, width, height - 1 - y)
        chart = {"spark": sizes._replace(sparks=1, spark=whole.height), "z": sizes._replace(sparks=0)}.get(only)
        return panels | ({only: whole} if chart is None else _charts(whole, chart, (only,)))
    for index, name in enumerate(PANELS[:4]):
        left, right = width * index // 4, width * (index + 1) // 4
        panels[name] = Rect(left, y, right - left, sizes.card)
    y += sizes.card
    if sizes.lists:
        bottom = height - 1 - sizes.lists
        split = min(60, width * 48 // 100)
        panels["pairs"] = Rect(0, bottom, split, sizes.lists)
        panels["log"] = Rect(split, bottom, width - split, sizes.lists)
        charts = Rect(0, y, width, bottom - y)
    else:
        bottom, left = height - 1, width * 2 // 3
        pairs = (bottom - y) // 2
        panels["pairs"] = Rect(left, y, width - left, pairs)
        panels["log"] = Rect(left, y + pairs, width - left, bottom - y - pairs)
        charts = Rect(0, y, left - 2, bottom - y)
    return panels | _charts(charts, sizes)


def _charts(area: Rect, sizes: _Plan, names: tuple[str, ...] = ("spark", "z")) -> dict[str, Rect]:
    sparks = sizes.sparks * sizes.spark
    middle = area.width - sizes.label - sizes.value
    panels = {}
    for name, y, rows in (("spark", area.y, sparks), ("z", area.y + sparks, area.height - sparks)):
        if name not in names:
            continue
        panels[f"{name}-labels"] = Rect(area.x, y, sizes.label, rows)
        panels[f"{name}-plot"] = Rect(area.x + sizes.label, y, middle, rows)
        panels[f"{name}-values"] = Rect(area.x + sizes.label + middle, y, sizes.value, rows)
    return panels
