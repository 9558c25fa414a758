"""A screen beside the monitor: draws one document of the collector as lines that scroll."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key, Paste, Resize
from textual.reactive import reactive
from textual.screen import Screen

from quantui.ui.actions import PAGE_ACTIONS
from quantui.ui.keys import Keys
from quantui.ui.render import geometry
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Field, Line, Role, Span, bar, joined, wrapped
from quantui.ui.render.pages.filters import LONGEST
from quantui.ui.render.pages.kinds import Kind
from quantui.ui.render.pages.sheet import Room, Sheet, View
from quantui.ui.screens.typing_line import TypingLine
from quantui.ui.widgets.lines import LineWidget

if TYPE_CHECKING:
    from quantui.collector.pages import Page

_TYPING = "Enter keep  Esc drop   q<0.05 and abs(z)>2 and half_life<50 and y=BTC*"


class PageScreen(Screen[None]):
    """One page; what its keys have chosen is kept while it is away."""

    CSS_PATH = "page.tcss"
    AUTO_FOCUS: ClassVar[str | None] = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(action.keys, action.call, action.title, id=action.id, tooltip=action.tooltip, show=False) for action in PAGE_ACTIONS
    ]

    page: reactive["Page | None"] = reactive(None, repaint=False, init=False)
    """What is shown; None before the first one."""
    message: reactive[str] = reactive("", repaint=False, init=False)
    """What there is to say, above the footer."""

    def __init__(
        self,
        kind: Kind,
        styles: Mapping[Role, Style],
        glyphs: Glyphs,
        *,
        view: View,
        keys: Keys,
        watch: Callable[[str, bool], None],
    ) -> None:
        """Build the screen.

        Args:
            kind: Which page.
            styles: How roles look.
            glyphs: The signs to draw with.
            view: What its keys chose when it was last shown.
            keys: What its footer calls each key.
            watch: Asks for a pair to be put on the watch list, or (True) to be dropped.
        """
        super().__init__()
        self.kind, self.view = kind, view
        self._looks, self._glyphs, self._watch = styles, glyphs, watch
        self._footer = {each.id: Field(each.footer, priority=each.priority) for each in (*keys.actions, *keys.page_actions)}
        self._top = 0
        self._sheet = Sheet((), ())
        self._typing = TypingLine(LONGEST)

    def compose(self) -> ComposeResult:
        """One panel of lines."""
        self._panel = LineWidget(self._looks, id="page")
        yield self._panel

    def on_resize(self, event: Resize) -> None:
        """Draw for the new size."""
        self.call_after_refresh(self.draw)

    def on_screen_resume(self) -> None:
        """No other screen is above it any more."""
        self.call_after_refresh(self.draw)

    def watch_page(self) -> None:
        """A new document has come: the row that is selected stays selected."""
        rows = self._sheet.rows
        chosen = rows[self.view.cursor] if self.view.cursor < len(rows) else None
        self.draw()
        if chosen is not None and chosen in self._sheet.rows:
            self._move(list(self._sheet.rows).index(chosen))

    def watch_message(self) -> None:
        """There is something to say, or nothing any more."""
        self.draw()

    def on_key(self, event: Key) -> None:
        """While a filter is typed, keys are text.

        It begins here and not by the binding, which is run a little later: what is typed ahead would be taken for keys.
        """
        if event.key == "slash" and not self._typing.is_open and self._can_filter:
            self.action_filter()
        elif not self._typing.is_open or event.key == "ctrl+c":
            return
        else:
            self._typing.press(event)
            self._type()
        event.stop()
        event.prevent_default()

    def on_paste(self, event: Paste) -> None:
        """Pasted text is typed text."""
        if self._typing.is_open:
            self._typing.add(event.text)
            self._type()

    def text(self) -> str:
        """The whole page, also what is out of sight."""
        return "\n".join(joined(line).rstrip() for line in (*self._sheet.head, *self._sheet.body))

    def action_back(self) -> None:
        """To the monitor."""
        self.dismiss()

    def action_step(self, rows: int) -> None:
        """The selected row, or the first in sight, moves."""
        self._move((self.view.cursor if self._sheet.rows else self._top) + rows)

    def action_leap(self, screens: int) -> None:
        """Moves by a screen; on a chart by half of one, in time."""
        if self._sheet.span:
            self.action_aside(screens * (self._sheet.span // 2))
            return
        self.action_step(screens * max(1, self._room() - 1))

    def action_edge(self, side: int) -> None:
        """To the first or the last row; on a chart to the oldest or the newest bar."""
        if self._sheet.span:
            self.action_aside(side * self._sheet.most_left)
            return
        self._move(len(self._sheet.body) if side > 0 else 0)

    def action_aside(self, columns: int) -> None:
        """Scrolls sideways; on a chart the crosshair moves."""
        if self._sheet.span:
            columns = -columns
        self._see(self.view._replace(left=min(self._sheet.most_left, max(0, self.view.left + columns))))

    def action_sort(self, step: int) -> None:
        """Another column to sort by."""
        if self._sheet.sorts:
            self._see(self.view._replace(sort=(self.view.sort + step) % self._sheet.sorts, cursor=0))

    def action_turn(self) -> None:
        """The other way round."""
        if self._sheet.sorts:
            self._see(self.view._replace(is_reversed=not self.view.is_reversed, cursor=0))

    @property
    def _can_filter(self) -> bool:
        return "page-filter" in self.kind.keys  # though its rows may not be here yet

    def action_filter(self) -> None:
        """Begin to type a filter."""
        if self._can_filter:
            self._typing.open(self.view.filter)
            self.draw()

    def action_zoom(self, step: int) -> None:
        """More or fewer bars a column."""
        if self._sheet.span:
            self._see(self.view._replace(zoom=max(0, min(self.view.zoom + step, self._sheet.zooms - 1)), left=0))

    def action_picture(self) -> None:
        """Another picture of the same."""
        if self._sheet.span:
            self._see(self.view._replace(shown=self.view.shown + 1))

    def action_choose(self) -> None:
        """Watch the selected pair; one that is watched is shown."""
        if self.view.cursor < len(self._sheet.rows):
            pair = self._sheet.rows[self.view.cursor]
            self._watch(pair, False)
            if pair in self._sheet.marked:
                self.dismiss()

    def action_drop(self) -> None:
        """Take the selected pair off the watch list."""
        if self.view.cursor < len(self._sheet.rows) and self._sheet.rows[self.view.cursor] in self._sheet.marked:
            self._watch(self._sheet.rows[self.view.cursor], True)

    def draw(self) -> None:
        """Bring the picture up to date; rows that are as before cost nothing."""
        if not self.is_mounted or not self.is_active or not self._panel.size.width:
            return  # beneath another screen a change would repaint that one
        width, height = self._panel.size
        if not geometry.fits(width, height):
            need = geometry.SMALLEST
            text = f"terminal too small: have {width}x{height}, need {need[0]}x{need[1]}"
            self._show([(Span(row, Role.WARN),) for row in wrapped(text, max(1, width))], [], height)
            return
        if self.page is None:
            self._sheet = Sheet([(Span(self.kind.title, Role.TITLE), Span("  waiting for the collector", Role.DIM))], ())
        else:
            place = Room(width, height - len(self._foot(width)))
            self._sheet = self.kind.draw(self.page, self.view, place, self._glyphs)
        room = self._room()
        cursor = min(self.view.cursor, len(self._sheet.rows) - 1)
        if self._sheet.rows:
            self._top = min(max(self._top, cursor - room + 1), cursor)
        self._top = max(0, min(self._top, len(self._sheet.body) - room))
        self._show([*self._sheet.head, *self._sheet.body[self._top : self._top + room]], self._foot(width), height)

    def _show(self, lines: list[Line], foot: list[Line], height: int) -> None:
        blank: list[Line] = [()] * max(0, height - len(lines) - len(foot))
        self._panel.show([*lines, *blank, *foot])

    def _foot(self, width: int) -> list[Line]:
        said: list[Line] = [(Span(row, Role.WARN),) for row in self._said(width)]
        if self._typing.is_open:
            return [*said, (Span(f"/{self.view.filter}", Role.FOCUS), Span("_", Role.FOCUS)), (Span(_TYPING, Role.DIM),)]
        fields = [self._footer[name] for name in (*self.kind.keys, "help")]
        below = len(self._sheet.body) - self._top - self._room(len(said) + 1)
        more = [Field(f"{below} more", priority=8)] if below > 0 else []
        return [*said, (Span("  ".join(field.text for field in bar([*fields, *more], width, "  ")), Role.DIM),)]

    def _said(self, width: int) -> list[str]:
        return wrapped(self.message, max(1, width))[:2] if self.message else []

    def _room(self, foot: int | None = None) -> int:
        """Rows of the body that fit."""
        if foot is None:
            foot = len(self._said(self._panel.size.width)) + (2 if self._typing.is_open else 1)
        return max(1, self._panel.size.height - len(self._sheet.head) - foot)

    def _move(self, to: int) -> None:
        if self._sheet.rows:
            self._see(self.view._replace(cursor=max(0, min(to, len(self._sheet.rows) - 1))))
        else:
            self._top = max(0, to)
            self.draw()

    def _see(self, view: View) -> None:
        self.view = view
        self.draw()

    def _type(self) -> None:
        self._see(self.view._replace(filter=self._typing.text, cursor=0))
