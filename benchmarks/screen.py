"""The screen on a real terminal: how soon, how many bytes, how much CPU, how quick to a key, how large.

Runs the real `quantui demo`, collector and embedded exchange included, in a home of its own, by both drivers. The peers are btop
and htop, at the same sizes and four times a second as the demo, in the same run, where they are installed; the floor: the
cells that really changed from frame to frame, each run of them with a move, its pen and its text; and for the start a Textual
program of one word.

Run: python -m benchmarks.screen [--quick] [--json FILE]
"""

import os
import random
import re
import select
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyte

from benchmarks.table import Row, make_parser, report
from tests.terminal.product import Product, has_data, is_filled
from tests.ui.terminal import Terminal

SIZES = ((80, 24, 8_000), (200, 50, 25_000))
OPENED = "─ Price ─".encode()
"""Of the first card: the frames of the empty monitor stand."""
PAINTED = b"quit"
"""The last word of the footer: the whole empty screen stands, and keys are answered."""
RINGS = re.compile(rb"\x1b\](?:9|777);[^\x07\x1b]*(?:\x07|\x1b\\)|\x07")
"""Bell and notifications."""
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("quit")
    def on_key(self, event):
        self.query_one(Static).update(event.key)
Bare().run()
"""
"""The smallest program of our framework."""

KEYS: tuple[tuple[str, Callable[[list[str]], bool]], ...] = (
    ("n", lambda rows: "SOL/ETH" in rows[0]),
    ("p", lambda rows: "ETH/BTC" in rows[0]),
    ("3", lambda rows: "BNB/BTC" in rows[0]),
    ("1", lambda rows: "ETH/BTC" in rows[0]),
    ("w", lambda rows: "W480" in rows[0]),
    ("W", lambda rows: "W240" in rows[0]),
    ("t", lambda rows: " 1m W" in rows[0]),
    ("T", lambda rows: " 1s W" in rows[0]),
    ("+", lambda rows: any("+2.1 " in row[:8] for row in rows)),
    ("-", lambda rows: any("+2.0 " in row[:8] for row in rows)),
    (" ", lambda rows: "PAUSED" in rows[0]),
    (" ", lambda rows: "LIVE" in rows[0]),
)
"""Keys and what the screen shows once they are painted; a round leaves everything as it was."""

BARE_KEYS = tuple((key, lambda rows, key=key: rows[0].startswith(key)) for key in "abcdefghijkl")


@contextmanager
def product() -> Iterator[Product]:
    """The program in a home of its own; nothing is left running."""
    with tempfile.TemporaryDirectory() as folder:
        made = Product(Path(folder))
        try:
            yield made
        finally:
            made.close()


class Starts:
    """Seconds from exec, of each start."""

    def __init__(self, times: int) -> None:
        self.opened: list[float] = []
        self.ready: list[float] = []
        self.prices: list[float] = []
        self.filled: list[float] = []
        self.cpu: list[float] = []
        """CPU seconds until it was ready."""
        self.bare: list[float] = []
        """The smallest program, between ours."""
        for _ in range(times):
            self._start()
            self._start_bare()

    def _start(self) -> None:
        with product() as made:
            terminal = made.screen("demo")
            self.opened.append(_until(terminal, OPENED))
            self.ready.append(_until(terminal, PAINTED))
            self.cpu.append(terminal.cpu_seconds())
            terminal.wait_for(has_data, 30)
            self.prices.append(time.monotonic() - terminal.started)
            terminal.wait_for(is_filled, 30)
            self.filled.append(time.monotonic() - terminal.started)
            terminal.keys("q")
            terminal.wait_exit()

    def _start_bare(self) -> None:
        terminal = Terminal("-c", BARE)
        self.bare.append(_until(terminal, PAINTED))
        terminal.close()


def _until(terminal: Terminal, seen: bytes) -> float:
    while seen not in terminal.raw:
        terminal.pump(0.002)
    return time.monotonic() - terminal.started


def splashes(times: int) -> list[float]:
    """Seconds from exec to the whole picture that the session before left."""
    found = []
    with product() as made:
        for place in range(times + 1):
            terminal = made.screen("demo")
            if place:
                while PAINTED not in terminal.raw or b"as it was at" not in terminal.raw:
                    terminal.pump(0.001)
                found.append(time.monotonic() - terminal.started)
            terminal.wait_for(is_filled, 30)
            terminal.keys("q")
            terminal.wait_exit()
    return found


def rate(terminal: Terminal, seconds: float) -> tuple[float, float]:
    """Bytes a second and share of a core, in percent, of the program on the terminal."""
    cpu, start = terminal.cpu_seconds(), time.monotonic()
    got = terminal.pump(seconds)
    elapsed = time.monotonic() - start
    return got / elapsed, 100 * (terminal.cpu_seconds() - cpu) / elapsed


def key_delays(terminal: Terminal, rounds: int, keys: tuple[tuple[str, Callable[[list[str]], bool]], ...] = KEYS) -> list[float]:
    """Milliseconds from a key to the bytes that show its effect."""
    terminal.text()
    chance = random.Random(1)
    delays = []
    for _ in range(rounds):
        for key, is_shown in keys:
            terminal.pump(0.15 + 0.2 * chance.random())  # not in step with the screen's own tick
            terminal.text()
            delays.append(_delay(terminal, key, is_shown))
    return delays


def _delay(terminal: Terminal, key: str, is_shown: Callable[[list[str]], bool]) -> float:
    """Bytes are stamped as they come and read as a screen afterwards: the terminal's own work does not count."""
    start = time.perf_counter()
    os.write(terminal.master, key.encode())
    chunks: list[tuple[float, bytes]] = []
    while time.perf_counter() - start < 2:
        # Reading them as a screen takes longer than the answer to a key: only when nothing more has come for a while.
        quiet = not select.select([terminal.master], [], [], 0.05)[0]
        if not quiet:
            chunks.append((time.perf_counter(), os.read(terminal.master, 65536)))
            continue
        shown = []
        for at, data in chunks:  # all of them: what comes behind the answer belongs to the screen too
            terminal.raw += data
            terminal.text()  # which knows of sequences that come in two reads
            shown += [at] * is_shown(terminal.screen.display)
        if shown:
            return 1000 * (shown[0] - start)
        chunks.clear()
    raise RuntimeError(f"the key {key!r} was never shown\n" + "\n".join(terminal.screen.display))


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def floor(terminal: Terminal, seconds: float) -> tuple[float, float]:
    """Bytes a second that came, and those of the plainest way to tell the same cells: a move, a pen and the text for each run."""
    terminal.text()
    got = plain = 0
    before = _cells(terminal)
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if not select.select([terminal.master], [], [], 0.05)[0]:
            continue
        while select.select([terminal.master], [], [], 0.01)[0]:  # a frame, however many reads it takes
            data = os.read(terminal.master, 65536)
            terminal.raw += data
            got += len(data)
        terminal.text()
        after = _cells(terminal)
        plain += sum(_told(old, new, y) for y, (old, new) in enumerate(zip(before, after, strict=True)) if old != new)
        before = after
    elapsed = time.monotonic() - start
    return got / elapsed, plain / elapsed


