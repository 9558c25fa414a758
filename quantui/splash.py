"""The last picture of the same command, shown while the program is still being loaded.

Comes before everything else, so it imports next to nothing. A picture is kept for each command line, folder, size and kind of
terminal: what is shown is what will stand there again.
"""

import os
import sys
import time
import zlib
from collections.abc import Mapping, Sequence

ENTER = "\x1b[?1049h\x1b[?25l"
LEAVE = "\x1b[?1049l\x1b[?25h"
MOST = 16
"""Pictures kept."""
LARGEST = 1 << 18
"""Bytes of the largest picture that is shown."""
_MAGIC = "quantui picture 1"


class _Stderr:
    """Standard error while a picture stands: what is said there is for the person, so the picture goes first."""

    def write(self, text: str) -> int:
        end()
        return sys.stderr.write(text)

    def __getattr__(self, name: str) -> object:
        """For the rest as ever: `isatty`, `fileno`, `encoding`."""
        return getattr(sys.__stderr__, name)


_is_up = False


def show(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Show the picture that this command left, if there is one and a terminal of its size; whether there is."""
    picture = _read(arguments, environ)
    if picture:
        stand(picture)
    return bool(picture)


def stand(picture: str) -> None:
    """Let a picture stand until the screen draws over it, something is said, or the program ends."""
    global _is_up
    _is_up = True
    sys.stderr = _Stderr()
    try:
        os.write(2, (ENTER + picture).encode())
    except OSError:  # a terminal that does not take it now
        end()
        return
    import signal  # only now: the picture stands

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _die)


def _die(number: int, _frame: object) -> None:
    """A signal ends the program as ever, but not with the picture on the terminal."""
    import signal

    end()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def end() -> None:
    """Take the picture away, if one stands."""
    if hand_over():
        try:
            os.write(2, LEAVE.encode())
        except OSError:
            return  # the terminal is gone, or does not read: whoever ends the program restores it


def hand_over() -> bool:
    """Whether a picture stands: whoever asks draws over it and leaves the screen by itself."""
    global _is_up
    was_up, _is_up = _is_up, False
    if was_up:
        assert sys.__stderr__ is not None
        sys.stderr = sys.__stderr__
    return was_up


def keep(picture: str, size: tuple[int, int], arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Keep what stands on a screen of this size (columns, rows). Without a place for it nothing is kept."""
    body = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())}\n{picture}".encode()
    try:
        from pathlib import Path  # at the end there is time for it

        from quantui import private

        folder = _folder(environ)
        target = os.path.join(folder, _name(size, arguments, environ))
        if private.write(Path(target), f"{_MAGIC} {zlib.crc32(body)}\n".encode() + body):
            _forget_oldest(folder)
    except OSError:
        return  # a picture is a courtesy: the program does as well without


def _read(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """The picture with its age in the first row; empty where there is none, or none that is whole."""
    try:
        if not (os.isatty(0) and os.isatty(2)):
            return ""
        size = os.get_terminal_size(2)
        with open(os.path.join(_folder(environ), _name((size.columns, size.lines), arguments, environ)), "rb") as file:
            head, _, body = file.read(LARGEST).partition(b"\n")
    except OSError:
        return ""
    if head != f"{_MAGIC} {zlib.crc32(body)}".encode():
        return ""
    at, _, picture = body.decode().partition("\n")
    told = f" as it was at {at} UTC; starting"[: size.columns].ljust(size.columns)
    return f"{picture}\x1b[H\x1b[0;7m{told}\x1b[0m\x1b[H"


def _folder(environ: Mapping[str, str]) -> str:
    root = environ.get("XDG_STATE_HOME", "")
    return os.path.join(root if os.path.isabs(root) else os.path.expanduser("~/.local/state"), "quantui", "pictures")


def _name(size: tuple[int, int], arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    kind = [environ.get(name, "") for name in ("TERM", "NO_COLOR", "LANG", "LC_ALL", "QUANTUI_CONFIG", "QUANTUI_DATA_DIR")]
    of = "\0".join([os.getcwd(), *kind, *arguments])
    return f"{size[0]}x{size[1]}-{zlib.crc32(of.encode('utf-8', 'surrogateescape')):08x}"


def _forget_oldest(folder: str) -> None:
    found = sorted(os.scandir(folder), key=lambda entry: entry.stat(follow_symlinks=False).st_mtime)
    for entry in found[:-MOST]:
        os.unlink(entry.path)
