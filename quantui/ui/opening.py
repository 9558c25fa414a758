"""The empty monitor, while the program is still being loaded: the first paint of a start that has no last picture.

Comes before everything else, so it imports next to nothing.
"""

import os
from collections.abc import Mapping, Sequence

from quantui import splash
from quantui.ui.render import geometry

SAID = "STARTING"
"""In its first row."""

_SCREENS = ("demo", "replay", "attach")
_VALUED = ("--data-dir", "--config", "--log-level", "--driver", "--fps", "--theme", "--speed", "--seed")
_BARE = ("--faults", "--skip-bad")


def show(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Show it, where this command line means the screen for sure and the terminal can."""
    if not is_screen(arguments) or environ.get("TERM", "") in ("", "dumb"):
        return
    try:
        if not (os.isatty(0) and os.isatty(2)):
            return
        size = os.get_terminal_size(2)
    except OSError:
        return
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if geometry.fits(size.columns, size.lines):
        splash.stand(picture(size.columns, size.lines, is_ascii="utf" not in locale.lower()))


def is_screen(arguments: Sequence[str]) -> bool:
    """Whether these arguments of `quantui` show the screen; False also where that cannot be told at a glance."""
    words = []
    rest = iter(arguments)
    for word in rest:
        name, is_joined, _ = word.partition("=")
        if name in _VALUED and (is_joined or next(rest, None) is not None):
            continue
        if word.startswith("-") and word not in _BARE:
            return False
        words.append(word)
    named = [word for word in words if not word.startswith("-")]
    return not words or (bool(named) and named[0] in _SCREENS)


def picture(columns: int, rows: int, *, is_ascii: bool) -> str:
    """Frames and names of the cards, as they will stand there; no colours, which the configuration may choose.

    Args:
        columns: Of the terminal.
        rows: Of the terminal.
        is_ascii: For a terminal that cannot show more.
    """
    across, down, corners = ("-", "|", "++++") if is_ascii else ("─", "│", "╭╮╰╯")
    places = geometry.arrange(columns, rows)
    parts = [f"\x1b[H{'o' if is_ascii else '○'} {SAID}"]
    for name in geometry.PANELS[:4]:
        x, y, width, height = places[name]
        title = f"{across} {name.capitalize()} "
        parts.append(f"\x1b[{y + 1};{x + 1}H{corners[0]}{title}{across * (width - 2 - len(title))}{corners[1]}")
        parts += [f"\x1b[{row};{x + 1}H{down}\x1b[{row};{x + width}H{down}" for row in range(y + 2, y + height)]
        parts.append(f"\x1b[{y + height};{x + 1}H{corners[2]}{across * (width - 2)}{corners[3]}")
    return "".join(parts) + "\x1b[H"
