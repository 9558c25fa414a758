"""What the socket did not bring, read from REST: history at start, holes by id, silences by klines (binance.md A6.3)."""

import contextlib
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from quantui.clock import Clock
from quantui.feeds.binance import codec
from quantui.feeds.binance.barrier import BlockedError
from quantui.feeds.binance.rest import OUT_OF_REACH, PAGE, Rest, RestError, UnreachableError
from quantui.feeds.binance.turns import Turns, Urgency
from quantui.feeds.binance.venues import Venue
from quantui.market.bars import Bar
from quantui.market.certify import first_unproven
from quantui.market.instruments import Instrument, Symbol, Timeframe
from quantui.market.stream import SymbolStream
from quantui.market.trades import Trade

T = TypeVar("T")
HOLE_LIMIT = 300_000
"""A hole of more trades is not read back one by one: longer bars come from klines, its seconds stay a gap."""
_START_PAGES = 10
_LAG_LIMIT_S = 30.0
_CLOSED_SLACK_MS = 2_000
"""The exchange's database lags: a kline counts as closed only this long after its end."""
_QUESTION_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Before each reading: the exchange's database lags, and the trade in question may still come by itself."""
KLINE_LATE_MS = 10_000
"""A closing kline comes within two seconds, and the database follows within five: what has none by now has none at all."""
_PARALLEL = 4
_PATIENCE_S = 20.0
"""A symbol that waits to begin waits so long for an exchange that fails to answer; then it begins with what is live."""
_UNREADABLE = 5
"""Answers that make no sense, one after the other, before the request is given up."""


