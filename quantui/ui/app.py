"""The application: wires theme, keys, puller and screens; nothing else."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from quantui.text import safe
from quantui.ui.actions import bound
from quantui.ui.announcer import Announcer
from quantui.ui.choices import Change, Choices
from quantui.ui.driver.drivers import DiffDriver, StockDriver, driver_class
from quantui.ui.driver.meter import Meter
from quantui.ui.history import History
from quantui.ui.keys import rebound
from quantui.ui.memory import Desk, Memory
from quantui.ui.messages import CollectorLost, LookedBack, PageFetched, Postman, PullerEnded, SnapshotFetched, Told
from quantui.ui.notices import Notices
from quantui.ui.pages import Pages
from quantui.ui.puller import Leave, Puller
from quantui.ui.quick_keys import QuickKeys
from quantui.ui.render.glyphs import choose
from quantui.ui.render.lines import Field
from quantui.ui.screens.monitor import MonitorScreen
from quantui.ui.session_keys import SessionKeys
from quantui.ui.settings import ScreenSettings
from quantui.ui.source import SnapshotSource
from quantui.ui.themes import STYLES, THEMES
from quantui.ui.tour import Tour

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.command import Provider
    from textual.events import Click
    from textual.screen import Screen

    from quantui.collector.snapshot import Snapshot
    from quantui.ui.palette import Entry
    from quantui.ui.screens.page import PageScreen

LEAVE_S: Final = 1.5
"""Longest wait for the collector to hear that the screen leaves."""

ASK_S: Final = 0.02
"""From a key to the question for what it asked: its own effect is painted meanwhile, which the answer would hold up."""

SLOW: Final = "slow link: one picture a second"
"""Said as long as it is so."""

MESSAGE_S: Final = 12.0
"""How long an answer to a key stays."""


def _commands() -> "type[Provider]":
    from quantui.ui.commands import Commands

    return Commands


class MonitorApp(SessionKeys, QuickKeys):
    """The monitor of one collector."""

    CSS_PATH = "screens/monitor.tcss"
    COMMANDS: ClassVar["set[type[Provider] | Callable[[], type[Provider]]]"] = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, call, action.title, id=name, tooltip=action.tooltip, show=False) for name, keys, call, action in bound()
    ]

    def __init__(
        self,
        connect: Callable[[], SnapshotSource],
        settings: ScreenSettings | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.monotonic,
        on_painted: Callable[[], None] | None = None,
        abandon: Callable[[], None] = lambda: None,
    ) -> None:
        """Build the app.

        Args:
            connect: Makes the source; called in the puller's thread, after the first paint.
            settings: What the person chose.
            environ: The process environment; what the terminal can do is read from it.
            now: Monotonic seconds.
            on_painted: Called once, after the first paint.
            abandon: Stops what `connect` would join, for a person who quits before that; called from any thread, perhaps twice.
        """
        self.settings = settings or ScreenSettings()
        self._environ = os.environ if environ is None else environ
        mono = self.settings.theme == "mono" or (self.settings.theme == "auto" and "NO_COLOR" in self._environ)
        super().__init__(driver_class=driver_class(self.settings.driver))
        self.animation_level = "none"
        theme = THEMES["mono" if mono else "dark" if self.settings.theme == "auto" else self.settings.theme]
        self.register_theme(theme)
        self.theme = theme.name
        self._keys = rebound(self.settings.keys)
        self.set_keymap(self._keys.keymap)
        self._now = now
        self._on_painted = on_painted
        self.crash: BaseException | None = None
        """What ended the screen, where it ended by a failure."""
        self.last_picture: tuple[str, tuple[int, int]] | None = None
        """The monitor as it stood on the terminal when it was left, and the columns and rows of that."""
        self._glyphs = choose(self.settings.glyphs, self._environ)
        self._puller = Puller(connect, Postman(self.post_message), interval=self.settings.interval_s, abandon=abandon)
        self._choices = Choices()
        self._history = History()
        self._announcer = Announcer(self.settings, self._environ, now)
        self._notices = Notices()
        self._meter = Meter(now)
        self._pages = Pages()
        self._memory, self._tour = Memory(self.settings.state_path), Tour()
        self.set_class(self._glyphs.name == "ascii", "-ascii")

    def get_default_screen(self) -> "Screen[None]":
        """The monitor is the first screen."""
        actions = (*self._keys.actions, *self._keys.monitor_actions)
        footer = [Field(action.footer, priority=action.priority) for action in actions if action.footer]
        self.monitor = MonitorScreen(
            STYLES[self.theme],
            self._glyphs,
            footer,
            resized=self._puller.want,
            pick=self.action_pick_pair,
            now=self._now,
            flash=self.settings.motion == "full",
        )
        return self.monitor

    def is_bare(self) -> bool:
        """On the monitor, while no name is typed."""
        return self._choices.latest is not None and self.screen is self.monitor and not self.monitor.is_typing

    def on_mount(self) -> None:
        """Connect only when the empty screen has been painted. After a suspension the terminal shows nothing of it."""
        self.app_resume_signal.subscribe(self, lambda _: self.refresh())
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        if self._on_painted is not None:
            self._on_painted()
        self._puller.start()
        self._memory.load()
        self.monitor.marked, self.monitor.only, views = self._memory.of(*self.size)
        self._pages.recall(views)

    def on_unmount(self) -> None:
        """The puller ends with the screen."""
        self._puller.end()

    def on_snapshot_fetched(self, message: SnapshotFetched) -> None:
        """Hand a snapshot to the screen."""
        self._choices.answered(message.applied)
        self._notices.lost = ""
        if message.snapshot is not None:
            if self._choices.latest is None and self._memory.is_new:
                self.action_tour()
            self._choices.latest = message.snapshot
            self._announce(message.snapshot)
        self._ease()
        self._show()
        self._puller.taken()

    def _ease(self) -> None:
        """A terminal that is slow gets fewer pictures, and is told."""
        slow = isinstance(self._driver, DiffDriver) and self._driver.is_slow
        if slow != bool(self._notices.slow):
            self._notices.slow = SLOW if slow else ""
            self._puller.ease(on=slow)

    def on_looked_back(self, message: LookedBack) -> None:
        """Show the screen as it was, if that is what was asked for last."""
        latest = self._choices.latest
        if latest is not None and self._history.arrived(message.asked_ms, message.snapshot):
            with self.batch_update():
                past = self._history.told(message.snapshot, latest)
                self.monitor.state = self.monitor.state._replace(past=past)
                self.monitor.snapshot = message.snapshot
        self._puller.taken()

    def on_page_fetched(self, message: PageFetched) -> None:
        """Hand a document to the page that shows it."""
        if self._pages.is_shown(message.name):
            page = message.page
            if message.name == "health" and isinstance(self._driver, DiffDriver | StockDriver):  # which only the screen knows
                from msgspec.structs import replace

                page = replace(page, terminal=self._meter.line(self._driver))
            self._pages.document = page
            self._show_page()
        self._puller.taken()

    def _show_page(self) -> None:
        """The newest document, unless the picture is frozen."""
        if self._pages.shown is not None and not self.monitor.state.paused:
            self._pages.shown.page = self._announcer.completed(self._pages.document)

    def on_collector_lost(self, message: CollectorLost) -> None:
        """Say so; what was seen last stays."""
        self._notices.lost = message.reason
        with self.batch_update():
            self.monitor.state = self.monitor.state._replace(lost=True)
            self._show_message()

    def on_told(self, message: Told) -> None:
        """Show an answer for a while."""
        self._tell(message.text)

    def on_puller_ended(self, message: PullerEnded) -> None:
        """Leave, or fail like any other part of the screen."""
        if message.error is not None:
            self._handle_exception(message.error)
        else:
            self.exit(0)

    def on_click(self, event: "Click") -> None:
        """A click on a pair puts it in focus."""
        if event.widget is not None and event.widget.id == "pairs":
            index = self.monitor.pair_at(event.y)
            if index is not None:
                self._change({"pair": index})

    def action_pause(self) -> None:
        """Freeze or unfreeze the picture."""
        if self._choices.latest is None:
            return
        self._freeze(on=not self.monitor.state.paused)
        self._show()

    def action_travel(self, bars: int) -> None:
        """The whole screen as it was so many bars on, or back; where that is now, it moves again."""
        if self._choices.latest is None:
            return
        bar_ms = self._history.move(bars, self._choices.latest)
        self._freeze(on=bar_ms is not None)
        if bar_ms is not None:
            self._puller.look_back(bar_ms)
        self._show()

    def action_tour(self) -> None:
        """The first line of the tour, or the next."""
        self.monitor.marked = self._tour.on().panel
        self._show_message()

    def action_now(self) -> None:
        """Back to now; the tour ends first."""
        if self._tour.is_on:
            self._tour.end()
            self.monitor.marked = ""
            self._show_message()
        elif self.monitor.state.paused:
            self._freeze(on=False)
            self._show()

    def _freeze(self, *, on: bool) -> None:
        if not on:
            self._history.bar_ms = None
        past = self.monitor.state.past if on else ""
        self.monitor.state = self.monitor.state._replace(paused=on, past=past)
        self._puller.freeze(on=on)

    def action_export(self) -> None:
        """Write the analytics to a file."""
        self._tell("exporting analytics")
        self._puller.export("analytics")

    def action_copy(self) -> None:
        """The text of what is in front, to the clipboard; whether the terminal takes it cannot be known."""
        text = (self._pages.shown or self.monitor).text()
        self.copy_to_clipboard(text)
        self._tell(f"{len(text.splitlines())} lines sent to the clipboard; where your terminal ignores that, Shift+drag selects")

    def action_picture_file(self) -> None:
        """The screen as SVG, beside the log of the screen."""
        folder = Path(self.settings.log_path).parent if self.settings.log_path else Path.cwd()
        name = f"quantui-{datetime.now(UTC):%Y%m%d-%H%M%S}.svg"
        try:
            self._tell(f"screenshot written to {safe(self.save_screenshot(name, str(folder)))}")
        except OSError as error:
            self._tell(f"screenshot failed: {safe(str(folder))}: {error.strerror}")

    def action_help(self) -> None:
        """Open the help screen, which is imported only now."""
        from quantui.ui.screens.help import HelpScreen

        page = self._pages.shown
        about = self.monitor.marked if page is None else page.kind.name
        self.push_screen(HelpScreen(self._keys, about))

    def action_open_page(self, name: str) -> None:
        """Show a page over the monitor, in place of the one that is there."""
        self.action_now()  # a page is about now
        if self._pages.is_shown(name):
            return
        page = self._pages.open(name, STYLES[self.theme], self._glyphs, keys=self._keys, watch=self._watch)
        self.push_screen(page, lambda _: self._page_closed(page))
        self._show_message()
        self._puller.show(name)

    def _page_closed(self, page: "PageScreen") -> None:
        if self._pages.closed(page):
            self._puller.show("")

    def _watch(self, pair: str, drop: bool) -> None:  # noqa: FBT001 - a callback
        self._puller.watch(pair, drop=drop)

    def action_detach(self) -> None:
        """Leave; the collector goes on."""
        self._leave("detach")

    async def action_quit(self) -> None:
        """Leave and stop the collector."""
        self._leave("stop")

    def action_help_quit(self) -> None:
        """Textual's own binding of ctrl+c."""
        self._leave("stop")

    def action_command_palette(self) -> None:
        """Open the palette."""
        from quantui.ui.commands import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def palette_entries(self) -> "list[Entry]":
        """What the palette offers now."""
        from quantui.ui.palette import Scene, entries

        page, monitor = self._pages.shown, self.monitor
        of_page = Scene(page.kind, filter=page.view.filter) if page else Scene(marked=monitor.marked, only=monitor.only)
        return entries(self._keys, self._choices, of_page._replace(paused=monitor.state.paused))

    def _change(self, change: Change) -> None:
        """Pass a change on and show at once that it is on its way; it also unfreezes the picture."""
        if not change:
            return
        self._choices.ask(change, self._puller.change(**change))
        if self.monitor.state.paused:
            self._freeze(on=False)
        self._show()
        self.set_timer(ASK_S, self._puller.hurry)

    def _show(self) -> None:
        monitor, snapshot = self.monitor, self._choices.latest
        state = monitor.state._replace(lost=bool(self._notices.lost), wanted=self._choices.session)
        with self.batch_update():
            if snapshot is not None and snapshot is not monitor.snapshot and not state.paused:
                monitor.snapshot = snapshot
            if state != monitor.state:
                monitor.state = state
            self._show_page()
            self._show_message()

    def _tell(self, text: str) -> None:
        self._notices.told = text
        self._show_message()
        self.set_timer(MESSAGE_S, lambda: self._forget(text))

    def _forget(self, text: str) -> None:
        if self._notices.told == text:
            self._notices.told = ""
            self._show_message()

    def _show_message(self) -> None:
        said = self._notices.text()
        self.monitor.message = "\n".join(part for part in (self._tour.text(), said) if part)
        if self._pages.shown is not None:
            paused = "PAUSED: space goes on" if self.monitor.state.paused else ""
            self._pages.shown.message = "; ".join(part for part in (paused, said) if part)

    def _leave(self, how: Leave) -> None:
        self.monitor.state = self.monitor.state._replace(starting="leaving")
        self._puller.leave(how)
        self.set_timer(LEAVE_S, lambda: self.exit(0))

    def exit(self, result: int | None = None, return_code: int = 0, message: "RenderableType | None" = None) -> None:
        """End; what stands on the terminal now is what the next screen begins with."""
        painter = self._driver.painter if isinstance(self._driver, DiffDriver) else None
        if painter is not None and self._choices.latest is not None and self.screen_stack[-1:] == [self.monitor]:
            self.last_picture = painter.picture()
        if self._choices.latest is not None:
            self._memory.keep(*self.size, Desk(self.monitor.marked, self.monitor.only, self._pages.kept()))
        super().exit(result, return_code, message)

    def _announce(self, snapshot: "Snapshot") -> None:
        """Bell and notification for alerts that came since the screen looks."""
        sequences = self._announcer.sequences(snapshot)
        if sequences and self._driver is not None and not self.is_headless:
            self._driver.write(sequences)

    def _fatal_error(self) -> None:
        """A crash: end at once and leave the terminal as it was; `ui/run.py` logs the traceback and prints one line."""
        self.crash = self._exception
        self._close_messages_no_wait()
