"""Threads beside the event loop: what computes and writes steps back for what receives."""

import asyncio
import contextlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

GIL_SWITCH_S = 0.0005
"""A thread that computes or writes gives the event loop its turn after this long; Python's own 5 ms would be felt."""
_NICENESS = 10
"""Linux runs a woken thread at once where the running one is this much nicer; else it waits for the next tick, 4 ms away."""


def step_back_for(loop: asyncio.AbstractEventLoop) -> None:
    """Make the threads of `loop`'s executor let it go first."""
    sys.setswitchinterval(GIL_SWITCH_S)
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="beside", initializer=step_back))


def one_thread(name: str) -> ThreadPoolExecutor:
    """For what returns all the time with large arrays: each thread that has once held such keeps memory for the next."""
    return ThreadPoolExecutor(1, thread_name_prefix=name, initializer=step_back)


def step_back() -> None:
    """Let other threads go before the calling one."""
    if sys.platform == "linux":  # elsewhere a priority is the whole process's
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