@dataclass(slots=True)
class Backfill:
    """Reads what one venue's streams lack."""

    rest: Rest
    venue: Venue
    clock: Clock
    now_ms: Callable[[], int]
    """Exchange time."""
    history_bars: int
    seconds_back: int
    """Seconds of trades to read at a first start, so that 1s statistics are there at once."""
    widen: Callable[[SymbolStream, Instrument], bool]
    """Asked where a number has more decimals than the stream counts; False where it cannot have them."""
    rng: random.Random = field(default_factory=random.Random)
    problem: str = ""
    """Why the last request failed; empty while all is well."""
    _asked: dict[tuple[Symbol, Timeframe], int] = field(default_factory=dict)
    """Until where klines of unproven bars were asked for: what they do not prove stays as it is."""
    _failing: dict[str, float] = field(default_factory=dict)
    """By kind of request: monotonic time since which none was answered."""
    _turns: Turns = field(default_factory=lambda: Turns(_PARALLEL))

    async def start(self, stream: SymbolStream) -> None:
        """First start of a symbol: recent trades, joined to the live ones that wait in the stream, which do not wait for ever."""
        async with self._turns.turn(Urgency.HISTORY):
            try:
                await self._start(stream)
            except (RestError, UnreachableError):
                if stream.sequencer.next_id == 0:  # what was begun stays: the rest of it is a hole like any other
                    stream.begin_live()

    async def history(self, stream: SymbolStream, patience_s: float = math.inf) -> bool:
        """The newest closed klines of every timeframe; False where the exchange has not answered for `patience_s`."""
        async with self._turns.turn(Urgency.HISTORY):
            return await self._history(stream, patience_s)

    async def certify(self, stream: SymbolStream) -> None:
        """Ask once for the klines of closed bars that have none: their closing klines had gone by, or were lost."""
        for timeframe, start_ms, until_ms in self.unproven(stream):
            count = min((until_ms - start_ms) // timeframe.ms, PAGE)
            async with self._turns.turn(Urgency.HISTORY):
                with contextlib.suppress(RestError):  # said in `problem`
                    await self._patiently("klines", partial(self._klines, stream, timeframe, count, start_ms))
            self._asked[stream.frames.instrument.symbol, timeframe] = start_ms + count * timeframe.ms

    def unproven(self, stream: SymbolStream) -> list[tuple[Timeframe, int, int]]:
        """[from, to) by timeframe of closed bars in whole minutes that no kline has proven and that were not asked for yet."""
        if not stream.is_complete or stream.suspended:
            return []
        found = []
        until = Timeframe.M1.floor(min(stream.builder.closed_until, self.now_ms() - KLINE_LATE_MS))
        for timeframe in self.venue.certifying:
            asked = self._asked.get((stream.frames.instrument.symbol, timeframe), 0)
            start = first_unproven(stream.frames[timeframe], timeframe, max(asked, until - PAGE * timeframe.ms), until)
            if start is not None:
                found.append((timeframe, start, until))
        return found

    async def complete(self, stream: SymbolStream) -> None:
        """Fill the stream's hole and settle its doubt, until it has neither."""
        async with self._turns.turn(Urgency.TRADES, stream.builder.last_time):
            while not stream.is_complete:
                try:
                    await (self._fill(stream) if stream.hole else self._vouch(stream))
                except RestError:
                    await self._abandon(stream)

    async def catch_up(self, stream: SymbolStream) -> None:
        """After an interruption: has a symbol that stays silent traded in the meantime? Ends when the stream goes on."""
        while stream.suspended and stream.sequencer.next_id is not None:
            if stream.is_complete:
                async with self._turns.turn(Urgency.QUESTION):
                    await self._catch_up(stream, stream.sequencer.next_id)
            else:
                await self.clock.sleep(0.5)  # being completed

    async def look_for_halt(self, stream: SymbolStream) -> None:
        """Silent bars whose klines did not come: does the exchange have them? Where it has none, the market stood still."""
        found = stream.unproven_silence(self.now_ms() - KLINE_LATE_MS, self.venue.certifying[0])
        if found is None:
            return
        start, end = found
        step = self.venue.certifying[0]
        count = min((end - start) // step.ms + 1, PAGE)
        async with self._turns.turn(Urgency.QUESTION):
            try:
                bars = await self._patiently("klines", partial(self._bars, stream, step, count, start, end - 1), _PATIENCE_S)
            except (RestError, UnreachableError):  # said in `problem`
                return
        for bar in bars:
            if bar.open_ms + step.ms <= end:
                stream.kline(step, bar)
        stream.stood_still(range(start, min(end, start + count * step.ms), step.ms), {bar.open_ms for bar in bars}, step)

    async def ask(self, stream: SymbolStream) -> bool:
        """Read the trades behind our newest until no closed bar is in question; False where that is not known yet."""
        answered = True
        for pause in _QUESTION_PAUSES_S:
            await self.clock.sleep(pause)
            next_id = stream.sequencer.next_id
            if stream.look_again() or next_id is None:
                return True
            async with self._turns.turn(Urgency.QUESTION):
                try:
                    rows = await self._patiently("aggTrades", partial(self._page, stream, next_id, PAGE), _PATIENCE_S)
                except (RestError, UnreachableError) as error:  # said in `problem`
                    answered = isinstance(error, RestError) and error.is_final
                    continue
            answered = True
            if rows and rows[0].id == next_id == stream.sequencer.next_id:
                self._give(stream, rows)
        return stream.look_again() or (answered and stream.is_complete)  # what is in a hole is being read by others

    async def _catch_up(self, stream: SymbolStream, next_id: int) -> None:
        asked = stream.interruptions
        try:
            rows = await self._patiently("aggTrades", partial(self._page, stream, next_id, PAGE))
        except RestError:
            rows = None
        if stream.interruptions != asked or not stream.is_complete or stream.sequencer.next_id != next_id:
            return  # the answer says nothing about how it stands now
        if rows and rows[0].id == next_id:
            self._give(stream, rows)
        else:
            stream.resume()

    async def _start(self, stream: SymbolStream) -> None:
        symbol = stream.frames.instrument.symbol.name
        wanted = Timeframe.M1.floor(self.now_ms() - self.seconds_back * 1000)
        rows = await self._patiently("aggTrades", partial(self.rest.agg_trades, symbol, start_ms=wanted), _PATIENCE_S)
        from_ms = wanted
        newest = stream.hole[1] if stream.hole else None
        if rows and newest is not None and newest - rows[0].id > _START_PAGES * PAGE:
            first = newest - _START_PAGES * PAGE
            rows = await self._patiently("aggTrades", partial(self.rest.agg_trades, symbol, from_id=first), _PATIENCE_S)
            from_ms = Timeframe.S1.floor(rows[0].time_ms) + Timeframe.S1.ms if rows else from_ms
        if not rows:
            stream.begin_live()
            return
        stream.begin(rows[0].id, from_ms)
        while rows:
            following = rows[-1].id + 1
            self._give(stream, rows)
            if len(rows) < PAGE or stream.sequencer.next_id != following:
                return  # all there is, or what does not follow: the rest is a hole like any other
            rows = await self._patiently("aggTrades", partial(self.rest.agg_trades, symbol, from_id=following), _PATIENCE_S)

    async def _fill(self, stream: SymbolStream) -> None:
        waited, pause = 0.0, 0.25
        while (hole := stream.hole) is not None:
            first, end = hole
            if end - first > HOLE_LIMIT:
                await self._abandon(stream)
                return
            rows = await self._patiently("aggTrades", partial(self._page, stream, first, min(PAGE, end - first)))
            if rows and rows[0].id == first:
                self._give(stream, rows)
                waited, pause = 0.0, 0.25
                continue
            if rows is None or waited > _LAG_LIMIT_S:
                await self._abandon(stream)
                return
            await self.clock.sleep(pause)  # the exchange's database is behind its own stream
            waited, pause = waited + pause, min(2 * pause, 4.0)

    async def _page(self, stream: SymbolStream, first: int, limit: int) -> list[codec.AggTradeRow] | None:
        """Rows from id `first` on; None where the exchange does not keep them any more."""
        try:
            return await self.rest.agg_trades(stream.frames.instrument.symbol.name, from_id=first, limit=limit)
        except RestError as error:
            if error.code == OUT_OF_REACH:
                return None
            raise

    async def _abandon(self, stream: SymbolStream) -> None:
        """Nothing more is to be had: seconds stay a gap, longer bars come from klines, silences count as quiet."""
        if stream.doubt is not None:
            start, end = stream.doubt
            step = Timeframe.M1
            stream.resolve(range(step.floor(start), end, step.ms), step.ms)
        stream.give_up()
        await self._history(stream)

    async def _history(self, stream: SymbolStream, patience_s: float = math.inf) -> bool:
        for timeframe in self.venue.klines:
            try:
                await self._patiently("klines", partial(self._klines, stream, timeframe, self.history_bars), patience_s)
            except RestError as error:
                if not error.is_final:
                    return False
                # said in `problem`; the next timeframe may be had
            except UnreachableError:
                return False
        return True

    async def _vouch(self, stream: SymbolStream) -> None:
        """Klines tell a quiet market from a halt."""
        pause = 0.5
        while (doubt := stream.doubt) is not None:
            start, end = doubt
            step = Timeframe.S1 if Timeframe.S1 in self.venue.klines and end - start < 900_000 else Timeframe.M1
            last = step.floor(end - 1)
            start = max(step.floor(start), last - (PAGE - 1) * step.ms)
            count = (last - start) // step.ms + 1
            bars = await self._patiently("klines", partial(self._bars, stream, step, count, start, end - 1))
            if stream.doubt != doubt:
                continue  # settled in the meantime; this answer is about another silence
            newest = bars[-1].open_ms if bars else 0
            if newest >= last or pause > 4.0:
                young = max(newest + step.ms, step.floor(self.now_ms() - KLINE_LATE_MS))  # these may still get their klines
                unknown = range(young, last + 1, step.ms) if bars else range(0)
                stream.resolve({bar.open_ms for bar in bars} | set(unknown), step.ms)
                return
            await self.clock.sleep(pause)
            pause *= 2

    async def _klines(self, stream: SymbolStream, timeframe: Timeframe, limit: int, start_ms: int | None = None) -> None:
        bars = await self._bars(stream, timeframe, limit, start_ms)
        until = self.now_ms() - _CLOSED_SLACK_MS
        for bar in bars:
            if bar.open_ms + timeframe.ms <= until:
                stream.kline(timeframe, bar)

    async def _bars(
        self, stream: SymbolStream, timeframe: Timeframe, limit: int, start_ms: int | None = None, end_ms: int | None = None
    ) -> list[Bar]:
        """Klines in the decimals the stream has when they arrive: they may be widened meanwhile, and by the klines themselves."""
        while True:
            instrument = stream.frames.instrument
            try:
                bars = await self.rest.klines(instrument, timeframe, limit=limit, start_ms=start_ms, end_ms=end_ms)
            except codec.TooFineError as error:
                if not self.widen(stream, error.instrument):
                    raise RestError(200, 0, f"klines: {error}") from error
            else:
                if stream.frames.instrument == instrument:
                    return bars

    def _give(self, stream: SymbolStream, rows: list[codec.AggTradeRow]) -> None:
        trades: list[Trade] = []
        for row in rows:
            try:
                trades.append(self._trade(stream, row, trades))
            except codec.RefusedError as error:
                stream.fill(trades)
                trades.clear()
                stream.reject(row.id if error.trade_id is None else error.trade_id)
        stream.fill(trades)

    def _trade(self, stream: SymbolStream, row: codec.AggTradeRow, before: list[Trade]) -> Trade:
        """The row in the stream's decimals, which it may widen; then the trades `before` it are given first, in the old ones."""
        try:
            return codec.trade_of_row(row, stream.frames.instrument)
        except codec.TooFineError as error:
            stream.fill(before)
            before.clear()
            if not self.widen(stream, error.instrument):
                raise
            return codec.trade_of_row(row, stream.frames.instrument)

    async def _patiently(self, kind: str, request: Callable[[], Awaitable[T]], patience_s: float = math.inf) -> T:
        """Try until the exchange answers.

        Args:
            kind: What is asked for; where it has failed for `patience_s`, whoever asked first, the next failure is raised.
            request: Sends it.
            patience_s: Seconds.

        Raises:
            RestError: It is refused for good, makes no sense again and again, or patience is at its end.
            UnreachableError: Patience is at its end.
        """
        attempt = unreadable = 0
        while True:
            try:
                answer = await request()
            except BlockedError as error:
                self.problem = error.detail
                await self.clock.sleep(min(max(error.until_ms - self.clock.now_ms(), 1_000) / 1000, 60.0))
            except (UnreachableError, RestError) as error:
                self.problem = f"{kind}: {error}"
                if isinstance(error, RestError):
                    unreadable += error.status == 200
                    if error.is_final or unreadable >= _UNREADABLE:
                        raise
                now = self.clock.monotonic()
                if now - self._failing.setdefault(kind, now) >= patience_s:
                    raise
                attempt += 1
                await self.clock.sleep(self.rng.random() * min(30.0, 0.5 * 2 ** min(attempt, 10)))
            else:
                self.problem = ""
                self._failing.pop(kind, None)
                return answer
