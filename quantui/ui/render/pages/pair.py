"""Everything the analysis says of one pair, in plain words: each test with its numbers, its verdict, and what that does not say."""

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from quantui.ui.render import gates, numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, cells, cut, fit, wrapped
from quantui.ui.render.names import short_label
from quantui.ui.render.pages import curves
from quantui.ui.render.pages.sheet import LINE, Room, Sheet, View, as_of, notes, opening

if TYPE_CHECKING:
    from quantui.collector.pages import Page, PairPage


class _Number(NamedTuple):
    path: str
    """In the page's numbers."""
    label: str
    text: Callable[[float | None], str]


class _Entry(NamedTuple):
    name: str
    """Of the verdict and of the reason where it is missing."""
    title: str
    numbers: tuple[_Number, ...]


def _bars(value: float | None) -> str:
    return "-" if value is None else numbers.bars(value, fine=value < 9.95)


def _upper(value: float | None) -> str:
    return "no end" if value is None else _bars(value)


def _rate(value: float | None) -> str:
    return f"{value:.3g}" if value is not None and value < 1000 else numbers.compact(value)


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _fine(value: float | None) -> str:
    return numbers.number(value, 4)


def _test(path: str, *, lags: bool = True) -> tuple[_Number, ...]:
    found = (_Number(f"{path}.stat", "stat", numbers.signed), _Number(f"{path}.p_value", "p", numbers.probability))
    return (*found, _Number(f"{path}.lags", "lags", _count)) if lags else found


_SECTIONS: Final[tuple[tuple[str, tuple[_Entry, ...]], ...]] = (
    (
        "How far apart are they",
        (
            _Entry("zscores", "z-score", (
                _Number("zscore", "now", numbers.signed), _Number("zscores.ewma", "EWMA", numbers.signed),
                _Number("zscores.robust", "robust", numbers.signed), _Number("zscores.ou", "OU", numbers.signed),
            )),
            _Entry("false_alarms", "by chance", (
                _Number("false_alarms.share", "of bars", numbers.percent),
                _Number("false_alarms.per_day", "alerts/day", _rate),
            )),
            _Entry("spreads", "other spreads", (
                _Number("spreads.difference.zscore", "difference z", numbers.signed),
                _Number("spreads.ratio.zscore", "ratio z", numbers.signed),
                _Number("spreads.log_ratio.zscore", "log ratio z", numbers.signed),
            )),
        ),
    ),
    (
        "Is it real",
        (
            _Entry("engle_granger", "Engle-Granger", _test("engle_granger")),
            _Entry("engle_granger_reversed", "legs exchanged", _test("engle_granger_reversed")),
            _Entry("johansen", "Johansen", (
                _Number("johansen.trace.0", "trace", numbers.number),
                _Number("johansen.critical.95%.0", "limit 95%", numbers.number),
                _Number("johansen.beta", "beta", _fine),
            )),
            _Entry("phillips_ouliaris", "Phillips-Ouliaris", _test("phillips_ouliaris.zt", lags=False)),
            _Entry("kpss", "KPSS", _test("kpss")),
            _Entry("adf", "ADF", _test("adf")),
            _Entry("unit_roots", "legs alone", (
                _Number("unit_roots.dfgls_y.p_value", "DF-GLS p y", numbers.probability),
                _Number("unit_roots.dfgls_x.p_value", "x", numbers.probability),
            )),
        ),
    ),
    (
        "Does it come back",
        (
            _Entry("half_life", "half-life", (
                _Number("half_life", "bars", _bars), _Number("half_life_interval.0", "95% from", _bars),
                _Number("half_life_interval.1", "to", _upper), _Number("half_life_corrected", "corrected", _bars),
            )),
            _Entry("crossings", "crossings", (
                _Number("crossings.count", "seen", _count), _Number("crossings.expected", "expected", _count),
            )),
            _Entry("hurst", "Hurst", (
                _Number("hurst", "H", numbers.number), _Number("hurst_band.0", "walks from", numbers.number),
                _Number("hurst_band.1", "to", numbers.number),
            )),
            _Entry("variance_ratio", "variance ratio", tuple(
                _Number(f"variance_ratio.{place}.ratio", f"{horizon} bars", numbers.number)
                for place, horizon in enumerate((2, 4, 8, 16))
            )),
            _Entry("error_correction", "who corrects", (
                _Number("error_correction.y.speed", "y", numbers.signed), _Number("error_correction.x.speed", "x", numbers.signed),
                _Number("error_correction.closed", "closed a bar", numbers.percent),
            )),
        ),
    ),
    (
        "Does the ratio hold",
        (
            _Entry("beta", "beta in use", (
                _Number("beta", "", _fine), _Number("beta_se", "error", _fine), _Number("r_squared", "R2", numbers.number),
            )),
            _Entry("dols", "DOLS", (_Number("dols.beta", "beta", _fine), _Number("dols.beta_se", "error", _fine))),
            _Entry("kalman", "Kalman", (
                _Number("kalman.beta", "beta", _fine), _Number("kalman.beta_sd", "sd", _fine),
                _Number("kalman.zscore", "surprise", numbers.signed),
            )),
            _Entry("cusum", "CUSUM", (
                _Number("cusum.robust_stat", "stat", numbers.number), _Number("cusum.robust_p_value", "p", numbers.probability),
            )),
        ),
    ),
    (
        "What trading it is like",
        (
            _Entry("correlations", "correlation", (
                _Number("correlations.returns", "returns", numbers.number),
                _Number("correlations.spearman", "rank", numbers.number),
                _Number("correlations.levels", "levels", numbers.number),
            )),
            _Entry("volatility", "volatility a year", (
                _Number("volatility.y", "y", numbers.percent), _Number("volatility.x", "x", numbers.percent),
            )),
            _Entry("parkinson", "from ranges", (
                _Number("parkinson.y", "y", numbers.percent), _Number("parkinson.x", "x", numbers.percent),
            )),
            _Entry("carry", "funding received", (_Number("carry.annual", "a year", numbers.percent),)),
        ),
    ),
)  # fmt: skip
_OPTIONAL: Final = frozenset({"parkinson", "carry"})
"""Left out of the report where there is nothing to make them from."""
_TITLE: Final = 19
_WIDE: Final = 160
"""Cells from which on there are two columns."""
_GAP: Final = 3
_LEFT: Final = 4
"""Blocks of the left column: the gates and three sections."""
_INDENT: Final = 2


