"""The screen on a link that is slow or frozen: how late its loop gets, and how soon a key is seen.

Runs the real screen on a moving market through a pty that is read at a limited rate, or not at all, by both drivers.

Run: python -m benchmarks.links [--quick] [--json FILE]
"""

import os
import random
import select
import statistics
import tempfile
import time
from pathlib import Path

import pyte

from benchmarks.table import Row, make_parser, report
from tests.ui.terminal import _UNKNOWN_TO_PYTE, Terminal

RATE = 20_000
"""Bytes a second of the slow link."""
FROZEN_S = 10.0

PROGRAM = """
import asyncio, sys
import quantui.ui.app as app
from tests.ui.fakes import main

LOG = sys.argv.pop()

async def watch():
    loop, worst = asyncio.get_running_loop(), 0.0
    while True:
        due = loop.time() + 0.005
        await asyncio.sleep(0.005)
        worst = max(worst, loop.time() - due)
        with open(LOG, "w") as out:
            out.write(str(worst))

mount = app.MonitorApp.on_mount

def on_mount(self):
    mount(self)
    self.run_worker(watch())

app.MonitorApp.on_mount = on_mount
sys.exit(main())
"""


def opened(driver: str, log: Path, columns: int = 80, rows: int = 24) -> Terminal:
    """The screen, its worst lateness in `log`."""
    terminal = Terminal("-c", PROGRAM, "moving", f"driver={driver}", str(log), columns=columns, rows=rows)
    return terminal


def stall_ms(driver: str, seconds: float, columns: int, rows: int) -> float:
    """The longest the loop stood still while nobody read."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "late"
        terminal = opened(driver, log, columns, rows)
        try:
            terminal.wait_for("87/240")
            terminal.pump(1)
            before = float(log.read_text() or 0)
            time.sleep(seconds)  # nobody reads
            terminal.pump(3)
            after = float(log.read_text() or 0)
        finally:
            terminal.close()
    return 1000 * after if after > before else 1000 * before


class Slow:
    """Reads a terminal at a limited rate, as a link delivers."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._stream = pyte.ByteStream(terminal.screen)

    def step(self) -> None:
        """A hundredth of a second of the link."""
        end = time.monotonic() + 0.01
        if select.select([self.terminal.master], [], [], 0)[0]:
            self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", os.read(self.terminal.master, RATE // 100)))
        time.sleep(max(0.0, end - time.monotonic()))


def key_ms(driver: str, keys: int) -> list[float]:
    """Milliseconds from a key to its effect at the far end of the slow link."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = opened(driver, Path(folder) / "late")
        try:
            terminal.wait_for("87/240")
            terminal.text()
            slow, chance, found = Slow(terminal), random.Random(1), []
            wanted = ("SOL/ETH", "ETH/BTC")
            for number in range(keys):
                for _ in range(round(100 * (0.5 + chance.random()))):
                    slow.step()
                start = time.perf_counter()
                terminal.keys("np"[number % 2])
                while wanted[number % 2] not in terminal.screen.display[0] and time.perf_counter() - start < 10:
                    slow.step()
                found.append(1000 * (time.perf_counter() - start))
        finally:
            terminal.close()
    return found


def main() -> None:
    options = make_parser(__doc__ or "").parse_args()
    seconds, keys = (4.0, 8) if options.quick else (FROZEN_S, 30)
    rows = []
    for columns, lines in ((80, 24), (200, 50)):
        for driver in ("stock", "diff"):
            stall = stall_ms(driver, seconds, columns, lines)
            goal, met = ("<= 50 ms", stall <= 50) if driver == "diff" else ("", None)
            rows.append(Row(f"{columns}x{lines} {driver}: loop late, frozen for {seconds:.0f} s", stall, "ms", None, goal, met))
    for driver in ("stock", "diff"):
        delays = key_ms(driver, keys)
        p95 = statistics.quantiles(delays, n=20)[-1]
        goal, met = ("<= 150 ms", p95 <= 150) if driver == "diff" else ("", None)
        rows.append(Row(f"80x24 {driver}: key to paint at 20 kB/s, p50", statistics.median(delays), "ms"))
        rows.append(Row(f"80x24 {driver}: key to paint at 20 kB/s, p95", p95, "ms", None, goal, met))
    report("links: the screen where the terminal is slow", rows, options.json)


if __name__ == "__main__":
    main()
