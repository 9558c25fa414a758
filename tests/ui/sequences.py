"""The allow-list: every control sequence that the screen itself sends to a terminal. Whatever else arrives is foreign."""

import codecs
import re
from typing import Final

from tests.ui.hostile import unseen

ALLOWED: Final = {
    "pen (SGR)": r"\x1b\[[0-9;]*m",
    "place (CUP)": r"\x1b\[[0-9]*(?:;[0-9]*)?H",
    "to the right (CUF)": r"\x1b\[[0-9]*C",
    "all of the screen (ED), when it is left": r"\x1b\[2J(?=\x1b\[\?1049l)",
    "modes: screen, cursor, wrap, mouse, focus, paste, frames, sizes": (
        r"\x1b\[\?(?:1049|25|7|1000|1003|1015|1006|1004|2004|2026|2048)[hl]"
    ),
    "questions about modes (DECRQM)": r"\x1b\[\?(?:2026|2048)\$p",
    "keys of kitty, on and off": r"\x1b\[>[0-9]+u|\x1b\[<u",
    "pointer (OSC 22)": r"\x1b\]22;default\x07",
    "notification (OSC 9)": r"\x1b\]9;quantui: [^\x00-\x1f\x7f-\x9f]*\x07",
    "notification (OSC 777)": r"\x1b\]777;notify;quantui;[^\x00-\x1f\x7f-\x9f;]*\x07",
    "bell": r"\x07",
}
CLIPBOARD: Final = r"\x1b\]52;c;[A-Za-z0-9+/=]*\x07"

_ALLOWED: Final = re.compile("|".join(ALLOWED.values()))


def decoded(raw: bytes) -> str:
    """What has come so far, without a last character that has not wholly come. Invalid UTF-8 raises."""
    return codecs.getincrementaldecoder("utf-8")().decode(raw)


def clipboards(raw: bytes) -> list[str]:
    """What was sent to the clipboard (OSC 52)."""
    return re.findall(CLIPBOARD, decoded(raw))


def foreign(raw: bytes) -> list[str]:
    """Sequences and characters that are neither on the list nor plainly visible, with what stands behind them.

    Invalid UTF-8 raises.
    """
    rest = re.sub(CLIPBOARD, "", decoded(raw))  # counted by `clipboards`
    rest = _ALLOWED.sub("", rest)
    rest = re.sub(r"\x1b(?:\[[0-9;?]*)?\Z", "", rest)  # one that has not wholly come
    at = {char for char in set(rest) if unseen(char)}
    return [rest[place : place + 20] for place, char in enumerate(rest) if char in at]
