"""Where each watched pair stands with each rule."""

from typing import TYPE_CHECKING, Final

from quantui.ui.render import gates, local, numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, cells, cut, fit, measures
from quantui.ui.render.names import short_label
from quantui.ui.render.pages.columns import Column, fitting, texts, titles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quantui.collector.alert_pages import AlertsPage, StandingRow

_NAMES: Final = (9, 17)
"""Cells of a pair's name, least and most."""
_STATE: Final = 37
"""Cells of the widest standing: that of a blocked rule."""
_SMALL: Final = 32
"""Cells of a standing that may not be taken for the trade."""
_MORE: Final = 24
"""Cells from which on there is a column of gates."""


def _distance(row: "StandingRow") -> str:
    if row.distance is None:
        return "-"
    if row.distance <= 0:
        return f"past {abs(row.distance):.2f}"
    return f"{row.distance:.2f}" if row.distance >= 0.005 else "<0.01"


def table(page: "AlertsPage", width: int, glyphs: Glyphs) -> list[Line]:
    """A heading and a row for each rule and pair."""
    pairs = [short_label(row.pair) for row in page.rows]
    name = min(max([_NAMES[0], *map(cells, pairs)]), _NAMES[1])
    numeric: list[Column[StandingRow]] = [
        Column("z", 7, lambda row: numbers.signed(row.zscore)),
        Column("to entry", 10, _distance),
    ]
    if len(page.rules) > 1:
        longest = max(cells(rule.name) for rule in page.rules)
        numeric.insert(0, Column("rule", min(max(longest, 4), 12) + 1, lambda row: row.rule, is_words=True))
    trade: Sequence[Column[StandingRow]] = (Column("trade", 13, lambda row: _trade(row, page.bar_ms), is_words=True),)
    room = width - name - sum(column.width for column in numeric) - 1
    trade = fitting(trade, room - _SMALL)
    state = min(_STATE, room - sum(column.width for column in trade))
    rest = room - state - sum(column.width for column in trade) - 1
    heading = fit("pair", name) + titles(numeric) + " " + fit("rule is" if state < _STATE else "the rule is", state) + titles(trade)
    lines: list[Line] = [(Span(fit(heading + (" fails, without silencing" if rest >= _MORE else ""), width), Role.TITLE),)]
    rearm = {rule.name: rule.rearm for rule in page.rules}
    for row, pair in zip(page.rows, pairs, strict=True):
        said, role = _standing(row, rearm.get(row.rule), glyphs)
        failing = " " + ", ".join(gates.objection(gate) for gate in row.failing) if row.failing and rest >= _MORE else ""
        spans = (
            Span(fit(pair, name) + texts(numeric, row) + " "),
            Span(fit(measures(said, state), state), role),
            Span((texts(trade, row) + failing).rstrip()),
        )
        lines.append(cut(spans, width))
    return lines


def _standing(row: "StandingRow", rearm: float | None, glyphs: Glyphs) -> tuple[str, Role]:
    """Sign, word and reason, and how they look."""
    if row.standing == "armed":
        return f"{glyphs.live} armed", Role.GOOD
    if row.standing == "fired":
        sign = glyphs.up if row.side == "SHORT_SPREAD" else glyphs.down
        back = "" if rearm is None else f", re-arms at {rearm:.2f}"
        return f"{sign} fired {numbers.signal(row.side)}{back}", Role.BAD
    if row.standing == "blocked":
        return f"{glyphs.failed} blocked: {', '.join(gates.objection(gate) for gate in row.blocking)}", Role.WARN
    if row.standing == "unknown":
        return f"{glyphs.waiting} {', '.join(gates.objection(gate) for gate in row.blocking)}", Role.WARN
    if row.standing == "cooling":
        until = "" if row.until_ms is None else f" until {numbers.clock(row.until_ms)}"
        return f"{glyphs.waiting} cooling down{until}", Role.WARN
    if row.standing == "unusable":
        note = "gap in the window" if row.note == "gap" else row.note or "trades are missing"
        return f"{glyphs.warning} not judged: {note}", Role.WARN
    if row.standing == "waiting":
        return f"{glyphs.waiting} waits for the next bar", Role.DIM
    return _without_value(row, glyphs)


def _without_value(row: "StandingRow", glyphs: Glyphs) -> tuple[str, Role]:
    filled = f" {row.n}/{row.need}" if row.n < row.need else ""
    if row.note in ("", "warming up", "waiting for data"):
        return f"{glyphs.waiting} {row.note or row.standing}{filled}", Role.DIM
    return f"{glyphs.warning} {row.note}{filled}", Role.WARN


def _trade(row: "StandingRow", bar_ms: int) -> str:
    """The side and when: the time of day, or the day where that was another."""
    if not row.trade or row.since_ms is None:
        return "-"
    since = local.at(row.since_ms)
    form = "%H:%M" if since.date() == local.at(bar_ms).date() else "%m-%d"
    return f"{numbers.signal(row.trade)} {since:{form}}"
