r"""External text made safe to show, once, where it enters the model.

Control characters, terminal escapes, C1, bidirectional overrides, zero-width and combining marks and lone surrogates become
visible escapes (`\x1b`, `\u202e`), so that the width of a string on a terminal is the sum of its characters' widths.
"""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Zl", "Zp"})
"""Unicode categories that move, hide or stack instead of taking a cell of their own."""

LIMIT = 2_000
"""Characters kept of one string: nothing the screen shows is longer."""


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe(text: str, limit: int = LIMIT) -> str:
    r"""Returns `text` with everything that is not plainly visible written as an escape, cut to `limit` characters.

    >>> safe("a\x1b[2Jb")
    'a\\x1b[2Jb'
    >>> safe("币安人生USDT")
    '币安人生USDT'
    """
    if len(text) > limit:
        text = text[: limit - 3] + "..."
    if text.isascii() and text.isprintable():
        return text
    text = unicodedata.normalize("NFC", text)
    return "".join(_escaped(char) if unicodedata.category(char) in _HIDDEN else " " if char.isspace() else char for char in text)
