"""The one thread that talks to the collector, so that the loop that draws never waits.

It asks for a snapshot on its own tick and then waits until the screen has taken it: a slow terminal gets fewer snapshots, never
a backlog.
"""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from quantui.collector.client import CollectorError, CollectorGoneError, CollectorRefusedError
from quantui.text import safe
from quantui.ui.incoming import safe_document
from quantui.ui.source import SnapshotSource

if TYPE_CHECKING:
    from quantui.collector.pages import Page
    from quantui.collector.snapshot import Snapshot

Leave = Literal["stop", "detach"]

FROZEN_S: Final = 1.0
"""Between two questions while the picture is frozen: whether an alert has come."""

EASY_S: Final = 1.0
"""Between two questions while the terminal is slow: more pictures than it takes would only stand before the next key's."""

QUIET_S: Final = 1.0
"""Between two questions where nothing has changed for some time."""

STILL_S: Final = 2.0
"""After this long without news nothing is expected soon."""

PAGE_S: Final = 1.0
"""Shortest time between two questions for the page that is shown."""

RETRY_S: Final = 0.5
"""Wait before the next try when the collector is not there."""


class Listener:
    """What the puller tells, from its own thread. The screen's implementation posts messages."""

    def fetched(self, snapshot: "Snapshot | None", applied: int) -> None:
        """A new snapshot; `applied` is the number of the last session change that is in force."""

    def looked_back(self, asked_ms: int, snapshot: "Snapshot") -> None:
        """The snapshot of the closed bar that was asked for, or of the nearest."""

    def paged(self, name: str, page: "Page") -> None:
        """The document of the screen `name`, new or changed."""

    def lost(self, reason: str) -> None:
        """The collector cannot be reached; tried again by itself."""

    def told(self, text: str) -> None:
        """Something to tell the person: an answer to a key."""

    def left(self) -> None:
        """The collector was told that the screen leaves."""

    def failed(self, error: Exception) -> None:
        """The puller cannot go on."""


