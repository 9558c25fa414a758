"""The monitor: one snapshot in, every panel drawn from it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key, Paste, Resize
from textual.layout import Layout
from textual.reactive import reactive
from textual.screen import Screen

from quantui.ui.actions import MONITOR_ACTIONS
from quantui.ui.render import cards, geometry, readout, rows, status
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Field, Line, Role, Span, bar, fit, line, wrapped
from quantui.ui.render.plot import points_of
from quantui.ui.screens.layout import PanelLayout
from quantui.ui.screens.typing_line import TypingLine
from quantui.ui.widgets.chart import Sparks, ZScore
from quantui.ui.widgets.lines import LineWidget

if TYPE_CHECKING:
    from quantui.collector.snapshot import FeedView, Session, Snapshot

FLASH_S: Final = 0.5
"""How long a new alert stands out."""

_LONGEST_NAME: Final = 40

HEALTH_S: Final = 1.0
"""Shortest time between two redraws of ages and delays."""


class MonitorScreen(Screen[None]):
    """Lays the panels out and gives each its part of the snapshot."""

    AUTO_FOCUS: ClassVar[str | None] = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(each.keys, each.call, each.title, id=each.id, tooltip=each.tooltip, show=False) for each in MONITOR_ACTIONS
    ]

    snapshot: reactive["Snapshot | None"] = reactive(None, repaint=False, init=False, always_update=True)
    """What is shown; None before the first one."""
    state: reactive[status.ScreenState] = reactive(status.ScreenState(starting="starting collector"), repaint=False, init=False)
    """What the screen knows beside it."""
    message: reactive[str] = reactive("", repaint=False, init=False)
    """An answer to a key, shown above what the feed says."""
    marked: reactive[str] = reactive("", repaint=False, init=False)
    """The panel that keys are about; empty for none."""
    only: reactive[str] = reactive("", repaint=False, init=False)
    """The panel that fills the screen; empty where all are shown."""

    def __init__(
        self,
        styles: Mapping[Role, Style],
        glyphs: Glyphs,
        footer: list[Field],
        *,
        resized: Callable[[int], None],
        pick: Callable[[int], None],
        now: Callable[[], float],
        flash: bool = True,
    ) -> None:
        super().__init__()
        self._flashes = flash
        self._looks, self._glyphs, self._footer = styles, glyphs, footer
        self._resized, self._pick, self._now = resized, pick, now
        self._typing = TypingLine(_LONGEST_NAME)
        self._layout_of_panels = PanelLayout(self._rectangles)
        self._notice: list[str] = []
        self._footer_of, self._footer_shown = -1, line()
        self._health_at = float("-inf")
        self._health_of: tuple[object, ...] = ()
        self._fresh: frozenset[int] = frozenset()
        self._new: frozenset[int] = frozenset()
        self._last_alert: int | None = None
        self._panels: dict[str, LineWidget] = {}

    @property
    def layout(self) -> Layout:
        """Panels stand where `render/geometry.py` puts them."""
        return self._layout_of_panels

    def compose(self) -> ComposeResult:
        """Every panel, empty."""
        plain = ["status", "health", "notice", *cards.NAMES, "spark-labels", "spark-values", "z-labels", "z-values"]
        for name in (*plain, "pairs", "log", "footer", "too-small"):
            self._panels[name] = LineWidget(self._looks, id=name)
        self._sparks = Sparks(self._looks, self._glyphs, id="spark-plot", now=self._now)
        self._z = ZScore(self._looks, self._glyphs, id="z-plot", now=self._now)
        for name in cards.NAMES:
            self._panels[name].border_title = name.capitalize()
            self._panels[name].add_class("card")
        yield from self._panels.values()
        yield self._sparks
        yield self._z

    def on_mount(self) -> None:
        """Draw whenever panels have been laid out: Textual does that some time after it was asked to."""
        self.screen_layout_refresh_signal.subscribe(self, lambda _: self.draw())

    def on_resize(self, event: Resize) -> None:
        """Draw for the new size, once Textual has laid the panels out."""
        self._resized(points_of(event.size.width, self._glyphs))
        self.call_after_refresh(self.draw)  # of the first layout nothing is told

    def on_screen_resume(self) -> None:
        """No other screen is above it any more."""
        self.call_after_refresh(self.draw)

    def watch_snapshot(self) -> None:
        """A new snapshot has come."""
        self._note_alerts()
        self.draw()

    def watch_state(self) -> None:
        """The screen's own state has changed: only what shows it is drawn, since a key waits for it."""
        if not self._can_draw():
            return
        self._draw_status()
        if self.snapshot is not None:
            session = self._session(self.snapshot)
            if session.entry != self._z.entry:
                self._draw_z(self.snapshot, session)
            self._draw_pairs(self.snapshot, session)

    def watch_message(self) -> None:
        """There is something to say, or nothing any more."""
        self.draw()

    def watch_marked(self) -> None:
        """Another panel is marked."""
        for name in cards.NAMES:
            self._panels[name].set_class(name == self.marked, "-marked")
        self.draw()

    def watch_only(self) -> None:
        """Panels come or go."""
        self._panels["status"].refresh(layout=True)

    @property
    def is_typing(self) -> bool:
        """Whether keys are text."""
        return self._typing.is_open

    def on_key(self, event: Key) -> None:
        """While a name is typed, keys are text."""
        if not self._typing.is_open or event.key == "ctrl+c":
            return
        if self._typing.press(event):
            self._found()
        event.stop()
        event.prevent_default()
        self.draw()

    def on_paste(self, event: Paste) -> None:
        """Pasted text is typed text."""
        if self._typing.is_open:
            self._typing.add(event.text)
            self.draw()

    def action_search(self) -> None:
        """Begin to type a pair's name."""
        if self.snapshot is not None:
            self._typing.open()
            self.draw()

    def _found(self) -> None:
        listed = rows.matching(self.snapshot.pairs, self._typing.text) if self.snapshot else []
        if listed and self._typing.text:
            self._pick(listed[0])

    def action_mark(self, step: int) -> None:
        """Mark the next or previous panel; behind the last comes none."""
        ring = ("", *geometry.PANELS)
        self.marked = ring[(ring.index(self.marked) + step) % len(ring)]
        if self.only:
            self.only = self.marked

    def action_maximise(self) -> None:
        """One panel fills the screen, or all are shown again."""
        self.only = "" if self.only else self.marked or "z"

    def draw(self) -> None:
        """Bring every panel up to date; rows that are as before cost nothing."""
        if not self._can_draw():
            return
        self._draw_notice()
        self._draw_bars()
        if self.snapshot is not None:
            self._draw_panels(self.snapshot)

    def _can_draw(self) -> bool:
        """Whether there is room for the panels; where there is none, that is shown.

        Beneath another screen nothing is drawn: Textual would repaint the whole of the upper one for every change below it.
        """
        if not self.is_mounted or not self._panels or not self.is_active:
            return False
        if not geometry.fits(*self.size):
            self._draw_too_small()
            return False
        return True

    def text(self) -> str:
        """What is shown, panel by panel."""
        names = ("status", "health", *cards.NAMES, "pairs", "log")
        return "\n".join(row.rstrip() for name in names for row in self._panels[name].texts() if row.strip())

    def alert_ids(self) -> frozenset[int]:
        """Alerts that came since this screen looks."""
        return self._new

    def pair_at(self, y: int) -> int | None:
        """Index of the pair on row `y` of the watch list."""
        if self.snapshot is None or y < 1:
            return None
        height = self._panels["pairs"].content_size.height - 1
        index = rows.window(len(self.snapshot.pairs), height, self.snapshot.session.pair) + y - 1
        return index if index < len(self.snapshot.pairs) else None

    def _rectangles(self, width: int, height: int) -> dict[str, geometry.Rect]:
        if not geometry.fits(width, height):
            return {"too-small": geometry.Rect(0, 0, width, height)}
        return geometry.arrange(width, height, len(self._notice), self.only)

    def _draw_too_small(self) -> None:
        need, have = geometry.SMALLEST, self.size
        text = f"terminal too small: have {have.width}x{have.height}, need {need[0]}x{need[1]}"
        self._panels["too-small"].show([(Span(row, Role.WARN),) for row in wrapped(text, max(1, have.width))])

    def _draw_notice(self) -> None:
        feed = self.snapshot.feed if self.snapshot else None
        parts = self.message.split("\n") if self.message else []
        if feed and feed.detail:
            parts.append(feed.detail)
        lines = [row for part in parts for row in wrapped(part, max(1, self.size.width))]
        room = geometry.notice_room(*self.size)
        if len(lines) > room > 0:
            lines = [*lines[: room - 1], fit(lines[room - 1], self.size.width - 1) + self._glyphs.more]
        if len(lines) != len(self._notice):
            self._panels["notice"].refresh(layout=True)
        self._notice = lines
        self._panels["notice"].show([(Span(row, Role.WARN),) for row in lines])

    def _draw_status(self) -> None:
        panel = self._panels["status"]
        panel.show([status.state_line(self.snapshot, self.state, panel.content_size.width, self._glyphs)])

    def _draw_bars(self) -> None:
        self._draw_status()
        footer = self._panels["footer"]
        if self._typing.is_open:
            footer.show([(Span(f"/{self._typing.text}_", Role.FOCUS), Span("  Enter puts it in focus, Esc drops it", Role.DIM))])
        else:
            footer.show([self._footer_line(footer.content_size.width)])
        if self.snapshot is not None:
            self._draw_health(self.snapshot.feed)

    def _footer_line(self, width: int) -> Line:
        if self._footer_of != width:
            text = "  ".join(field.text for field in bar(self._footer, width, "  "))
            self._footer_of, self._footer_shown = width, (Span(text, Role.DIM),)
        return self._footer_shown

    def _draw_health(self, feed: "FeedView") -> None:
        """Ages and delays at most once a second; gaps, mismatches and a new size at once."""
        panel = self._panels["health"]
        width, now = panel.content_size.width, self._now()
        of = (feed.link, feed.gaps_open, feed.gaps_lost, feed.mismatched, width)
        if of == self._health_of and now - self._health_at < HEALTH_S:
            return
        self._health_of, self._health_at = of, now
        panel.show([status.health_line(feed, width)])

    def _draw_panels(self, snapshot: "Snapshot") -> None:
        for name in cards.NAMES:
            panel = self._panels[name]
            title = (f"{self._glyphs.focus} " if name == self.marked else "") + cards.title(name, panel.content_size.width)
            if title != panel.border_title:  # setting it draws the whole card
                panel.border_title = title
            panel.show(cards.card(name, snapshot, panel.content_size.width, self._glyphs))
        self._sparks.count = len(geometry.PANELS[:4]) if self.only else geometry.plan(*self.size).sparks
        self._sparks.draw(snapshot, 0.0)
        count, mark = self._sparks.count, self._mark("spark")
        self._draw_lines("spark-labels", lambda w, h: readout.spark_labels(snapshot, count, h, w, mark))
        self._draw_lines("spark-values", lambda w, h: readout.spark_values(snapshot, count, h, w))
        self._draw_lines("z-values", lambda w, h: readout.z_values(snapshot, h, w))
        alerts, is_marked = snapshot.alerts, self.marked == "log"
        self._draw_lines(
            "log",
            lambda w, h: rows.alert_log(
                alerts, self._fresh, self._new, w, h, self._glyphs, is_marked=is_marked, now_ms=snapshot.time_ms
            ),
        )
        session = self._session(snapshot)
        self._draw_z(snapshot, session)
        self._draw_pairs(snapshot, session)

    def _session(self, snapshot: "Snapshot") -> "Session":
        """As keys have it, before the collector does."""
        return self.state.wanted or snapshot.session

    def _draw_z(self, snapshot: "Snapshot", session: "Session") -> None:
        self._z.draw(snapshot, session.entry)
        mark = self._mark("z")
        self._draw_lines("z-labels", lambda w, h: readout.z_labels(self._z.scale, session.entry, h, w, mark))

    def _draw_pairs(self, snapshot: "Snapshot", session: "Session") -> None:
        search, is_marked = (self._typing.text if self._typing.is_open else None), self.marked == "pairs"
        self._draw_lines(
            "pairs",
            lambda w, h: rows.watch_list(snapshot.pairs, session.pair, w, h, self._glyphs, search=search, is_marked=is_marked),
        )

    def _mark(self, name: str) -> str:
        return self._glyphs.focus if name == self.marked else ""

    def _draw_lines(self, name: str, lines: Callable[[int, int], list[Line]]) -> None:
        panel = self._panels[name]
        panel.show(lines(*panel.content_size))

    def _note_alerts(self) -> None:
        if self.snapshot is None:
            return
        ids = [row.id for row in self.snapshot.alerts]
        newest = max(ids, default=-1)
        last = self._last_alert
        if last is not None and newest > last:
            fresh = frozenset(row_id for row_id in ids if row_id > last)
            self._new = (self._new | fresh) & frozenset(ids)
            if self._flashes:
                self._fresh = fresh
                self.set_timer(FLASH_S, self._calm)
        self._last_alert = newest if last is None else max(newest, last)

    def _calm(self) -> None:
        self._fresh = frozenset()
        self.draw()
