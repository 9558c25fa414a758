"""kill -9 of the collector under load, again and again: the store is whole, no bar differs, the screen has frames at once."""

import asyncio
import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from quantui import paths
from quantui.collector.client import Client, CollectorError
from quantui.collector.lock import find
from quantui.collector.snapshot import Snapshot
from quantui.market.bars import COLUMNS, BarState
from quantui.market.instruments import Symbol, Timeframe
from quantui.store.reader import read_frames
from tests.faults.exchange import TRUTH_COLUMNS, Exchange, running_exchange

COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "LINKUSDT", "DOGEUSDT", "XRPUSDT", "LTCUSDT")
FIRST_FRAME_S = 2.0
_STATE = COLUMNS.index("state")


def _config(exchange: Exchange) -> str:
    addresses = exchange.addresses
    return f"""
[market]
venue = "binance-usdm"
symbols = [{", ".join(f'"{name}"' for name in COINS)}]
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
        assert self.process is not None
        self.process.send_signal(number)
        await self.process.wait()
        assert find(self.places.lock) is None

    def snapshot(self) -> Snapshot | None:
        client = Client(self.places.socket)
        try:
            return client.screen(-1, 60)
        except CollectorError:
            return None
        finally:
            client.close()

    def health(self) -> dict[str, Any]:
        client = Client(self.places.socket)
        try:
            return client.health()
        finally:
            client.close()

    def _has_frames(self) -> bool:
        found = self.snapshot()
        return found is not None and len(found.series.y) > 0


async def _wrong(exchange: Exchange, database: Path, name: str) -> list[str]:
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


@pytest.mark.parametrize("kills", [8, pytest.param(50, marks=pytest.mark.soak)])
async def test_killed_at_random_moments_under_load(kills: int, tmp_path: Path) -> None:
    seed = 21
    rng = random.Random(seed)
    print(f"seed {seed}")  # noqa: T201 - a random run names its seed
    async with running_exchange("--seed", str(seed), "--rate", "14", "--symbols", *COINS) as exchange:
        (tmp_path / "config.toml").write_text(_config(exchange))
        program = Program(tmp_path)
        await program.start()
        delays = []
        for _ in range(kills):
            await asyncio.sleep(rng.uniform(0.0, 3.0))
            await program.end(signal.SIGKILL)
            with sqlite3.connect(program.places.database) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            database.close()
            delays.append(await program.start())
        await asyncio.sleep(4)
        deadline = time.monotonic() + 30
        while not all(stream["complete"] for stream in (await asyncio.to_thread(program.health))["streams"].values()):
            assert time.monotonic() < deadline, "a hole stayed open"
            await asyncio.sleep(0.1)
        await program.end(signal.SIGTERM)
        wrong = [line for name in COINS for line in await _wrong(exchange, program.places.database, name)]
        assert not wrong, wrong[:10]
        print(f"frames after restart: median {sorted(delays)[len(delays) // 2]:.2f} s, worst {max(delays):.2f} s")  # noqa: T201 - what a long run shows
        assert sorted(delays)[len(delays) // 2] < FIRST_FRAME_S


@pytest.mark.soak
async def test_a_machine_that_sleeps_goes_on_where_it_stood(tmp_path: Path) -> None:
    """R-31: the process stands still for half a minute while the exchange does not."""
    async with running_exchange("--seed", "22", "--rate", "14", "--symbols", *COINS) as exchange:
        (tmp_path / "config.toml").write_text(_config(exchange))
        program = Program(tmp_path)
        await program.start()
        assert program.process is not None
        await asyncio.sleep(5)
        program.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(30)
        program.process.send_signal(signal.SIGCONT)
        woken = time.monotonic()
        while (found := await asyncio.to_thread(program.snapshot)) is None or found.feed.link != "live":
            assert time.monotonic() - woken < 15, found
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)
        await program.end(signal.SIGTERM)
        assert not [line for name in COINS for line in await _wrong(exchange, program.places.database, name)]
