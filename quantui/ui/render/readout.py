"""The narrow columns beside the charts: names at the left, latest numbers at the right."""

from typing import TYPE_CHECKING

from quantui.ui.render import numbers
from quantui.ui.render.cards import shortage
from quantui.ui.render.lines import Line, Role, Span, fit, line, measures
from quantui.ui.render.names import bases
from quantui.ui.render.plot import row_of
from quantui.ui.render.scale import Scale

if TYPE_CHECKING:
    from quantui.collector.snapshot import Snapshot

_BLANK: Line = ()


def spark_labels(snapshot: "Snapshot", count: int, height: int, width: int, mark: str = "") -> list[Line]:
    """Name of each sparkline at the middle of its rows; `mark` stands before each where the panel is marked."""
    names = (*bases(snapshot.y.symbol, snapshot.x.symbol), "spread", "corr")[:count]
    role = Role.FOCUS if mark else Role.DIM
    return _spaced([line(Span(fit(mark + name, width), role)) for name in names], count, height)


def spark_values(snapshot: "Snapshot", count: int, height: int, width: int) -> list[Line]:
    """Latest value of each sparkline."""
    y, x, stats = snapshot.y, snapshot.x, snapshot.stats
    spread = shortage(stats, "spread") if stats.spread is None else _spread(snapshot)
    correlation = shortage(stats, "correlation") if stats.correlation is None else numbers.number(stats.correlation, 2)
    texts = (numbers.price(y.price, y.decimals), numbers.price(x.price, x.decimals), spread, correlation)[:count]
    return _spaced([line(fit(text, width - 1, right=True)) for text in texts], count, height)


def _spread(snapshot: "Snapshot") -> str:
    stats, space = snapshot.stats, snapshot.session.space
    return numbers.spread(stats.spread, stats.spread_std, space) + numbers.spread_unit(space)


def _spaced(lines: list[Line], count: int, height: int) -> list[Line]:
    each = max(1, height // max(1, count))
    out = [_BLANK] * height
    for index, item in enumerate(lines):
        row = index * each + each // 2
        if row < height:
            out[row] = item
    return out


def z_labels(scale: Scale, entry: float, height: int, width: int, mark: str = "") -> list[Line]:
    """The thresholds and 0 at their rows, the name at the top; `mark` stands before it where the panel is marked."""
    out = [_BLANK] * height
    for level, text in ((0.0, "0"), (entry, f"+{entry:.1f}"), (-entry, f"-{entry:.1f}")):
        row = row_of(level, scale, height)
        if 0 <= row < height:
            out[row] = line(Span(fit(text, width - 1, right=True), Role.DIM))
    if height:
        first = "".join(text for text, _ in out[0])
        name = f"{mark}z" if first or mark else "z-score"
        out[0] = line(Span(fit(name + first[len(name) :], width), Role.FOCUS if mark else Role.DIM))
    return out


def z_values(snapshot: "Snapshot", height: int, width: int) -> list[Line]:
    """Z of the last closed bar, its signal, and the preview of the forming bar."""
    stats = snapshot.stats
    if stats.zscore is None:
        lines = [line(Span(f" {part}"[:width], Role.WARN)) for part in shortage(stats, "zscore", "spread").split(" ", 1)]
    else:
        signal = numbers.signal(stats.signal)
        lines = [line(Span(f" {numbers.signed(stats.zscore):<7s}", Role.BAD if signal else Role.TEXT))]
        lines.append(line(Span(" " + measures(f"{signal} spread", width - 1), Role.BAD)) if signal else _BLANK)
        preview = "-" if stats.preview_zscore is None else numbers.signed(stats.preview_zscore)
        lines += [line(Span(" preview", Role.DIM)), line(Span(f" {preview:<7s}", Role.DIM))]
    return (lines + [_BLANK] * height)[:height]
