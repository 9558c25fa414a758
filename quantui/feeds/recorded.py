"""Plays recordings: the same streams, sequencer and builder as live, so the same bars, whatever the speed.

Files are merged in order of arrival. The newest event time of any frame of a venue, less a grace, is what closes bars: as long as
anything speaks, quiet seconds are flat; when everything is silent nobody knows whether the market stood still, and the silence
has no bars. Trades missing between two ids are lost for good and marked as a gap.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from quantui.clock import Clock
from quantui.feeds.feed import FeedStatus
from quantui.feeds.files.errors import FileError
from quantui.feeds.files.reader import Given, read_trades
from quantui.feeds.files.tape import MARK, Tape
from quantui.market.frames import DEFAULT_CAPACITY, Ints, SymbolFrames
from quantui.market.instruments import Instrument, Symbol, Timeframe
from quantui.market.stream import SILENCE_MS, SymbolStream
from quantui.market.trades import Trade

GRACE_MS: Mapping[str, int] = {"binance-spot": 250, "binance-us": 250}
_OTHER_GRACE_MS = 500
"""How long after the newest event time a trade may still arrive (binance.md A6.4)."""
PATIENCE_MS = 2_000
"""Overlapping captures may bring a missing trade a little later; after this long in event time it is lost."""
LONGEST_WAIT_MS = 60_000
"""A hole in the recordings that is longer than this is skipped over when pacing."""
_SECOND_MS = 1_000
_FOREVER_MS = 1 << 62
_CHUNK = 4_096
_SLICE_S = 0.002
_SLICE_CHECK = 16
_TICK_S = 0.02


@dataclass(slots=True)
class Counts:
    """What the recordings held."""

    files: int = 0
    rows: int = 0
    """Trades and marks to play."""
    played: int = 0
    trades: int = 0
    rejected: int = 0
    """Records refused: placeholders, and bad rows where those are skipped."""


@dataclass(slots=True)
class _Venue:
    """The streams of one venue and how far its time has got."""

    grace_ms: int
    streams: list[SymbolStream] = field(default_factory=list)
    newest_ms: int = 0
    settled_ms: int = 0
    holes: dict[int, int] = field(default_factory=dict)
    """By index into `streams`: newest event time when its hole was seen first."""

    def reach(self, event_ms: int) -> None:
        """A frame of `event_ms` has arrived: time before it is over, less the grace."""
        if event_ms - self.newest_ms > _SECOND_MS and self.newest_ms:
            self.settle()  # a silence begins exactly where the last frame was
        self.newest_ms = event_ms

    def settle(self) -> None:
        """Close what the newest event time allows, and settle what is missing or in doubt."""
        until = self.newest_ms - self.grace_ms
        self.settled_ms = until - until % _SECOND_MS
        for index, stream in enumerate(self.streams):
            if not stream.is_complete:
                self._settle_missing(index, stream)
            stream.advance(until)
            if stream.doubt is not None:
                leave_out(stream)

    def finish(self) -> None:
        """Nothing more will come."""
        for stream in self.streams:
            while stream.hole is not None:
                stream.give_up()
            leave_out(stream)
        self.settle()

    def _settle_missing(self, index: int, stream: SymbolStream) -> None:
        leave_out(stream)
        if stream.hole is None:
            self.holes.pop(index, None)
        elif self.newest_ms - self.holes.setdefault(index, self.newest_ms) >= PATIENCE_MS:
            del self.holes[index]
            stream.give_up()
            leave_out(stream)


def leave_out(stream: SymbolStream) -> None:
    """Nobody vouches for a silence of the whole recording: it has no bars."""
    while stream.doubt is not None:
        stream.resolve((), _FOREVER_MS)


@dataclass(frozen=True, slots=True)
class _Merged:
    """All rows of all tapes in order of arrival, (n,) each."""

    columns: tuple[Ints, ...]
    """venue, stream, event_ms, id, time_ms, price, quantity, first_id, last_id, maker."""

    def __len__(self) -> int:
        return len(self.columns[0])

    def rows(self) -> Iterator[tuple[int, ...]]:
        """Row by row, turned into Python's integers a chunk at a time."""
        for start in range(0, len(self), _CHUNK):
            yield from zip(*(column[start : start + _CHUNK].tolist() for column in self.columns), strict=True)


