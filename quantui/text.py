r"""External text made safe to show, once, where it enters the model.

Control characters, terminal escapes, C1, bidirectional overrides, zero-width and combining marks, lone surrogates and what
terminals do not agree on become visible escapes (`\x1b`, `\u202e`), so that the width of a string on a terminal is the sum of its
characters' widths.
"""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Mc", "Zl", "Zp"})
"""Unicode categories that move, hide or stack instead of taking a cell of their own."""

_DOUBTFUL = frozenset(
    chr(code)
    for first, last in (
        (0x115F, 0x11FF), (0x3164, 0x3164), (0xFFA0, 0xFFA0), (0xD7B0, 0xD7FF),  # Hangul: letters that join, and blank ones
        (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF),  # letters of flags, skin tones
        (0x2630, 0x2637), (0x268A, 0x268F), (0x4DC0, 0x4DFF), (0x1D300, 0x1D376),  # twice as wide since Unicode 16
    )
    for code in range(first, last + 1)
)  # fmt: skip
"""Letters and signs that do so too, or whose width is not the same on every terminal."""

LIMIT = 2_000
"""Characters kept of one string: nothing the screen shows is longer."""


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_hidden(char: str) -> bool:
    return char in _DOUBTFUL or unicodedata.category(char) in _HIDDEN


def safe(text: str, limit: int = LIMIT) -> str:
    r"""Returns `text` with everything that is not plainly visible written as an escape, cut to `limit` characters.

    >>> safe("a\x1b[2Jb")
    'a\\x1b[2Jb'
    >>> safe("币安人生USDT")
    '币安人生USDT'
    """
    is_cut = len(text) > limit
    shown = text[:limit]
    if not (shown.isascii() and shown.isprintable()):
        shown = unicodedata.normalize("NFC", shown)
        shown = "".join(_escaped(char) if _is_hidden(char) else " " if char.isspace() else char for char in shown)
    return shown[: limit - 3] + "..." if is_cut or len(shown) > limit else shown
