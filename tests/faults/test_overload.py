"""R-33: more frames than a market ever sends at once; the collector stays small, answers pings, and its bars are the tape's."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from quantui.exchange.prices import COINS
from tests.faults.exchange import Exchange, running_exchange
from tests.faults.program import Program, config, wrongly_stored

NAMES = [coin.symbol for coin in COINS if coin.ticks[1] >= 0]
MEMORY_MB = 300
PONG_S = 5.0


async def _frames(exchange: Exchange) -> int:
    return sum((await exchange.counters())["frames"].values())


def _peak_mb(pid: int) -> float:
    """Most memory the process has held."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize(("rate", "seconds", "least"), [(60.0, 5, 1_000), pytest.param(460.0, 60, 10_000, marks=pytest.mark.soak)])
async def test_a_flood_is_taken_whole(rate: float, seconds: int, least: int, tmp_path: Path) -> None:
    async with running_exchange("--seed", "33", "--rate", str(rate)) as exchange:
        await exchange.order("ping", seconds=2.0)
        (tmp_path / "config.toml").write_text(config(exchange, NAMES))
        program = Program(tmp_path)
        await program.start()
        assert program.process is not None
        before, begun = await _frames(exchange), time.monotonic()
        await asyncio.sleep(seconds)
        sent = (await _frames(exchange) - before) / (time.monotonic() - begun)
        peak = await asyncio.to_thread(_peak_mb, program.process.pid)
        deadline = time.monotonic() + 30
        while not all(stream["complete"] for stream in (await asyncio.to_thread(program.health))["streams"].values()):
            assert time.monotonic() < deadline, "a hole stayed open"
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        await program.end(signal.SIGTERM)
        pong = (await exchange.counters())["slowest_pong_s"]["usdm"]
        wrong = [line for name in NAMES for line in await wrongly_stored(exchange, program.places.database, name)]
    print(f"{sent:,.0f} frames/s, {peak:.0f} MB, slowest pong {pong * 1000:.0f} ms")  # noqa: T201 - what a long run shows
    assert not wrong, wrong[:10]
    assert sent >= least
    assert peak <= MEMORY_MB
    assert 0 < pong <= PONG_S
