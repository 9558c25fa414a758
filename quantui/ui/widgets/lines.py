"""The base of every panel: shows lines, repaints only those that changed."""

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from quantui.ui.render.lines import Line, Role, cut


class LineWidget(Widget, inherit_css=False):
    """A panel of plain lines. Text is never parsed as markup.

    The compositor sends a repainted row from the widget's left edge on, so what changes often has a narrow widget of its own.
    """

    DEFAULT_CSS = ""

    def __init__(self, styles: Mapping[Role, Style], *, id: str) -> None:
        super().__init__(id=id)
        self._looks = styles
        self._paper = Style.from_color(bgcolor=styles[Role.TEXT].bgcolor)
        self._lines: list[Line] = []
        self._strips: list[Strip] = []
        self._rendered: tuple[Region, list[Strip]] | None = None
        self._stale: set[int] = set()
        """Rows of the content that have changed since."""

    def show(self, lines: Sequence[Line]) -> None:
        """Draw these lines from the top; rows equal to what is there are left alone."""
        width, height = self.content_size
        lines = lines[:height]
        old, new = self._lines, [cut(line, width) for line in lines]
        self._lines = new
        for y in range(max(len(old), len(new))):
            before = old[y] if y < len(old) else None
            after = new[y] if y < len(new) else None
            if before == after:
                continue
            if after is None:
                continue
            strip = Strip([Segment(text, self._looks[role]) for text, role in after])
            if y < len(self._strips):
                self._strips[y] = strip
            else:
                self._strips.append(strip)
            self.refresh(Region(0, y, width, 1))
        if len(new) < len(old):
            del self._strips[len(new) :]
            self.refresh(Region(0, len(new), width, len(old) - len(new)))

    def texts(self) -> list[str]:
        """What is shown, without colours."""
        return ["".join(text for text, _ in line) for line in self._lines]

    def render_lines(self, crop: Region) -> list[Strip]:
        """All rows with border and background, kept while nothing changes: a frame asks every panel for them, changed or not.

        Of rows that have changed only the content is made anew; Textual would go through all styles of the widget for each.
        """
        if self._rendered is None or self._rendered[0] != crop or crop.size != self.outer_size:
            self._rendered = crop, super().render_lines(crop)
        elif self._stale:
            left, top = self.content_offset
            width, height = self.content_size
            rows, right = self._rendered[1], left + width
            for y in (y for y in self._stale if y < height):  # it may have been higher
                old, content = rows[top + y], self.render_line(y)
                rows[top + y] = Strip.join([old.crop(0, left), content, old.crop(right, crop.width)]) if left else content
        self._stale.clear()
        return self._rendered[1]

    def _set_dirty(self, *regions: Region) -> None:
        """The one way in which Textual forgets what it has drawn of a widget; rows are rows of the content."""
        if regions:
            self._stale.update(y for region in regions for y in range(*region.line_span))
        else:
            self._rendered = None
        super()._set_dirty(*regions)

    def render_line(self, y: int) -> Strip:
        """One row of the content."""
        width = self.content_size.width
        if y < len(self._strips):
            return self._strips[y].adjust_cell_length(width, self._paper)
        return Strip.blank(width, self._paper)
