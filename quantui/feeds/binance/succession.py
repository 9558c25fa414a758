"""One socket after the other without a gap: the exchange cuts every socket after a day, so another takes over before.

Both deliver while they overlap; the sequencer knows a trade by its id and takes it once. The old socket goes when the new one has
spoken and nothing is missing: every trade from the handshake on comes by the new one too.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from quantui.clock import Clock
from quantui.feeds.binance.wire import Wire, WireError

LIFE_S = 23 * 3600.0
"""The exchange ends a socket after 24 h."""
_SPREAD = 1 / 46
"""Share of the time, half an hour of 23, by which it may be sooner or later: sockets that began together change one by one."""
_OVERLAP_S = 3.0
"""At least: what the old socket sent before the new one was there has arrived by then."""
_LONGEST_S = 50.0
_RETRY_S = 60.0
_LOOK_S = 0.1


@dataclass(slots=True)
class Succession:
    """The sockets of one connection: one, or two while they overlap."""

    clock: Clock
    rng: random.Random
    connect: Callable[[], Awaitable[Wire]]
    """Opens a socket with the streams that are wanted now."""
    is_complete: Callable[[], bool]
    """Nothing that has arrived lacks what came before it."""
    on_taken_over: Callable[[], None]
    """The new socket stands alone from now on."""
    wires: dict[Wire, asyncio.Future[None]] = field(default_factory=dict)
    """Each with its end, the older first."""
    _due: float = 0.0
    _not_before: float = 0.0
    """A host that goes down may tell every new socket so: they do not chase each other."""
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    """`_due` has come nearer."""

    @property
    def is_overlapping(self) -> bool:
        """Two sockets deliver: what one of them lacks may still come by the other."""
        return len(self.wires) > 1

    def announce(self) -> None:
        """The exchange says that it is going to end the socket."""
        self._due = min(self._due, max(self.clock.monotonic(), self._not_before))
        self._moved.set()

    async def run(self, wire: Wire) -> None:
        """Keep `wire` and its heirs until the last has ended, which raises its `WireError`."""
        self.wires = {wire: asyncio.ensure_future(wire.ended())}
        self._reckon(LIFE_S)
        try:
            while True:
                [ended] = self.wires.values()
                await self._until_due(ended)
                if ended.done():
                    await ended
                heir = await self._heir()
                if heir is None:
                    self._reckon(_RETRY_S)
                else:
                    await self._overlap(heir)
        finally:
            for wire in tuple(self.wires):
                await self._part_with(wire)

    def _reckon(self, seconds: float) -> None:
        """When the next socket is due."""
        self._due = self.clock.monotonic() + seconds * (1 + self.rng.uniform(-_SPREAD, _SPREAD))

    async def _until_due(self, ended: asyncio.Future[None]) -> None:
        """Until the next socket is due, or the present one has ended."""
        while not ended.done() and (left := self._due - self.clock.monotonic()) > 0:
            self._moved.clear()
            moved = asyncio.ensure_future(self._moved.wait())
            reasons: list[asyncio.Future[Any]] = [ended, moved]
            try:
                await asyncio.wait(reasons, timeout=left / self.clock.speed, return_when=asyncio.FIRST_COMPLETED)
            finally:
                moved.cancel()

    async def _heir(self) -> Wire | None:
        try:
            return await self.connect()
        except (WireError, TimeoutError, OSError):  # the present socket still delivers; it is tried again
            return None

    async def _overlap(self, heir: Wire) -> None:
        """Both deliver until one of them can go."""
        [(wire, ended)] = self.wires.items()
        heir_ended = self.wires[heir] = asyncio.ensure_future(heir.ended())
        began = self.clock.monotonic()
        while not (ended.done() or heir_ended.done()):
            passed = self.clock.monotonic() - began
            if passed > _LONGEST_S or (passed > _OVERLAP_S and heir.is_heard and self.is_complete()):
                break
            await self.clock.sleep(_LOOK_S)
        if ended.done() or (heir.is_heard and not heir_ended.done()):
            self._not_before = self.clock.monotonic() + _RETRY_S
            self._reckon(LIFE_S)
            self.on_taken_over()  # first: once the old one has gone, what is asked for is said to the heir
            await self._part_with(wire)
        else:
            await self._part_with(heir)
            self._reckon(_RETRY_S)

    async def _part_with(self, wire: Wire) -> None:
        ended = self.wires.pop(wire)
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)
        with suppress(WireError, TimeoutError, OSError):
            async with asyncio.timeout(1.0):
                await wire.close()
