"""Rows of the watch list and of the alert log."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from quantui.ui.render import numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, cells, fit, line, measures
from quantui.ui.render.names import short_label

if TYPE_CHECKING:
    from quantui.collector.snapshot import AlertRow, PairRow

_NUMBERS = 21
"""Cells of a watch list row behind the label: z, signal, gate, p."""

_HEAD = 5
"""Cells before the label: mark, number, gaps."""

_P = 7
"""Of those, the p value, left out first."""


def title(text: str, width: int, glyphs: Glyphs) -> Line:
    """A heading in a rule across the panel."""
    head = f"{glyphs.rule} {text} "
    return (Span(fit(head + glyphs.rule * max(0, width - cells(head)), width), Role.TITLE),)


def window(count: int, rows: int, focus: int) -> int:
    """First row of a list to show so that `focus` is in sight."""
    return max(0, min(focus - rows // 2, count - rows))


def watch_list(pairs: Sequence["PairRow"], focus: int, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Heading and as many pairs as there is room for, the one in focus among them."""
    rows = max(0, height - 1)
    start = window(len(pairs), rows, focus)
    shown = pairs[start : start + rows]
    part = f" {start + 1}-{start + len(shown)} of {len(pairs)}" if len(shown) < len(pairs) else ""
    longest = max((cells(short_label(pair.label)) for pair in pairs), default=3)
    room = width - _HEAD - _NUMBERS
    column = max(3, min(longest, room if longest <= room else room + _P))
    lines = [_pair(pair, start + offset, column, glyphs, is_focus=start + offset == focus) for offset, pair in enumerate(shown)]
    return [title(f"Pairs{part}", width, glyphs), *lines]


def _pair(pair: "PairRow", index: int, column: int, glyphs: Glyphs, *, is_focus: bool) -> Line:
    mark = glyphs.focus if is_focus else " "
    head = f"{mark}{index + 1:<2d} {fit(short_label(pair.label), column)} "
    role = Role.FOCUS if is_focus else Role.TEXT
    if pair.zscore is None:
        filled = f"{pair.n}/{pair.need} " if pair.n < pair.need else ""
        return line(Span(head, role), Span(filled + (pair.note or ("warming up" if filled else "no value")), Role.DIM))
    tick = " " if pair.cointegrated is None else glyphs.ok if pair.cointegrated else "."
    body = f"{numbers.signed(pair.zscore):>6s} {numbers.signal(pair.signal):<5s} {tick} p{numbers.probability(pair.eg_p):<5s}"
    if pair.note:
        return line(Span(head + body, role), Span(" " + pair.note, Role.WARN))
    return line(Span(head + body, Role.BAD if numbers.signal(pair.signal) and not is_focus else role))


_SEVERITIES = {"alert": Role.BAD, "warning": Role.WARN, "info": Role.TEXT}


def alert_log(
    alerts: Sequence["AlertRow"], fresh: Collection[int], new: Collection[int], width: int, height: int, glyphs: Glyphs
) -> list[Line]:
    """Heading and the newest alerts.

    Args:
        alerts: Newest first.
        fresh: Ids that flash now.
        new: Ids that came while this screen was looking: marked with `!`.
        width: Cells.
        height: Rows.
        glyphs: The signs to draw with.
    """
    lines = [title("Alerts (UTC)", width, glyphs)]
    for row in alerts[: max(0, height - 1)]:
        mark = "!" if row.id in new else " "
        role = Role.FLASH if row.id in fresh else _SEVERITIES.get(row.severity, Role.TEXT)
        pair = f"{short_label(row.pair)} " if row.pair else ""
        lines.append(line(Span(fit(measures(f"{mark} {numbers.clock(row.time_ms)} {pair}{row.text}", width), width), role)))
    if not alerts:
        lines.append(line(Span("  none yet", Role.DIM)))
    return lines
