"""The live feed of one venue: symbols checked, sockets kept, holes filled."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from quantui.clock import Clock
from quantui.feeds.binance.backfill import KLINE_LATE_MS, Backfill
from quantui.feeds.binance.backoff import NO_WAY_S
from quantui.feeds.binance.barrier import Barrier, BlockedError
from quantui.feeds.binance.connection import Connection
from quantui.feeds.binance.health import Health, Socket
from quantui.feeds.binance.line import Line
from quantui.feeds.binance.network import make_session, never_left, reason
from quantui.feeds.binance.rest import Rest, RestError, UnreachableError
from quantui.feeds.binance.venues import Route, Venue, stream_name
from quantui.feeds.feed import FeedStatus
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Symbol
from quantui.market.rescaling import finest
from quantui.market.stream import SymbolStream

STREAMS_PER_SOCKET = 180
_START_WAIT_S = 2.0
_HISTORY_PATIENCE_S = 20.0
"""So long trades wait for klines that the exchange fails to answer; after that they are read when it answers again."""
_UNPROVEN_LOOKS = 6
_TRADING = ("TRADING", "PENDING_TRADING")


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """What the feed is told from outside."""

    rest: str
    """Base address of REST, such as https://fapi.binance.com."""
    market: str
    """Base address of the socket for trades and klines, with its route."""
    public: str
    """Base address of the socket for quotes; equal to `market` on spot."""
    history_bars: int = 500
    seconds_back: int = 300
    book: bool = True


