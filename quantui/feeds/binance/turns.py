"""Who asks REST next: a few at a time, the most urgent first, so that a minute's weight goes where waiting costs most."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum

_Rank = tuple[int, int, int]
"""Urgency, age in ms, number of arrival."""


class Urgency(IntEnum):
    """What is read: the sooner the exchange forgets it, the lower."""

    TRADES = 0
    """Of a hole; the exchange of futures forgets them after two days."""
    QUESTION = 1
    """Is a closed bar right, did a silent symbol trade? Bars on the screen wait for the answer."""
    HISTORY = 2
    """Klines, kept for years, and the trades of a first start."""


@dataclass(slots=True)
class Turns:
    """At most `free` at once; of those who wait, by urgency, then the oldest matter, then who came first."""

    free: int
    _waiting: list[tuple[_Rank, asyncio.Future[None]]] = field(default_factory=list)
    _arrivals: int = 0

    @asynccontextmanager
    async def turn(self, urgency: Urgency, since_ms: int = 0) -> AsyncIterator[None]:
        """Wait for a turn and hold it.

        Args:
            urgency: Of what is read.
            since_ms: Exchange time of what is missing: the oldest is forgotten first.
        """
        await self._take((urgency, since_ms))
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, matter: tuple[int, int]) -> None:
        if self.free:
            self.free -= 1
            return
        self._arrivals += 1
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, ((*matter, self._arrivals), called))
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():  # called and cancelled at once: the turn is the next one's
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            _, called = heapq.heappop(self._waiting)
            if not called.done():
                called.set_result(None)
                return
        self.free += 1
