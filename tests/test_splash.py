"""The picture of the last session, on a real terminal."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantui import splash
from tests.ui.terminal import Terminal

PICTURE = "\x1b[1HALPHA\x1b[2HBETA\x1b[3HGAMMA"
PROGRAM = """
import os, sys
from quantui import splash
splash.show(sys.argv[2:], os.environ)
exec(sys.argv[1])
"""


class Made:
    """Pictures below a folder, and programs that begin with one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"XDG_STATE_HOME": str(folder), "TERM": "xterm-256color", "PYTHONPATH": str(Path.cwd())}
        self.seen = dict.fromkeys(("NO_COLOR", "QUANTUI_CONFIG", "QUANTUI_DATA_DIR"), "") | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        self.terminals: list[Terminal] = []

    def keep(self, *arguments: str, size: tuple[int, int] = (80, 24), picture: str = PICTURE) -> Path:
        before = set(self.folder.rglob("*x*-*"))
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            splash.keep(picture, size, arguments, self.environ | self.seen)
        finally:
            os.chdir(here)
        (made,) = set(self.folder.rglob("*x*-*")) - before
        return made

    def start(self, code: str, *arguments: str, columns: int = 80, rows: int = 24) -> Terminal:
        environ = self.environ | self.seen
        terminal = Terminal("-c", PROGRAM, code, *arguments, columns=columns, rows=rows, environ=environ, folder=self.folder)
        self.terminals.append(terminal)
        return terminal


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    found = Made(tmp_path)
    yield found
    for terminal in found.terminals:
        terminal.close()


WAIT = "import time; time.sleep(30)"


def test_it_stands_with_its_age_and_is_gone_at_the_end(made: Made) -> None:
    kept = made.keep("demo")
    assert kept.stat().st_mode & 0o777 == 0o600
    terminal = made.start("input(); splash.end()", "demo")
    text = terminal.wait_for("starting")
    assert "as it was at 20" in text
    assert "ALPHA" not in text, "its first row tells the age"
    assert "BETA\nGAMMA" in text
    terminal.keys("\n")
    terminal.wait_exit()
    assert terminal.raw.count(b"\x1b[?1049h") == terminal.raw.count(b"\x1b[?1049l") == 1
    assert terminal.raw.rstrip().endswith(b"\x1b[?25h")


@pytest.mark.parametrize("code", ["print('ouch', file=sys.stderr)", "raise SystemExit('ouch')", "int('ouch')"])
def test_what_is_said_on_standard_error_is_read_on_the_shells_screen(made: Made, code: str) -> None:
    made.keep("demo")
    terminal = made.start(code, "demo")
    terminal.wait_exit()
    shown, left, said = bytes(terminal.raw).partition(splash.LEAVE.encode())
    assert b"BETA" in shown
    assert left
    assert b"ouch" in said


def test_standard_error_is_a_terminal_as_ever(made: Made) -> None:
    made.keep("demo")
    terminal = made.start("print(sys.stderr.isatty(), sys.stderr.fileno())", "demo")
    terminal.wait_exit()
    assert b"True 2" in terminal.raw


def test_a_folder_that_is_gone_is_no_failure(
    made: Made, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path_factory.mktemp("gone")
    monkeypatch.chdir(gone)
    gone.rmdir()
    splash.keep(PICTURE, (80, 24), (), made.environ)
    assert not list(made.folder.rglob("*x*-*"))


def test_a_signal_ends_the_program_with_the_terminal_as_before(made: Made) -> None:
    made.keep("demo")
    terminal = made.start(WAIT, "demo")
    terminal.wait_for("BETA")
    terminal.pump(0.2)
    os.kill(terminal.pid, 15)
    terminal.wait_exit()
    assert terminal.code == -15
    assert splash.LEAVE.encode() in terminal.raw


@pytest.mark.parametrize(
    ("arguments", "columns", "change"),
    [(("demo", "--speed", "2"), 80, {}), (("demo",), 81, {}), (("demo",), 80, {"NO_COLOR": "1"}), (("demo",), 80, {"LANG": "C"})],
)
def test_another_command_size_or_kind_of_terminal_gets_no_picture(
    made: Made, arguments: tuple[str, ...], columns: int, change: dict[str, str]
) -> None:
    made.keep("demo")
    made.seen |= change
    terminal = made.start("print('done')", *arguments, columns=columns)
    terminal.wait_exit()
    assert terminal.raw.strip() == b"done"


@pytest.mark.parametrize("damage", [b"", b"quantui picture 1 17\n2026\nX", b"\x1b]52;c;aGFja2Vk\x07" * 9])
def test_a_damaged_picture_is_not_shown(made: Made, damage: bytes) -> None:
    kept = made.keep("demo")
    kept.write_bytes(damage)
    terminal = made.start("print('done')", "demo")
    terminal.wait_exit()
    assert terminal.raw.strip() == b"done"


def test_only_the_newest_are_kept_and_no_place_is_no_failure(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.folder)
    for number in range(splash.MOST + 5):
        splash.keep(PICTURE, (80, 24), (str(number),), made.environ)
    assert len(list(made.folder.rglob("*x*-*"))) == splash.MOST
    (made.folder / "file").touch()
    splash.keep(PICTURE, (80, 24), (), {"XDG_STATE_HOME": str(made.folder / "file")})


def test_without_a_terminal_nothing_is_written(made: Made, capfd: pytest.CaptureFixture[str]) -> None:
    splash.show(sys.argv[1:], made.environ)
    assert not splash.hand_over()
    assert capfd.readouterr() == ("", "")
