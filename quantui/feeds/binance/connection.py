"""One WebSocket kept alive: connect, read, notice silence, reconnect after a pause.

The reader only receives, stamps and enqueues. Reads are coalesced: at two thousand messages a second the cost is the wake-up per
read, not the parsing, so the transport is read in short windows while traffic is moderate.
"""

import asyncio
import contextlib
import json
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from quantui.clock import Clock
from quantui.feeds.binance.backoff import Backoff
from quantui.feeds.binance.barrier import Barrier, BlockedError
from quantui.feeds.binance.network import never_left, reason
from quantui.feeds.binance.succession import Succession
from quantui.feeds.binance.wire import RefusedHandshakeError, Wire, WireError, connect

QUEUE_LIMIT = 100_000
"""Frames waiting to be decoded; where one read brings more, the oldest are decoded before it goes on."""
_SILENT_S = 14.0
"""Without one complete message for this long the connection is given up (a trickle of bytes does not count)."""
_GUARD_S = 0.5
"""Between two looks at that."""
_REQUEST_GAP_S = 0.5
"""Between our own messages: the exchange counts five a second, pongs included, and answers the sixth with a ban."""
_NAMES_PER_REQUEST = 100
_SLICE = 500
_WINDOW_S = 0.08
"""How long frames gather: a fraction of the grace after which bars close, less than a screen shows."""
_BUSY = 400
"""As many frames in one read: more are waiting, so the next read follows at once."""


@dataclass(slots=True)
class ConnectionState:
    """How the connection is; read by the feed."""

    connected: bool = False
    spoken: bool = False
    """A frame has come since the last connection: an accepted socket alone proves nothing."""
    connects: int = 0
    attempts: int = 0
    """Tries so far, successful or not."""
    error: str = ""
    """Why the last try or connection ended."""
    messages: int = 0
    last_message: float = 0.0
    """Monotonic time of the last complete message."""
    connected_at: float = 0.0


