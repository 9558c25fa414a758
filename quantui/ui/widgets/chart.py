"""The charts: lines redrawn when a bar closes, and at most once a second for the forming one."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.style import Style

from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Role, Span
from quantui.ui.render.plot import plot, points_of
from quantui.ui.render.scale import Scale, steady, symmetric
from quantui.ui.widgets.lines import LineWidget

if TYPE_CHECKING:
    from quantui.collector.snapshot import SeriesView, Snapshot

PREVIEW_S: Final = 1.0
"""Shortest time between two redraws for the forming bar."""


class Chart(LineWidget):
    """Decides when to draw; subclasses draw."""

    def __init__(self, styles: Mapping[Role, Style], glyphs: Glyphs, *, id: str, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(styles, id=id)
        self.glyphs = glyphs
        self._now = now
        self._series: SeriesView | None = None
        self._drawn_size: tuple[int, int] = (0, 0)
        self.entry = 0.0
        """The threshold that is drawn."""
        self._drawn_at = float("-inf")

    def draw(self, snapshot: "Snapshot", entry: float) -> bool:
        """Redraw if a bar closed, size or threshold changed, or the preview is due. True when it did."""
        size = self.content_size
        now = self._now()
        same = self._series is not None and snapshot.series == self._series and (size, entry) == (self._drawn_size, self.entry)
        if same and now - self._drawn_at < PREVIEW_S:
            return False
        self._series, self._drawn_size, self.entry, self._drawn_at = snapshot.series, size, entry, now
        width, height = size
        if width and height:
            self.show([(Span(row, Role.LINE),) for row in self.rows(snapshot, entry, width, height)])
        return True

    def rows(self, snapshot: "Snapshot", entry: float, width: int, height: int) -> list[str]:
        """The whole picture."""
        raise NotImplementedError  # each kind of chart draws its own


class Sparks(Chart):
    """Both prices, spread and correlation, one above the other."""

    count = 4
    """How many of them there is room for."""

    def __init__(self, styles: Mapping[Role, Style], glyphs: Glyphs, *, id: str, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(styles, glyphs, id=id, now=now)
        self._scales: list[Scale | None] = [None] * 4
        self._of: tuple[str, ...] = ()

    def rows(self, snapshot: "Snapshot", entry: float, width: int, height: int) -> list[str]:
        """The lines that fit."""
        of = (snapshot.y.symbol, snapshot.x.symbol, snapshot.session.timeframe, str(snapshot.session.window))
        if of != self._of:
            self._of, self._scales = of, [None] * 4
        series, stats = snapshot.series, snapshot.stats
        each = max(1, height // self.count)
        points = points_of(width, self.glyphs)
        lines: tuple[tuple[Sequence[float | None], float | None], ...] = (
            (series.y, snapshot.y.price),
            (series.x, snapshot.x.price),
            (series.spread, stats.preview_spread),
            (series.correlation, None),
        )
        out: list[str] = []
        for index, (values, preview) in enumerate(lines[: self.count]):
            shown = [*values[-points:]] if preview is None else [*values[-points + 1 :], preview]
            scale = self._scales[index] = steady(shown, self._scales[index])
            out += plot(shown, width, each, scale, self.glyphs)
        return out


class ZScore(Chart):
    """The z-score with its thresholds: the largest panel."""

    scale = Scale(-2.5, 2.5)
    """The vertical scale in force; the labels beside the chart follow it."""

    def rows(self, snapshot: "Snapshot", entry: float, width: int, height: int) -> list[str]:
        """The line, the thresholds and 0."""
        preview = snapshot.stats.preview_zscore
        points = points_of(width, self.glyphs)
        values = snapshot.series.zscore
        shown = [*values[-points:]] if preview is None else [*values[-points + 1 :], preview]
        self.scale = symmetric(shown, entry, self.scale)
        return plot(shown, width, height, self.scale, self.glyphs, (entry, 0.0, -entry))
