"""The monitor on a terminal that cannot show a screen: a line for each thing that happens, and nothing else."""

import contextlib
import errno
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from quantui.collector.snapshot import Snapshot
from quantui.ui.guard import EXIT_CODES, Guard
from quantui.ui.puller import Listener, Puller
from quantui.ui.render import journal, local
from quantui.ui.render.glyphs import ASCII, choose
from quantui.ui.settings import ScreenSettings
from quantui.ui.source import SnapshotSource

GOODBYE_S: Final = 1.0
"""Longest wait for the collector to hear that the person quits; the guard ends the process soon after."""

_BACKGROUND_S: Final = 1.0
"""Between two looks whether this program may read its terminal again."""

_QUIT: Final = 0
"""Exit code of the end of input (Ctrl+D)."""

_READER_GONE: Final = 1
"""Exit code where whoever read the lines has ended: what every command gives then."""

_GONE: Final = EXIT_CODES[signal.SIGHUP]


class _Lost(NamedTuple):
    reason: str


class _Ended(NamedTuple):
    """The puller has said goodbye, or failed."""

    error: Exception | None


class _Left(NamedTuple):
    """The person, a signal or the end of the terminal asks for the end."""

    code: int


_Event = Snapshot | _Lost | _Ended | _Left
_Events = SimpleQueue[_Event]


class _Postman(Listener):
    """Brings what the puller's thread tells to the thread that writes."""

    def __init__(self, events: _Events) -> None:
        self._events = events

    def fetched(self, snapshot: Snapshot | None, applied: int) -> None:
        """Post a snapshot; nothing is ever changed from here, so that it always is one."""
        if snapshot is not None:
            self._events.put(snapshot)

    def lost(self, reason: str) -> None:
        """Post that the collector is gone."""
        self._events.put(_Lost(reason))

    def left(self) -> None:
        """Post that the collector knows."""
        self._events.put(_Ended(None))

    def failed(self, error: Exception) -> None:
        """Post the failure."""
        self._events.put(_Ended(error))


class Journal:
    """Remembers what was told, so that nothing is told twice."""

    def __init__(self) -> None:
        self._last: Snapshot | None = None
        self._lost = ""

    def fetched(self, snapshot: Snapshot) -> list[str]:
        """Lines for a new snapshot."""
        lines = [journal.back()] if self._lost else []
        lines += journal.lines(self._last, snapshot)
        self._last, self._lost = journal.remembered(self._last, snapshot), ""
        return lines

    def lost(self, reason: str) -> list[str]:
        """A line where the collector is lost, and where the reason is another one; times and counts in it are not news."""
        kind = re.sub(r"\d+", "", reason) or "lost"
        if kind == self._lost:
            return []
        line = journal.lost(self._last, reason, still=bool(self._lost))
        self._lost = kind
        return [line]


class PlainMonitor:
    """Writes lines until the person, a signal or the end of the terminal ends it.

    Ctrl+C and Ctrl+D quit, as `q` does on the screen; any other end leaves the collector running.
    """

    def __init__(
        self,
        connect: Callable[[], SnapshotSource],
        settings: ScreenSettings,
        environ: Mapping[str, str],
        *,
        abandon: Callable[[], None] = lambda: None,
    ) -> None:
        self._events: _Events = SimpleQueue()
        self._puller = Puller(connect, _Postman(self._events), interval=settings.interval_s, abandon=abandon)
        self._journal = Journal()
        self._encoding = "ascii" if choose(settings.glyphs, environ) is ASCII else "utf-8"
        self._opening = journal.opening(None if settings.plain else environ.get("TERM", ""), local.zone(int(time.time() * 1000)))

    def run(self) -> int:
        """Returns the exit code; raises what the puller failed with."""
        guard = Guard(self._leave, restore=b"")
        guard.start()
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # in the background a read then fails instead of stopping everything
        threading.Thread(target=_watch_input, args=(sys.stdin.fileno(), guard.call), name="quantui-input", daemon=True).start()
        try:
            return self._told()
        except BrokenPipeError:
            self._leave(_QUIT)
            self._say_goodbye()
            return _READER_GONE
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return _GONE
        finally:
            self._puller.end()
            guard.stop()

    def _leave(self, code: int) -> None:
        """Called by a signal handler or a watching thread, also while a write waits for a terminal that stands still."""
        self._events.put(_Left(code))
        if code in (_QUIT, EXIT_CODES[signal.SIGINT]):
            self._puller.leave("stop")
        else:
            self._puller.end()

    def _told(self) -> int:
        """Tell until the end is asked for."""
        self._write(sys.stderr.fileno(), [self._opening])
        self._puller.start()
        out = sys.stdout.fileno()
        while True:
            match self._events.get():
                case _Left(code):
                    self._say_goodbye()
                    return code
                case _Ended(Exception() as error):
                    raise error
                case _Lost(reason):
                    self._write(out, self._journal.lost(reason))
                case Snapshot() as snapshot:
                    self._write(out, self._journal.fetched(snapshot))
                    self._puller.taken()

    def _say_goodbye(self) -> None:
        """Wait until the collector knows."""
        until = time.monotonic() + GOODBYE_S
        with contextlib.suppress(Empty):
            while not isinstance(self._events.get(timeout=max(0.0, until - time.monotonic())), _Ended):
                pass

    def _write(self, target: int, lines: list[str]) -> None:
        """Write lines at once; a slow reader is waited for, and meanwhile no snapshot is fetched."""
        data = "".join(f"{line}\n" for line in lines).encode(self._encoding, "backslashreplace")
        while data:
            try:
                data = data[os.write(target, data) :]
            except BlockingIOError:  # another program has made this terminal non-blocking
                select.select([], [target], [])


def _watch_input(source: int, end: Callable[[int], None]) -> None:
    """Wait for the end of input (Ctrl+D); what is typed before it asks for nothing and is dropped."""
    while True:
        try:
            is_over = not os.read(source, 4096)
        except OSError:  # another program is in front, or the terminal is gone, which the guard sees
            time.sleep(_BACKGROUND_S)
            continue
        if is_over:
            end(_GONE if _is_hung_up(source) else _QUIT)
            return


def _is_hung_up(source: int) -> bool:
    poll = select.poll()
    poll.register(source, 0)
    return bool(poll.poll(0))
