"""Ends the screen when the person or the terminal is gone, whatever Textual is doing at that moment.

Textual's Linux driver handles neither SIGTERM nor SIGHUP, spins on the end of its input, and its loop stands still while the
terminal does not read. So: a handler asks the app to end; a thread that needs no loop ends the process if that takes too long.
"""

import contextlib
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

LIMIT_S: Final = 1.2
"""Time the app has to end by itself."""

RESTORE: Final = (
    b"\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m"
)
"""Undoes everything the driver switches on."""

EXIT_CODES: Final = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGQUIT: 131, signal.SIGTERM: 143}


def is_in_background(tty: int) -> bool:
    """Whether the shell has the terminal, as after Ctrl+Z; a terminal that is gone is nobody's."""
    try:
        return os.tcgetpgrp(tty) != os.getpgrp()
    except OSError:
        return False


class Guard:
    """Watches signals and the terminal while the screen runs.

    Args:
        leave: Asks the app to end with an exit code; called from a signal handler or the watching thread.
        restore: What undoes on the terminal whatever was switched on.
    """

    def __init__(self, leave: Callable[[int], None], restore: bytes = RESTORE) -> None:
        self._leave = leave
        self._undo = restore
        self._tty = sys.__stdin__.fileno() if sys.__stdin__ else 0
        self._attributes = termios.tcgetattr(self._tty) if os.isatty(self._tty) else None
        self._ended = threading.Event()
        self._called = threading.Event()
        self.code: int | None = None
        """The exit code a signal or the end of the terminal asks for."""

    def start(self) -> None:
        """Install the handlers and begin to watch the terminal. Main thread only."""
        for number in EXIT_CODES:
            signal.signal(number, self._on_signal)
        threading.Thread(target=self._watch_terminal, name="quantui-terminal-watch", daemon=True).start()

    def stop(self) -> None:
        """The app has ended: nothing more to guard, but that the process ends too where it must."""
        if not self._called.is_set():
            self._ended.set()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        code = EXIT_CODES[signal.Signals(number)]
        if self._undo and is_in_background(self._tty):
            os._exit(code)  # the terminal is as it was, and the shell's now: it must not be touched again
        self.call(code)

    def _watch_terminal(self) -> None:
        """Wait, without reading, until the other side of the terminal is closed."""
        poll = select.poll()
        poll.register(self._tty, 0)
        while not self._ended.is_set():
            events = poll.poll(60_000)
            if events:
                self.call(EXIT_CODES[signal.SIGHUP])
                return

    def call(self, code: int) -> None:
        """Ask the app to end, and end the process if that takes too long; only the first call counts."""
        if self._called.is_set():
            return
        self._called.set()
        self.code = code
        threading.Thread(target=self._insist, name="quantui-insist", daemon=True).start()
        self._leave(code)

    def _insist(self) -> None:
        if self._ended.wait(LIMIT_S):
            return
        self._restore()
        os._exit(1 if self.code is None else self.code)

    def _restore(self) -> None:
        if self._attributes is None:
            return
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self._tty, termios.TCSANOW, self._attributes)
        with contextlib.suppress(OSError):
            os.set_blocking(2, False)
            os.write(2, self._undo)
            os.set_blocking(2, True)
