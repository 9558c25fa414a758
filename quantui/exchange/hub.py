"""From tapes to sockets: one loop that wakes every few hundredths of a second and sends what is due, of subscribed streams only."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from quantui.clock import Clock
from quantui.exchange import payloads
from quantui.exchange.captured import CapturedTape, Playback
from quantui.exchange.connection import Connection
from quantui.exchange.damage import BREAKING, DAMAGES
from quantui.exchange.events import Event, Source
from quantui.exchange.frames import frame
from quantui.exchange.listings import MINUTE, Market
from quantui.exchange.streams import Stream, flows, parse
from quantui.exchange.tape import Tape

TICK_S = 0.03
_LAG_MS = {Market.SPOT: 5, Market.USDM: 31}
"""Streams of one socket are out of step by less than this."""
_KINDS = ("kline", "bookTicker", "trade", "markPrice", "miniTicker", "depth", "diffDepth", "aggTrade")

_ENCODERS = {**DAMAGES, **BREAKING}

Key = tuple[Market, str, int]
"""Market, stream name, time unit."""


class Timeline:
    """Exchange time: the clock's, moved so that a recording begins where it begins."""

    def __init__(self, clock: Clock, start_ms: int | None = None) -> None:
        self.clock = clock
        self._offset = 0 if start_ms is None else start_ms - clock.now_ms()

    def now_ms(self) -> int:
        """Exchange time in ms."""
        return self.clock.now_ms() + self._offset

    def leap(self, ms: int) -> None:
        """The exchange is so much further on."""
        self._offset += ms


@dataclass(slots=True)
class Channel:
    """A subscribed stream: what feeds it and who reads it."""

    stream: Stream
    sources: list[Source] | list[Playback]
    readers: dict[Connection, None] = field(default_factory=dict)

    def between(self, after_ms: int, until_ms: int) -> Iterable[Event]:
        """Events due in (after_ms, until_ms]."""
        if self.stream.symbol:
            return self.sources[0].between(after_ms, until_ms)
        return self._arrays(after_ms, until_ms)

    def _arrays(self, after_ms: int, until_ms: int) -> Iterator[Event]:
        """All symbols in arrays: only those that changed; mark prices in two, the second with COIN-M rows among it."""
        rows: dict[float, list[str]] = {}
        for source in self.sources:
            for due, text in source.between(after_ms, until_ms):
                rows.setdefault(due, []).append(text)
        for due in sorted(rows):
            yield due, f"[{','.join(rows[due])}]"
            if self.stream.kind == "markPrice":
                yield due, f"[{payloads.coin_m_mark_price(int(due) - self.sources[0].lag_ms)}]"


def _good(text: str) -> bytes:
    return frame(text.encode())


