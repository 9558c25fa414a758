"""The scanner: every ordered pair of the watched symbols, with what chance alone would give."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from quantui.ui.render import numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, cells, fit
from quantui.ui.render.names import bases
from quantui.ui.render.pages.filters import FilterError, Row, parse
from quantui.ui.render.pages.sheet import Room, Sheet, View, as_of, left_out, notes, opening

if TYPE_CHECKING:
    from quantui.collector.pages import Page, ScanPage, ScanRow


class _Column(NamedTuple):
    name: str
    """In a filter."""
    title: str
    width: int
    value: "Callable[[ScanRow], float | None]"
    text: Callable[[float | None], str]


_COLUMNS: Final = (
    _Column("q", "q", 6, lambda row: row.q_bh, numbers.probability),
    _Column("p", "p", 6, lambda row: row.eg_p, numbers.probability),
    _Column("z", "z", 7, lambda row: row.zscore, numbers.signed),
    _Column(
        "half_life", "t1/2", 7, lambda row: row.half_life, lambda value: "-" if value is None else numbers.bars(value, fine=True)
    ),
    _Column("corr", "corr", 6, lambda row: row.correlation, numbers.number),
    _Column("beta", "beta", 8, lambda row: row.beta, lambda value: numbers.number(value, 3)),
    _Column("r2", "R2", 5, lambda row: row.r_squared, numbers.number),
    _Column("eg", "EG", 7, lambda row: row.eg_stat, numbers.signed),
    _Column("lags", "lags", 5, lambda row: float(row.lags), lambda value: "-" if value is None else f"{value:.0f}"),
    _Column("q_by", "q BY", 6, lambda row: row.q_by, numbers.probability),
)
_TEXTS: Final = ("y", "x", "pair")


def sheet(page: "Page", view: View, room: Room, glyphs: Glyphs) -> Sheet:
    """The rows that pass the filter, in the chosen order."""
    scan = cast("ScanPage", page)
    width = room.width
    rows, said = _filtered(scan.rows, view.filter)
    view = view._replace(sort=view.sort % (len(_COLUMNS) + 2))
    if view.sort > 1:
        rows = _ordered(rows, _COLUMNS[view.sort - 2].value, is_reversed=view.is_reversed)
    elif view.sort == 1:
        rows = sorted(rows, key=lambda row: (row.y, row.x), reverse=view.is_reversed)
    elif view.is_reversed:
        rows = rows[::-1]
    names = ["/".join(bases(row.y, row.x)) for row in rows]
    longest = max((cells("/".join(bases(row.y, row.x))) for row in scan.rows), default=4)
    column = min(max(longest, 9), 18, max(9, width // 3))
    head = [*_head(scan, len(rows), view, said, width), _titles(view, column, glyphs)]
    cursor = min(view.cursor, len(rows) - 1)
    body = [
        _line(row, fit(name, column), glyphs, is_cursor=place == cursor)
        for place, (row, name) in enumerate(zip(rows, names, strict=True))
    ]
    labels = [f"{row.y}/{row.x}" for row in rows]
    watched = frozenset(label for label, row in zip(labels, rows, strict=True) if row.is_watched)
    return Sheet(head, body or _nothing(scan, view, said), labels, watched, sorts=len(_COLUMNS) + 2)


def _head(scan: "ScanPage", shown: int, view: View, said: str, width: int) -> list[Line]:
    engine = f"{scan.engine} {scan.took_ms:.0f} ms" if scan.engine else ""
    window = f"W{scan.window}" if scan.window else ""
    about = [f"{scan.timeframe} {window}".strip(), as_of(scan.bar_ms), f"{scan.symbols} symbols", engine]
    head = [opening("Scanner", [part for part in about if part], width)]
    if scan.tests:
        found = "discovery" if scan.discoveries == 1 else "discoveries"
        short = f"{scan.tests} tests  p<=.05: {scan.low} (chance {scan.expected_by_chance:.1f})  q<=.05: {scan.discoveries}"
        whole = (
            f"{scan.tests} tests: {scan.low} with p <= .05, of which chance alone gives {scan.expected_by_chance:.1f};"
            f" {scan.discoveries} {found} at q <= .05"
        )
        head.append((Span(whole if cells(whole) <= width else short),))
    if scan.note:
        head += notes([scan.note], width)
    head += left_out(scan.left_out, width)[:2]
    if said:
        head += notes([f"/{view.filter}  {said}"], width)
    elif view.filter:
        head.append((Span(f"/{view.filter}  {shown} of {len(scan.rows)} rows", Role.FOCUS),))
    elif scan.tests > len(scan.rows):
        head.append((Span(f"the {len(scan.rows)} most remarkable of {scan.tests}: by q, then |z|", Role.DIM),))
    return head


def _titles(view: View, column: int, glyphs: Glyphs) -> Line:
    way = glyphs.down if view.is_reversed else glyphs.up
    pair = "pair" + (way if view.sort == 1 else "")
    titles = [each.title + (way if view.sort == place else "") for place, each in enumerate(_COLUMNS, 2)]
    texts = [fit(title, each.width, right=True) for title, each in zip(titles, _COLUMNS, strict=True)]
    return (Span("  w " + fit(pair, column) + "".join(texts), Role.TITLE),)


def _line(row: "ScanRow", name: str, glyphs: Glyphs, *, is_cursor: bool) -> Line:
    mark = f"{glyphs.focus if is_cursor else ' '} {glyphs.ok if row.is_watched else ' '} "
    texts = [fit(each.text(each.value(row)), each.width, right=True) for each in _COLUMNS]
    text = mark + name + "".join(texts)
    if is_cursor:
        return (Span(text, Role.FOCUS),)
    return (Span(text, Role.GOOD if row.q_bh is not None and row.q_bh <= 0.05 else Role.TEXT),)


def _nothing(scan: "ScanPage", view: View, said: str) -> list[Line]:
    if scan.rows and view.filter and not said:
        return [(Span("  no pair passes the filter", Role.DIM),)]
    return []


def _filtered(rows: "Sequence[ScanRow]", text: str) -> "tuple[list[ScanRow], str]":
    """The rows that pass, and what is wrong with the filter: then all of them pass."""
    if not text.strip():
        return list(rows), ""
    try:
        test = parse(text, [each.name for each in _COLUMNS], _TEXTS)
    except FilterError as error:
        return list(rows), str(error)
    return [row for row in rows if test(_values(row)) is True], ""


def _values(row: "ScanRow") -> Row:
    known: dict[str, float | str | None] = {each.name: each.value(row) for each in _COLUMNS}
    return known | {"y": row.y, "x": row.x, "pair": f"{row.y}/{row.x}"}


def _ordered(rows: "list[ScanRow]", value: "Callable[[ScanRow], float | None]", *, is_reversed: bool) -> "list[ScanRow]":
    """Unknown values stand last, whichever way."""
    known = [(found, place) for place, row in enumerate(rows) if (found := value(row)) is not None]
    known.sort(key=lambda each: (-each[0] if is_reversed else each[0], each[1]))
    unknown = [row for row in rows if value(row) is None]
    return [rows[place] for _, place in known] + unknown
