"""kill -9 of the collector under load, again and again: the store is whole, no bar differs, the screen has frames at once."""

import asyncio
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.faults.exchange import running_exchange
from tests.faults.program import Program, config, wrongly_stored

COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "LINKUSDT", "DOGEUSDT", "XRPUSDT", "LTCUSDT")
FIRST_FRAME_S = 2.0


@pytest.mark.parametrize("kills", [8, pytest.param(50, marks=pytest.mark.soak)])
async def test_killed_at_random_moments_under_load(kills: int, tmp_path: Path) -> None:
    seed = 21
    rng = random.Random(seed)
    print(f"seed {seed}")  # noqa: T201 - a random run names its seed
    async with running_exchange("--seed", str(seed), "--rate", "14", "--symbols", *COINS) as exchange:
        (tmp_path / "config.toml").write_text(config(exchange, COINS))
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
        wrong = [line for name in COINS for line in await wrongly_stored(exchange, program.places.database, name)]
        assert not wrong, wrong[:10]
        print(f"frames after restart: median {sorted(delays)[len(delays) // 2]:.2f} s, worst {max(delays):.2f} s")  # noqa: T201 - what a long run shows
        if kills > 8:  # beside other tests it is their load that would be timed
            assert sorted(delays)[len(delays) // 2] < FIRST_FRAME_S


@pytest.mark.soak
async def test_a_machine_that_sleeps_goes_on_where_it_stood(tmp_path: Path) -> None:
    """R-31: the process stands still for half a minute while the exchange does not."""
    async with running_exchange("--seed", "22", "--rate", "14", "--symbols", *COINS) as exchange:
        (tmp_path / "config.toml").write_text(config(exchange, COINS))
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
        assert not [line for name in COINS for line in await wrongly_stored(exchange, program.places.database, name)]
