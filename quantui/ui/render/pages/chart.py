"""The chart of a pair: candles with volume, below them z-score, spread and hedge ratio, one column a bar."""

from collections.abc import Callable, Iterator, Sequence
from statistics import stdev
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from quantui.ui.render import numbers
from quantui.ui.render.axis import ticks, time_axis
from quantui.ui.render.candles import Candle, candles, columns, merged
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, cells, fit
from quantui.ui.render.names import base_of, short_label
from quantui.ui.render.pages.sheet import Room, Sheet, View, as_of, notes, opening
from quantui.ui.render.plot import plot, row_of
from quantui.ui.render.scale import Scale, steady, symmetric

if TYPE_CHECKING:
    from quantui.collector.pages import Candles, ChartPage, Page

ZOOMS: Final = (1, 2, 4, 8)
"""Bars a column."""
_LABEL: Final = 12
_PICTURES: Final = 3
"""Candles of y, candles of x, both legs from one start."""


class Column(NamedTuple):
    """What stands in one column: a bar of both legs, or several."""

    time: int
    legs: tuple[Candle, Candle]
    volumes: tuple[float, float]
    spread: float | None
    zscore: float | None
    beta: float | None
    marks: tuple[str, ...]


def sheet(page: "Page", view: View, room: Room, glyphs: Glyphs) -> Sheet:
    """As many columns as there is room for, the crosshair always among them."""
    found = cast("ChartPage", page)
    zoom, picture = ZOOMS[view.zoom % len(ZOOMS)], view.shown % _PICTURES
    every = gathered(found, zoom)
    back = min(view.left, max(0, len(every) - 1))
    width = max(1, room.width - _LABEL)
    end = len(every) - max(0, back - width + 1)
    seen = every[max(0, end - width) : end]
    head = [_opening(found, zoom, picture, room.width)]
    if found.note or not seen:
        return Sheet([*head, *notes([found.note or "waiting for data"], room.width)], ())
    at = len(seen) - 1 - (back - (len(every) - end))
    head.append(_values(found, every[len(every) - 1 - back], room.width, glyphs))
    body = list(_body(found, seen, picture, width, room.height - len(head), glyphs))
    if back:
        body = [_crossed(line, at, glyphs) for line in body]
    return Sheet(head, body, most_left=len(every) - 1, span=width, zooms=len(ZOOMS))


