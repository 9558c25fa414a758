"""The collector as a process of its own on the embedded exchange, and what it has stored beside the truth."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantui import paths
from quantui.collector.client import Client, CollectorError
from quantui.collector.lock import find
from quantui.collector.snapshot import Snapshot
from quantui.market.bars import COLUMNS, BarState
from quantui.market.instruments import Symbol, Timeframe
from quantui.store.reader import read_frames
from tests.faults.exchange import TRUTH_COLUMNS, Exchange

_STATE = COLUMNS.index("state")


def config(exchange: Exchange, names: Sequence[str]) -> str:
    """A config.toml for futures on that exchange."""
    addresses = exchange.addresses
    return f"""
[market]
venue = "binance-usdm"
symbols = [{", ".join(f'"{name}"' for name in names)}]
[analysis]
timeframe = "1s"
window = 60
[endpoints.binance-usdm]
ws_public = "{addresses["usdm_ws_public"]}"
ws_market = "{addresses["usdm_ws_market"]}"
rest = "{addresses["usdm_rest"]}"
"""


class Program:
    """The collector as a process that is started and killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
        self.places = paths.resolve(folder / "data", self.environ)
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> float:
        """Start; seconds until a screen gets a snapshot with bars."""
        begun = time.monotonic()
        words = ("--config", str(self.folder / "config.toml"), "--data-dir", str(self.folder / "data"), "collect")
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "quantui", *words, env=self.environ, stderr=log, cwd=self.folder
            )
        while not await asyncio.to_thread(self._has_frames):
            assert self.process.returncode is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() - begun < 30, "no frames"
            await asyncio.sleep(0.01)
        return time.monotonic() - begun

    async def end(self, number: signal.Signals) -> None:
        """Send the signal and wait for the end."""
        assert self.process is not None
        self.process.send_signal(number)
        await self.process.wait()
        assert find(self.places.lock) is None

    def snapshot(self) -> Snapshot | None:
        """What a screen gets; None where nobody answers."""
        client = Client(self.places.socket)
        try:
            return client.screen(-1, 60)
        except CollectorError:
            return None
        finally:
            client.close()

    def health(self) -> dict[str, Any]:
        """What `status --json` prints."""
        client = Client(self.places.socket)
        try:
            return client.health()
        finally:
            client.close()

    def _has_frames(self) -> bool:
        found = self.snapshot()
        return found is not None and len(found.series.y) > 0


async def wrongly_stored(exchange: Exchange, database: Path, name: str) -> list[str]:
    """How the stored bars of a symbol differ from the tape's, from its first second on."""
    stored = read_frames(database, Symbol("binance-usdm", name), dict.fromkeys(Timeframe, 20_000)).frames
    seconds = stored[Timeframe.S1]
    begin, end = int(seconds[0, 0]), int(seconds[-1, 0]) + 1000
    found = []
    for timeframe in Timeframe:
        start, stop = timeframe.floor(begin + timeframe.ms - 1), timeframe.floor(end)
        if start >= stop:
            continue
        truth = {row[0]: row for row in await exchange.bars("usdm", name, timeframe, start, stop)}
        rows = stored[timeframe]
        rows = rows[(rows[:, 0] >= start) & (rows[:, 0] < stop)]
        ours = {row[0]: row for row in rows[:, :TRUTH_COLUMNS].tolist()}
        found += [f"{name} {timeframe} {at}: missing" for at in truth.keys() - ours.keys()]
        found += [f"{name} {timeframe} {at}: extra" for at in ours.keys() - truth.keys()]
        both = truth.keys() & ours.keys()
        found += [f"{name} {timeframe} {at}: {ours[at]} is not {truth[at]}" for at in both if ours[at] != truth[at]]
        found += [f"{name} {timeframe}: gap"] * bool((rows[:, _STATE] == BarState.GAP).any())
    return found
