"""Textual's driver with our reader, and with our painter for its writer. What else leans on private parts of it is here."""

import sys
from typing import TYPE_CHECKING

from textual.drivers._writer_thread import WriterThread
from textual.events import Resize
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from quantui.ui.driver.painter import Painter
from quantui.ui.driver.reader import ReadingDriver

if TYPE_CHECKING:
    from textual.driver import Driver


class DiffDriver(ReadingDriver):
    """Sends the cells that differ from what the terminal shows."""

    name = "diff"
    painter: Painter | None = None
    _sent_before = 0
    """By the painters before this one: after a suspension there is another."""

    @property  # type: ignore[override]  # the painter does what Textual asks of its writer
    def _writer_thread(self) -> Painter | None:
        return self.painter

    @_writer_thread.setter
    def _writer_thread(self, writer: WriterThread | None) -> None:
        """Textual sets a writer of its own, which it starts next."""
        self._sent_before = self.sent
        self.painter = None if writer is None else Painter(writer.fileno(), super()._get_terminal_size)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Asked at each SIGWINCH: smaller and larger again between two frames looks like no change, but the terminal forgot."""
        self._forgotten()
        return super()._get_terminal_size()

    def process_message(self, message: Message) -> None:
        """The terminal's own word on its size, where it gives one; its answers tell how far behind it is."""
        if isinstance(message, Resize):
            self._forgotten()
        if isinstance(message, TerminalSupportsSynchronizedOutput) and self.painter is not None:
            self.painter.answered()
        super().process_message(message)

    def disable_input(self) -> None:
        """Nothing more is read, once what was asked has been answered."""
        if self.painter is not None:
            self.painter.hush()
        super().disable_input()

    def _forgotten(self) -> None:
        if self.painter is not None:
            self.painter.repaint()

    @property
    def is_slow(self) -> bool:
        """Whether the terminal takes less than it is sent."""
        return self.painter is not None and self.painter.is_slow()

    @property
    def sent(self) -> int:
        """Bytes sent to this terminal."""
        return self._sent_before + (self.painter.sent if self.painter else 0)


class StockDriver(ReadingDriver):
    """Textual's own; counts its bytes."""

    name = "stock"
    sent = 0
    is_slow = False
    """It waits for the terminal, and cannot tell."""

    def write(self, data: str) -> None:
        """Write, and count."""
        self.sent += len(data.encode())
        super().write(data)


def driver_class(wanted: str) -> "type[Driver]":
    """The driver by its name, `diff` or `stock`.

    `diff` sends a fraction of the bytes and never makes the loop wait; Textual's own is there for terminals that need it.
    """
    if wanted == "diff" and sys.__stderr__ is not None and sys.__stderr__.isatty():
        return DiffDriver
    return StockDriver
