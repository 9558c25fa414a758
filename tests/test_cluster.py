"""Blocks of pairs on a real Dask cluster of worker processes: the numbers of the local run, whatever happens to a worker."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from quantui.analytics.blocks import assemble, blocks, solve_here
from quantui.analytics.universe import Table
from quantui.cluster import solve_there
from tests.analytics.test_universe import market

COUNT, BARS, GROUP = 60, 240, 6


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "dask", *arguments, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def cluster(folder: Path, workers: int) -> AsyncIterator[tuple[str, list[Process]]]:
    """A scheduler and its workers; its address."""
    file = folder / "scheduler.json"
    async with AsyncExitStack() as stack:
        local = ("--host", "127.0.0.1")
        no_page = ("--no-dashboard",)
        await stack.enter_async_context(running("scheduler", "--port", "0", *local, *no_page, "--scheduler-file", str(file)))
        async with asyncio.timeout(30):
            while not file.exists() or not file.read_text().strip():  # noqa: ASYNC110 - a file of another process
                await asyncio.sleep(0.05)
        options = ("--no-nanny", "--nthreads", "1", *no_page, *local, "--local-directory", str(folder))
        processes = [
            await stack.enter_async_context(running("worker", "--scheduler-file", str(file), *options)) for _ in range(workers)
        ]
        address = json.loads(file.read_text())["address"]
        yield address, processes


def _same(ours: Table, theirs: Table) -> None:
    for name in ("y", "x", "lags", "eg_stat", "eg_p", "beta", "alpha", "zscore", "half_life", "q_bh", "q_by", "correlation"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    assert ours.reasons == theirs.reasons


async def _ready(address: str, workers: int) -> None:
    from distributed import Client

    async with Client(address, asynchronous=True, set_as_default=False) as client:
        await client.wait_for_workers(workers, timeout=60)


@pytest.mark.parametrize("killed", [False, True])
async def test_two_workers_make_the_table_of_the_local_run_even_if_one_dies(tmp_path: Path, killed: bool) -> None:
    levels = market(COUNT, BARS)
    levels[7] = 2.0 * levels[3]
    symbols, work = [f"S{number}" for number in range(COUNT)], blocks(COUNT, GROUP)
    local = assemble(symbols, BARS, solve_here(levels, work))
    async with cluster(tmp_path, 2) as (address, processes):
        await _ready(address, 2)

        def there() -> Table:
            parts = []
            for number, part in enumerate(solve_there(levels, work, address)):
                parts.append(part)
                if killed and number == 3:
                    processes[0].kill()
            return assemble(symbols, BARS, parts)

        _same(await asyncio.to_thread(there), local)
        if killed:
            assert await processes[0].wait() != 0


async def test_no_scheduler_and_no_worker_are_said(tmp_path: Path) -> None:
    levels, work = market(3, 40), blocks(3)
    with pytest.raises(OSError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:1"):
        await asyncio.to_thread(lambda: list(solve_there(levels, work, "tcp://127.0.0.1:1", connect_s=0.5)))
    async with cluster(tmp_path, 0) as (address, _):
        with pytest.raises(OSError, match="has no worker"):
            await asyncio.to_thread(lambda: list(solve_there(levels, work, address)))
