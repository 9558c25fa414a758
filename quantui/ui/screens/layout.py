"""Hands the rectangles of `render/geometry.py` to Textual: one pass, no nested containers, so that the first paint is early."""

from collections.abc import Callable

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from quantui.ui.render.geometry import Rect


class PanelLayout(Layout):
    """Places each child at the rectangle of its id; a child without one is not placed."""

    name = "panels"

    def __init__(self, rectangles: Callable[[int, int], dict[str, Rect]]) -> None:
        self._rectangles = rectangles

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: object = True) -> ArrangeResult:
        """The placements, for Textual's compositor."""
        parent.pre_layout(self)
        rectangles = self._rectangles(size.width, size.height)
        return [
            WidgetPlacement(Region(*rectangles[child.id]), NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.id in rectangles
        ]