def _cells(terminal: Terminal) -> list[list[pyte.screens.Char]]:
    screen = terminal.screen
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


def _told(old: list[pyte.screens.Char], new: list[pyte.screens.Char], y: int) -> int:
    """Bytes of one row's changed cells."""
    cost, end, pen = 0, -1, None
    for x, (was, cell) in enumerate(zip(old, new, strict=True)):
        if was == cell:
            continue
        if x != end:
            cost, pen = cost + len(f"\x1b[{y + 1};{x + 1}H"), None
        if cell[1:] != pen:
            pen = cell[1:]
            cost += len("\x1b[38;5;252m") + 9 * (cell.bg != "default") + 2 * cell.bold
        cost += len(cell.data.encode())
        end = x + 1
    return cost


def ours(columns: int, rows: int, limit: int, seconds: float, rounds: int, driver: str) -> list[Row]:
    """What the screen costs at one size."""
    size = f"{columns}x{rows} {driver}"
    with product() as made:
        terminal = made.screen("demo", "--driver", driver, columns=columns, rows=rows)
        terminal.wait_for(is_filled, 30)
        terminal.pump(2)
        bytes_s, cpu = rate(terminal, seconds)
        found = [
            Row(f"{size}: bytes", bytes_s / 1000, "kB/s", None, f"<= {limit // 1000} kB/s", bytes_s <= limit),
            Row(f"{size}: CPU of the screen", cpu, "% core", None, "<= 3 %", cpu <= 3),
        ]
        if driver == "diff":
            sent, least = floor(terminal, seconds)
            found.append(Row(f"{size}: bytes over the floor", sent / least, "x", None, "<= 1.2 x", sent <= 1.2 * least))
        delays = key_delays(terminal, rounds)
        p50, p95 = statistics.median(delays), statistics.quantiles(delays, n=20)[-1]
        found.append(Row(f"{size}: key to paint, {len(delays)} keys, p50", p50, "ms", None, "<= 3 ms", p50 <= 3))
        found.append(Row(f"{size}: key to paint, p95", p95, "ms", None, "<= 8 ms", p95 <= 8))
        terminal.keys(" ")
        terminal.wait_for("PAUSED")
        terminal.pump(0.5)
        before = len(terminal.raw)
        _, cpu = rate(terminal, 20)  # whose CPU is counted in hundredths of a second
        paused = len(RINGS.sub(b"", bytes(terminal.raw[before:]))) / 20
        found.append(Row(f"{size}: bytes when paused, but of alerts that ring", paused, "B/s", None, "0 B/s", paused == 0))
        found.append(Row(f"{size}: CPU when paused", cpu, "% core", None, "<= 0.1 %", cpu <= 0.1))
        screen, collector = rss_mb(terminal.pid), rss_mb(made.pid())
        found.append(Row(f"{size}: memory of the screen", screen, "MB", None, "<= 60 MB", screen <= 60))
        found.append(Row(f"{size}: memory of the collector, 5 symbols", collector, "MB", None, "<= 200 MB", collector <= 200))
        terminal.keys("q")
        terminal.wait_exit()
    return found


