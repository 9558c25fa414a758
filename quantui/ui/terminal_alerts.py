"""Alerts at the terminal: the bell, and a desktop notification the terminal itself raises, which also works over SSH."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from quantui.text import safe

if TYPE_CHECKING:
    from quantui.collector.snapshot import AlertRow

BELL: Final = "\x07"

_TEXT_LIMIT: Final = 200

_ONE_PROTOCOL: Final = {"rxvt": "osc777", "foot": "osc777", "xterm-kitty": "osc9", "xterm-ghostty": "osc9", "wezterm": "osc9"}
"""Terminals known by `TERM`; one that understands both would notify twice."""


def protocol(setting: str, environ: Mapping[str, str]) -> str:
    """`osc9`, `osc777`, `both` or `off` for this terminal."""
    if setting != "auto":
        return setting
    term = environ.get("TERM", "")
    known = next((way for name, way in _ONE_PROTOCOL.items() if term.startswith(name)), None)
    if known is None and environ.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm", "ghostty"):
        known = "osc9"
    return known or "both"


def announcement(rows: "Sequence[AlertRow]", *, bell: bool, setting: str, environ: Mapping[str, str]) -> str:
    """What the terminal is sent for new alerts: each only in the ways that its own rule names.

    Args:
        rows: The new alerts, newest first.
        bell: Whether the bell may ring.
        setting: The person's setting for terminal notifications, as `protocol` takes it.
        environ: Environment of the terminal.
    """
    sequences = BELL if bell and any("bell" in row.notify for row in rows) else ""
    told = [row for row in rows if "terminal" in row.notify]
    if told:
        more = f" and {len(told) - 1} more" if len(told) > 1 else ""
        text = f"{told[0].pair} {told[0].text}{more}".strip()
        sequences += notification("quantui", text, protocol(setting, environ), tmux="TMUX" in environ)
    return sequences


def notification(title: str, text: str, way: str, *, tmux: bool) -> str:
    """The sequences that make the terminal raise a notification.

    Args:
        title: First line.
        text: What happened; made safe here once more, since it ends inside an escape sequence.
        way: `osc9`, `osc777`, `both` or `off`.
        tmux: Wrap for tmux, which swallows what it does not know.
    """
    head, body = (safe(part).replace(";", ",")[:_TEXT_LIMIT] for part in (title, text))
    sequences = []
    if way in ("osc9", "both"):
        sequences.append(f"\x1b]9;{head}: {body}\x07")
    if way in ("osc777", "both"):
        sequences.append(f"\x1b]777;notify;{head};{body}\x07")
    if tmux:
        sequences = ["\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" for sequence in sequences]
    return "".join(sequences)
