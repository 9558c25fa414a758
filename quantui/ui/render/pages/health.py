"""How the feed, the collector and this terminal are: each number with the word for what it means."""

from typing import TYPE_CHECKING, Final, cast

from quantui.ui.render import numbers
from quantui.ui.render.glyphs import EIGHTHS, Glyphs
from quantui.ui.render.lines import Line, Role, Span, fit, wrapped
from quantui.ui.render.names import base_of
from quantui.ui.render.pages.columns import Column, fitting, texts, titles
from quantui.ui.render.pages.sheet import Room, Sheet, View, notes, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quantui.collector.pages import HealthPage, Page, StreamRow


_COLUMNS: "Final[tuple[Column[StreamRow], ...]]" = (
    Column("state", 10, lambda row: "whole" if row.is_complete else "filling" if row.trades else "waiting"),
    Column("age", 6, lambda row: numbers.age(row.age_s)),
    Column("trades", 8, lambda row: numbers.compact(row.trades)),
    Column("filled", 8, lambda row: numbers.compact(row.trades_filled)),
    Column("lost", 6, lambda row: numbers.compact(row.trades_lost)),
    Column("proven", 8, lambda row: numbers.compact(row.certified)),
    Column("differ", 8, lambda row: numbers.compact(row.mismatched)),
    Column("twice", 7, lambda row: numbers.compact(row.duplicates)),
    Column("refused", 9, lambda row: numbers.compact(row.rejected)),
)
_NAME: Final = 11

_LEGEND: Final = (
    "state: whole, no trade is missing; filling, missing trades are being read back. filled: trades read back; lost: could not be."
    " proven: closed bars found equal to the exchange's own; differ: that are not. twice: delivered again and left out; refused:"
    " cannot be right. weight: what may be asked of the exchange a minute. Lateness is by the exchange's clock, the difference of"
    " the clocks taken out."
)


def sheet(page: "Page", view: View, room: Room, glyphs: Glyphs) -> Sheet:
    """A line each for feed, collector and terminal; the delays; a row for each symbol."""
    found, width = cast("HealthPage", page), room.width
    head = [opening("Health", [found.link, found.venue, f"up {numbers.age(found.up_s)}"], width)]
    if found.note:
        return Sheet([*head, *notes([found.note], width)], ())
    head += notes([text for text in (found.detail, found.store) if text], width)
    weight = f"weight {found.weight_used}/{found.weight_limit}" if found.weight_limit else ""
    feed = [
        f"sockets {found.sockets}", f"messages {numbers.compact(found.messages)}", f"lag {numbers.delay(found.lag_ms)}",
        f"skew {numbers.delay(found.skew_ms)}", f"reconnects {found.reconnects}", weight, f"cert {numbers.share(found.certified)}",
    ]  # fmt: skip
    collector = [f"memory {found.memory_mb:.0f} MB", f"not yet written {found.unwritten}"]
    body: list[Line] = []
    for name, parts in (("feed", feed), ("collector", collector), ("terminal", [found.terminal])):
        text = "  ".join(part for part in parts if part)
        rows = wrapped(text, max(1, width - _NAME)) if text else []
        body += [(Span(fit(name if not at else "", _NAME), Role.TITLE), Span(row)) for at, row in enumerate(rows)]
    body += [(), *_streams(found.rows, width), *_delays(found, width, glyphs), ()]
    body += [(Span(line[0].text, Role.DIM),) for line in notes([_LEGEND], width)]
    return Sheet(head, body)


def _delays(page: "HealthPage", width: int, glyphs: Glyphs) -> list[Line]:
    """A row for each class of delays that has any: how many of a hundred batches."""
    total = sum(page.delays)
    if not total:
        return []
    names = [f"<{_bound(bound)}" for bound in page.bounds] + [f">{_bound(page.bounds[-1])}"]
    room, sign = max(1, min(width - _NAME - 8, 50)), "#" if glyphs.name == "ascii" else EIGHTHS[-1]
    lines: list[Line] = [(), (Span(f"how late messages come, of {numbers.compact(total)} batches", Role.TITLE),)]
    for name, count in zip(names, page.delays, strict=True):
        if count:
            row = f"{name:>{_NAME - 3}} {numbers.percent(count / total):>6}  "
            lines.append((Span(row), Span(sign * max(1, round(room * count / max(page.delays))), Role.LINE)))
    return lines


def _bound(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g}s" if milliseconds >= 1000 else f"{milliseconds}ms"


def _streams(rows: "Sequence[StreamRow]", width: int) -> list[Line]:
    shown = fitting(_COLUMNS, width - _NAME)
    lines: list[Line] = [(Span(fit("symbol", _NAME) + titles(shown), Role.TITLE),)]
    for row in rows:
        wrong = bool(row.note or row.trades_lost or row.mismatched or not row.is_complete)
        text = f" {row.note}" if row.note else texts(shown, row)
        line = fit(base_of(row.symbol), _NAME - 1) + " " + text
        lines.append((Span(fit(line, width), Role.WARN if wrong else Role.TEXT),))
    return lines
