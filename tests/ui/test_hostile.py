"""Hostile strings through every field of every document, and through every line that is drawn from them; the pty form is beside."""

import enum
import functools
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from textual.command import DiscoveryHit
from textual.content import Content
from textual.events import Key

from quantui.collector.pages import PAGES
from quantui.collector.snapshot import Snapshot
from quantui.feeds.files.errors import FileError
from quantui.text import LIMIT, safe
from quantui.ui.choices import Choices
from quantui.ui.commands import found
from quantui.ui.incoming import safe_document
from quantui.ui.keys import Keys
from quantui.ui.palette import Scene, entries
from quantui.ui.render import cards, readout, rows, status
from quantui.ui.render.glyphs import BRAILLE
from quantui.ui.render.lines import Line, joined, wrapped
from quantui.ui.render.pages.filters import LONGEST
from quantui.ui.render.pages.kinds import KINDS
from quantui.ui.render.pages.sheet import Room, View
from quantui.ui.run import crash_line
from quantui.ui.screens.typing_line import TypingLine
from quantui.ui.terminal_alerts import notification
from tests.ui.hostile import CORPUS, ESC, MARKUP, file_name, unseen

DOCUMENTS: dict[str, type[Any]] = {"snapshot": Snapshot, **PAGES}


class Filler:
    """Documents in which every field has a value, every string the next of the corpus."""

    def __init__(self, start: int) -> None:
        self.turn = start

    def text(self) -> str:
        return CORPUS[self.turn % len(CORPUS)]

    def filled(self, wanted: Any) -> Any:  # noqa: ANN401 - whatever a document may hold
        self.turn += 1
        origin, inside = get_origin(wanted), get_args(wanted)
        if origin in (Union, types.UnionType):
            return self.filled(next(each for each in inside if each is not type(None)))
        if origin is tuple:
            return tuple(self.filled(inside[0]) for _ in range(3))
        if origin is dict:
            return {self.filled(inside[0]): self.filled(inside[1]) for _ in range(3)}
        if issubclass(wanted, enum.Enum):
            return next(iter(wanted))
        if issubclass(wanted, msgspec.Struct):
            return wanted(**{name: self.filled(hint) for name, hint in hints(wanted).items()})
        return self.text() if wanted is str else wanted(self.turn)


@functools.cache
def hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def texts(value: object) -> Iterator[str]:
    """Every string in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(key)
            yield from texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from texts(getattr(value, name))


def test_the_corpus_is_large_and_always_the_same() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 500
    for text in CORPUS:
        assert not unseen(safe(text))
        assert len(safe(text)) <= LIMIT
        assert safe(safe(text)) == safe(text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_string_of_every_field_is_safe_in_every_document(name: str) -> None:
    kind, fields = DOCUMENTS[name], sum(1 for _ in texts(Filler(0).filled(DOCUMENTS[name])))
    for start in range(0, len(CORPUS), 7):  # every string comes to every field
        given = Filler(start).filled(kind)
        found = safe_document(given)
        assert sorted(set(texts(found))) == sorted({safe(text) for text in texts(given)})
        assert not [text for text in texts(found) if unseen(text)]
        assert safe_document(found) is found, "twice is once, and the very object"
    assert fields >= 8


def drawn(name: str, document: Any) -> list[Line]:  # noqa: ANN401 - any of the documents
    """All lines that are made of it, on a large terminal."""
    if name != "snapshot":
        sheet = KINDS[name].draw(document, View(), Room(180, 50), BRAILLE)
        return [*sheet.head, *sheet.body]
    shown: Snapshot = document
    lines = [line for card in cards.NAMES for line in cards.card(card, shown, 40, BRAILLE)]
    lines += rows.watch_list(shown.pairs, 0, 90, 50, BRAILLE) + rows.alert_log(shown.alerts, (), (), 90, 50, BRAILLE)
    lines += readout.spark_labels(shown, 4, 12, 20) + readout.spark_values(shown, 4, 12, 20) + readout.z_values(shown, 9, 20)
    lines.append(status.state_line(shown, status.ScreenState(), 180, BRAILLE))
    return lines


def option(hit: DiscoveryHit) -> str:
    """As Textual makes its line of the palette."""
    assert isinstance(hit.display, Content)
    return f"{Content.from_markup(hit.display).plain}\n{Content.from_markup(hit.help or '').plain}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_unseen_is_drawn_and_no_string_stops_the_drawing(name: str) -> None:
    for start in range(0, len(CORPUS), 11):
        for line in drawn(name, safe_document(Filler(start).filled(DOCUMENTS[name]))):
            assert not unseen(joined(line)), joined(line)


def test_markup_is_drawn_as_it_is() -> None:
    for text in MARKUP:
        base: Snapshot = Filler(0).filled(Snapshot)
        row = msgspec.structs.replace(base.alerts[0], pair="", text=text)
        assert text in joined(rows.alert_log([row], (), (), 120, 3, BRAILLE)[1])


def test_a_pair_of_any_name_stands_in_the_palette_under_it() -> None:
    for place in range(len(CORPUS)):
        choices = Choices()
        filled = Filler(place).filled(Snapshot)
        pair = msgspec.structs.replace(filled.pairs[1], label=CORPUS[place], note=CORPUS[-place], zscore=None, n=1, need=1)
        session = msgspec.structs.replace(filled.session, pair=0, window=240, entry=2.0)
        choices.latest = safe_document(msgspec.structs.replace(filled, session=session, pairs=(filled.pairs[0], pair)))
        (entry,) = (each for each in entries(Keys(), choices, Scene()) if each.call == "pick_pair(1)")
        shown = option(found(entry, lambda: None))
        assert not unseen(shown.replace("\n", "", 1))
        assert shown == f"{entry.title}\n{entry.help}"


def test_a_notification_ends_where_its_own_sequence_ends() -> None:
    for text in CORPUS:
        for tmux in (False, True):
            for sequence in (notification("quantui", text, way, tmux=tmux) for way in ("osc9", "osc777")):
                body = sequence.removeprefix(f"{ESC}Ptmux;{ESC}").removesuffix(f"{ESC}\\").removeprefix(ESC)
                assert body.endswith("\x07")
                assert not unseen(body[:-1])
                assert body.count(";") == (3 if body.startswith("]777") else 1), "no field of its own"


def test_what_is_typed_or_pasted_is_safe_and_bounded() -> None:
    for text in CORPUS:
        line = TypingLine(LONGEST)
        line.open()
        line.add(text)
        for char in text[:20]:
            line.press(Key(char, char))
        assert not unseen(line.text)
        assert len(line.text) <= LONGEST
        assert all(not unseen(row) for row in wrapped(line.text, 7))


def test_errors_are_one_safe_line(tmp_path: Path) -> None:
    for text in CORPUS:
        assert not unseen(str(FileError(text, text, 7)))
        for folder in (tmp_path, tmp_path / "none"):
            log = folder / file_name(text)
            assert not unseen(crash_line(RuntimeError(text), str(log)))
            assert not log.exists() or not unseen(log.read_text("utf-8").replace("\n", ""))
    assert len(list(tmp_path.iterdir())) > 400
