"""The rules, the ways to tell, where every watched pair stands, and what was said."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast

from quantui.ui.render import gates, numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, cells, fit, wrapped
from quantui.ui.render.pages import standings, told
from quantui.ui.render.pages.sheet import Room, Sheet, View, as_of, notes, opening

if TYPE_CHECKING:
    from quantui.collector.alert_pages import AlertsPage, ChannelRow, GateTally, RuleView
    from quantui.collector.pages import Page

_LABEL: Final = 11
_GAP: Final = 2
_WIDE: Final = 110
"""Cells from which on a gate says what those pairs are that do not pass."""

_LEGEND: Final = (
    "to entry: how far |z| is below the threshold; past: beyond it. The rule speaks once and is armed again when |z| has come back;"
    " waits for the next bar: the newest was not judged, it closed before the rule looked or came too late. trade: the last"
    " alert and the time of its bar, until its exit was told. Bell and terminal are of this screen and since it began: whether they"
    " were heard is not known. Desktop and log are the collector's; dropped: too many at once. Warnings about data go every way."
)


def sheet(page: "Page", view: View, room: Room, glyphs: Glyphs) -> Sheet:
    """The rules and gates, the channels, a row for each rule and pair, the history."""
    found, width = cast("AlertsPage", page), room.width
    pairs = "1 pair" if found.pairs == 1 else f"{found.pairs} pairs"
    about = [f"{found.timeframe} W{found.window}", as_of(found.bar_ms), pairs, found.estimator.upper()]
    head = [opening("Alerts", [part for part in about if part], width)]
    if found.note:
        head += notes([found.note], width)
    body: list[Line] = [line for rule in found.rules for line in _rule(rule, found, width)]
    if found.stop is not None:
        body += _paragraph("stop", f"|z| >= {_level(found.stop)} is shown as STOP; no rule tells of it", width)
    body += _flow("gates", _gates(found.gates, width, glyphs), width)
    body += _flow("channels", [_channel(row, glyphs) for row in found.channels], width)
    body += [line for row in found.channels for line in _why(row, width)]
    body += [(), *standings.table(found, width, glyphs), (), *told.table(found, width, glyphs), ()]
    body += [(Span(line[0].text, Role.DIM),) for line in notes([_LEGEND], width)]
    return Sheet(head, body)


def _rule(rule: "RuleView", page: "AlertsPage", width: int) -> Iterator[Line]:
    apart = f"; one alert in {_length(rule.cooldown_s)}" if rule.cooldown_s else ""
    levels = f"|z| >= {_level(rule.threshold)} fires, <= {_level(rule.rearm)} arms again, <= {_level(rule.exit)} exit"
    own = [] if rule.correlation is None else [f"correlation below {rule.correlation:g}"]
    silencing = ", ".join([*own, *(gates.name(name) for name in rule.silencing)]) or "no gate"
    yield from _paragraph(rule.name, levels + apart, width)
    yield from _paragraph("", f"silenced by {silencing}; told by {', '.join((*rule.notify, 'log'))}", width)
    yield from _paragraph("", _chance(rule, page), width)
    if page.z_bound is not None and rule.threshold > page.z_bound:
        yield from _paragraph("", f"cannot fire: |z| is at most {page.z_bound:.2f} here", width, Role.WARN)


def _chance(rule: "RuleView", page: "AlertsPage") -> str:
    """What chance alone would tell, and how large z can be at all."""
    bound = "" if page.z_bound is None else f"; |z| at most {page.z_bound:.1f}"
    if rule.false_alarms is None:
        return f"by chance: not known for this re-arm level or estimator{bound}"
    every = f", {_rate(rule.false_alarms * page.pairs)} for {page.pairs}" if page.pairs > 1 else ""
    return f"by chance {_rate(rule.false_alarms)}/day a pair{every}, before gates{bound}"


def _gates(tallies: "Sequence[GateTally]", width: int, glyphs: Glyphs) -> list[Span]:
    spans = [_gate(tally, width, glyphs) for tally in tallies]
    longest = max((cells(span.text) for span in spans), default=0)
    return [Span(fit(span.text, longest), span.role) for span in spans]


def _gate(tally: "GateTally", width: int, glyphs: Glyphs) -> Span:
    limit = gates.limit(tally.limit) + (" |beta|" if tally.name == "beta_se" else "")
    name = f"{gates.name(tally.name)} {'>=' if tally.is_least else '<='} {limit}"
    if not tally.enabled:
        return Span(f"{glyphs.waiting} {name} off", Role.DIM)
    total = tally.passing + tally.failing + tally.unknown
    said = f"{name} {tally.passing}/{total} pass"
    if width >= _WIDE:
        said += "".join(f" {count} {word}" for count, word in ((tally.failing, "fail"), (tally.unknown, "not known")) if count)
    if tally.failing:
        return Span(f"{glyphs.failed} {said}", Role.WARN)
    return Span(f"{glyphs.waiting} {said}", Role.DIM) if tally.unknown else Span(f"{glyphs.ok} {said}", Role.GOOD)


def _channel(row: "ChannelRow", glyphs: Glyphs) -> Span:
    counts = (("kept" if row.name == "log" else "sent", row.sent), ("failed", row.failed), ("dropped", row.dropped))
    said = " ".join(f"{count} {word}" for word, count in counts if count is not None)
    if row.state == "on":
        way = f" by {row.detail}" if row.detail else ""
        return Span(f"{glyphs.live} {row.name} on{way} {said}".rstrip(), Role.GOOD)
    if row.state == "failing":
        return Span(f"{glyphs.failed} {row.name} failing {said}".rstrip(), Role.BAD)
    return Span(f"{glyphs.waiting} {row.name} {'not here' if row.state == 'none' else row.state}", Role.DIM)


def _why(row: "ChannelRow", width: int) -> list[Line]:
    """Why a channel is not on."""
    if row.state == "on" or not row.detail:
        return []
    return list(_paragraph("", f"{row.name}: {row.detail}", width, Role.BAD if row.state == "failing" else Role.DIM))


def _paragraph(label: str, text: str, width: int, role: Role = Role.TEXT) -> Iterator[Line]:
    """The text in rows behind a label."""
    long = cells(label) >= _LABEL
    if long:
        yield (Span(fit(label, min(width, cells(label))), Role.TITLE),)
    for place, row in enumerate(wrapped(text, max(1, width - _LABEL))):
        yield Span(fit("" if place or long else label, _LABEL), Role.TITLE), Span(row, role)


def _flow(label: str, items: Sequence[Span], width: int) -> list[Line]:
    """As many of the items in a row as there is room for."""
    rows: list[list[Span]] = []
    room = 0
    for item in items:
        if cells(item.text) + _GAP > room:
            rows.append([Span(fit("" if rows else label, _LABEL), Role.TITLE)])
            room = width - _LABEL
        else:
            rows[-1].append(Span(" " * _GAP))
            room -= _GAP
        text = item.text if cells(item.text) <= room else fit(item.text, max(1, room))
        rows[-1].append(Span(text, item.role))
        room -= cells(text)
    return [tuple(row) for row in rows]


def _level(z: float) -> str:
    """A level of |z| with as many places as were chosen, one at least."""
    text = f"{z:.4f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def _rate(per_day: float) -> str:
    rounded = float(f"{per_day:.2g}")
    return f"{rounded:g}" if rounded < 1000 else numbers.compact(rounded)


def _length(seconds: float) -> str:
    """A length of time as it was chosen: `90s`, `5m`, `1h`."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
