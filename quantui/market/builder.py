"""Trades to 1s bars, 1s bars to every longer timeframe.

Only the exchange's own time closes a bar. A second without trades becomes a flat bar (volume 0) where the feed is known to have
been healthy; a second the feed missed, or in which the exchange stood still, has no bar. A bar that was not observed from its
first moment is never published as closed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from quantui.market.bars import COLUMNS, Bar, BarState
from quantui.market.frames import Ints, SymbolFrames
from quantui.market.instruments import Timeframe
from quantui.market.rescaling import Factors
from quantui.market.trades import Trade

SECOND = 1_000
_COUNT, _STATE = COLUMNS.index("trade_count"), COLUMNS.index("state")
_LONGER = tuple(timeframe for timeframe in Timeframe if timeframe is not Timeframe.S1)
_NEVER = 1 << 62


class BarEvent(NamedTuple):
    """A bar was closed, or a closed one was revised."""

    timeframe: Timeframe
    bar: Bar


@dataclass(slots=True)
class _Forming:
    """A bar of a longer timeframe while its seconds come in."""

    open_ms: int
    bar: Bar | None = None
    gap: bool = False

    def merge(self, child: Bar) -> None:
        if child.state is BarState.GAP:
            self.gap = True
        self.bar = replace(child, open_ms=self.open_ms) if self.bar is None else merged(self.bar, child)


def merged(whole: Bar, child: Bar) -> Bar:
    """`whole` extended by the later `child`. A flat child adds no price; a flat `whole` takes the child's open."""
    if child.is_flat:
        return whole
    if whole.is_flat:
        return replace(child, open_ms=whole.open_ms)
    return Bar(
        open_ms=whole.open_ms,
        open=whole.open,
        high=max(whole.high, child.high),
        low=min(whole.low, child.low),
        close=child.close,
        volume=whole.volume + child.volume,
        quote_volume=whole.quote_volume + child.quote_volume,
        taker_volume=whole.taker_volume + child.taker_volume,
        taker_quote=whole.taker_quote + child.taker_quote,
        trade_count=whole.trade_count + child.trade_count,
        first_id=whole.first_id,
        last_id=child.last_id,
        last_aggregate=child.last_aggregate,
        state=BarState.PROVISIONAL,
    )


def rolled_up(rows: Ints, open_ms: int) -> Bar | None:
    """One bar out of the 1s bar rows (n, columns) of its interval; None without any."""
    if not len(rows):
        return None
    table = dict(zip(COLUMNS, rows.T, strict=True))
    traded = np.flatnonzero(table["trade_count"])
    if not len(traded):
        return replace(msgspec.convert(rows[-1].tolist(), Bar), open_ms=open_ms, state=BarState.PROVISIONAL, revision=0)
    first, last = traded[0], traded[-1]
    return Bar(
        open_ms=open_ms,
        open=int(table["open"][first]),
        high=int(table["high"][traded].max()),
        low=int(table["low"][traded].min()),
        close=int(table["close"][last]),
        volume=int(table["volume"].sum()),
        quote_volume=sum(table["quote_volume"].tolist()),
        taker_volume=int(table["taker_volume"].sum()),
        taker_quote=sum(table["taker_quote"].tolist()),
        trade_count=int(table["trade_count"].sum()),
        first_id=int(table["first_id"][first]),
        last_id=int(table["last_id"][last]),
        last_aggregate=int(table["last_aggregate"][last]),
        state=BarState.PROVISIONAL,
    )


