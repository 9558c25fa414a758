"""Counts messages and takes this process's own CPU time from the first to the last. Standard library only: the peers use it too."""

import asyncio
import resource
import time


def cpu_s() -> float:
    """User and system time of this process, seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Meter:
    """From the first message to the `wanted`-th."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen = 0
        self.is_done = False
        self._start = self._end = (0.0, 0.0)
        self._failure: BaseException | None = None
        self._finished: asyncio.Event | None = None

    def prepare(self) -> None:
        """Call inside the event loop."""
        self._finished = asyncio.Event()

    def begin(self) -> None:
        """Now comes the first message."""
        self._start = cpu_s(), time.monotonic()

    def count(self) -> None:
        """One message was delivered."""
        if self.seen == 0:
            self.begin()
        self.seen += 1
        if self.seen == self.wanted:
            self.end()

    def end(self) -> None:
        """The last message was delivered."""
        self._end = cpu_s(), time.monotonic()
        self.is_done = True
        if self._finished is not None:
            self._finished.set()

    def fail(self, error: BaseException | None) -> None:
        """The peer has stopped."""
        self._failure = error or RuntimeError("stopped before the last message")
        if self._finished is not None:
            self._finished.set()

    async def finished(self) -> None:
        """Wait for the last message."""
        assert self._finished is not None
        await self._finished.wait()
        if self._failure is not None:
            raise self._failure

    def result(self) -> dict[str, float]:
        """CPU and wall seconds and the number of messages."""
        return {"messages": self.wanted, "cpu_s": self._end[0] - self._start[0], "wall_s": self._end[1] - self._start[1]}
