"""What was said: alerts and events of the data, newest first."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from quantui.ui.render import local, numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, cells, fit, wrapped
from quantui.ui.render.names import base_of, short_label
from quantui.ui.render.pages.columns import Column, texts, titles
from quantui.ui.render.rows import SEVERITIES

if TYPE_CHECKING:
    from quantui.collector.alert_pages import AlertsPage, ToldRow

_WIDE: Final = 110
"""Cells from which on the orders are named too."""


def table(page: "AlertsPage", width: int, glyphs: Glyphs) -> Iterator[Line]:
    """A heading, and a row or more for each."""
    columns = _columns(page, width, glyphs)
    room = max(1, width - sum(column.width for column in columns))
    count = f"said: {len(page.history)}, newest first" + (" (older: quantui export alerts)" if _is_full(page) else "")
    yield (Span(fit(titles(columns)[1:] + "  " + count, width), Role.TITLE),)
    if not page.history:
        yield (Span("none yet", Role.DIM),)
    for row in page.history:
        role = SEVERITIES.get(row.severity, Role.TEXT)
        for place, said in enumerate(wrapped(_said(row, width), room - 1) or [""]):
            yield (Span((texts(columns, row) if not place else " " * (width - room))[1:] + "  " + said, role),)


def _is_full(page: "AlertsPage") -> bool:
    return len(page.history) >= page.kept > 0


def _columns(page: "AlertsPage", width: int, glyphs: Glyphs) -> "list[Column[ToldRow]]":
    pairs = max([9, *(cells(_pair(row)) for row in page.history)])
    zone = local.zone(page.history[0].time_ms if page.history else page.bar_ms)
    columns: list[Column[ToldRow]] = [
        Column(f"time {zone}", 15, lambda row: f"{local.at(row.time_ms):%m-%d %H:%M:%S}", is_words=True),
        Column("pair", min(pairs, 17) + 1, _pair, is_words=True),
        Column("kind", 9, lambda row: f"{_sign(row, glyphs)} {numbers.signal(row.kind)}", is_words=True),
        Column("z", 7, lambda row: numbers.signed(row.zscore)),
    ]
    if width >= _WIDE:
        columns.insert(2, Column("bar", 5, lambda row: row.timeframe, is_words=True))
        if len(page.rules) > 1:
            columns.insert(3, Column("rule", 11, lambda row: row.rule, is_words=True))
    return columns


def _pair(row: "ToldRow") -> str:
    return short_label(row.pair) if row.pair else "-"


def _sign(row: "ToldRow", glyphs: Glyphs) -> str:
    if row.severity == "warning":
        return glyphs.warning
    return {"SHORT_SPREAD": glyphs.up, "LONG_SPREAD": glyphs.down, "EXIT": glyphs.ok}.get(row.kind, glyphs.live)


def _said(row: "ToldRow", width: int) -> str:
    """The words, without those that have columns of their own; in a wide row also the orders."""
    head = numbers.signal(row.kind) + ("" if row.zscore is None else f" z {row.zscore:+.2f}")
    text = row.text.removeprefix(head).strip()
    if width < _WIDE or not row.legs:
        return text
    orders = [f"{leg.side} {leg.share:.0%} {base_of(leg.symbol)} at {local.grouped(f'{leg.price:,.8g}')}" for leg in row.legs]
    return f"{text}   {', '.join(orders)}"