@dataclass(slots=True)
class BarBuilder:
    """Builds all bars of one symbol, in order of aggregate id; closed and revised bars go to `frames` and to `events`."""

    frames: SymbolFrames
    covered_from: int = _NEVER
    """Every trade since this time has been seen; only bars that open at or after it are published."""
    events: list[BarEvent] = field(default_factory=list)
    """Bars closed or revised since the caller last cleared this."""
    withdrawn: list[tuple[Timeframe, int]] = field(default_factory=list)
    """Closed bars that turned out not to exist, by open time, since the caller last cleared this."""
    revisions: int = 0
    last_close: int | None = None
    """Price of the latest trade, what a flat bar repeats."""
    last_time: int = 0
    """Time of the latest trade, ms."""
    last_aggregate: int = -1
    closed_until: int = 0
    """Every second before this time is settled: it has its bar, or is known to have none."""
    _end: int = 0
    _forming: dict[Timeframe, _Forming] = field(default_factory=dict)
    _open: int = 0
    _high: int = 0
    _low: int = 0
    _volume: int = 0
    _quote: int = 0
    _taker: int = 0
    _taker_quote: int = 0
    _first_id: int = -1
    _last_id: int = -1
    _count: int = 0
    _gap: bool = False
    _newest_id: int = -1

    @property
    def known_id(self) -> int:
        """Raw id of the newest trade taken; -1 before the first."""
        return self._newest_id

    def add(self, trade: Trade) -> None:
        """Take the next trade. A trade of a second already closed revises that second and everything above it."""
        time = trade.time_ms
        if not self.closed_until <= time < self._end:
            if time < self.closed_until:
                self._revise(trade)
                return
            self._enter(time)
        price, quantity = trade.price, trade.quantity
        if self._count == 0:
            self._open = self._high = self._low = price
            self._first_id = trade.first_id
        elif price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self.last_close = price
        self._volume += quantity
        quote = price * quantity
        self._quote += quote
        if not trade.buyer_is_maker:
            self._taker += quantity
            self._taker_quote += quote
        self._last_id = self._newest_id = trade.last_id
        self._count += trade.last_id - trade.first_id + 1
        self.last_aggregate = trade.id
        self.last_time = time

    def advance(self, until_ms: int) -> None:
        """The feed has delivered everything before `until_ms`: close every second that ends by then, flat where silent."""
        if self._end == 0:
            return
        while self._end <= until_ms:
            self._close_second()

    def cover(self, from_ms: int) -> None:
        """Every trade since `from_ms` is going to be added: say so before the first of them."""
        self.covered_from = from_ms
        self._start_at(from_ms - from_ms % SECOND)

    def leave_out(self, start_ms: int, end_ms: int) -> None:
        """The exchange stood still in [start_ms, end_ms): settled, without bars. Nothing was missed. Bars begin with a trade."""
        if self._end and self._end <= start_ms:
            self.advance(start_ms - start_ms % SECOND)
        self._jump(end_ms - end_ms % SECOND)

    def withdraw(self, start_ms: int, end_ms: int) -> bool:
        """The exchange stood still in [start_ms, end_ms): silent bars made there never were, but for proven ones. False: none."""
        seconds = self.frames[Timeframe.S1]
        rows = seconds.between(start_ms, min(end_ms, self.closed_until))
        gone = rows[(rows[:, _COUNT] == 0) & (rows[:, _STATE] == BarState.PROVISIONAL), 0].tolist()
        for open_ms in gone:
            self._withdraw(Timeframe.S1, open_ms)
        for timeframe, open_ms, bar in self._rolled_again(gone):
            index = self.frames[timeframe].find(open_ms)
            if bar is None and index is not None and self.frames[timeframe].bar(index).state is BarState.PROVISIONAL:
                self._withdraw(timeframe, open_ms)
        return bool(gone)

    def _withdraw(self, timeframe: Timeframe, open_ms: int) -> None:
        self.frames[timeframe].remove(open_ms)
        self.events = [event for event in self.events if (event.timeframe, event.bar.open_ms) != (timeframe, open_ms)]
        self.withdrawn.append((timeframe, open_ms))

    def lose(self, resume_ms: int) -> None:
        """Trades up to `resume_ms` are lost for good: mark what they belonged to and begin anew with the next whole second."""
        if self._end and self._count:
            self._gap = True
            self._close_second()
        self._mark_since(self.last_time - self.last_time % SECOND)
        self._forming.clear()
        start = max(resume_ms - resume_ms % SECOND, self.closed_until)
        self.covered_from = start + SECOND
        self._start_at(start)
        self._gap = True

    def restore(self) -> None:
        """Continue behind the 1s bars that `frames` was loaded with: the forming bars are rolled up from them."""
        ring = self.frames[Timeframe.S1]
        last = ring.last
        if last is None:
            return
        self.last_close, self.last_aggregate = last.close, last.last_aggregate
        traded = np.flatnonzero(ring.rows[:, _COUNT])
        self.last_time = int(ring.times[traded[-1] if len(traded) else 0])
        self._start_at(last.open_ms + SECOND)
        self.covered_from = _contiguous_since(ring.times)
        for timeframe in _LONGER:
            open_ms = timeframe.floor(last.open_ms)
            if open_ms + timeframe.ms > self.closed_until:
                bar = rolled_up(ring.between(open_ms, open_ms + timeframe.ms), open_ms)
                self._forming[timeframe] = _Forming(open_ms, bar)

    def rescale(self, frames: SymbolFrames, factors: Factors) -> None:
        """Go on in `frames`, which hold the same bars in finer decimals."""
        price, quantity = factors
        self.frames = frames
        self.events = [BarEvent(timeframe, factors.bar(bar)) for timeframe, bar in self.events]
        for forming in self._forming.values():
            forming.bar = forming.bar and factors.bar(forming.bar)
        self.last_close = self.last_close and self.last_close * price
        self._open, self._high, self._low = self._open * price, self._high * price, self._low * price
        self._volume, self._taker = self._volume * quantity, self._taker * quantity
        self._quote, self._taker_quote = self._quote * price * quantity, self._taker_quote * price * quantity

    def forming(self, timeframe: Timeframe) -> Bar | None:
        """The bar that is forming now, for previews; None before its first trade."""
        second = self._second_bar(BarState.OPEN) if self._count else None
        if timeframe is Timeframe.S1:
            return second
        forming = self._forming.get(timeframe)
        current = None
        if forming is not None and forming.open_ms + timeframe.ms >= self._end:
            current = forming.bar
        if second is None or current is None:
            return current if second is None else replace(second, open_ms=timeframe.floor(second.open_ms))
        return merged(current, second)

    def _enter(self, time: int) -> None:
        if self._end == 0:  # the very first trade: its second was not seen from the start
            second = time - time % SECOND
            self.covered_from = min(self.covered_from, second + SECOND)
            self._start_at(second)
        self.advance(time - time % SECOND)

    def _start_at(self, second: int) -> None:
        self.closed_until, self._end = second, second + SECOND
        self._clear()

    def _jump(self, second: int) -> None:
        if self._end and second > self.closed_until:
            if self._count:
                self._close_second()
            self._finish_longer(second)
            self._start_at(second)

    def _clear(self) -> None:
        self._volume = self._quote = self._taker = self._taker_quote = self._count = 0
        self._first_id = self._last_id = -1
        self._gap = False

    def _second_bar(self, state: BarState) -> Bar:
        return Bar(
            self.closed_until, self._open, self._high, self._low, self.last_close or 0, self._volume, self._quote,
            self._taker, self._taker_quote, self._count, self._first_id, self._last_id, self.last_aggregate, state,
        )  # fmt: skip

    def _close_second(self) -> None:
        if self.last_close is None:
            self.covered_from = max(self.covered_from, self._end)  # no price yet that a flat bar could repeat
        if self._count == 0 and self.last_close is not None:
            self._open = self._high = self._low = self.last_close
        if self.last_close is not None and (self._count or not self._gap):
            bar = self._second_bar(BarState.GAP if self._gap else BarState.PROVISIONAL)
            if bar.open_ms >= self.covered_from or bar.state is BarState.GAP:
                self._publish(Timeframe.S1, bar)
            for timeframe in _LONGER:
                self._roll(timeframe, bar)
        self._finish_longer(self._end)
        self._start_at(self._end)

    def _roll(self, timeframe: Timeframe, second: Bar) -> None:
        open_ms = timeframe.floor(second.open_ms)
        forming = self._forming.get(timeframe)
        if forming is None or forming.open_ms != open_ms:
            forming = self._forming[timeframe] = _Forming(open_ms)
        forming.merge(second)

    def _finish_longer(self, until: int) -> None:
        for timeframe in _LONGER:
            forming = self._forming.get(timeframe)
            if forming is None or forming.open_ms + timeframe.ms > until:
                continue
            del self._forming[timeframe]
            if forming.bar is not None and not forming.gap and forming.open_ms >= self.covered_from:
                self._publish(timeframe, forming.bar)

    def _publish(self, timeframe: Timeframe, bar: Bar) -> None:
        self.frames[timeframe].put(bar)
        self.events.append(BarEvent(timeframe, bar))

    def _mark_since(self, since_ms: int) -> None:
        """Bars that were closed while trades were missing: whoever closed them believed in a quiet market."""
        for timeframe in Timeframe:
            ring = self.frames[timeframe]
            low = int(np.searchsorted(ring.times, since_ms - timeframe.ms, side="right"))
            for bar in [ring.bar(index) for index in range(low, len(ring))]:
                if bar.state is BarState.PROVISIONAL:
                    self._republish(timeframe, replace(bar, state=BarState.GAP), bar)

    def _revise(self, trade: Trade) -> None:
        """A late trade: it has the highest id of its second, so it extends the second's bar at the end."""
        second = trade.time_ms - trade.time_ms % SECOND
        self.last_aggregate, self.last_time = max(self.last_aggregate, trade.id), max(self.last_time, trade.time_ms)
        if second < self.covered_from and self.frames[Timeframe.S1].find(second) is None:
            if second + SECOND == self.covered_from:  # not published itself, but the flat bars behind it repeat its close
                self._reroll(self._carry(second, trade), second, 0)
            return
        self.revisions += 1
        quote = trade.price * trade.quantity
        taken = 0 if trade.buyer_is_maker else 1
        late = Bar(
            second, trade.price, trade.price, trade.price, trade.price, trade.quantity, quote,
            taken * trade.quantity, taken * quote, trade.count, trade.first_id, trade.last_id, trade.id, BarState.PROVISIONAL,
        )  # fmt: skip
        index = self.frames[Timeframe.S1].find(second)
        if index is None:  # it was left out as silent
            self._publish(Timeframe.S1, replace(late, revision=1))
        else:
            old = self.frames[Timeframe.S1].bar(index)
            state = BarState.GAP if old.state is BarState.GAP else BarState.PROVISIONAL
            self._republish(Timeframe.S1, replace(merged(old, late), state=state), old)
        self._reroll([second, *self._carry(second, trade)], second, trade.count)

    def _carry(self, second_ms: int, trade: Trade) -> list[int]:
        """The flat seconds behind a revised one repeat its new close. Returns their open times.

        Beyond `closed_until` there may be seconds of klines: they are the exchange's, and come again when trades reach them.
        """
        seconds = self.frames[Timeframe.S1]
        carried: list[int] = []
        index, end = np.searchsorted(seconds.times, (second_ms + 1, self.closed_until)).tolist()
        while index < end and (flat := seconds.bar(index)).is_flat:
            price = trade.price
            bar = replace(flat, open=price, high=price, low=price, close=price, last_aggregate=max(flat.last_aggregate, trade.id))
            self._republish(Timeframe.S1, bar, flat)
            carried.append(flat.open_ms)
            index += 1
        if index == end and self._count == 0:
            self.last_close = trade.price
        return carried

    def _reroll(self, changed: list[int], second_ms: int, added: int) -> None:
        """Build the longer bars around the `changed` seconds again; the one at `second_ms` has `added` trades more."""
        for timeframe, open_ms, bar in self._rolled_again(changed):
            if bar is not None and (index := self.frames[timeframe].find(open_ms)) is not None:
                old = self.frames[timeframe].bar(index)
                more = added if open_ms == timeframe.floor(second_ms) else 0
                # A bar taken from the exchange holds more than our seconds: it stays.
                if bar.trade_count == old.trade_count + more and old.state is not BarState.GAP:
                    self._republish(timeframe, bar, old)

    def _rolled_again(self, changed: list[int]) -> Iterator[tuple[Timeframe, int, Bar | None]]:
        """Longer bars around the `changed` seconds, out of what there is now: forming ones are replaced, closed ones are told."""
        seconds = self.frames[Timeframe.S1]
        for timeframe in _LONGER:
            for open_ms in dict.fromkeys(timeframe.floor(second) for second in changed):
                bar = rolled_up(seconds.between(open_ms, min(open_ms + timeframe.ms, self.closed_until)), open_ms)
                forming = self._forming.get(timeframe)
                if forming is not None and forming.open_ms == open_ms:
                    forming.bar = bar
                else:
                    yield timeframe, open_ms, bar

    def _republish(self, timeframe: Timeframe, bar: Bar, old: Bar) -> None:
        self._publish(timeframe, replace(bar, revision=old.revision + 1))


def _contiguous_since(times: Ints) -> int:
    """Open time of the oldest 1s bar of the unbroken run at the end."""
    breaks = np.flatnonzero(np.diff(times) != SECOND)
    return int(times[breaks[-1] + 1 if len(breaks) else 0])
