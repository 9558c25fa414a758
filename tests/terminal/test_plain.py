"""The demo on a terminal that cannot show a screen."""

import os
import re
import signal

import pytest

from tests.terminal.product import Product, wait_until
from tests.ui.terminal import Terminal

BAR = re.compile(
    r"\d\d:\d\d:\d\d ETH/BTC 1s ETH [\d,]+\.\d+ BTC [\d,]+\.\d+ beta -?\d\.\d+ z [+-]\d\.\d\d "
    r"(no signal|SHORT spread|LONG spread|EXIT|STOP) EG p <?[\d.]+ half-life .+"
)
ALERT = re.compile(r"\d\d:\d\d:\d\d ALERT [A-Z]+/[A-Z]+ (SHORT|LONG) z [+-]\d.*")


def lines(terminal: Terminal, pattern: re.Pattern[str]) -> list[str]:
    return [line for line in terminal.raw.decode().splitlines() if pattern.fullmatch(line)]


def is_over(product: Product) -> bool:
    return not product.processes()


def test_bars_and_alerts_come_as_lines_and_ctrl_c_ends_everything(product: Product) -> None:
    product.environ["TERM"] = "dumb"
    terminal = product.screen("demo", "--speed", "60", columns=200, rows=50)
    terminal.wait_for(lambda _: len(lines(terminal, BAR)) > 1 and bool(lines(terminal, ALERT)), 30)
    assert terminal.raw.startswith(b"quantui: TERM=dumb (plain line-by-line output)")
    assert b"link " in terminal.raw
    bars = re.findall(r"^(\d\d:\d\d:\d\d) ETH/BTC 1s ETH", terminal.raw.decode(), re.MULTILINE)
    assert len(bars) == len(set(bars)), "each bar once"
    terminal.keys("\x03")
    assert terminal.wait_exit() < 2
    assert terminal.code == 130
    assert b"\x1b" not in terminal.raw
    wait_until(lambda: is_over(product), 10, product.processes)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_dropped_session_leaves_the_collector_as_the_screen_does(product: Product, number: int, code: int) -> None:
    terminal = product.screen("demo", "--plain", columns=200, rows=50)
    terminal.wait_for(lambda _: bool(lines(terminal, BAR)), 20)
    os.kill(terminal.pid, number)
    assert terminal.wait_exit() < 2
    assert terminal.code == code
    assert b"\x1b" not in terminal.raw
    assert terminal.pid not in product.processes()
    pid = product.pid()

    visitor = product.screen("attach", "--plain", columns=200, rows=50)
    visitor.wait_for(lambda _: bool(lines(visitor, BAR)), 10)
    visitor.keys("\x03")
    assert visitor.wait_exit() < 2
    assert visitor.code == 130
    assert product.pid() == pid, "a visit ends nothing"
    assert product.run("stop").returncode == 0
    wait_until(lambda: is_over(product), 10, product.processes)
