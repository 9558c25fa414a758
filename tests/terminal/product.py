"""The real program in a home of its own: screens on terminals, commands, and a promise that nothing is left running."""

import csv
import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quantui import paths
from quantui.collector.client import Client, CollectorError
from tests.ui.terminal import Terminal

_PRIVATE = ("XDG_", "QUANTUI_", "DBUS_")


class Product:
    """quantui with its own home and data directory below `folder`; of a person who has seen the tour, unless `is_new`."""

    def __init__(self, folder: Path, config: str | None = None, *, is_new: bool = False) -> None:
        self.folder = folder
        self.data = folder / "data"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
        self.environ = kept | {
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "s"),
            "XDG_CONFIG_HOME": str(folder / "c"),
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        }
        self._words = ["--data-dir", str(self.data)]
        if config is not None:
            (folder / "quantui.toml").write_text(config)
            self._words = ["--config", str(folder / "quantui.toml"), *self._words]
        self.terminals: list[Terminal] = []
        self.remembered = folder / "s" / "quantui" / "screen.json"
        if not is_new:
            self.remembered.parent.mkdir(parents=True, exist_ok=True)
            self.remembered.write_text('{"tour": "seen"}')

    def screen(self, *command: str, columns: int = 80, rows: int = 24) -> Terminal:
        """The program on a new terminal."""
        argv = ("-m", "quantui", *self._words, *command)
        terminal = Terminal(*argv, columns=columns, rows=rows, environ=self.environ, folder=self.folder)
        self.terminals.append(terminal)
        return terminal

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "quantui", *self._words, *command],
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def health(self) -> dict[str, Any] | None:
        """What `status --json` prints, asked for directly; None where nobody answers."""
        client = Client(paths.resolve(self.data, self.environ).socket)
        try:
            return client.health()
        except CollectorError:
            return None
        finally:
            client.close()

    def pid(self) -> int:
        """Of the collector."""
        health = self.health()
        assert health is not None, "no collector answers"
        return int(health["pid"])

    def bars(self, symbol: str, timeframe: str = "1s") -> list[dict[str, str]]:
        """The stored bars, oldest first."""
        done = self.run("export", "bars", "--symbol", symbol, "--timeframe", timeframe)
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def processes(self) -> dict[int, str]:
        """What still runs in this home: pid and command line."""
        needle = f"HOME={self.folder}\0".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if needle in (entry / "environ").read_bytes() + b"\0":
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue  # it has ended, or is not ours
        return found

    def close(self) -> None:
        """End the screens and the collector; fails where a process outlives them."""
        for terminal in self.terminals:
            terminal.close()
        health = self.health()
        if health is not None:
            os.kill(int(health["pid"]), signal.SIGTERM)
        try:
            wait_until(lambda: not self.processes(), 15, lambda: f"still running: {self.processes()}")
        finally:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)


def wait_until(wanted: Callable[[], bool], timeout: float, says: Callable[[], object] = lambda: "") -> float:
    """Seconds until it is so; fails after `timeout`."""
    start = time.monotonic()
    while not wanted():
        assert time.monotonic() - start < timeout, f"not within {timeout} s: {says()}"
        time.sleep(0.02)
    return time.monotonic() - start


_FILLED = {
    "state": r"^● LIVE",
    "age and certification": r"age <?\d+.* cert \d",
    "price": r"Price .*\n│[A-Z]+ +[\d,]+\.\d+.*\n│[A-Z]+ +[\d,]+\.\d",
    "regression": r"β +-?\d+\.\d{3}",
    "fit": r"R².*\d\.\d\d",
    "stationarity": r"EG +-\d+\.\d+ p <?\.\d",
    "alerts": r"(armed|SHORT|LONG|EXIT|STOP) \|z\| ≥ \d",
    "gates": r"gates \d/\d ok|× [a-z ]+ .*\d",
    "spread": r"^spread .*[⠁-⣿]{5}.* [+-][\d.]+ bp|^ {8}.*[⠁-⣿]{5}",
    "correlation": r"^corr .* -?\d\.\d\d",
    "z": r"[⠁-⣿].* [+-]\d\.\d\d",
    "preview": r"preview",
    "watch list": r"1 +ETH/BTC +[+-]\d.* p[<.\d](.|\n)*2 +SOL/ETH +[+-]\d(.|\n)*3 +BNB/BTC +[+-]\d(.|\n)*4 +LINK/ETH +[+-]\d",
    "log": r"Alerts \(UTC\)",
    "footer": r"\? help",
}


def empty_panels(text: str) -> list[str]:
    """Panels of the demo's screen that do not show their numbers yet."""
    return [name for name, pattern in _FILLED.items() if not re.search(pattern, text, re.MULTILINE)]


def is_filled(text: str) -> bool:
    """Every panel of the demo shows numbers."""
    return not empty_panels(text)


def has_data(text: str) -> bool:
    """The first prices are on the screen."""
    return re.search(_FILLED["price"], text) is not None
