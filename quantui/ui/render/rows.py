"""Rows of the watch list and of the alert log."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from quantui.ui.render import local, numbers
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


def title(text: str, width: int, glyphs: Glyphs, *, is_marked: bool = False) -> Line:
    """A heading in a rule across the panel."""
    head = f"{glyphs.focus if is_marked else glyphs.rule} {text} "
    role = Role.FOCUS if is_marked else Role.TITLE
    return (Span(fit(head + glyphs.rule * max(0, width - cells(head)), width), role),)


def window(count: int, rows: int, focus: int) -> int:
    """First row of a list to show so that `focus` is in sight."""
    return max(0, min(focus - rows // 2, count - rows))


def matching(pairs: Sequence["PairRow"], text: str) -> list[int]:
    """Indices of the pairs whose name holds the text, as it is or as it is shown; all where it is empty."""
    wanted = text.strip().casefold()
    return [
        index for index, pair in enumerate(pairs) if wanted in pair.label.casefold() or wanted in short_label(pair.label).casefold()
    ]


def watch_list(
    pairs: Sequence["PairRow"],
    focus: int,
    width: int,
    height: int,
    glyphs: Glyphs,
    *,
    search: str | None = None,
    is_marked: bool = False,
) -> list[Line]:
    """Heading and as many pairs as there is room for, the one in focus among them.

    Args:
        pairs: The whole list.
        focus: Index of the pair in focus.
        width: Cells.
        height: Rows.
        glyphs: The signs to draw with.
        search: What is being typed: only pairs that match are shown, and the first of them is marked. None: nothing is.
        is_marked: Whether the panel is.
    """
    rows = max(0, height - 1)
    listed = matching(pairs, search or "")
    if search is not None:
        focus = listed[0] if listed else -1
    start = window(len(listed), rows, listed.index(focus) if focus in listed else 0)
    shown = listed[start : start + rows]
    part = f" {start + 1}-{start + len(shown)} of {len(listed)}" if len(shown) < len(listed) else ""
    part = f" like {search}{part}" if search else part
    longest = max((cells(short_label(pair.label)) for pair in pairs), default=3)
    room = width - _HEAD - _NUMBERS
    column = max(3, min(longest, room if longest <= room else room + _P))
    lines = [_pair(pairs[index], index, column, glyphs, is_focus=index == focus) for index in shown]
    if not listed:
        lines = [line(Span("  none", Role.DIM))]
    return [title(f"Pairs{part}", width, glyphs, is_marked=is_marked), *lines]


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


SEVERITIES: Final = {"alert": Role.BAD, "warning": Role.WARN, "info": Role.TEXT}
"""How a row of the log looks."""


def alert_log(
    alerts: Sequence["AlertRow"],
    fresh: Collection[int],
    new: Collection[int],
    width: int,
    height: int,
    glyphs: Glyphs,
    *,
    is_marked: bool = False,
    now_ms: int = 0,
) -> list[Line]:
    """Heading and the newest alerts.

    Args:
        alerts: Newest first.
        fresh: Ids that flash now.
        new: Ids that came while this screen was looking: marked with `!`.
        width: Cells.
        height: Rows.
        glyphs: The signs to draw with.
        is_marked: Whether the panel is.
        now_ms: Now: where there is no alert yet the zone is called by its name of then.
    """
    lines = [title(f"Alerts ({local.zone(alerts[0].time_ms if alerts else now_ms)})", width, glyphs, is_marked=is_marked)]
    for row in alerts[: max(0, height - 1)]:
        mark = "!" if row.id in new else " "
        role = Role.FLASH if row.id in fresh else SEVERITIES.get(row.severity, Role.TEXT)
        pair = f"{short_label(row.pair)} " if row.pair else ""
        lines.append(line(Span(fit(measures(f"{mark} {numbers.clock(row.time_ms)} {pair}{row.text}", width), width), role)))
    if not alerts:
        lines.append(line(Span("  none yet", Role.DIM)))
    return lines
