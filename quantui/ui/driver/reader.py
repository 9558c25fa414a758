"""Reads what is typed. Leans on private parts of Textual's driver, whose own reader looks at the clock ten times a second."""

import codecs
import os
import select
import signal
import time
from typing import TYPE_CHECKING, Any, Final

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Paste
from textual.message import Message

from quantui.text import safe
from quantui.ui.guard import is_in_background

if TYPE_CHECKING:
    from textual.app import App

_ESCAPE_MS: Final = 100
"""Longest wait for the rest of a sequence: an escape alone is a key."""
_LAST_MS: Final = 100
"""So long, at the end, what the terminal had on its way is read, so that the shell does not get it."""
_MOST: Final = 1 << 16
_BACKGROUND_S: Final = 0.05
"""Continued in the background (`bg`, `kill`) it stops again after so long: a signal that came with it may end it first."""


class ReadingDriver(LinuxDriver):
    """Sleeps until something is typed; takes bytes that are no text for a sign, where Textual's own reader would fail."""

    def __init__(self, app: "App[Any]", *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._end_read, self._end_write = os.pipe()  # as long as the process: a suspension closes the driver and starts it again

    def run_input_thread(self) -> None:
        """The reading thread's work."""
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        poll.register(self._end_read, select.POLLIN)
        while True:
            ready = dict(poll.poll(None if parser._timeout_time is None else _ESCAPE_MS))
            is_over = self._end_read in ready
            if is_over:
                os.read(self._end_read, 1)
                poll.unregister(self._end_read)
                ready = dict(poll.poll(_LAST_MS))
            if self.fileno in ready:
                data = self._read()
                if not data and not is_over:  # the terminal is gone, which the guard sees too
                    poll.unregister(self.fileno)
                text = decode(data)
                for event in parser.feed(text) if text else ():  # half a character is none yet
                    self.process_message(event)
            if is_over:
                return
            for event in parser.tick():
                self.process_message(event)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _MOST)
        except OSError:
            return b""

    def process_message(self, message: Message) -> None:
        """What is pasted may hold anything: Textual's own line for typing would draw it as it is."""
        if isinstance(message, Paste):
            message = Paste("\n".join(safe(line) for line in message.text.splitlines()))
        super().process_message(message)

    def _sigtstp_application(self, *_signal_and_frame: object) -> None:
        """Stop until the terminal is ours again; a signal that ends the program is handled in between."""
        self.suspend_application_mode()
        self._must_signal_resume = True
        while True:
            os.kill(os.getpid(), signal.SIGSTOP)
            if not is_in_background(self.fileno):
                break
            time.sleep(_BACKGROUND_S)
        self.resume_application_mode()

    def _sigcont_application(self, *_signal_and_frame: object) -> None:
        """Nothing: the kernel sends this to who runs as well, as when the terminal goes away."""

    def disable_input(self) -> None:
        """Nothing more is read."""
        if self._key_thread is not None and self._key_thread.is_alive():
            os.write(self._end_write, b"x")
        super().disable_input()