def gathered(page: "ChartPage", zoom: int) -> list[Column]:
    """The columns, oldest first; groups stand on round multiples, so that a new bar changes the newest column only."""
    if not page.times:
        return []
    bar = min((b - a for a, b in zip(page.times, page.times[1:], strict=False)), default=1)
    each = bar * zoom
    marks: dict[int, list[str]] = {}
    for mark in page.marks:  # an alert is about the bar that had closed last
        marks.setdefault((mark.time_ms // bar - 1) * bar // each, []).append(mark.text)
    out: list[Column] = []
    first = 0
    for place in range(1, len(page.times) + 1):
        if place < len(page.times) and page.times[place] // each == page.times[first] // each:
            continue
        last, group = place - 1, page.times[first] // each
        out.append(
            Column(
                page.times[first],
                (_candle(page.y, first, place), _candle(page.x, first, place)),
                (sum(page.y.volume[first:place]), sum(page.x.volume[first:place])),
                page.spread[last],
                page.zscore[last],
                page.beta[last],
                tuple(marks.get(group, ())),
            )
        )
        first = place
    return out


def _candle(leg: "Candles", first: int, end: int) -> Candle:
    return Candle(leg.open[first], max(leg.high[first:end]), min(leg.low[first:end]), leg.close[end - 1])


def _opening(page: "ChartPage", zoom: int, picture: int, width: int) -> Line:
    what = ("candles of y", "candles of x", "both legs in %")[picture]
    about = [short_label(page.pair), f"{page.timeframe} W{page.window}", page.estimator.upper(), as_of(page.bar_ms), what]
    about.append(f"{zoom} bars a column" if zoom > 1 else "")
    return opening("Chart", [part for part in about if part], width)


def _values(page: "ChartPage", column: Column, width: int, glyphs: Glyphs) -> Line:
    """Everything at the crosshair."""
    legs = []
    for leg, candle, volume in zip((page.y, page.x), column.legs, column.volumes, strict=True):
        sign = glyphs.up if candle.is_rising else glyphs.down
        prices = " ".join(f"{name} {numbers.price(value, leg.decimals)}" for name, value in zip("OHLC", candle, strict=True))
        short = f"{base_of(leg.symbol)} {sign} {numbers.price(candle.close, leg.decimals)}"
        legs.append((f"{base_of(leg.symbol)} {sign} {prices} V {numbers.compact(volume)}", short))
    rest = f"z {numbers.signed(column.zscore)}  {glyphs.beta} {numbers.number(column.beta, 4)}"
    said = f"{glyphs.down} {column.marks[0]}" if column.marks else ""
    time = numbers.clock(column.time)
    for parts in ([legs[0][0], legs[1][0]], [legs[0][0], legs[1][1]], [legs[0][1], legs[1][1]]):
        text = "  ".join(part for part in (time, *parts, rest, said) if part)
        if cells(text) <= width:
            break
    return (Span(fit(text, width), Role.TEXT),)


def _body(page: "ChartPage", seen: Sequence[Column], picture: int, width: int, height: int, glyphs: Glyphs) -> Iterator[Line]:
    marked = any(column.marks for column in seen)
    room = height - 1 - marked
    z_rows = max(3, room // 5)
    strip = max(1, room // 10)
    volume = strip if picture < _PICTURES - 1 else 0
    main = max(3, room - z_rows - 2 * strip - volume)
    pad = " " * (width - len(seen))
    if marked:
        row = "".join(glyphs.down if column.marks else " " for column in seen)
        yield (Span(pad + row, Role.WARN), Span(" alerts", Role.DIM))
    if picture == _PICTURES - 1:
        yield from _both(page, seen, main, pad, glyphs)
    else:
        yield from _candles(page, seen, picture, main, volume, pad, glyphs)
    yield from _zscore(page, [column.zscore for column in seen], z_rows, width, glyphs)
    spreads, betas = [column.spread for column in seen], [column.beta for column in seen]
    known = [value for value in spreads if value is not None]
    deviation = stdev(known) if len(known) > 1 else None
    unit = numbers.spread_unit(page.space)
    yield from _strip("s", spreads, strip, width, glyphs, lambda value: numbers.spread(value, deviation, page.space) + unit)
    yield from _strip(glyphs.beta, betas, strip, width, glyphs, lambda value: numbers.number(value, 4))
    yield (Span(pad + time_axis([column.time for column in seen]), Role.DIM),)


def _candles(
    page: "ChartPage", seen: Sequence[Column], picture: int, height: int, volume: int, pad: str, glyphs: Glyphs
) -> Iterator[Line]:
    leg, bars = (page.y, page.x)[picture], [column.legs[picture] for column in seen]
    scale = steady([*(bar.high for bar in bars), *(bar.low for bar in bars)], None)
    if scale is None:
        return
    labels = ticks(scale, height)
    last = row_of(bars[-1].close, scale, height)
    labels[last] = numbers.price(bars[-1].close, leg.decimals)
    for y, spans in enumerate(candles(bars, height, scale, glyphs)):
        role = Role.FOCUS if y == last else Role.DIM
        yield (*merged([Span(pad, Role.GOOD), *spans]), _label(labels.get(y, ""), role))
    amounts = [column.volumes[picture] for column in seen]
    top = max(amounts)
    for y, row in enumerate(columns(amounts, volume, top, glyphs)):
        yield (Span(pad + row, Role.LINE), _label(f"V {numbers.compact(top)}" if not y else ""))


def _both(page: "ChartPage", seen: Sequence[Column], height: int, pad: str, glyphs: Glyphs) -> Iterator[Line]:
    """Each leg's close in percent of its close at the left edge: `y` in front."""
    lines = [[100 * (column.legs[leg].close / seen[0].legs[leg].close - 1) for column in seen] for leg in (0, 1)]
    scale = steady([*lines[0], *lines[1]], None)
    if scale is None:
        return
    front, behind = (_drawn(values, len(seen), height, scale, glyphs) for values in lines)
    labels = {row: f"{text}%" for row, text in ticks(scale, height).items()}
    for leg, values in ((page.x, lines[1]), (page.y, lines[0])):
        labels[row_of(values[-1], scale, height)] = f"{base_of(leg.symbol)} {values[-1]:+.2f}%"
    for y in range(height):
        spans = [Span(a, Role.LINE) if a != " " else Span(b, Role.WARN) for a, b in zip(front[y], behind[y], strict=True)]
        yield (*merged([Span(pad, Role.LINE), *spans]), _label(labels.get(y, "")))


def _zscore(page: "ChartPage", values: Sequence[float | None], height: int, width: int, glyphs: Glyphs) -> Iterator[Line]:
    scale = symmetric(values, page.entry, None)
    levels = (page.entry, 0.0, -page.entry)
    labels = {row_of(level, scale, height): numbers.signed(level, 1) if level else "0" for level in levels}
    known = next((value for value in reversed(values) if value is not None), None)
    if known is not None:
        labels[row_of(known, scale, height)] = f"z {numbers.signed(known)}"
    for y, row in enumerate(_drawn(values, width, height, scale, glyphs, levels)):
        yield (Span(row, Role.LINE), _label(labels.get(y, "")))


def _strip(
    name: str,
    values: Sequence[float | None],
    height: int,
    width: int,
    glyphs: Glyphs,
    text: Callable[[float], str],
) -> Iterator[Line]:
    scale = steady(values, None)
    rows = _drawn(values, width, height, scale, glyphs) if scale is not None else [" " * width] * height
    known = next((value for value in reversed(values) if value is not None), None)
    for y, row in enumerate(rows):
        yield (Span(row, Role.LINE), _label(f"{name} {text(known)}" if known is not None and not y else "" if y else f"{name} -"))


def _drawn(
    values: Sequence[float | None], width: int, height: int, scale: Scale, glyphs: Glyphs, levels: Sequence[float] = ()
) -> list[str]:
    """A line with one value a column, as the candles have."""
    across = len(glyphs.bits)
    wide = [value for value in values for _ in range(across)]
    return plot(wide, width, height, scale, glyphs, levels)


def _label(text: str, role: Role = Role.DIM) -> Span:
    return Span(" " + fit(text, _LABEL - 1), role)


def _crossed(line: Line, column: int, glyphs: Glyphs) -> Line:
    """The line with the crosshair where the column is blank."""
    out: list[Span] = []
    start = 0
    for text, role in line:
        place = column - start
        if 0 <= place < len(text) and text[place] in (" ", glyphs.level):
            out += [Span(text[:place], role), Span(glyphs.cross, Role.FOCUS), Span(text[place + 1 :], role)]
        else:
            out.append(Span(text, role))
        start += len(text)
    return tuple(span for span in out if span.text)
