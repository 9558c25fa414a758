"""Strings that try to get at the terminal or at Rich's markup: the same ones on every run."""

import itertools
import os
import random
import unicodedata
from typing import Final

from rich.cells import get_character_cell_size

ESC: Final = "\x1b"

CONTROLS: Final = (
    *(chr(code) for code in range(0x20)),  # NUL, BEL, BS, TAB, LF, CR, ESC and the rest of C0
    "\x7f",
    *(chr(code) for code in range(0x80, 0xA0)),  # C1: CSI, OSC, DCS, ST, NEL in one character
)
SEQUENCES: Final = (
    f"{ESC}[2J",
    f"{ESC}[H",
    f"{ESC}[31m",
    f"{ESC}[?1049l",
    f"{ESC}[?25l",
    f"{ESC}[6n",
    f"{ESC}[c",
    f"{ESC}[200~",
    f"{ESC}[1;1Hx",
    f"{ESC}[999C",
    f"{ESC}[3J",
    f"{ESC}[!p",
    f"{ESC}[>4;2m",
    f"{ESC}c",
    f"{ESC}7{ESC}8",
    f"{ESC}(0",
    f"{ESC}#8",
    f"{ESC}]0;owned\x07",
    f"{ESC}]2;owned{ESC}\\",
    f"{ESC}]8;;http://evil.example{ESC}\\link{ESC}]8;;{ESC}\\",
    f"{ESC}]52;c;aGFja2Vk\x07",
    f"{ESC}]52;c;?{ESC}\\",
    f"{ESC}]9;hello\x07",
    f"{ESC}]777;notify;a;b\x07",
    f"{ESC}]1337;File=:AAAA\x07",
    f"{ESC}P+q544e{ESC}\\",
    f"{ESC}P$q m{ESC}\\",
    f"{ESC}Ptmux;{ESC}{ESC}[2J{ESC}\\",
    f"{ESC}_Gf=24;AAAA{ESC}\\",
    f"{ESC}^pm{ESC}\\",
    f"{ESC}Xsos{ESC}\\",
    "\x9b2J",
    "\x9b31m",
    "\x9d0;owned\x9c",
    "\x90+q544e\x9c",
    "\x85next",
)
INVISIBLE: Final = (
    *map(chr, range(0x202A, 0x202F)),  # bidi overrides and embeddings
    *map(chr, range(0x2066, 0x206A)),  # bidi isolates
    *map(chr, range(0x200B, 0x2010)),  # zero width, and left-to-right marks
    "\u2028",
    "\u2029",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u061c",
    *map(chr, range(0xFFF9, 0xFFFC)),  # interlinear annotation
    "\ufe0f",
    "\U000e0041",
    "\U000e0001",
    "\ue000",
    "\uffff",
    "\U0010ffff",
)
STACKED: Final = (
    "o" + "\u0301" * 40,
    "Z" + "\u0335\u0489\u20dd" * 20,
    "\u0301" * 30,
    "e\u0301",
    "\u1100\u1161\u11a8",  # a syllable of three letters
    "\u1161" * 30 + "\u3164",
    "\u0915" + "\u0903" * 30,
)
SURROGATES: Final = ("\ud800", "\udfff", "\ud83d", "\udc80\udcff", "\ude00\ud83d")
MARKUP: Final = (
    "[/]",
    "[bold",
    "[bold]x",
    "[/bold]",
    "[red on blue]x[/]",
    "[@click=app.quit]x[/]",
    "[@click='app.detach']",
    "[link=file:///etc/passwd]y[/link]",
    "[link=http://evil.example]",
    "\\[",
    "\\\\[bold]",
    "[[]]",
    "[]",
    "[#ff0000]",
    "[$error]",
    ":skull:",
    "[not markup] [/nor this]",
    "{0} %s {self}",
)
WIDE: Final = ("币安人生USDT", "漢字", "ＦＵＬＬ", "🙂", "👨‍👩‍👧‍👦", "🇩🇪", "한국어", "ﷺ", "𝔘")
LONG: Final = ("x" * 5000, "漢" * 3000, f"{ESC}[31m" * 800, "[bold]" * 800, "\u202e" * 3000, "a b " * 1200)
PLAIN: Final = ("BTCUSDT", "ETH/BTC", "", " ", "line\nbreak", "tab\there", "a\u00a0b\u3000c", "'quoted\"", "NaN")


def _mixed(count: int) -> list[str]:
    """Combinations of all of them, at random but always the same."""
    chance = random.Random(52)
    parts = (*CONTROLS, *SEQUENCES, *INVISIBLE, *STACKED, *SURROGATES, *MARKUP, *WIDE, "BTC", "USDT", "/", " ", ";", "%")
    return ["".join(chance.choices(parts, k=chance.randint(2, 7))) for _ in range(count)]


def _corpus() -> tuple[str, ...]:
    ordered = (*SEQUENCES, *MARKUP, *SURROGATES, *STACKED, *WIDE, *LONG, *PLAIN)
    around = [f"BTC{each}USDT" for each in (*CONTROLS, *INVISIBLE)]
    twice = [f"{sequence}{mark}" for sequence, mark in zip(SEQUENCES, itertools.cycle(MARKUP), strict=False)]
    found = list(dict.fromkeys((*ordered, *CONTROLS, *INVISIBLE, *around, *twice, *_mixed(220))))
    random.Random(8).shuffle(found)  # whatever shows only some shows some of every sort
    return tuple(found)


CORPUS: Final = _corpus()


def file_name(text: str) -> str:
    """The string as the name of a file can be, as Python tells it: bytes that are no UTF-8 are lone surrogates."""
    name = text.encode("utf-8", "surrogatepass").replace(b"\0", b"").replace(b"/", b"|")
    return os.fsdecode(name[:200]) or "_"


_UNSEEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Mc", "Zl", "Zp"}


def unseen(text: str) -> list[str]:
    """Characters that move, hide, reorder or stack."""
    return [char for char in text if unicodedata.category(char) in _UNSEEN or not get_character_cell_size(char)]
