"""The thread that writes to the terminal: always the newest picture, however slow the terminal is."""

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from typing import Final

from quantui import splash
from quantui.ui.driver.difference import Difference
from quantui.ui.driver.echo import QUERY, Echo
from quantui.ui.driver.grid import BEGIN, END, ENTER, LEAVE, Grid
from quantui.ui.driver.pace import Pace

SMALL: Final = 400
"""Bytes up to which a frame needs no brackets against being shown half: it arrives whole."""
REPAINT_S: Final = 0.05
"""After a resize Textual draws anew within this time, or not at all."""
HUSH_S: Final = 0.7
"""Longest wait, at the end, for an answer of the terminal."""
CLEAR: Final = "\x1b[2J"
"""Where there is no second screen to leave, as with mosh, the picture would stand around the shell's prompt."""
MOST_CONTROLS: Final = 64
"""Bells and notifications that wait for a terminal that does not read; more are left out."""


class Painter(threading.Thread):
    """Takes what Textual writes and never makes it wait; stands in for Textual's own writer thread.

    Args:
        file: Descriptor of the terminal.
        size: Columns and rows of the terminal, now.
    """

    def __init__(self, file: int, size: Callable[[], tuple[int, int]]) -> None:
        super().__init__(name="quantui-painter", daemon=True)
        self._file, self._size = file, size
        self._wake = threading.Condition()
        self._wanted = Grid()
        self._difference = Difference()
        self._controls: list[str] = []
        self._is_inside = False
        """Whether the terminal shows the screen: outside of it everything goes through as it is."""
        self._is_open = False
        """Whether a frame has begun that has not ended."""
        self._brackets = False
        """Whether the terminal knows the brackets of a frame."""
        self._is_due = self._is_over = self._is_hushed = False
        self._repaint_at = math.inf
        self.sent = 0
        """Bytes written."""
        self._pace, self._echo = Pace(), Echo()
        self.writing_since: float | None = None
        """Since when the terminal has not taken what is being written (monotonic); None: nothing is."""

    def write(self, text: str) -> None:
        """Take a frame, or a sequence."""
        with self._wake:
            if text == BEGIN:
                self._is_open = self._brackets = True
                return
            if text == END:
                self._is_open = False
            elif self._is_inside:
                self._draw(text)
            else:
                self._is_inside = text == ENTER
                if not (self._is_inside and splash.hand_over()):  # else the terminal is in there already
                    self._controls.append(text)
            self._is_due = True
            self._wake.notify()

    def _draw(self, text: str) -> None:
        if text == LEAVE:
            self._controls += [self._difference.plain(), CLEAR, text]
            self._is_inside = False
            return
        if (size := self._size()) != (self._wanted.columns, self._wanted.rows):
            self._wanted.resize(*size)
        controls = self._wanted.apply(text)
        room = MOST_CONTROLS - len(self._controls)
        self._controls += [each for at, each in enumerate(controls) if at < room or each.startswith("\x1b[")]

    def is_slow(self) -> bool:
        """Whether the terminal takes less than it is sent."""
        with self._wake:
            now = time.monotonic()
            return self._echo.is_slow(now) or self._pace.is_slow(now, self.writing_since)

    def answered(self) -> None:
        """The terminal has answered whether it knows frames."""
        with self._wake:
            self._echo.answered(time.monotonic())
            self._wake.notify_all()

    def hush(self) -> None:
        """Ask nothing more, and wait a little for an answer that is on its way: the shell must not get it."""
        with self._wake:
            if self._is_hushed:
                return
            self._is_hushed = True
            self._wake.wait_for(lambda: not self._echo.is_waiting, HUSH_S)

    def picture(self) -> tuple[str, tuple[int, int]]:
        """The last that stood on the terminal, to be written on an empty one; its columns and rows."""
        with self._wake:
            return Difference().to(self._wanted), (self._wanted.columns, self._wanted.rows)

    def repaint(self) -> None:
        """Write every cell again, with the next frame or soon without one: the terminal may show anything, as after a resize."""
        with self._wake:
            self._difference.forget()
            self._repaint_at = time.monotonic() + REPAINT_S
            self._wake.notify()

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """As Textual asks its writer."""
        return True

    def fileno(self) -> int:
        """Descriptor of the terminal."""
        return self._file

    def stop(self) -> None:
        """Write what is left, then end."""
        with self._wake:
            self._is_over = True
            self._wake.notify()
        self.join()

    def run(self) -> None:
        """The thread's work."""
        with contextlib.suppress(OSError):  # the terminal is gone: the guard ends the program
            while True:
                with self._wake:
                    self._wait()
                    over = self._is_over
                    data = self._next().encode()
                if data:
                    self._send(data)
                if over:
                    return

    def _wait(self) -> None:
        """Until there is something to write."""
        while not self._is_over:
            now = time.monotonic()
            if now >= self._repaint_at:
                self._is_due, self._repaint_at = True, math.inf
            left = self._repaint_at - now
            if self._is_due and not self._is_open:
                left = min(left, self._echo.hold(now))
                if not left:
                    return
            self._wake.wait(left if left < math.inf else None)

    def _next(self) -> str:
        """What to write now."""
        self._is_due, self._repaint_at = False, math.inf
        controls, self._controls = self._controls, []
        picture = ""
        if self._is_inside:
            if (size := self._size()) != (self._wanted.columns, self._wanted.rows):
                self._wanted.resize(*size)
            picture = self._difference.to(self._wanted, sorted(self._wanted.touched))
            self._wanted.touched.clear()
            if picture and (self._wanted.x or self._wanted.y):  # where something is typed, input methods look for the cursor
                picture += f"\x1b[{self._wanted.y + 1};{self._wanted.x + 1}H"
            if self._brackets and len(picture) > SMALL:
                picture = BEGIN + picture + END
            if picture and not self._is_hushed and self._echo.ask(time.monotonic(), len(picture)):
                picture += QUERY
        return "".join(controls) + picture

    def _send(self, data: bytes) -> None:
        began = self.writing_since = time.monotonic()
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]
        with self._wake:
            self._pace.wrote(began, time.monotonic())
            self.writing_since = None
            self.sent += len(data)
