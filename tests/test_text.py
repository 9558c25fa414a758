import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import get_character_cell_size
from wcwidth import wcwidth

from quantui.text import LIMIT, safe
from quantui.ui.render.lines import cells


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BTCUSDT", "BTCUSDT"),
        ("币安人生USDT", "币安人生USDT"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("a\x00\r\n\b\x7f", r"a\x00\x0d\x0a\x08\x7f"),
        ("\u202eevil\u2066", r"\u202eevil\u2066"),
        ("a\u200bb", r"a\u200bb"),
        ("\ufff9", r"\ufff9"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("o\u0301\u0302", "ó\\u0302"),
        ("a\u00a0b\u3000c", "a b c"),
        ("\u0915\u093f", "\u0915\\u093f"),
        ("\uac01", "각"),
        ("\u1100\u1161\u11a8", "각"),
        ("\u1161\u3164\uffa0", r"\u1161\u3164\uffa0"),
        ("👍\U0001f3fd", r"👍\U0001f3fd"),
        ("\U0001f1e9\U0001f1ea", r"\U0001f1e9\U0001f1ea"),
        ("[/] [bold [@click=app.quit]x[/]", "[/] [bold [@click=app.quit]x[/]"),
    ],
)
def test_only_what_is_plainly_visible_stays(text: str, expected: str) -> None:
    assert safe(text) == expected


def test_long_text_is_cut() -> None:
    for text in ("x" * 10_000, "\0" * LIMIT, "漢" * 10_000):
        assert len(safe(text)) == LIMIT
        assert safe(safe(text)) == safe(text)


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Z", "C"))))
def test_nothing_hidden_is_ever_left_and_twice_is_once(text: str) -> None:
    cleaned = safe(text)
    assert all(unicodedata.category(char)[0] != "C" for char in cleaned)
    assert all(unicodedata.category(char) not in ("Mn", "Me", "Mc", "Zl", "Zp") for char in cleaned)
    assert cleaned.encode().decode() == cleaned


def test_the_width_of_what_stays_is_the_same_by_every_table() -> None:
    """Ours, Rich's and that of pyte: where they differ a terminal may side with either, and every cell behind would be off."""
    for char in map(chr, range(0x110000)):
        if safe(char) == char:
            assert cells(char) == get_character_cell_size(char) == wcwidth(char), hex(ord(char))
