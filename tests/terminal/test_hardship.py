"""What happens to terminals, networks and processes, and must not happen to the data."""

import json
import os
import random
import signal
import sys
import time
from datetime import UTC, datetime

import pytest

from tests.terminal.conftest import Make
from tests.terminal.product import Product, is_filled, wait_until
from tests.terminal.test_demo import SECOND, filled, gaps, top
from tests.ui.test_terminal import switched_on

DEAD = """
[market]
venue = "binance-spot"
[analysis]
timeframe = "1s"
[endpoints.binance-spot]
ws = "ws://127.0.0.1:9"
rest = "http://127.0.0.1:9"
"""


def freeze(product: Product, seconds: float) -> None:
    """A terminal is not read for so long: bars go on, and the picture is back within 2 s."""
    terminal = product.screen("demo", columns=200, rows=50)
    filled(terminal)
    begun = datetime.now(UTC)
    worst = 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        health = product.health()
        assert health is not None
        worst = max(worst, health["feed"].get("age_s") or 0.0)
        time.sleep(0.25)
    assert worst < 5, "trades arrive while the terminal stands still"
    clock = datetime.now(UTC)
    bars = product.bars("ETHUSDT")
    newest = datetime.fromisoformat(bars[-1]["timestamp"])
    assert gaps(bars) == []
    assert (clock - newest).total_seconds() < 6, "the newest bar is of now"
    assert sum(datetime.fromisoformat(bar["timestamp"]) >= begun for bar in bars) >= seconds - 6
    start = time.monotonic()
    seen = len(terminal.raw)
    terminal.wait_for(lambda text: len(terminal.raw) > seen and is_filled(text), 10)
    terminal.keys("2")
    terminal.wait_for(lambda text: "SOL/ETH" in top(text), 10)
    recovered = time.monotonic() - start
    sys.stdout.write(f"frozen for {seconds:.0f} s: worst age {worst:.1f} s, the screen is back after {recovered:.2f} s" + "\n")
    assert recovered < 2.5
    terminal.keys("q")
    terminal.wait_exit()
    assert terminal.code == 0


def test_a_frozen_terminal_costs_no_bar(product: Product) -> None:
    freeze(product, 10)


@pytest.mark.soak
def test_a_terminal_frozen_for_a_minute_costs_no_bar(product: Product) -> None:
    freeze(product, 60)


def test_a_hangup_ends_the_screen_and_the_next_one_shows_the_same_session(product: Product) -> None:
    terminal = product.screen("demo")
    before = terminal.mode()
    filled(terminal)
    pid = product.pid()
    assert terminal.mode() != before
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.wait_exit() < 2
    assert terminal.mode() == before
    assert switched_on(terminal) == set()
    assert product.run("status").returncode == 0
    again = product.screen("demo")
    filled(again)
    seconds = time.monotonic() - again.started
    sys.stdout.write(f"the next screen shows the session after {seconds:.1f} s" + "\n")
    assert seconds < 4
    assert product.pid() == pid


def test_a_killed_collector_is_named_and_replaced(product: Product) -> None:
    terminal = product.screen("demo", columns=120, rows=40)
    filled(terminal)
    pid = product.pid()
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    text = terminal.wait_for("COLLECTOR LOST old data", 5)
    assert "ETH/BTC" in text, "what was seen last stays"
    terminal.wait_for("another one is starting", 5)
    terminal.wait_for(lambda shown: is_filled(shown) and "another one" not in shown, 20)
    seconds = time.monotonic() - killed
    sys.stdout.write(f"data again {seconds:.1f} s after the collector was killed" + "\n")
    assert seconds < 10
    assert product.pid() != pid
    terminal.keys("q")
    terminal.wait_exit()
    assert terminal.code == 0


def test_a_replay_is_shown_again_with_the_picture_of_the_first_time(product: Product) -> None:
    tape = product.folder / "tape.raw"
    tape.write_text(recording())
    for is_again in (False, True):
        terminal = product.screen("replay", "--speed", "max", str(tape), columns=120, rows=40)
        if is_again:
            terminal.wait_for("as it was at")
        terminal.wait_for("ENDED", 20)
        terminal.keys("q")
        terminal.wait_exit()
        assert terminal.code == 0