@dataclass(slots=True)
class Hub:
    """The streams of all tapes and the sockets that read them."""

    tapes: Mapping[tuple[Market, str], Tape]
    timeline: Timeline
    connections: dict[Connection, None] = field(default_factory=dict)
    frames: Counter[str] = field(default_factory=Counter)
    """Frames handed to sockets, by `market:stream`."""
    dropped: Counter[str] = field(default_factory=Counter)
    to_drop: Counter[str] = field(default_factory=Counter)
    """Frames still to be dropped on order, by `market:stream`."""
    to_damage: dict[str, deque[str]] = field(default_factory=dict)
    """Kinds of damage to the next frames, by `market:stream`."""
    damaged: Counter[str] = field(default_factory=Counter)
    """Frames damaged on order, by `market:stream`."""
    to_delay: Counter[str] = field(default_factory=Counter)
    """Frames still to be held back on order until the one after them has gone, by `market:stream`."""
    repeat_ms: dict[Market, int] = field(default_factory=dict)
    """How much of the past new sockets are told again, on order."""
    silenced: set[str] = field(default_factory=set)
    """Streams silenced on order, as `market:stream`."""
    _channels: dict[Key, Channel] = field(default_factory=dict)
    _delayed: dict[str, list[str]] = field(default_factory=dict)
    _sent_until: int = 0
    _prepared: int = 0

    async def run(self) -> None:
        """Send until cancelled."""
        self._sent_until = self.timeline.now_ms()
        while True:
            await asyncio.sleep(TICK_S)
            self.send_until(self.timeline.now_ms())
            for connection in list(self.connections):
                connection.keep()

    def joined(self, connection: Connection) -> None:
        """A socket has opened."""
        self.connections[connection] = None
        self.changed(connection)

    def left(self, connection: Connection) -> None:
        """A socket has ended."""
        self.connections.pop(connection, None)
        for key in [key for key, channel in self._channels.items() if connection in channel.readers]:
            self._leave(key, connection)

    def changed(self, connection: Connection) -> None:
        """A socket reads other streams than before. What does not exist or does not flow on its route stays silent."""
        wanted: dict[Key, Stream] = {}
        for name in connection.desk.names:
            stream = parse(name, connection.market)
            if stream is not None and flows(stream, connection.market, connection.route):
                wanted[connection.market, name, connection.unit] = stream
        for key in [key for key, channel in self._channels.items() if connection in channel.readers and key not in wanted]:
            self._leave(key, connection)
        for key, stream in wanted.items():
            channel = self._channels.get(key) or self._open(key, stream)
            if channel is not None and connection not in channel.readers:
                self._repeat(key, channel, connection)
                channel.readers[connection] = None

    def _repeat(self, key: Key, channel: Channel, connection: Connection) -> None:
        """What every other reader has had already."""
        ms = self.repeat_ms.get(key[0], 0)
        if not ms or not isinstance(channel.sources[0], Source):
            return
        again = replace(channel, sources=[replace(source) for source in channel.sources if isinstance(source, Source)])
        for _, text in again.between(self._sent_until - ms, self._sent_until):
            connection.text(f'{{"stream":"{key[1]}","data":{text}}}' if connection.desk.combined else text)

    def leap(self, ms: int) -> None:
        """The exchange is so much further on; what happened meanwhile is never sent."""
        self.timeline.leap(ms)
        self._sent_until = self.timeline.now_ms()

    def send_until(self, now_ms: int) -> None:
        """Send what became due since the last call."""
        after, self._sent_until = self._sent_until, max(now_ms, self._sent_until)
        self._prepare(now_ms)
        due: list[tuple[float, Key, str]] = []
        for key, channel in self._channels.items():
            due.extend((at, key, text) for at, text in channel.between(after, now_ms))
        due.sort(key=lambda event: event[0])
        outgoing: dict[Connection, list[bytes]] = {}
        for _, key, text in due:
            self._hand_out(key, text, outgoing)
        for connection, frames in outgoing.items():
            connection.write(b"".join(frames), len(frames))

    def _prepare(self, now_ms: int) -> None:
        """Make the next minute of one tape after the other ahead of its time, so that no tick has to make them all."""
        self._prepared = (self._prepared + 1) % len(self.tapes)
        tape = next(islice(self.tapes.values(), self._prepared, None))
        tape.minute(max(now_ms, tape.first_ms) + MINUTE)

    def _hand_out(self, key: Key, text: str, outgoing: dict[Connection, list[bytes]]) -> None:
        name = f"{key[0].value}:{key[1]}"
        if name in self.silenced:
            self.dropped[name] += 1
            return
        if self.to_drop[name] > 0:
            self.to_drop[name] -= 1
            self.dropped[name] += 1
            return
        if self.to_delay[name] > 0:
            self.to_delay[name] -= 1
            self._delayed.setdefault(name, []).append(text)
            return
        for payload in (text, *self._delayed.pop(name, ())):
            self._write(key, name, payload, outgoing)

    def _write(self, key: Key, name: str, text: str, outgoing: dict[Connection, list[bytes]]) -> None:
        damages = None if '"x":false' in text else self.to_damage.get(name)  # of klines those that close: others prove nothing
        encode = _ENCODERS[damages.popleft()] if damages else _good
        self.damaged[name] += encode is not _good
        raw: bytes | None = None
        combined: bytes | None = None
        for connection in self._channels[key].readers:
            if not connection.is_open:
                continue
            if connection.desk.combined:
                combined = combined or encode(f'{{"stream":"{key[1]}","data":{text}}}')
                outgoing.setdefault(connection, []).append(combined)
            else:
                raw = raw or encode(text)
                outgoing.setdefault(connection, []).append(raw)
            self.frames[name] += 1

    def _open(self, key: Key, stream: Stream) -> Channel | None:
        market, _, unit = key
        tapes: Sequence[Tape] = [tape for (of, _), tape in self.tapes.items() if of is market]
        if stream.symbol:
            tape = self.tapes.get((market, stream.symbol))
            if tape is None:
                return None
            if isinstance(tape, CapturedTape):
                channel = self._channels[key] = Channel(stream, [Playback(tape.session.frames.get(stream.name, ()))])
                return channel
            tapes = [tape]
        lag = _KINDS.index(stream.kind) * 11 % _LAG_MS[market]
        channel = self._channels[key] = Channel(stream, [Source(tape, stream, unit, lag) for tape in tapes])
        return channel

    def _leave(self, key: Key, connection: Connection) -> None:
        channel = self._channels[key]
        channel.readers.pop(connection, None)
        if not channel.readers:
            del self._channels[key]
