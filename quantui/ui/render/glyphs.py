"""The signs the screen draws with: braille, block or plain ASCII, for fonts and terminals that lack the better ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs. A chart cell is a grid of dots; `bits[x][y]` is the bit of a dot, `chars[bits]` the sign."""

    name: str
    bits: tuple[tuple[int, ...], ...]
    chars: Sequence[str]
    """Sign of a bit mask; a blank where no dot is set."""
    level: str
    """Sign of a threshold line."""
    up: str
    down: str
    ok: str
    failed: str
    focus: str
    live: str
    waiting: str
    warning: str
    dead: str
    beta: str
    alpha: str
    squared: str
    sigma: str
    plus_minus: str
    at_least: str
    infinite: str
    rule: str
    bar: str
    more: str
    cross: str
    """The upright line of a crosshair."""
    rising: str
    """Signs of a candle's column: place 3 * upper half + lower half, where a half is 0 empty, 1 wick, 2 body."""
    falling: str


_UNICODE: Final = {
    "level": "┄", "up": "▲", "down": "▼", "ok": "✓", "failed": "×", "focus": "▸", "live": "●", "waiting": "○", "warning": "▲",
    "dead": "×", "beta": "β", "alpha": "α", "squared": "²", "sigma": "σ", "plus_minus": "±", "at_least": "≥", "infinite": "∞",
    "rule": "─", "bar": "│", "more": "…", "cross": "┆",
}  # fmt: skip

_BRAILLE: Final = (" ", *(chr(0x2800 + mask) for mask in range(1, 256)))

BRAILLE: Final = Glyphs("braille", ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80)), _BRAILLE, **_UNICODE,
    rising=" ╷╻╵│╽╹╿┃", falling=" ╷╻╵│╽╹╿║",
)  # fmt: skip

BLOCK: Final = Glyphs("block", ((1, 2),), (" ", "▀", "▄", "█"), **_UNICODE,
    rising=" │▄││▄▀▀█", falling=" │▄││▄▀▀▒",
)  # fmt: skip

ASCII: Final = Glyphs(
    "ascii", ((1, 2, 4),), (" ", "'", "-", "|", ".", "|", "|", "|"),
    level="~", up="^", down="v", ok="y", failed="x", focus=">", live="*", waiting="o", warning="!", dead="x", beta="b", alpha="a",
    squared="2", sigma="sd", plus_minus="+-", at_least=">=", infinite="inf", rule="-", bar="|", more="~",
    cross=":", rising=" ,,'||'|#", falling=" ,,'||'|o",
)  # fmt: skip

EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
"""Heights of a one-row bar chart in the block set."""

GLYPHS: Final[Mapping[str, Glyphs]] = {"braille": BRAILLE, "block": BLOCK, "ascii": ASCII}


def choose(wanted: str, environ: Mapping[str, str]) -> Glyphs:
    """The set for this terminal: the setting, else what `TERM` and the locale can show.

    Args:
        wanted: `braille`, `block`, `ascii` or `auto`.
        environ: The process environment.

    Raises:
        ValueError: `wanted` is none of them.
    """
    if wanted in GLYPHS:
        return GLYPHS[wanted]
    if wanted != "auto":
        raise ValueError(f"glyphs must be auto, braille, block or ascii, not {wanted!r}")
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if "utf" not in locale.lower():
        return ASCII
    return BLOCK if environ.get("TERM", "") == "linux" else BRAILLE