def sheet(page: "Page", view: View, room: Room, glyphs: Glyphs) -> Sheet:
    """The pair's sections, its gates first and its plots last."""
    found = cast("PairPage", page)
    width = room.width
    about = [
        short_label(found.pair), f"{found.timeframe} W{found.window}", found.estimator.upper(), as_of(found.bar_ms), found.space,
    ]  # fmt: skip
    head = [opening("Pair", [part for part in about if part], width)]
    if found.note:
        return Sheet([*head, *notes([found.note], width)], ())
    column = (width - _GAP) // 2 if width >= _WIDE else width
    blocks = [list(_gates(found, column, glyphs))]
    if found.n < found.window:
        blocks[0] = notes([f"{found.n}/{found.window} bars: what needs a full window comes with it"], column) + blocks[0]
    if found.numbers:
        blocks += [_section(found, title, entries, column) for title, entries in _SECTIONS]
        blocks.append(list(curves.plots(found, column, glyphs)))
    if column == width:
        return Sheet(head, [line for block in blocks for line in block])
    left, right = ([line for block in part for line in block] for part in (blocks[:_LEFT], blocks[_LEFT:]))
    return Sheet(head, list(_beside(left, right[1:], column)))


def _section(page: "PairPage", title: str, entries: tuple[_Entry, ...], width: int) -> list[Line]:
    return [(), (Span(title, Role.TITLE),), *(line for entry in entries for line in _entry(page, entry, width))]


def _beside(left: list[Line], right: list[Line], column: int) -> Iterator[Line]:
    """Two columns of lines."""
    for one, other in zip_longest(left, right, fillvalue=()):
        kept = cut(one, column)
        gap = column + _GAP - sum(cells(span.text) for span in kept)
        yield (*kept, Span(" " * gap), *other) if other else kept


def _gates(page: "PairPage", width: int, glyphs: Glyphs) -> Iterator[Line]:
    signal = numbers.signal(page.signal)
    yield (Span(f"Signal: {signal} the spread" if signal in ("SHORT", "LONG") else f"Signal: {signal or 'none'}", Role.TITLE),)
    for gate in page.gates:
        mark, word, role = (
            (glyphs.waiting, "off", Role.DIM) if not gate.enabled
            else (glyphs.waiting, "not known", Role.WARN) if gate.ok is None
            else (glyphs.ok, "passes", Role.GOOD) if gate.ok
            else (glyphs.failed, "fails", Role.BAD)
        )  # fmt: skip
        name = fit(gates.name(gate.name), _TITLE - 2)
        text = f"{mark} {name}{fit(word, 10)}{gates.value(gate)} against a limit of {gates.limit(gate.limit)}"
        yield (Span(fit(text, width).rstrip(), role),)


def _entry(page: "PairPage", entry: _Entry, width: int) -> Iterator[Line]:
    """Title and numbers in one row, or as many as they need; below them the verdict."""
    known = [number for number in entry.numbers if page.numbers.get(number.path) is not None]
    if not known:
        if entry.name in _OPTIONAL and entry.name not in page.missing:
            return
        yield Span(fit(entry.title, _TITLE)), Span(page.missing.get(entry.name, "-"), Role.WARN)
        return
    texts = [f"{number.label} {number.text(page.numbers.get(number.path))}".strip() for number in entry.numbers]
    yield from _numbers(entry.title, texts, width)
    said = [text for text in (page.verdicts.get(entry.name), page.notes.get(entry.name)) if text]
    for text in said:
        for row in wrapped(_plain(text), min(width, LINE) - _INDENT):
            yield (Span(" " * _INDENT + row, Role.DIM),)


def _numbers(title: str, texts: list[str], width: int) -> Iterator[Line]:
    head, row = fit(title, _TITLE), ""
    for text in texts:
        if row and _TITLE + cells(row) + 2 + cells(text) > width:
            yield (Span(head), Span(row, Role.FOCUS))
            head, row = " " * _TITLE, ""
        row = f"{row}  {text}" if row else text
    yield (Span(head), Span(row, Role.FOCUS))


def _plain(text: str) -> str:
    """The report names quantities as its own keys; here they have their titles."""
    for key, title in (("engle_granger", "Engle-Granger"), ("johansen", "Johansen"), ("`zscore`", "the first")):
        text = text.replace(key, title)
    return text
