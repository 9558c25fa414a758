"""A terminal that does not read: nobody waits for it, and it gets the newest picture when it does."""

import os
import time
from collections.abc import Iterator

import pytest

from quantui.ui.driver.grid import BEGIN, END, ENTER, LEAVE
from quantui.ui.driver.painter import CLEAR, MOST_CONTROLS, Painter


class Pipe:
    """A painter on a pipe."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        self.painter = Painter(self.write_end, lambda: (200, 50))
        self.painter.start()

    def read(self) -> str:
        """What comes until there is a while of silence."""
        os.set_blocking(self.read_end, False)
        found, end = b"", time.monotonic() + 0.3
        while time.monotonic() < end:
            try:
                found += os.read(self.read_end, 1 << 20)
                end = time.monotonic() + 0.3
            except BlockingIOError:
                time.sleep(0.005)
        return found.decode()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    os.close(made.read_end)
    made.painter.stop()
    os.close(made.write_end)


def page(number: int) -> str:
    return "".join(f"\x1b[{y + 1};1H{chr(0x4E00 + (number + y) % 5000) * 100}" for y in range(50))


def test_the_newest_picture_comes_through_however_many_were_drawn(pipe: Pipe) -> None:
    pipe.painter.write(ENTER)
    for number in range(300):  # 4.5 MB, of which a pipe takes 64 kB
        pipe.painter.write(page(number))
    text = pipe.read()
    assert text.startswith(ENTER)
    assert len(text.encode()) < 300_000
    last = chr(0x4E00 + (299 + 49) % 5000) * 100
    assert text.endswith(last) or last in text[-20_000:]
    assert pipe.painter.sent == len(text.encode())


def test_bells_that_wait_are_few_and_modes_are_never_lost(pipe: Pipe) -> None:
    pipe.painter.write(ENTER)
    for number in range(10):  # more than a pipe takes
        pipe.painter.write(page(number))
        time.sleep(0.02)
    assert pipe.painter.writing_since is not None
    for _ in range(1000):
        pipe.painter.write("\x07")
    pipe.painter.write("\x1b[?2004h")
    text = pipe.read()
    assert 1 <= text.count("\x07") <= MOST_CONTROLS
    assert text.count("\x1b[?2004h") == 1


def test_a_frame_is_shown_whole_where_the_terminal_can(pipe: Pipe) -> None:
    pipe.painter.write(ENTER)
    assert pipe.read() == ENTER + "\x1b[1H" + _blank()
    for part in (BEGIN, page(3), END):
        pipe.painter.write(part)
    text = pipe.read()
    assert text.startswith(BEGIN)
    assert text.endswith(END)
    for part in (BEGIN, "\x1b[2;3Hab", END):
        pipe.painter.write(part)
    assert pipe.read() == "\x1b[2;3Hab\x1b[2;5H", "a small one arrives whole"


def _blank() -> str:
    rows = [" " * 200] * 50
    return "".join(row if not y else f"\x1b[{y + 1}H{row}" for y, row in enumerate(rows))


def test_outside_of_the_screen_everything_goes_through(pipe: Pipe) -> None:
    pipe.painter.write("\x1b[?25l")
    pipe.painter.write(ENTER)
    pipe.painter.write("\x1b[1;1H\x1b[31mred\x1b[0m")
    assert "red" in pipe.read()
    pipe.painter.write("\x1b[1;1Hnever seen")
    pipe.painter.write(LEAVE)
    pipe.painter.write("\x1b[?25h")
    pipe.painter.write("one line\n")
    text = pipe.read()
    assert text.endswith(CLEAR + LEAVE + "\x1b[?25hone line\n")


def test_repaint_writes_everything_again(pipe: Pipe) -> None:
    pipe.painter.write(ENTER)
    pipe.painter.write("\x1b[1;1Hfirst")
    pipe.read()
    pipe.painter.repaint()
    assert pipe.read().startswith("\x1b[m\x1b[1Hfirst ")


def test_a_terminal_that_forgot_is_painted_again_though_nothing_was_drawn(pipe: Pipe) -> None:
    pipe.painter.write(ENTER)
    pipe.painter.write("\x1b[1;1Hfirst")
    pipe.read()
    pipe.painter.repaint()
    pipe.painter.write("\x1b[1;1Hother")
    text = pipe.read()
    assert text.count("\x1b[50H") == 1, "once, with the frame that came"
    assert text.startswith("\x1b[m\x1b[1Hother ")
