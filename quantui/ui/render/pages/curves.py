"""Plots of the pair's page: beta with its band, the cointegration test's p over time, residuals against a normal distribution."""

from collections.abc import Callable, Iterator, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from quantui.ui.render import numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, fit, wrapped
from quantui.ui.render.pages.sheet import LINE
from quantui.ui.render.plot import overlay, points_of
from quantui.ui.render.scale import Scale, steady

if TYPE_CHECKING:
    from quantui.collector.pages import PairPage

_LABEL: Final = 9
_ROWS: Final = 7
_SURE: Final = 0.05
_REACH: Final = 2.6
"""Standard deviations the residuals are drawn to: one of a hundred normal ones is beyond."""


def plots(page: "PairPage", width: int, glyphs: Glyphs) -> Iterator[Line]:
    """Every plot there is something to draw for, each with a heading that says how to read it."""
    yield from _beta(page, width, glyphs)
    yield from _p_values(page, width, glyphs)
    yield from _residuals(page, width, glyphs)


def _beta(page: "PairPage", width: int, glyphs: Glyphs) -> Iterator[Line]:
    known = [value for value in page.beta if value is not None]
    if len(known) < 2:
        return
    pairs = list(zip(page.beta, page.beta_error, strict=True))
    low, high = ([None if b is None or e is None else b + side * e for b, e in pairs] for side in (-2, 2))
    has_band = any(value is not None for value in high)
    band = " with two standard errors on either side" if has_band else ""
    shown = points_of(width - _LABEL, glyphs)
    scale = steady([*page.beta[-shown:], *low[-shown:], *high[-shown:]], None)
    title = f"beta at the last {min(shown, len(page.beta))} bars{band}: a ratio that wanders further than its band does not hold"
    lines = [page.beta, low, high] if has_band else [page.beta]
    yield from _plot(title, lines, scale, width, glyphs, lambda value: numbers.number(value, 3))


def _p_values(page: "PairPage", width: int, glyphs: Glyphs) -> Iterator[Line]:
    shown = min(points_of(width - _LABEL, glyphs), len(page.eg_p))
    known = [value for value in page.eg_p[-shown:] if value is not None]
    if len(known) < 2:
        return
    title = f"p of Engle-Granger at the last {shown} bars; the dashes are .05: what holds stays below them"
    yield from _plot(title, [page.eg_p], Scale(0.0, max(3 * _SURE, *known)), width, glyphs, numbers.probability, (_SURE,))


def _residuals(page: "PairPage", width: int, glyphs: Glyphs) -> Iterator[Line]:
    """Each column is a normal quantile; the height is the residuals' own. On the diagonal they are normal."""
    n = len(page.residuals)
    if n < 10:
        return
    columns = min(width - _LABEL, 60)
    points, normal = points_of(columns, glyphs), NormalDist()
    at = [_REACH * (2 * place / (points - 1) - 1) for place in range(points)]
    seen = [_quantile(page.residuals, normal.cdf(place)) for place in at]
    title = "residuals against a normal distribution: off the diagonal at the ends means wilder gaps than z supposes"
    scale = Scale(-_REACH * 1.4, _REACH * 1.4)
    yield from _plot(title, [seen, at], scale, width, glyphs, numbers.signed)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * len(ordered) - 0.5
    low = min(max(int(place), 0), len(ordered) - 2)
    part = min(max(place - low, 0.0), 1.0)
    return ordered[low] * (1 - part) + ordered[low + 1] * part


def _plot(
    title: str,
    lines: Sequence[Sequence[float | None]],
    scale: Scale | None,
    room: int,
    glyphs: Glyphs,
    text: Callable[[float], str],
    levels: Sequence[float] = (),
) -> Iterator[Line]:
    if scale is None:
        return
    width = min(room, _LABEL + -(-max(len(values) for values in lines) // len(glyphs.bits)))
    yield ()
    yield from ((Span(row, Role.TITLE),) for row in wrapped(title, min(room, LINE)))
    for place, row in enumerate(overlay(lines, width - _LABEL, _ROWS, scale, glyphs, levels)):
        value = scale.high - (place + 0.5) / _ROWS * scale.span
        label = text(value) if place in (0, _ROWS // 2, _ROWS - 1) else ""
        yield (Span(fit(label, _LABEL - 1, right=True) + " ", Role.DIM), Span(row, Role.LINE))