class Puller(threading.Thread):
    """Connects, pulls, passes keys on. Daemonic: a collector that hangs must not keep the screen from ending.

    Args:
        connect: Makes the source.
        listener: Is told what comes.
        interval: Seconds between two questions.
        abandon: Stops what `connect` would join, for a person who quits before that; called from any thread, perhaps twice.
    """

    def __init__(
        self,
        connect: Callable[[], SnapshotSource],
        listener: Listener,
        *,
        interval: float,
        abandon: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name="quantui-puller", daemon=True)
        self._connect, self._abandon = connect, abandon
        self._listener = listener
        self._interval = interval
        self._wake = threading.Condition()
        self._changes: dict[str, float | str] = {}
        self._change_number = 0
        self._export = ""
        self._watch: list[tuple[str, bool]] = []
        self._page = ""
        self._page_since = 0
        self._page_at = float("-inf")
        self._leave: Leave | None = None
        self._ended = False
        self._taken = True
        self._points = 160
        self._since = 0
        self._news_at = time.monotonic()
        self._is_connected = self._is_frozen = False
        self._is_easy = False
        self._past_ms = 0
        self._alert = 0
        """The newest alert that the screen knows."""

    def change(self, **changes: float | str) -> int:
        """Ask for a session change with the next pull; later values of a key replace earlier ones. Returns its number."""
        with self._wake:
            self._changes |= changes
            self._change_number += 1
            self._page_at = float("-inf")  # a page is about the session
            return self._change_number

    def hurry(self) -> None:
        """Pull now. Called once a key's own effect is painted, which this thread would only slow down."""
        with self._wake:
            self._wake.notify()

    def freeze(self, *, on: bool) -> None:
        """The picture stands still: only alerts are asked for, until it moves again."""
        with self._wake:
            self._is_frozen = on
            self._news_at = time.monotonic()
            self._wake.notify()

    def ease(self, *, on: bool) -> None:
        """Fewer pictures while the terminal is slow."""
        with self._wake:
            self._is_easy = on
            self._wake.notify()

    def look_back(self, bar_ms: int) -> None:
        """Ask for the snapshot of a bar before; of several that are asked for, the last counts."""
        with self._wake:
            self._past_ms = bar_ms
            self._wake.notify()

    def export(self, kind: str) -> None:
        """Ask for an export; one at a time."""
        with self._wake:
            self._export = kind
            self._wake.notify()

    def watch(self, pair: str, *, drop: bool) -> None:
        """Ask for a pair to be put on the watch list, or dropped."""
        with self._wake:
            self._watch.append((pair, drop))
            self._page_at = float("-inf")
            self._wake.notify()

    def show(self, page: str) -> None:
        """The page on the screen, asked for from now on; empty for none."""
        with self._wake:
            self._page, self._page_since, self._page_at = page, 0, float("-inf")
            self._wake.notify()

    def want(self, points: int) -> None:
        """Values a line the charts have room for."""
        with self._wake:
            if points != self._points:
                self._points, self._since = points, 0
                self._wake.notify()

    def taken(self) -> None:
        """The screen has drawn the last snapshot: the next one may be fetched."""
        with self._wake:
            self._taken = True
            self._wake.notify()

    def leave(self, how: Leave) -> None:
        """Tell the collector and end."""
        with self._wake:
            is_new, self._leave = self._leave != how, how
            self._wake.notify()
        if is_new and how == "stop" and not self._is_connected:  # which may take longer than anybody waits to get out
            threading.Thread(target=self._abandon, name="quantui-abandon", daemon=True).start()

    def end(self) -> None:
        """End without a word."""
        with self._wake:
            self._ended = True
            self._wake.notify()

    def run(self) -> None:
        """The thread's work."""
        try:
            source = self._connected()
            if source is None:
                if self._leave == "stop":
                    self._abandon()
                if self._leave:
                    self._listener.left()
                return
            self._is_connected = True
            self._serve(source)
        except Exception as error:  # a thread's failure must reach the screen, which ends with one line
            self._listener.failed(error)

    def _connected(self) -> SnapshotSource | None:
        while not self._is_over():
            try:
                return self._connect()
            except (CollectorGoneError, OSError) as error:
                self._listener.lost(safe(str(error)))
                self._rest(RETRY_S)
        return None

    def _serve(self, source: SnapshotSource) -> None:
        while True:
            try:
                self._apply(source)
                if self._is_over():
                    self._say_goodbye(source)
                    return
                is_back = not self._since  # from a loss, which the screen shows until there is a snapshot again
                if not self._is_frozen or is_back or source.newest_alert() > self._alert:
                    self._pull(source)
                if not self._is_frozen:
                    self._pull_page(source)
            except CollectorGoneError as error:
                if self._is_over():
                    self._listener.left()
                    return
                self._since = self._page_since = 0
                self._listener.lost(safe(str(error)))
                self._rest(RETRY_S)
            else:
                self._rest()

    def _apply(self, source: SnapshotSource) -> None:
        with self._wake:
            changes, self._changes = self._changes, {}
            number = self._change_number
            export, self._export = self._export, ""
            watch, self._watch = self._watch, []
            past_ms, self._past_ms = self._past_ms, 0
        if changes:
            try:
                source.session(**changes)
            except CollectorRefusedError as error:
                self._listener.told(safe(str(error)))
            self._pull(source, applied=number)
        for pair, drop in watch:
            try:
                source.watch(pair, drop=drop)
            except CollectorRefusedError as error:
                self._listener.told(safe(str(error)))
            else:
                self._listener.told(f"{safe(pair)} is {'no longer watched' if drop else 'on the watch list, in focus'}")
        if past_ms:
            self._pull_past(source, past_ms)
        if export:
            # A long export must not hold the picture up; a source exports on a connection of its own.
            threading.Thread(target=self._exported, args=(source, export), name="quantui-export", daemon=True).start()

    def _exported(self, source: SnapshotSource, kind: str) -> None:
        try:
            self._listener.told(f"{kind} written to {safe(source.export(kind))}")
        except (CollectorError, OSError) as error:
            self._listener.told(f"export failed: {safe(str(error))}")

    def _pull(self, source: SnapshotSource, applied: int = 0) -> None:
        if not self._wait_taken():
            return
        with self._wake:
            since, points = self._since, self._points
        snapshot = source.screen(since, points)
        if snapshot is None and not applied:
            return
        if snapshot is not None:
            snapshot = safe_document(snapshot)
            self._news_at = time.monotonic()
            self._alert = max((row.id for row in snapshot.alerts), default=0)
            with self._wake:
                if points == self._points:
                    self._since = snapshot.version
                self._taken = False
        self._listener.fetched(snapshot, applied)

    def _pull_past(self, source: SnapshotSource, bar_ms: int) -> None:
        if not self._wait_taken():
            return
        try:
            snapshot = safe_document(source.past(bar_ms, self._points))
        except CollectorRefusedError as error:
            self._listener.told(safe(str(error)))
            return
        with self._wake:
            self._taken = False
        self._listener.looked_back(bar_ms, snapshot)

    def _pull_page(self, source: SnapshotSource) -> None:
        """Ask for the page that is shown, at its own pace; at each tick while it is still being computed."""
        with self._wake:
            name, since = self._page, self._page_since
            due = name and time.monotonic() - self._page_at >= PAGE_S
        if not due or not self._wait_taken():
            return
        page = source.page(name, since)
        with self._wake:
            if name != self._page:
                return
            self._page_at = time.monotonic() if page is None or not page.note else float("-inf")
            if page is None:
                return
            self._page_since, self._taken = page.version, False
        self._news_at = time.monotonic()
        self._listener.paged(name, safe_document(page))

    def _say_goodbye(self, source: SnapshotSource) -> None:
        if self._leave == "stop":
            source.stop()
        elif self._leave == "detach":
            source.detach()
        self._listener.left()

    def _is_over(self) -> bool:
        return self._ended or self._leave is not None

    def _wait_taken(self) -> bool:
        with self._wake:
            self._wake.wait_for(lambda: self._taken or self._is_over())
            return not self._is_over()

    def _rest(self, seconds: float = 0.0) -> None:
        """Wait for the tick, or for a key. The tick may come closer meanwhile: a picture that moves again is wanted at once."""
        began = time.monotonic()
        with self._wake:
            while not (self._changes or self._export or self._watch or self._past_ms or self._is_over()):
                left = began + (seconds or self._tick()) - time.monotonic()
                if left <= 0:
                    return
                self._wake.wait(left)

    def _tick(self) -> float:
        if self._is_frozen:
            return FROZEN_S
        is_quiet = not self._page and time.monotonic() - self._news_at > STILL_S
        return QUIET_S if is_quiet else max(self._interval, EASY_S) if self._is_easy else self._interval
