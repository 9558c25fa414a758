"""The table of symbols: what prices, volatility, turnover and cost look like over the window."""

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from quantui.ui.render import numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, fit
from quantui.ui.render.names import base_of
from quantui.ui.render.pages.sheet import Room, Sheet, View, as_of, notes, opening

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantui.collector.pages import Page, StatisticsPage, SymbolRow


class _Column(NamedTuple):
    title: str
    width: int
    text: "Callable[[SymbolRow], str]"


def _percent(value: float | None, form: str) -> str:
    return "-" if value is None else f"{100 * value:{form}}%"


_COLUMNS: Final = (
    _Column("last", 13, lambda row: numbers.price(row.last, row.decimals)),
    _Column("change", 9, lambda row: _percent(row.change, "+.2f")),
    _Column("vol/y", 7, lambda row: _percent(row.volatility, ".0f")),
    _Column("range/y", 8, lambda row: _percent(row.parkinson, ".0f")),
    _Column("turn/d", 8, lambda row: numbers.compact(row.turnover)),
    _Column("CV", 6, lambda row: numbers.number(row.variation)),
    _Column("volume", 8, lambda row: row.volume_state or "-"),
    _Column("bid-ask", 8, lambda row: "-" if row.spread_bps is None else f"{row.spread_bps:.2f}bp"),
    _Column("funding", 10, lambda row: _percent(row.funding, "+.4f")),
    _Column("mean", 13, lambda row: numbers.price(row.mean, row.decimals)),
    _Column("median", 13, lambda row: numbers.price(row.median, row.decimals)),
    _Column("std", 11, lambda row: numbers.price(row.std, row.decimals)),
    _Column("min", 13, lambda row: numbers.price(row.low, row.decimals)),
    _Column("max", 13, lambda row: numbers.price(row.high, row.decimals)),
    _Column("skew", 7, lambda row: numbers.signed(row.skew)),
    _Column("kurt", 7, lambda row: numbers.signed(row.kurtosis)),
)
_NAME: Final = 9

_LEGEND: Final = (
    "change: last close over the first of the window. vol/y: standard deviation of log returns a year (365 days); range/y: the same"
    " from each bar's high and low (Parkinson), too low where trades are few. turn/d: turnover of the last day in the quote asset."
    " CV: how uneven the bars' turnover is. volume: the newest 20 bars' turnover against the window's. bid-ask: of the pair in"
    " focus. skew, kurt: of log returns, 0 for normal ones."
)


def sheet(page: "Page", view: View, room: Room, glyphs: Glyphs) -> Sheet:
    """The rows, with as many columns as there is room for."""
    found = cast("StatisticsPage", page)
    width = room.width
    about = [f"{found.timeframe} W{found.window}", as_of(found.bar_ms), f"{len(found.rows)} symbols"]
    head = [opening("Statistics", [part for part in about if part], width)]
    if found.note:
        head += notes([found.note], width)
    most_left = _most_left(width)
    first = min(view.left, most_left)
    shown = _shown(first, width)
    if not found.rows:
        return Sheet(head, ())
    if most_left:
        head.append((Span(f"columns {first + 1}-{first + len(shown)} of {len(_COLUMNS)}", Role.DIM),))
    titles = "".join(fit(column.title, column.width, right=True) for column in shown)
    head.append((Span(fit("symbol", _NAME) + titles, Role.TITLE),))
    body: list[Line] = [_line(row, shown) for row in found.rows]
    return Sheet(head, [*body, (), *((Span(line[0].text, Role.DIM),) for line in notes([_LEGEND], width))], most_left=most_left)


def _line(row: "SymbolRow", shown: tuple[_Column, ...]) -> Line:
    name = fit(base_of(row.symbol), _NAME - 1) + " "
    if row.note:
        price = fit(numbers.price(row.last, row.decimals), 12, right=True)
        return (Span(name + price, Role.TEXT), Span(f"  {row.note}", Role.WARN))
    return (Span(name + "".join(fit(column.text(row), column.width, right=True) for column in shown)),)


def _shown(first: int, width: int) -> tuple[_Column, ...]:
    """The columns from `first` on that fit."""
    room, count = width - _NAME, 0
    for column in _COLUMNS[first:]:
        room -= column.width
        if room < 0:
            break
        count += 1
    return _COLUMNS[first : first + max(1, count)]


def _most_left(width: int) -> int:
    """Columns that must be scrolled off before the last is in sight."""
    return next(first for first in range(len(_COLUMNS)) if first + len(_shown(first, width)) >= len(_COLUMNS))