class RecordedFeed:
    """A `feeds.feed.Feed` that plays files.

    Args:
        files: Paths of captures, ticks or archives; `-` is `stdin`.
        clock: Paces the replay; its own speed multiplies.
        speed: Event time for one second of the clock; None plays as fast as it goes.
        silence_ms: A longer silence of a whole venue gets no bars.
        given: What the files may not tell: venue, symbol, whether bad rows are skipped.
        symbols: Play only these; None plays all.
        capacity: Bars kept in memory.
        stdin: Where `-` reads from.
        on_update: Called after every slice of rows.
        on_progress: Called on the event loop after each file with (files read, files).
    """

    def __init__(
        self, files: Sequence[str | Path], *, clock: Clock, speed: float | None = None, silence_ms: int = SILENCE_MS,
        given: Given | None = None, symbols: Collection[Symbol] | None = None,
        capacity: Mapping[Timeframe, int] = DEFAULT_CAPACITY, stdin: BinaryIO | None = None,
        on_update: Callable[[], None] = lambda: None, on_progress: Callable[[int, int], None] | None = None,
    ) -> None:  # fmt: skip
        if speed is not None and not speed > 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self.streams: dict[Symbol, SymbolStream] = {}
        self.status = FeedStatus()
        self.on_update = on_update
        self.counts = Counts()
        self._files, self._clock, self._speed, self._silence_ms = files, clock, speed, silence_ms
        self._given, self._symbols, self._capacity, self._stdin = given or Given(), symbols, capacity, stdin
        self._on_progress = on_progress
        self._venues: list[_Venue] = []
        self._merged: _Merged | None = None

    async def load(self) -> None:
        """Read every file; `streams` is complete afterwards. Does nothing the second time.

        Raises:
            FileError: A file cannot be read, or nothing in them can be played.
        """
        if self._merged is not None:
            return
        self.status.link, self.status.detail = "replay", "reading the recordings"
        tapes: list[Tape] = []
        for number, file in enumerate(self._files, 1):
            tapes.append(await asyncio.to_thread(read_trades, file, self._given, stdin=self._stdin))
            if self._on_progress is not None:
                self._on_progress(number, len(self._files))
        self._merged = await asyncio.to_thread(self._merge, tapes)
        self.status.detail = ""

    def focus(self, symbols: Sequence[Symbol]) -> None:
        """A recording has no quotes to fetch."""

    async def run(self) -> None:
        """Play from the first row to the last."""
        await self.load()
        self.on_update()
        await self._play()
        for venue in self._venues:
            venue.finish()
        self.status.link = "ended"
        self.status.detail = f"the recording is over: {self.counts.trades} trades of {len(self.streams)} symbols"
        self.on_update()

    def _merge(self, tapes: Sequence[Tape]) -> _Merged:
        tapes = _without_superseded(tapes)
        decimals = _common_decimals(tapes)
        symbols = [symbol for symbol in decimals if self._symbols is None or symbol in self._symbols]
        if not symbols:
            names = ", ".join(tape.name for tape in tapes) or "no file"
            raise FileError(
                names, "no trades" if not decimals else f"no trades of {', '.join(map(str, sorted(self._symbols or ())))}"
            )
        index_of = self._make_streams(symbols, decimals)
        venues = {name: number for number, name in enumerate(dict.fromkeys(tape.venue for tape in tapes))}
        self._venues = [_Venue(GRACE_MS.get(name, _OTHER_GRACE_MS)) for name in venues]
        for symbol in symbols:
            self._venues[venues[symbol.venue]].streams.append(self.streams[symbol])
        order = np.argsort(np.concatenate([tape.columns["key_ns"] for tape in tapes]), kind="stable")
        parts = [_playable(tape, venues[tape.venue], index_of, decimals) for tape in tapes]
        merged = _Merged(tuple(np.concatenate(column)[order] for column in zip(*parts, strict=True)))
        refused = sum(int(np.count_nonzero((tape.columns["symbol"] != MARK) & (tape.columns["quantity"] == 0))) for tape in tapes)
        self.counts.files, self.counts.rows = len(tapes), len(merged)
        self.counts.rejected = sum(tape.rejected for tape in tapes)
        self.status.rejected = max(0, self.counts.rejected - refused)
        return merged

    def _make_streams(self, symbols: Sequence[Symbol], decimals: Mapping[Symbol, tuple[int, int]]) -> dict[Symbol, int]:
        for symbol in symbols:
            frames = SymbolFrames(Instrument(symbol, *decimals[symbol]), self._capacity)
            self.streams[symbol] = SymbolStream(frames, silence_ms=self._silence_ms)
        return {symbol: index for index, symbol in enumerate(symbols)}

    async def _play(self) -> None:
        assert self._merged is not None
        clock, streams, venues = self._clock, list(self.streams.values()), self._venues
        slice_s = _SLICE_S * clock.speed
        pace = _Pace(clock, self._speed)
        began = clock.monotonic()
        for number, row in enumerate(self._merged.rows()):
            venue, event_ms = venues[row[0]], row[2]
            wait = pace.wait_s(event_ms)
            if wait > 0:
                self._report(number)
                while wait > 0:
                    await clock.sleep(wait)
                    wait = pace.wait_s(event_ms)
                began = clock.monotonic()
            elif number % _SLICE_CHECK == 0 and clock.monotonic() - began >= slice_s:
                self._report(number)
                await asyncio.sleep(0)
                began = clock.monotonic()
            if event_ms > venue.newest_ms:
                venue.reach(event_ms)
            if row[1] >= 0:
                self._apply(streams[row[1]], row)
            if event_ms - venue.grace_ms >= venue.settled_ms + _SECOND_MS:
                venue.settle()
        self._report(len(self._merged))

    def _apply(self, stream: SymbolStream, row: tuple[int, ...]) -> None:
        _, _, _, trade_id, time_ms, price, quantity, first_id, last_id, maker = row
        if quantity == 0:
            stream.reject(trade_id)
            return
        self.counts.trades += 1
        trade = Trade(trade_id, time_ms, price, quantity, first_id, last_id, bool(maker))
        if trade_id < 0:
            stream.anonymous(trade)
        else:
            stream.trade(trade)
        if stream.doubt is not None:
            leave_out(stream)

    def _report(self, played: int) -> None:
        self.counts.played = self.status.messages = played
        newest = max(venue.newest_ms for venue in self._venues)
        if newest > self.status.exchange_ms:
            self.status.exchange_ms, self.status.exchange_at = newest, self._clock.monotonic()
        self.on_update()


