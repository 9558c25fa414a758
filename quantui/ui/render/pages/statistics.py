"""The table of symbols: what prices, volatility, turnover and cost look like over the window."""

from typing import TYPE_CHECKING, Final, cast

from quantui.ui.render import numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, fit
from quantui.ui.render.names import base_of
from quantui.ui.render.pages.columns import Column, fitting, texts, titles
from quantui.ui.render.pages.sheet import Room, Sheet, View, as_of, notes, opening

if TYPE_CHECKING:
    from quantui.collector.pages import Page, StatisticsPage, SymbolRow


def _percent(value: float | None, form: str) -> str:
    return "-" if value is None else f"{100 * value:{form}}%"


_COLUMNS: "Final[tuple[Column[SymbolRow], ...]]" = (
    Column("last", 13, lambda row: numbers.price(row.last, row.decimals)),
    Column("change", 9, lambda row: _percent(row.change, "+.2f")),
    Column("vol/y", 7, lambda row: _percent(row.volatility, ".0f")),
    Column("range/y", 8, lambda row: _percent(row.parkinson, ".0f")),
    Column("turn/d", 8, lambda row: numbers.compact(row.turnover)),
    Column("CV", 6, lambda row: numbers.number(row.variation)),
    Column("volume", 8, lambda row: row.volume_state or "-"),
    Column("bid-ask", 8, lambda row: "-" if row.spread_bps is None else f"{row.spread_bps:.2f}bp"),
    Column("funding", 10, lambda row: _percent(row.funding, "+.4f")),
    Column("mean", 13, lambda row: numbers.price(row.mean, row.decimals)),
    Column("median", 13, lambda row: numbers.price(row.median, row.decimals)),
    Column("std", 11, lambda row: numbers.price(row.std, row.decimals)),
    Column("min", 13, lambda row: numbers.price(row.low, row.decimals)),
    Column("max", 13, lambda row: numbers.price(row.high, row.decimals)),
    Column("skew", 7, lambda row: numbers.signed(row.skew)),
    Column("kurt", 7, lambda row: numbers.signed(row.kurtosis)),
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
    head.append((Span(fit("symbol", _NAME) + titles(shown), Role.TITLE),))
    body: list[Line] = [_line(row, shown) for row in found.rows]
    return Sheet(head, [*body, (), *((Span(line[0].text, Role.DIM),) for line in notes([_LEGEND], width))], most_left=most_left)


def _line(row: "SymbolRow", shown: "tuple[Column[SymbolRow], ...]") -> Line:
    name = fit(base_of(row.symbol), _NAME - 1) + " "
    if row.note:
        price = fit(numbers.price(row.last, row.decimals), 12, right=True)
        return (Span(name + price, Role.TEXT), Span(f"  {row.note}", Role.WARN))
    return (Span(name + texts(shown, row)),)


def _shown(first: int, width: int) -> "tuple[Column[SymbolRow], ...]":
    """The columns from `first` on that fit, one at least."""
    return fitting(_COLUMNS[first:], width - _NAME) or _COLUMNS[first : first + 1]


def _most_left(width: int) -> int:
    """Columns that must be scrolled off before the last is in sight."""
    return next(first for first in range(len(_COLUMNS)) if first + len(_shown(first, width)) >= len(_COLUMNS))
