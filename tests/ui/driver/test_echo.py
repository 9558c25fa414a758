"""A terminal far away: how far behind it is, and that pictures do not queue up before it."""

import contextlib
import os
import select
import sys
import time
from collections.abc import Callable

import pytest

from quantui.ui.driver.echo import EVERY_S, LATE_S, LOST_S, MOST_LOST, MUCH, QUERY, QUICK_ANSWERS, Echo
from tests.ui.terminal import Terminal

ANSWER = b"\x1b[?2026;2$y"


def known() -> Echo:
    """Of a terminal that has answered Textual."""
    echo = Echo()
    echo.answered(0.0)
    return echo


def test_a_terminal_that_never_answered_is_never_asked_and_never_waited_for() -> None:
    echo = Echo()
    assert not any(echo.ask(now, 400) for now in range(100))
    assert not echo.hold(100.0)
    assert not echo.is_slow(100.0)


def test_one_question_at_a_time_and_few_while_the_link_is_quick() -> None:
    echo = known()
    asked = []
    for quarter in range(80):
        now = 1 + quarter / 4
        if echo.ask(now, 100):
            asked.append(now)
            assert not echo.ask(now, 0)
            echo.answered(now + 0.05)
    assert asked == [1 + EVERY_S * number for number in range(10)]
    assert not echo.is_slow(30.0)
    assert not echo.ask(20.9, MUCH - 800)
    assert echo.ask(20.95, 400), "much was written"


def test_a_late_answer_holds_pictures_and_several_quick_ones_make_the_link_quick_again() -> None:
    echo = known()
    assert echo.ask(1.0, 400)
    echo.answered(1.04)
    assert echo.ask(4.0, 400)
    assert not echo.hold(4.0 + LATE_S)
    assert echo.hold(4.05 + LATE_S) == pytest.approx(LOST_S - 0.05 - LATE_S)
    assert echo.is_slow(4.05 + LATE_S)
    echo.answered(6.0)
    assert not echo.hold(6.0)
    for number in range(QUICK_ANSWERS):
        now = 6.0 + number / 4
        assert echo.is_slow(now)
        assert echo.ask(now, 400), "while it is slow each picture asks"
        echo.answered(now + 0.04)
    assert not echo.is_slow(8.0)


def test_a_long_way_is_not_a_slow_one() -> None:
    echo = known()
    for number in range(50):
        now = 1 + number * 3.0
        assert echo.ask(now, 400)
        echo.answered(now + 0.7)  # by satellite
        assert not echo.is_slow(now + 1), number


def test_a_way_that_becomes_longer_for_good_is_got_used_to() -> None:
    echo = known()
    echo.ask(1.0, 400)
    echo.answered(1.02)
    slow = 0
    for number in range(100):
        now = 10 + number * 3.0
        assert echo.ask(now, 400)
        echo.answered(now + 0.6)
        slow += echo.is_slow(now + 1)
    assert 0 < slow < 90
    assert not echo.is_slow(1000.0)


def test_an_answer_that_never_comes_ends_the_wait_and_then_the_questions() -> None:
    echo, now, asked = known(), 1.0, 0
    while now < 200:
        asked += echo.ask(now, 400)
        echo.hold(now)
        now += 0.25
    assert asked == MOST_LOST
    assert not echo.hold(now)


def test_an_answer_after_the_wait_for_it_is_no_answer_to_the_next_question() -> None:
    echo = known()
    assert echo.ask(1.0, 400)
    assert not echo.hold(1.0 + LOST_S)  # given up
    assert echo.ask(7.0, 400)
    echo.answered(7.001)  # the old one: no way is as quick
    assert echo.is_waiting
    echo.answered(7.5)
    assert not echo.is_waiting


class Link:
    """A terminal behind buffers that take everything at once, and a line that brings it slowly, as by ssh."""

    def __init__(self, terminal: Terminal, rate: int) -> None:
        self.terminal, self.rate = terminal, rate
        self.queue = bytearray()
        self.asked = 0
        self.delay = 0.0
        """Seconds an answer is on its way."""
        self._answers: list[float] = []
        self._at = time.monotonic()

    def step(self) -> None:
        """A hundredth of a second."""
        if select.select([self.terminal.master], [], [], 0.01)[0]:
            with contextlib.suppress(OSError):  # the program has ended: what is on the line still arrives
                self.queue += os.read(self.terminal.master, 1 << 16)
        now = time.monotonic()
        count = round((now - self._at) * self.rate)
        if not count:
            return
        self._at = now
        seen = len(self.terminal.raw)
        self.terminal.raw += self.queue[:count]
        del self.queue[:count]
        asked = self.terminal.raw[max(0, seen - len(QUERY) + 1) :].count(QUERY.encode())
        self.asked += asked
        self._answers += [now + self.delay] * asked
        while self._answers and self._answers[0] <= now:
            self._answers.pop(0)
            self.terminal.send(ANSWER)

    def until(self, wanted: Callable[[str], bool], seconds: float = 40) -> None:
        """The line goes on until the person sees it."""
        end = time.monotonic() + seconds
        while not wanted(self.terminal.text()):
            assert time.monotonic() < end, self.terminal.text()
            self.step()


def test_pictures_do_not_queue_up_before_a_slow_terminal_and_it_is_told(opened: list[Terminal]) -> None:
    terminal = Terminal("-m", "tests.ui.fakes", "moving", columns=200, rows=50)
    opened.append(terminal)
    link = Link(terminal, 1_000_000)
    link.until(lambda text: "87/240" in text)
    seen, begun = len(terminal.raw), time.monotonic()
    link.until(lambda _: time.monotonic() - begun > 3)
    wanted = (len(terminal.raw) - seen) / (time.monotonic() - begun)
    sys.stdout.write(f"the picture takes {wanted:.0f} B/s; asked {link.asked} times\n")
    link.rate = min(4000, round(wanted / 2))  # a loaded machine takes less of it
    link.until(lambda text: "slow link: one picture a second" in text)
    sys.stdout.write(f"told after {time.monotonic() - begun - 3:.1f} s; asked {link.asked} times\n")
    link.until(lambda _: not link.queue)
    most = 0
    for _ in range(300):
        link.step()
        most = max(most, len(link.queue))
    assert most < 9000, "the largest picture has 7.5 kB; without care it grows by 30 kB in this time"
    before = terminal.text().split("\n", 1)[0]
    terminal.keys("n")
    link.until(lambda text: "SOL/ETH" in text.split("\n", 1)[0] and text.split("\n", 1)[0] != before)
    link.rate = 1_000_000
    link.until(lambda text: "slow link" not in text)


def test_the_shell_gets_no_answer_that_was_on_its_way(opened: list[Terminal]) -> None:
    script = f"{sys.executable} -m tests.ui.fakes moving; IFS= read -t 1 -n 8 left; printf '\\nleft:%q.' \"$left\""
    terminal = Terminal("-c", script, columns=200, rows=50, program="/bin/bash")
    opened.append(terminal)
    link = Link(terminal, 1_000_000)
    link.until(lambda text: "87/240" in text)
    link.delay = 0.3
    asked = link.asked
    link.until(lambda _: link.asked > asked)
    terminal.keys("q")  # before the answer to that
    link.until(lambda text: "left:" in text)
    assert "left:''." in terminal.text()
