"""Research on many machines: blocks of pairs as tasks of Dask (extra `quantui[cluster]`), the same numbers as here."""

from collections.abc import Iterator, Sequence

from quantui.analytics.blocks import Block, Solved, solve
from quantui.market.frames import Floats

CONNECT_S = 10.0
_RETRIES = 3


def solve_there(levels: Floats, work: Sequence[Block], address: str, connect_s: float | None = None) -> Iterator[Solved]:
    """Blocks of a market with (N, n) log closes as they are done, in any order.

    A worker that is lost costs its blocks only: the scheduler gives them to another.

    Raises:
        ValueError: Dask is not installed.
        OSError: No scheduler answers at `address`, or no worker can do the work.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise ValueError("--scheduler needs Dask: pip install 'quantui[cluster]'") from None
    try:
        client = Client(address, timeout=CONNECT_S if connect_s is None else connect_s, set_as_default=False)
    except OSError as error:
        raise OSError(f"no Dask scheduler at {address} ({error})") from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise OSError(f"the scheduler at {address} has no worker: start one with `dask worker {address}`")
        tasks = [client.submit(solve, block, levels[block.places()], pure=False, retries=_RETRIES) for block in work]
        try:
            for task in as_completed(tasks, loop=client.loop):
                yield task.result()
        except KilledWorker as error:
            raise OSError(f"a block of pairs was given up after it had killed its workers ({error.task})") from error
