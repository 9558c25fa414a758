"""Hostile strings through every sink of the screen, on a real pty: nothing but the screen's own sequences reaches it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest
from rich.cells import set_cell_size

from quantui.text import safe
from tests.ui.hostile import CORPUS, ESC, MARKUP, file_name
from tests.ui.hostile_source import EACH, TURNS, batch, price, window
from tests.ui.sequences import clipboards, foreign
from tests.ui.terminal import Terminal


class Show(Protocol):
    """Opens the hostile source on a large terminal."""

    def __call__(self, way: str, *more: str, environ: Mapping[str, str] | None = None) -> Terminal: ...


@pytest.fixture
def show() -> Iterator[Show]:
    opened: list[Terminal] = []

    def start(way: str, *more: str, environ: Mapping[str, str] | None = None) -> Terminal:
        opened.append(Terminal("-m", "tests.ui.hostile_source", way, *more, columns=200, rows=60, environ=environ))
        opened[-1].wait_for(price(0))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def squeezed(text: str) -> str:
    """Without spaces: of a wide sign the terminal of the tests tells two cells."""
    return re.sub(r"\s", "", text)


def absent(screen: str, texts: tuple[str, ...], length: int) -> list[str]:
    """Which of the strings do not stand on the screen, as visible escapes, with their first characters."""
    seen = squeezed(screen)
    return [text for text in texts if set_cell_size(squeezed(safe(text)), length).rstrip() not in seen]


def step(terminal: Terminal, shown: str, texts: tuple[str, ...] = (), length: int = 0, left: int = 0) -> str:
    """The next strings, once they are on the screen, right of a column."""
    terminal.keys("n")

    def is_whole(screen: str) -> bool:
        return shown in screen and not absent("\n".join(line[left:] for line in screen.splitlines()), texts, length)

    return terminal.wait_for(is_whole)


def test_the_corpus_through_every_panel_alert_and_refusal(show: Show) -> None:
    terminal = show("refused")
    for turn in range(1, TURNS + 1):
        step(terminal, price(turn), batch(turn), 12, 130)
        terminal.wait_for(f"#{turn}#")
    assert foreign(bytes(terminal.raw)) == []
    assert clipboards(bytes(terminal.raw)) == []
    assert terminal.raw.count(b"\x1b]9;quantui: ") >= TURNS / 2
    assert terminal.raw.count(b"\x1b]777;notify;quantui;") >= TURNS / 2
    terminal.keys("y")
    terminal.wait_for("lines sent to the clipboard")
    assert len(clipboards(bytes(terminal.raw))) == 1


def test_the_corpus_through_the_answers_of_an_export(show: Show) -> None:
    terminal = show("refused")
    for turn in range(1, TURNS + 1):
        terminal.keys("e")
        terminal.wait_for(f"export failed: #{turn}#" if turn % 2 else f"analytics written to #{turn}#")
    assert foreign(bytes(terminal.raw)) == []


def test_the_corpus_through_the_reasons_of_a_lost_collector(show: Show) -> None:
    terminal = show("lost")
    for turn in range(1, TURNS + 1):
        step(terminal, f"#{turn}#", batch(turn)[:1], 12)
    assert foreign(bytes(terminal.raw)) == []


@pytest.mark.parametrize(
    ("key", "listed", "length"),
    [("s", EACH, 5), ("c", EACH, 5), ("m", EACH, 5), ("H", 5, 5), ("i", 5, 9), ("a", 5, 5), ("v", 0, 0)],
    ids=["scanner", "correlations", "statistics", "health", "pair", "alerts", "chart"],
)
def test_the_corpus_through_every_page(show: Show, key: str, listed: int, length: int) -> None:
    terminal = show("refused")
    terminal.keys(key)
    terminal.wait_for("back")
    if key == "v":
        terminal.keys("hh")  # the crosshair tells the alerts of a bar
    for turn in range(1, TURNS + 1):
        step(terminal, f"sockets {window(turn)}" if key == "H" else f"W{window(turn)}", batch(turn)[:listed], length)
    assert foreign(bytes(terminal.raw)) == []


def pasted(text: str) -> bytes:
    """As terminals paste: without escapes of its own."""
    return b"\x1b[200~" + text.replace(ESC, "").encode("utf-8", "replace") + b"\x1b[201~"


@pytest.mark.parametrize("before", ["/", "s/"], ids=["search", "filter"])
def test_the_corpus_pasted_where_one_types(show: Show, before: str) -> None:
    terminal = show("refused")
    for key in before:
        terminal.keys(key)
        terminal.wait_for({"s": "back"}.get(key, "Esc drop"))
    for number, text in enumerate(CORPUS):  # by few: where a flood is cut within a sequence, Esc is a key
        terminal.send(b"\x15" + pasted(text[:500]))
        if number % 3 == 0:
            terminal.keys(f"\x15mark{number}_")
            terminal.wait_for(f"/mark{number}_", 30)
    terminal.keys("\x15[bold]x")
    terminal.wait_for("/[bold]x", 30)
    assert foreign(bytes(terminal.raw)) == []


def test_the_corpus_pasted_into_the_palette(show: Show) -> None:
    terminal = show("refused")
    terminal.keys(":")
    terminal.wait_for("Search for commands")
    for number, text in enumerate(CORPUS[::5]):
        terminal.send(pasted(text[:40]))
        if number % 20 == 0:
            terminal.keys(f"mark{number}")
            terminal.wait_for(f"mark{number}", 30)
    assert foreign(bytes(terminal.raw)) == []


def test_bytes_that_are_no_text_are_no_keys_and_end_nothing(show: Show) -> None:
    terminal = show("refused")
    for turn, data in enumerate((b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\x80\x9b", bytes(range(0x80, 0x100))), 1):
        terminal.send(data)
        step(terminal, price(turn))


def test_the_folder_of_a_screenshot_is_shown_as_visible_escapes(show: Show, tmp_path: Path) -> None:
    for text in CORPUS[::90]:
        folder = tmp_path / file_name(text)[:20]
        folder.mkdir()
        for log, said in ((folder / "x.log", "screenshot written to"), (folder / "none" / "x.log", "screenshot failed")):
            terminal = show("refused", f"log_path={log}")
            terminal.keys("S")
            terminal.wait_for(said)
            assert foreign(bytes(terminal.raw)) == []


def test_markup_is_shown_as_it_is_and_does_nothing(show: Show) -> None:
    terminal = show("refused")
    seen = ""
    for turn in range(1, TURNS + 1):
        seen += squeezed(step(terminal, price(turn)))
    assert [text for text in MARKUP if squeezed(text) not in seen] == []
    assert b"\x1b]8;" not in terminal.raw
    terminal.keys("q")
    terminal.wait_exit()
    assert terminal.code == 0


def test_no_color_means_no_colour(show: Show) -> None:
    terminal = show("refused", environ={"NO_COLOR": "1"})
    step(terminal, price(1))
    codes = {code for match in re.findall(rb"\x1b\[([0-9;]*)m", bytes(terminal.raw)) for code in match.split(b";")}
    assert codes <= {b"", b"0", b"1", b"7", b"22", b"27", b"39", b"49"}