PEERS: Final = {"btop": ("--utf-force",), "htop": ("-d", "3")}
"""Programs and what makes them redraw about four times a second."""


def peer(name: str, columns: int, rows: int, seconds: float) -> list[Row]:
    """The same figures of another program."""
    program = shutil.which(name)
    size = f"{columns}x{rows} {name}"
    if program is None:
        return [Row(size, None, "", note=f"{name} is not installed")]
    with tempfile.TemporaryDirectory() as home:
        settings = Path(home) / "btop" / "btop.conf"
        settings.parent.mkdir()
        settings.write_text("update_ms = 250\n")
        environ = {"HOME": home, "XDG_CONFIG_HOME": home}
        terminal = Terminal(*PEERS[name], columns=columns, rows=rows, program=program, environ=environ)
        try:
            terminal.pump(3)
            if not terminal.raw:
                return [Row(size, None, "", note=f"{name} shows nothing on this terminal")]
            bytes_s, cpu = rate(terminal, seconds)
            memory = rss_mb(terminal.pid)
        finally:
            terminal.close()
    return [
        Row(f"{size}: bytes", bytes_s / 1000, "kB/s"),
        Row(f"{size}: CPU", cpu, "% core"),
        Row(f"{size}: memory", memory, "MB"),
    ]


def bare_key(rounds: int) -> float:
    """Median of milliseconds from a key to its paint, of the smallest program that answers one."""
    terminal = Terminal("-c", BARE)
    _until(terminal, PAINTED)
    terminal.pump(0.5)
    found = statistics.median(key_delays(terminal, rounds, BARE_KEYS))
    terminal.close()
    return found


def main() -> None:
    options = make_parser(__doc__ or "").parse_args()
    times, seconds, rounds = (2, 4.0, 1) if options.quick else (7, 12.0, 6)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # pip compiles what it installs: so does the first start, not measured here
    Starts(1)
    of = Starts(times)
    paint, ready, bare, price, full = (statistics.median(each) for each in (of.opened, of.ready, of.bare, of.prices, of.filled))
    splash = statistics.median(splashes(times))
    rows = [
        Row(f"first paint (the empty monitor) after exec, median of {times}", paint, "s", None, "<= 0.18 s", paint <= 0.18),
        Row(f"picture of the last session after exec, median of {times}", splash, "s", None, "<= 0.05 s", splash <= 0.05),
        Row("ready for keys, median", ready, "s"),
        Row("ready for keys, best", min(of.ready), "s"),
        Row("a Textual program of one word, median", bare, "s", bare / ready),
        Row("ready for keys, CPU time, best", min(of.cpu), "s"),
        Row("first prices on the screen, median", price, "s", None, "<= 3 s", price <= 3),
        Row("every panel filled, median", full, "s", None, "<= 5 s", full <= 5),
    ]
    rows.append(Row("a Textual program of one word: key to paint, p50", bare_key(rounds), "ms"))
    for columns, lines, limit in SIZES:
        found = [row for driver in ("stock", "diff") for row in ours(columns, lines, limit, seconds, rounds, driver)]
        others = [row for name in PEERS for row in peer(name, columns, lines, seconds)]
        rows += [*found, *others]
        sent = {row.name: row.value for row in (*found, *others)}
        size = f"{columns}x{lines}"
        if mine := sent[f"{size} diff: bytes"]:
            for name in PEERS:
                if theirs := sent.get(f"{size} {name}: bytes"):
                    share = mine / theirs
                    met = share <= 0.2 if name == "btop" else None
                    rows.append(
                        Row(f"{size} diff: bytes beside {name}", share, "x", None, "<= 0.2 x" if name == "btop" else "", met)
                    )
    report("screen: the demo on a terminal, beside btop and htop", rows, options.json)


if __name__ == "__main__":
    main()
