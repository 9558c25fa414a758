"""The embedded exchange of a demo, and which invented market it goes on with: the one that the stored bars are of."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from quantui.collector.ending import CollectorError
from quantui.config import Settings
from quantui.paths import Paths

_EXCHANGE_START_S = 20.0

LONGEST_MS = 6 * 3_600_000
"""An older market is not continued: the exchange would have to invent every minute since its opening."""


class Market(msgspec.Struct, frozen=True):
    """An invented market: the same for the same seed and opening."""

    seed: int
    start_ms: int
    speed: float


def market(paths: Paths, seed: int, speed: float, now_ms: int) -> Market:
    """The market of the demo that this data directory holds, or a new one that opens now.

    Call only while holding the directory's lock: what an earlier demo with another market has stored is removed.
    """
    note = paths.data_dir / "demo.json"
    try:
        before = msgspec.json.decode(note.read_bytes(), type=Market)
    except (FileNotFoundError, msgspec.DecodeError):
        before = None
    # At another speed exchange time is not the time of day, and a restart would go back in it.
    is_same = before is not None and (before.seed, before.speed, speed) == (seed, 1.0, 1.0)
    if before is not None and is_same and 0 <= now_ms - before.start_ms <= LONGEST_MS:
        return before
    if before is not None:
        for path in paths.data_dir.glob("quantui.db*"):
            path.unlink()
    new = Market(seed, now_ms, speed)
    partial = note.with_suffix(".partial")
    with contextlib.suppress(FileNotFoundError):
        partial.unlink()
    with partial.open("xb") as file:
        file.write(msgspec.json.encode(new))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(note)
    return new


@asynccontextmanager
async def exchange(
    settings: Settings, opened: Market, faults_s: float | None = None
) -> AsyncIterator[tuple[Settings, asyncio.subprocess.Process]]:
    """The embedded exchange as a process of its own; it ends with the pipe that holds its standard input.

    Args:
        settings: Of the collector.
        opened: The market it makes.
        faults_s: Exchange seconds from one fault to the next; None for none.
    """
    arguments = ["--seed", str(opened.seed), "--speed", str(opened.speed), "--start", str(opened.start_ms)]
    arguments += [] if faults_s is None else ["--faults", str(faults_s)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "quantui.exchange", *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield _with_addresses(settings, await _addresses(process.stdout)), process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            async with asyncio.timeout(3.0):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _addresses(said: asyncio.StreamReader) -> dict[str, str]:
    try:
        async with asyncio.timeout(_EXCHANGE_START_S):
            return msgspec.json.decode(await said.readline(), type=dict[str, str])
    except TimeoutError:
        why = f"it said nothing for {_EXCHANGE_START_S:.0f} s"
    except msgspec.DecodeError:
        why = "it ended at once"
    raise CollectorError(f"the embedded exchange did not start: {why}; run `python -m quantui.exchange` to see why")


def _with_addresses(settings: Settings, addresses: dict[str, str]) -> Settings:
    """The settings, pointed at the embedded exchange."""
    replace = msgspec.structs.replace
    endpoints = replace(
        settings.endpoints,
        usdm=replace(
            settings.endpoints.usdm,
            ws_public=addresses["usdm_ws_public"],
            ws_market=addresses["usdm_ws_market"],
            rest=addresses["usdm_rest"],
        ),
        spot=replace(settings.endpoints.spot, ws=addresses["spot_ws"], rest=addresses["spot_rest"]),
    )
    return replace(settings, endpoints=endpoints)


async def outlive(exchange: asyncio.subprocess.Process) -> None:
    """A demo without its exchange is over."""
    code = await exchange.wait()
    raise CollectorError(f"the embedded exchange has ended (exit code {code}); start `quantui demo` again")
