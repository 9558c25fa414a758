"""The first paint of the first start, on a real terminal."""

import pytest

from quantui.ui import opening
from tests.terminal.product import Product, is_filled
from tests.ui.terminal import Terminal


@pytest.mark.parametrize("driver", ["diff", "stock"])
def test_the_first_start_begins_with_it_and_nothing_of_it_is_left(product: Product, driver: str) -> None:
    terminal = product.screen("demo", "--driver", driver)
    terminal.wait_for(opening.SAID)
    assert "\n╭─ Price ─" in terminal.text()
    assert "STARTING" not in terminal.wait_for(is_filled, 20)
    terminal.keys("q")
    terminal.wait_exit()
    assert terminal.raw.count(b"\x1b[?1049h") == terminal.raw.count(b"\x1b[?1049l")


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"TERM": "xterm"}])
def test_an_error_is_read_on_the_shells_screen(product: Product, environ: dict[str, str]) -> None:
    command = ("-m", "quantui", "--config", "/nowhere/at/all.toml")
    terminal = Terminal(*command, environ=product.environ | environ, folder=product.folder)
    product.terminals.append(terminal)
    terminal.wait_exit()
    assert terminal.code == 2
    said = bytes(terminal.raw).rpartition(b"\x1b[?1049l")[2]
    assert b"/nowhere/at/all.toml" in said
    assert (b"\x1b" in terminal.raw) is (environ["TERM"] == "xterm")


def test_too_small_a_terminal_gets_none(product: Product) -> None:
    terminal = product.screen("--config", "/nowhere/at/all.toml", columns=50, rows=10)
    terminal.wait_exit()
    assert b"\x1b" not in terminal.raw