@dataclass(slots=True)
class BinanceFeed:
    """Implements `feeds.feed.Feed` for one venue."""

    venue: Venue
    wanted: Sequence[Symbol]
    options: FeedOptions
    clock: Clock
    barrier: Barrier
    on_update: Callable[[], None]
    make_frames: Callable[[Instrument], SymbolFrames] = SymbolFrames
    restored: Iterable[SymbolFrames] = ()
    """Frames loaded from the store: their symbols continue where they ended."""
    rng: random.Random = field(default_factory=random.Random)
    streams: dict[Symbol, SymbolStream] = field(default_factory=dict)
    status: FeedStatus = field(default_factory=FeedStatus)
    backfill: Backfill | None = None
    _sockets: list[Socket] = field(default_factory=list)
    _health: Health = field(init=False)
    _starting: set[Symbol] = field(default_factory=set)
    _busy: set[Symbol] = field(default_factory=set)
    _asking: set[Symbol] = field(default_factory=set)
    _catching_up: set[Symbol] = field(default_factory=set)
    _focus: tuple[Symbol, ...] = ()
    _tasks: asyncio.TaskGroup | None = None

    def __post_init__(self) -> None:
        self._health = Health(self.venue.name, self.options.rest, self.clock, self.barrier, self.status)

    @property
    def connections(self) -> list[Connection]:
        """The sockets, that of quotes last where it is one of its own."""
        return [socket.connection for socket in self._sockets]

    async def run(self) -> None:
        """Deliver until cancelled."""
        for frames in self.restored:
            stream = self._make_stream(frames)
            stream.restore()
        async with make_session(self.options.rest) as session, asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            rest = Rest(session, self.venue, self.options.rest, self.clock, self.barrier)
            tasks.create_task(self._watch(rest))
            self.backfill = Backfill(
                rest, self.venue, self.clock, self.exchange_now_ms, self.options.history_bars, self.options.seconds_back,
                self._widen, self.rng,
            )  # fmt: skip
            await self._prepare(rest)
            self._connect(tasks)

    def exchange_now_ms(self) -> int:
        """The exchange's clock: its newest event time, carried forward by the monotonic clock between frames."""
        status = self.status
        if status.exchange_ms:
            return status.exchange_ms + int((self.clock.monotonic() - status.exchange_at) * 1000)
        return self.clock.now_ms() - int(status.skew_ms or 0)

    def focus(self, symbols: Sequence[Symbol]) -> None:
        """Show quotes of these symbols only: quotes are most of the traffic."""
        new = tuple(symbol for symbol in symbols if symbol in self.streams)
        if new == self._focus or not self.options.book:
            return
        connection = self._quote_connection()
        if connection is None:
            return
        connection.unsubscribe([stream_name(s.name, "bookTicker") for s in self._focus if s not in new])
        connection.subscribe([stream_name(s.name, "bookTicker") for s in new if s not in self._focus])
        for symbol in self._focus:
            if symbol not in new:
                self.status.quotes.pop(symbol, None)
        self._focus = new

    async def _prepare(self, rest: Rest) -> None:
        """Symbols, decimals and the clock: repeated until the exchange answers."""
        health, attempt = self._health, 0
        while True:
            longest = min(15.0, 0.5 * 2 ** min(attempt + 1, 10))
            try:
                await self._set_clock(rest)
                info = await rest.exchange_info()
                if info.symbols:
                    break
                health.unreachable = f"{self.options.rest} lists no symbols at all; trying again"
            except BlockedError as error:
                health.unreachable = error.detail
            except (UnreachableError, RestError) as error:
                cause = error.__cause__ or error
                longest = NO_WAY_S if never_left(cause) else longest
                why = reason(cause) if isinstance(error, UnreachableError) else str(error)
                health.unreachable = f"cannot reach {self.options.rest} ({why})"
            self._look()
            attempt += 1
            await self.clock.sleep(0.2 + self.rng.random() * longest)
        health.unreachable, health.prepared = "", True
        self._adopt(info.instruments(self.venue.name), info.statuses())

    async def _set_clock(self, rest: Rest) -> None:
        """The difference of the clocks is worth knowing, but nothing depends on it: not every exchange tells its time."""
        try:
            served, local = await rest.server_time()
        except RestError as error:
            if not error.is_final:
                raise
        else:
            self.status.skew_ms = float(local - served)

    def _adopt(self, instruments: Mapping[str, Instrument], statuses: Mapping[str, str]) -> None:
        for symbol in dict.fromkeys(self.wanted):
            instrument = instruments.get(symbol.name)
            if instrument is None or symbol.venue != self.venue.name:
                near = get_close_matches(symbol.name, instruments, n=1)
                hint = f"; did you mean {near[0]}?" if near and near[0] != symbol.name else ""
                self.status.notes[symbol] = f"unknown symbol {symbol.name} on {self.venue.name}{hint}"
                continue
            if statuses.get(symbol.name, "TRADING") not in _TRADING:
                self._health.halted(symbol, statuses[symbol.name])
            known = self.streams.get(symbol)
            if known is None:
                self._make_stream(self.make_frames(instrument)).wait()
                self._starting.add(symbol)
                continue
            known.rescale(finest(known.frames.instrument, instrument))
            if known.sequencer.next_id is None:  # klines were stored, but no trade to read on from
                known.wait()
                self._starting.add(symbol)

    def _make_stream(self, frames: SymbolFrames) -> SymbolStream:
        stream = SymbolStream(frames, ids_certify=not self.venue.perpetual)
        stream.questioned = {}
        self.streams[frames.instrument.symbol] = stream
        return stream

    def _connect(self, tasks: asyncio.TaskGroup) -> None:
        live = [symbol for symbol in dict.fromkeys(self.wanted) if symbol in self.streams]
        kinds = self.venue.kinds()
        size = max(1, STREAMS_PER_SOCKET // len(kinds))
        for first in range(0, len(live), size):
            symbols = live[first : first + size]
            names = [stream_name(symbol.name, kind) for symbol in symbols for kind in kinds]
            self._add_connection(self.options.market, symbols, names)
        if self.venue.perpetual and self.options.book and live:
            self._add_connection(self.options.public, live, [])
        for connection in self.connections:
            tasks.create_task(connection.run())
        for symbol in live:
            tasks.create_task(self._begin(symbol))

    def _add_connection(self, url: str, symbols: Sequence[Symbol], names: Sequence[str]) -> None:
        streams = {symbol.name: self.streams[symbol] for symbol in symbols}
        is_market = bool(names)
        line = Line(streams, self.status, self.clock, self.venue.grace_ms, self._health.complain, self._widen)

        def idle() -> None:
            if is_market:
                line.settle()
                if not connection.is_overlapping:
                    self._mend(streams.values())
            self.on_update()

        async def connected() -> None:
            line.begin()
            if is_market:
                self._interrupted(streams.values())

        connection = Connection(
            url=url.rstrip("/"), clock=self.clock, barrier=self.barrier, on_frames=line.take, on_idle=idle, on_connect=connected,
            is_complete=lambda: all(stream.is_complete for stream in streams.values()), rng=self.rng, names=dict.fromkeys(names),
        )  # fmt: skip
        line.on_shutdown = connection.announced
        self._sockets.append(Socket(connection, line, is_market))

    def _quote_connection(self) -> Connection | None:
        if not self._sockets:
            return None
        return self._sockets[-1 if self.venue.route("bookTicker") is Route.PUBLIC else 0].connection

    async def _begin(self, symbol: Symbol) -> None:
        """First the klines, so that statistics are there at once; then the trades behind the first live one."""
        stream, backfill = self.streams[symbol], self.backfill
        assert backfill is not None
        has_history = await backfill.history(stream, _HISTORY_PATIENCE_S)
        self.on_update()
        if symbol in self._starting:
            waited = 0.0
            while stream.hole is None and waited < _START_WAIT_S:
                await self.clock.sleep(0.05)
                waited += 0.05
            await backfill.start(stream)
            self._starting.discard(symbol)
            self.on_update()
            await backfill.certify(stream)
        if not has_history:
            await backfill.history(stream)
            self.on_update()

    def _interrupted(self, streams: Iterable[SymbolStream]) -> None:
        """Trades may have been missed: they must be asked for where no later trade tells of them by itself."""
        for stream in streams:
            symbol = stream.frames.instrument.symbol
            if symbol not in self._starting and stream.sequencer.next_id is not None:
                stream.interrupt()
                if symbol not in self._catching_up:
                    self._catching_up.add(symbol)
                    self._spawn(self._catch_up(stream))

    async def _catch_up(self, stream: SymbolStream) -> None:
        try:
            await self.clock.sleep(_START_WAIT_S)
            if self.backfill is not None:
                await self.backfill.catch_up(stream)
        finally:
            self._catching_up.discard(stream.frames.instrument.symbol)
        self.on_update()

    def _mend(self, streams: Iterable[SymbolStream]) -> None:
        for stream in streams:
            symbol = stream.frames.instrument.symbol
            if not stream.is_complete and symbol not in self._starting and symbol not in self._busy:
                self._busy.add(symbol)
                self._spawn(self._complete(stream))
            if stream.questioned and symbol not in self._asking:
                self._asking.add(symbol)
                self._spawn(self._ask(stream))

    async def _complete(self, stream: SymbolStream) -> None:
        symbol = stream.frames.instrument.symbol
        try:
            if self.backfill is not None:
                had_hole = stream.hole is not None
                lost = stream.tally.holes_lost
                await self.backfill.complete(stream)
                if had_hole and stream.tally.holes_lost == lost:
                    stream.tally.holes_filled += 1
                    self._spawn(self.backfill.certify(stream))
        finally:
            self._busy.discard(symbol)
        self.on_update()

    async def _ask(self, stream: SymbolStream) -> None:
        """A closed bar is not the exchange's: does it have trades that we lack?"""
        try:
            if self.backfill is not None and await self.backfill.ask(stream):
                stream.conclude()
        finally:
            self._asking.discard(stream.frames.instrument.symbol)
        self.on_update()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._tasks is not None
        try:
            self._tasks.create_task(work)
        except RuntimeError:  # the feed is ending: nothing more is begun
            work.close()

    def _widen(self, stream: SymbolStream, finer: Instrument) -> bool:
        """Count a symbol in the decimals its numbers really have; False where what is kept would not fit."""
        told = stream.frames.instrument
        if not stream.rescale(finest(told, finer)):
            return False
        self._health.widened(told, stream.frames.instrument)
        return True

    async def _watch(self, rest: Rest) -> None:
        """Twice a second: silent streams, and the word on how the feed is; every few seconds bars without a kline."""
        looks = 0
        while True:
            await self.clock.sleep(0.5)
            self._look()
            status = self.status
            status.weight_used, status.weight_limit = rest.weight_used, rest.weight_limit
            status.sockets = sum(connection.state.connected for connection in self.connections)
            self.on_update()
            looks += 1
            if looks % _UNPROVEN_LOOKS == 0:
                self._look_for_unproven()

    def _look_for_unproven(self) -> None:
        backfill, certifying = self.backfill, self.venue.certifying[0]
        if backfill is None:
            return
        for symbol, stream in self.streams.items():
            if symbol in self._asking or symbol in self._starting:
                continue
            if stream.unproven_silence(self.exchange_now_ms() - KLINE_LATE_MS, certifying):
                self._asking.add(symbol)
                self._spawn(self._ask_about(stream, backfill.look_for_halt))
            elif backfill.unproven(stream):
                self._asking.add(symbol)
                self._spawn(self._ask_about(stream, backfill.certify))

    async def _ask_about(self, stream: SymbolStream, ask: Callable[[SymbolStream], Awaitable[None]]) -> None:
        try:
            await ask(stream)
        finally:
            self._asking.discard(stream.frames.instrument.symbol)
        self.on_update()

    def _look(self) -> None:
        problem = self.backfill.problem if self.backfill else ""
        dead = self._health.look(self._sockets, filling=bool(self._busy or self._starting), problem=problem)
        self._interrupted(dead)
        for symbol, stream in self.streams.items():
            self._health.standing_still(symbol, stream)