def test_a_collector_that_was_stopped_is_not_replaced(product: Product) -> None:
    terminal = product.screen("demo", columns=120, rows=40)
    filled(terminal)
    assert product.run("stop").returncode == 0
    terminal.wait_for("the collector was stopped", 5)
    terminal.pump(1.5)
    assert product.run("status").returncode == 3
    terminal.keys("q")
    terminal.wait_exit()
    assert terminal.code == 0


def recording() -> str:
    """Ten minutes of a spot capture, which the live feed's store takes over."""
    lines = []
    for i in range(2400):
        time_ms = 1_700_000_000_000 + i * 250
        for name, price in (("ETHUSDT", 2000.0), ("BTCUSDT", 40000.0)):
            trade = {"e": "aggTrade", "E": time_ms, "s": name, "a": 1000 + i, "p": f"{price + (i * 7 % 11) / 100:.2f}", "q": "0.5"}
            trade |= {"f": 1000 + i, "l": 1000 + i, "T": time_ms, "m": False, "M": True}
            lines.append(f"{time_ms}000000 {json.dumps({'stream': f'{name.lower()}@aggTrade', 'data': trade})}\n")
    return "".join(lines)


def test_without_a_network_it_says_so_shows_what_it_has_and_keeps_trying(make: Make) -> None:
    product = make(DEAD)
    (product.folder / "ticks.txt").write_text(recording())
    done = product.run("replay", "--headless", "--speed", "max", "ticks.txt")
    assert done.returncode == 0, done.stderr
    stored = len(product.bars("ETHUSDT"))
    assert stored > 500

    terminal = product.screen()
    text = terminal.wait_for(lambda shown: "OFFLINE" in shown and "cannot reach http://127.0.0.1:9" in shown, 15)
    seconds = time.monotonic() - terminal.started
    sys.stdout.write(f"it says so after {seconds:.1f} s" + "\n")
    assert seconds < 10
    notice = " ".join(text.split("\n")[1:4])
    for word in ("HTTPS_PROXY", "[endpoints.binance-spot]", "quantui demo"):
        assert word in " ".join(notice.split())
    text = terminal.wait_for(lambda shown: "│β" in shown and "2,0" in shown, 5)
    assert "OFFLINE" in text, "stored data do not look live"
    health = product.health()
    assert health is not None
    tries = health["feed"]["reconnects"]
    terminal.pump(3)
    health = product.health()
    assert health is not None
    assert health["feed"]["reconnects"] > tries or health["feed"]["link"] == "offline"
    assert len(product.bars("ETHUSDT")) == stored
    terminal.keys("q")
    terminal.wait_exit()
    assert terminal.code == 0


def test_resizes_and_keys_at_random_leave_it_alive_and_right(product: Product) -> None:
    terminal = product.screen("demo")
    filled(terminal)
    chance = random.Random(4)
    for _ in range(50):
        terminal.resize(chance.randrange(20, 220), chance.randrange(5, 60))
        terminal.pump(0.02)
    terminal.resize(20, 5)
    terminal.wait_for("too small")
    terminal.resize(120, 40)
    filled(terminal)
    # Enter and clicks are left out: in the palette they could choose to quit.
    keys = [*"npjktTwW+-=123456789?:e \t", "\x1b", "\x1b[A", "\x1b[B", "\x1b[5~", "\x1bOP", "\x10", "\x7f", "ß", "漢"]
    for _ in range(200):
        terminal.keys(chance.choice(keys))
        terminal.pump(0.005)
    for _ in range(3):  # out of whatever was opened
        terminal.keys("\x1b")
        terminal.pump(0.3)
    if "PAUSED" in terminal.text():
        terminal.keys(" ")
    terminal.keys("1")
    terminal.wait_for(lambda text: "▸1" in text and "ETH/BTC" in top(text) and "LIVE" in top(text))
    wait_until(lambda: product.health() is not None, 5)
    terminal.keys("q")
    terminal.wait_exit()
    assert terminal.code == 0


def test_bars_are_contiguous_over_a_killed_collector(product: Product) -> None:
    """What was missed while it was away is read back."""
    terminal = product.screen("demo")
    filled(terminal)
    os.kill(product.pid(), signal.SIGKILL)
    terminal.wait_for("COLLECTOR LOST", 5)
    terminal.wait_for(is_filled, 20)
    terminal.pump(2)
    bars = product.bars("ETHUSDT")
    assert gaps(bars) == []
    newest = datetime.fromisoformat(bars[-1]["timestamp"])
    assert datetime.now(UTC) - newest < 8 * SECOND
