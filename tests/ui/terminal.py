"""A terminal for tests: runs a program on a pty, reads its screen, counts its bytes."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyte
from rich.cells import get_character_cell_size

ROOT = Path(__file__).resolve().parents[2]

_UNKNOWN_TO_PYTE = re.compile(
    rb"\x1b\[[<>=?][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP(?:[^\x1b]|\x1b[^\\])*\x1b\\|\x1b\[[0-9;]*u"
)


class Terminal:
    """A program, its terminal, and what it has printed so far."""

    def __init__(
        self,
        *argv: str,
        columns: int = 80,
        rows: int = 24,
        environ: Mapping[str, str] | None = None,
        program: str = sys.executable,
        folder: Path = ROOT,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self._fed = 0
        self.code: int | None = None
        self.started = time.monotonic()
        self._size = columns, rows
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            kept = {
                name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TMUX", "SSH_CONNECTION", "COLORTERM")
            }
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(
                program,
                [program, *argv],
                kept | {"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"} | dict(environ or {}),
            )
        self.set_size(columns, rows)

    def pump(self, seconds: float) -> int:
        """Read for some time; the bytes that came."""
        end, before = time.monotonic() + seconds, len(self.raw)
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.master], [], [], min(left, 0.05))[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            self.raw += data
        return len(self.raw) - before

    def text(self) -> str:
        """The screen as a person sees it."""
        data = bytes(self.raw[self._fed :])
        cut = data.rfind(b"\x1b")
        if cut != -1 and len(data) - cut < 64 and not re.match(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[^\[\]P])", data[cut:]):
            data = data[:cut]
        self._fed += len(data)
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
        return "\n".join(self._row(y).rstrip() for y in range(self.screen.lines))

    def _row(self, y: int) -> str:
        """A row, though half of a wide sign may be written over: pyte's own `display` fails on that."""
        cells = self.screen.buffer[y]
        signs, x = [], 0
        while x < self.screen.columns:
            sign = cells[x].data or " "
            signs.append(sign)
            x += 2 if get_character_cell_size(sign[0]) == 2 else 1
        return "".join(signs)

    def wait_for(self, wanted: str | Callable[[str], bool], timeout: float = 10) -> str:
        """Wait until the screen shows it; fails with the screen where it never does."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.pump(0.02)
            text = self.text()
            if (wanted in text) if isinstance(wanted, str) else wanted(text):
                return text
        raise AssertionError(f"never shown: {wanted}\n{self.text()}")

    def keys(self, text: str) -> None:
        self.send(text.encode())

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def resize(self, columns: int, rows: int) -> None:
        self.text()
        self.screen.resize(rows, columns)
        self.set_size(columns, rows)
        os.kill(self.pid, signal.SIGWINCH)

    def set_size(self, columns: int, rows: int) -> None:
        """Only for the program; `forget` lets the screen of this test follow."""
        self._size = columns, rows
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def forget(self) -> None:
        """An empty screen of the present size; of what was printed so far nothing is shown any more."""
        self.screen = pyte.Screen(*self._size)
        self._stream = pyte.ByteStream(self.screen)
        self._fed = len(self.raw)

    def cells(self) -> list[list[Any]]:
        """Signs and colours."""
        self.text()
        return [[self.screen.buffer[y][x] for x in range(self.screen.columns)] for y in range(self.screen.lines)]

    def mode(self) -> list[Any]:
        """The terminal's settings, as `stty -a` would print them."""
        return termios.tcgetattr(self.master)

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def hang_up(self) -> None:
        """The terminal goes away."""
        os.close(self.master)
        self.master = -1

    def wait_exit(self, timeout: float = 5, *, read: bool = True) -> float:
        """Seconds until the program has ended; its exit code is in `code` (negative: killed by that signal)."""
        start = time.monotonic()
        while time.monotonic() - start < timeout:
            if read:
                self.pump(0.02)
            else:
                time.sleep(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                if read:
                    self.pump(0.05)
                return time.monotonic() - start
        raise AssertionError(f"still running after {timeout} s\n{self.text()}")

    def close(self) -> None:
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.code = -9
        if self.master >= 0:
            self.hang_up()