@dataclass(slots=True)
class Connection:
    """One socket of one venue and route."""

    url: str
    """Base with path, such as `wss://fstream.binance.com/market`; `/stream?streams=` is added."""
    clock: Clock
    barrier: Barrier
    on_frames: Callable[[Sequence[bytes]], None]
    """Decodes and applies frames, in order of arrival."""
    on_idle: Callable[[], None]
    """Called when every frame that has arrived is applied."""
    on_connect: Callable[[], Awaitable[None]]
    """Called after each (re)connection, before its first frame is applied."""
    is_complete: Callable[[], bool] = lambda: True
    """Nothing that has arrived lacks what came before it."""
    rng: random.Random = field(default_factory=random.Random)
    names: dict[str, None] = field(default_factory=dict)
    """Streams wanted, in order."""
    state: ConnectionState = field(default_factory=ConnectionState)
    _frames: deque[bytes] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _changes: deque[tuple[str, tuple[str, ...]]] = field(default_factory=deque)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _next_request: int = 1
    _kick: asyncio.Event = field(default_factory=asyncio.Event)
    _close_code: int | None = None
    _asked: tuple[str, ...] = ()
    """Streams in the address of the newest socket."""
    _backoff: Backoff = field(init=False)
    _succession: Succession = field(init=False)

    def __post_init__(self) -> None:
        self._backoff = Backoff(self.rng)
        self._succession = Succession(self.clock, self.rng, self._heir, self.is_complete, self._taken_over)

    @property
    def is_overlapping(self) -> bool:
        """Two sockets deliver: what one of them lacks may still come by the other."""
        return self._succession.is_overlapping

    async def run(self) -> None:
        """Keep the socket alive until cancelled."""
        while True:
            await self._wait_turn()
            self._close_code, self.state.spoken, stuck = None, False, False
            try:
                await self._once()
            except BlockedError as error:
                self.state.error = error.detail
            except RefusedHandshakeError as error:
                self.state.error = f"{self.url} {error}"
                with contextlib.suppress(BlockedError):
                    self.barrier.answered(error.status, error.headers)
            except WireError as error:
                self._close_code = error.code
                self.state.error = f"{self.url}: {error}"
            except (TimeoutError, OSError) as error:
                self.state.error, stuck = f"{self.url}: {reason(error)}", never_left(error)
            if stuck:
                self.barrier.ration.refund()
            self._backoff.ended(spoken=self.state.spoken, code=self._close_code, never_left=stuck)
            self.state.connected = False
            self.on_idle()

    def subscribe(self, names: Sequence[str]) -> None:
        """Add streams; on a live connection without reconnecting."""
        new = tuple(name for name in names if name not in self.names)
        self.names.update(dict.fromkeys(new))
        self._change("SUBSCRIBE", new)

    def unsubscribe(self, names: Sequence[str]) -> None:
        """Drop streams."""
        gone = tuple(name for name in names if name in self.names)
        for name in gone:
            del self.names[name]
        self._change("UNSUBSCRIBE", gone)

    def resubscribe(self, names: Sequence[str]) -> None:
        """Ask once more for streams that have gone silent; not while earlier requests still wait for their turn."""
        if not self._changes:
            self._change("UNSUBSCRIBE", tuple(names))
            self._change("SUBSCRIBE", tuple(names))

    def reconnect(self, why: str) -> None:
        """Give the present connection up."""
        self.state.error = why
        self._kick.set()

    def announced(self) -> None:
        """The exchange says that it is going to end the socket."""
        self._succession.announce()

    def _change(self, method: str, names: tuple[str, ...]) -> None:
        if names and self.state.connected:
            self._changes.extend((method, names[i : i + _NAMES_PER_REQUEST]) for i in range(0, len(names), _NAMES_PER_REQUEST))
            self._changed.set()

    async def _wait_turn(self) -> None:
        """Until streams are wanted, the pause is over, there is a try left for us, and the exchange wants to hear from us."""
        clock, barrier, ration = self.clock, self.barrier, self.barrier.ration
        while not self.names:
            await clock.sleep(0.2)
        await clock.sleep(self._backoff.pause(clock.monotonic()))
        while (wait := barrier.until_ms - clock.now_ms()) > 0:
            self.state.error = barrier.detail
            await clock.sleep(min(wait / 1000, 60.0))
        while (seconds := ration.wait(clock.monotonic())) > 0:
            await clock.sleep(seconds + self.rng.random())
        self._backoff.ration.spend(clock.monotonic())

    async def _once(self) -> None:
        self._frames.clear()
        self._changes.clear()
        self._kick.clear()
        wire = await self._open()
        steps = (self._succession.run(wire), self._live())
        tasks = [asyncio.create_task(step) for step in steps]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._apply_rest()
        for task in done:
            task.result()

    async def _live(self) -> None:
        """Take what the sockets bring, and send what is asked for, until there is a reason to give them up."""
        state = self.state
        state.connected = True
        state.connects += 1
        state.connected_at = state.last_message = self.clock.monotonic()
        self._correct()
        await self.on_connect()
        tasks = [asyncio.create_task(step) for step in (self._apply(), self._guard(), self._send_changes())]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self) -> Wire:
        """A socket with the streams that are wanted now."""
        self.barrier.check()
        self.barrier.ration.spend(self.clock.monotonic())
        self.state.attempts += 1
        asked = tuple(self.names)
        target = f"{self.url}/stream?streams={quote('/'.join(asked), safe='/@')}"
        wire = await connect(target, self._receive, speed=self.clock.speed)
        self._asked = asked
        return wire

    async def _heir(self) -> Wire:
        """The socket that is to follow the present one, where there is a try left for it."""
        if not self.names or self.barrier.ration.wait(self.clock.monotonic()) > 0:
            raise WireError("not now")
        try:
            return await self._open()
        except RefusedHandshakeError as error:
            self.barrier.answered(error.status, error.headers)
            raise

    def _taken_over(self) -> None:
        self.state.connected_at = self.clock.monotonic()
        self._changes.clear()
        self._correct()

    def _correct(self) -> None:
        """Ask for what has changed while the connection was being made."""
        asked = self._asked
        self._change("UNSUBSCRIBE", tuple(name for name in asked if name not in self.names))
        self._change("SUBSCRIBE", tuple(name for name in self.names if name not in asked))

    def _receive(self, message: bytes) -> None:
        frames = self._frames
        if not frames:
            self._wake.set()
        elif len(frames) >= QUEUE_LIMIT:
            self._apply_slice()
        frames.append(message)

    async def _apply(self) -> None:
        """Decode what has arrived, in slices, so that the loop is never held for long; then let the next frames gather.

        Nothing is read meanwhile: a burst waits in the kernel, not in our queue, and memory stays warm.
        """
        frames, wake = self._frames, self._wake
        while True:
            await wake.wait()
            wake.clear()
            self._heard()
            gather = len(frames) < _BUSY
            wires = tuple(self._succession.wires)
            for wire in wires:
                wire.pause()
            while frames:
                self._apply_slice()
                if frames:
                    await asyncio.sleep(0)
            self.on_idle()
            if gather:
                await self.clock.sleep(_WINDOW_S)
            for wire in wires:
                wire.resume()

    def _heard(self) -> None:
        state = self.state
        state.last_message = self.clock.monotonic()
        if not state.spoken:
            state.spoken, state.error = True, ""

    def _apply_slice(self) -> None:
        frames = self._frames
        count = min(_SLICE, len(frames))
        self.state.messages += count
        self.on_frames([frames.popleft() for _ in range(count)])

    def _apply_rest(self) -> None:
        while self._frames:
            self._apply_slice()

    async def _guard(self) -> None:
        """End the connection when it is asked for, or when no complete message has come for long."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GUARD_S / self.clock.speed):
                    await self._kick.wait()
                raise WireError(self.state.error)
            if self.clock.monotonic() - self.state.last_message > _SILENT_S and self.names:
                raise WireError(self._silence())

    def _silence(self) -> str:
        if self.state.spoken:
            return f"no complete message for {_SILENT_S:.0f} s"
        return (
            f"connected and acknowledged, but not one of {len(self.names)} streams has spoken in {_SILENT_S:.0f} s: is the route"
            " right? Futures trades and klines come only by the /market path since April 2026"
        )

    async def _send_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._changes:
                if len(wires := tuple(self._succession.wires)) != 1:  # one is coming that may know already, or the last has gone
                    await self.clock.sleep(_REQUEST_GAP_S)
                    continue
                method, names = self._changes.popleft()
                wires[0].send(json.dumps({"method": method, "params": list(names), "id": self._next_request}))
                self._next_request += 1
                await self.clock.sleep(_REQUEST_GAP_S)
