"""Every way a screen ends, with both drivers: within 2 s, the terminal as before, and nothing runs that should not."""

import os
import signal
import sys
from collections.abc import Callable

import pytest

from tests.terminal.product import Product, is_filled, wait_until
from tests.ui.terminal import Terminal
from tests.ui.test_terminal import switched_on

STAYS: dict[str, Callable[[Terminal], None]] = {
    "SIGTERM": lambda terminal: os.kill(terminal.pid, signal.SIGTERM),
    "SIGHUP": lambda terminal: os.kill(terminal.pid, signal.SIGHUP),
    "terminal gone": lambda terminal: terminal.hang_up(),
    "Q": lambda terminal: terminal.keys("Q"),
}
"""The collector goes on."""

ENDS: dict[str, Callable[[Terminal], None]] = {
    "Ctrl+C": lambda terminal: terminal.keys("\x03"),
    "q": lambda terminal: terminal.keys("q"),
}
"""The collector ends as well."""

CODES = {"SIGTERM": 143, "SIGHUP": 129, "terminal gone": 129}


def leave(product: Product, driver: str, how: str, end: Callable[[Terminal], None]) -> None:
    """A full screen, and its end."""
    terminal = product.screen("demo", "--driver", driver)
    before = terminal.mode()
    terminal.wait_for(is_filled, 15)
    assert terminal.mode() != before
    end(terminal)
    seconds = terminal.wait_exit(read=terminal.master >= 0)
    sys.stdout.write(f"{driver} {how}: {seconds:.2f} s\n")
    assert seconds < 2
    assert terminal.code == CODES.get(how, 0)
    if terminal.master >= 0:
        assert terminal.mode() == before
        assert switched_on(terminal) == set()


def test_a_q_on_the_picture_of_the_last_session_ends_its_collector(product: Product) -> None:
    terminal = product.screen("demo")
    terminal.wait_for(is_filled, 15)
    terminal.keys("Q")
    terminal.wait_exit()
    again = product.screen("demo")
    while b"as it was at" not in again.raw:
        again.pump(0.005)
    again.keys("q")
    again.wait_exit()
    assert again.code == 0
    wait_until(lambda: not product.processes(), 10, product.processes)


def test_a_q_ends_a_collector_that_takes_long_to_start(product: Product) -> None:
    terminal = product.screen("demo")

    def starting() -> int:
        return next((pid for pid, line in product.processes().items() if " collect " in line), 0)

    wait_until(lambda: terminal.pump(0.002) >= 0 and starting() > 0, 10)
    collector = starting()
    os.kill(collector, signal.SIGSTOP)
    terminal.keys("q")
    terminal.wait_exit()
    assert terminal.code == 0
    assert product.processes().keys() == {collector}
    os.kill(collector, signal.SIGCONT)
    wait_until(lambda: not product.processes(), 10, product.processes)


@pytest.mark.parametrize("driver", ["diff", "stock"])
def test_each_end_is_quick_restores_the_terminal_and_leaves_only_the_collector_or_nothing(product: Product, driver: str) -> None:
    pids = set()
    for how, end in STAYS.items():
        leave(product, driver, how, end)
        wait_until(lambda: len(product.processes()) == 2, 5, product.processes)
        pids |= {*product.processes()}
        assert product.pid() in pids
    assert len(pids) == 2, "the collector and the demo's exchange, all the time the same"
    for how, end in ENDS.items():
        leave(product, driver, how, end)
        wait_until(lambda: not product.processes(), 10, product.processes)
