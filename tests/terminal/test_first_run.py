"""The first run of somebody new, and the second."""

import json

from tests.terminal.conftest import Make
from tests.terminal.product import is_filled


def test_somebody_new_gets_the_tour_once_and_finds_the_screen_as_it_was_left(make: Make) -> None:
    product = make(is_new=True)
    terminal = product.screen("demo")
    terminal.wait_for("Tour 1/6", 20)
    terminal.keys("\r")
    terminal.wait_for("Tour 2/6")
    terminal.keys("\x1b")
    terminal.wait_for(lambda text: "Tour" not in text and is_filled(text), 20)
    terminal.keys("f")
    terminal.wait_for(lambda text: "Pairs" not in text)
    terminal.keys("q")
    terminal.wait_exit()
    assert json.loads(product.remembered.read_text())["sizes"]["80x24"]["only"] == "z"
    again = product.screen("demo")
    again.wait_for(lambda text: "LIVE" in text and "Pairs" not in text, 20)
    again.pump(0.5)
    assert "Tour" not in again.text()
    again.keys("f")
    again.wait_for(is_filled, 20)
    again.keys("q")
    again.wait_exit()
    other = product.screen("demo", columns=120, rows=40)
    other.wait_for(is_filled, 20)
    other.keys("q")
    other.wait_exit()