class _Pace:
    """Event time on the clock."""

    def __init__(self, clock: Clock, speed: float | None) -> None:
        self._clock, self._speed = clock, speed
        self._start_s = clock.monotonic()
        self._start_ms = self._newest_ms = 0

    def wait_s(self, event_ms: int) -> float:
        """Seconds of the clock until `event_ms` is due; 0 where it is not worth a sleep."""
        if self._speed is None or event_ms < self._newest_ms:
            return 0.0
        if self._newest_ms == 0:
            self._start_ms = event_ms
        elif event_ms - self._newest_ms > LONGEST_WAIT_MS:
            self._start_ms += event_ms - self._newest_ms
        self._newest_ms = event_ms
        due = self._start_s + (event_ms - self._start_ms) / 1000 / self._speed
        wait = due - self._clock.monotonic()
        return wait if wait > _TICK_S else 0.0


def _without_superseded(tapes: Sequence[Tape]) -> list[Tape]:
    """Where one file has a symbol's aggregate trades, another file's raw trades of it are left out: their ids do not mix."""
    aggregated = {(tape.venue, name) for tape in tapes for name in tape.decimals() if name not in tape.raw_only}
    return [tape.without([name for name in tape.raw_only if (tape.venue, name) in aggregated]) for tape in tapes]


def _common_decimals(tapes: Sequence[Tape]) -> dict[Symbol, tuple[int, int]]:
    found: dict[Symbol, tuple[int, int]] = {}
    for tape in tapes:
        for name, (price, quantity) in tape.decimals().items():
            symbol = Symbol(tape.venue, name)
            known = found.get(symbol, (0, 0))
            found[symbol] = max(known[0], price), max(known[1], quantity)
    return found


def _playable(
    tape: Tape, venue: int, index_of: Mapping[Symbol, int], decimals: Mapping[Symbol, tuple[int, int]]
) -> tuple[Ints, ...]:
    """The columns of `_Merged` for one tape."""
    of_tape = {symbol.name: value for symbol, value in decimals.items() if symbol.venue == tape.venue}
    prices, quantities = tape.scaled(of_tape)
    indices = np.array([index_of.get(Symbol(tape.venue, name), MARK) for name in tape.symbols] + [MARK], dtype=np.int64)
    columns = tape.columns
    plain = (columns[name] for name in ("event_ms", "id", "time_ms"))
    rest = (columns[name] for name in ("first_id", "last_id", "maker"))
    return np.full(len(tape), venue), indices[columns["symbol"]], *plain, prices, quantities, *rest
