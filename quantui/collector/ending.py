"""How a collector ends: told by a signal, by its work, or by an error; always one way out."""

import asyncio
import signal
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field


class CollectorError(Exception):
    """The collector cannot go on; the message is one line, the log has the rest."""


class InterruptedEndError(Exception):
    """The person at the keyboard ended it."""


@dataclass(slots=True)
class Ending:
    """How a collector is told to end: in order once it runs, by cancelling what it is at before."""

    told: asyncio.Event = field(default_factory=asyncio.Event)
    is_interrupt: bool = False
    _start: "asyncio.Task[str] | None" = None
    _in_order: bool = False

    def listen(self, *, lingers: bool) -> None:
        """Signals end it; the end of the terminal only one that does not linger."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.tell)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        if lingers:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        else:
            loop.add_signal_handler(signal.SIGHUP, self.tell)

    async def until_told(self, work: Coroutine[object, object, str]) -> str | None:
        """The work's result; None where it was told to end before it ran."""
        self._start = asyncio.ensure_future(work)
        try:
            return await self._start
        except asyncio.CancelledError:
            if not self.told.is_set():
                raise
            return None

    def tell(self) -> None:
        """End."""
        self.told.set()
        if self._start is not None and not self._in_order:
            self._start.cancel()

    def _interrupt(self) -> None:
        self.is_interrupt = True
        self.tell()

    def begin_order(self) -> None:
        """From here on nothing is cut off: whoever looks at `told` ends in order."""
        self._in_order = True


async def until(ending: asyncio.Event, work: Iterable[Coroutine[object, object, None]], *, keep: bool) -> None:
    """Run until `ending` is set, or the work fails; a finished recording stays to be looked at when `keep`."""
    tasks = {asyncio.ensure_future(each) for each in work}
    end = asyncio.ensure_future(ending.wait())
    try:
        pending = {*tasks, end}
        while not end.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if done & tasks and not keep:
                return
    finally:
        for task in (*tasks, end):
            task.cancel()
        await asyncio.gather(*tasks, end, return_exceptions=True)


def plainly(error: BaseException) -> str:
    """One line out of an error, or of the first of a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, CollectorError):
        return str(error)
    text = " ".join(str(error).split())
    return f"the collector broke ({type(error).__name__}{f': {text}' if text else ''}); its log has the traceback"
