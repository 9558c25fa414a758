"""One symbol from trades to proven bars: sequencer, builder and certification in one place.

Pure: it never reads a clock or a socket. The live feed, the replay and the tests drive it the same way, so they get the same bars.
It names what it lacks (`hole`: trades by id; `doubt`: a silence nobody has vouched for) and holds everything behind that
until the caller brings it or gives it up.
"""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from quantui.market.bars import COLUMNS, Bar, BarState
from quantui.market.builder import BarBuilder, BarEvent, rolled_up
from quantui.market.certify import differences, quote_slack
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Timeframe
from quantui.market.rescaling import Factors
from quantui.market.sequence import PENDING_LIMIT, Sequencer
from quantui.market.trades import Trade

SILENCE_MS = 5_000
"""A longer silence of the whole connection may be a halt or an outage: it must be vouched for before flat bars fill it."""

_STATE, _COUNT = COLUMNS.index("state"), COLUMNS.index("trade_count")
_LOOK_BACK_MS = 600_000  # for silent bars without a kline
RENUMBERED_MS = 60_000
"""A trade that is so much newer than our newest cannot have an older id, unless the ids began anew."""
WAITING_LIMIT = 4_096
"""Closing klines kept until our own bar is closed."""


@dataclass(slots=True)
class Tally:
    """What happened to the records of one symbol."""

    trades: int = 0
    """Aggregate trades applied."""
    rejected: int = 0
    """Records refused: placeholders, bad numbers, missing fields."""
    holes_filled: int = 0
    trades_filled: int = 0
    """Aggregate trades that came by REST into a hole."""
    holes_lost: int = 0
    trades_lost: int = 0
    certified: int = 0
    """Closed bars found equal to the exchange's closing kline."""
    mismatched: int = 0
    adopted: int = 0
    """Bars taken from the exchange's kline, since ours was not whole."""


@dataclass(slots=True)
class SymbolStream:
    """The state of one symbol."""

    frames: SymbolFrames
    ids_certify: bool = True
    """Trade count and ids take part in certification (spot); on futures placeholders use up ids."""
    silence_ms: int = SILENCE_MS
    sequencer: Sequencer = field(default_factory=Sequencer)
    builder: BarBuilder = field(init=False)
    tally: Tally = field(default_factory=Tally)
    doubt: tuple[int, int] | None = None
    """[from, to) in ms: no trades, and nobody says whether the market was quiet or closed."""
    proven_until: int = 0
    """The feed was seen alive up to here, ms."""
    halted_from: int | None = None
    """Since when the market stands still: the exchange has no klines from here on. No bar is closed until it goes on."""
    suspended: bool = False
    """The connection was interrupted: nothing is closed until the ids tell that nothing was missed."""
    interruptions: int = 0
    """How often; an answer that was asked for before the latest one says nothing about it."""
    mismatches: list[tuple[Timeframe, Bar, Bar, tuple[str, ...]]] = field(default_factory=list)
    """(timeframe, ours, exchange's, fields) since the caller last cleared this."""
    questioned: dict[tuple[Timeframe, int], Bar] | None = None
    """Klines that our closed bars differ from, until the exchange has been asked for trades we may lack (`conclude`).

    None where nobody can ask: then a difference is a mismatch at once.
    """
    kept: list[Trade] | None = None
    """Every trade applied since the caller last cleared this, where raw ticks are wanted."""
    _lost: bool = False
    """A hole was given up: the next trade begins anew behind it."""
    _held: list[Trade] = field(default_factory=list)
    _klines: dict[tuple[Timeframe, int], Bar] = field(default_factory=dict)
    _disputed: deque[tuple[Timeframe, int]] = field(default_factory=lambda: deque(maxlen=1000))

    def __post_init__(self) -> None:
        self.builder = BarBuilder(self.frames)

    @property
    def is_complete(self) -> bool:
        """Nothing is missing and nothing is in doubt."""
        return self.doubt is None and self.sequencer.hole is None

    @property
    def hole(self) -> tuple[int, int] | None:
        """First missing id and the id after the last missing one."""
        return self.sequencer.hole

    @property
    def cursor(self) -> int:
        """Highest aggregate id inside closed bars: a restart reads on behind it."""
        last = self.frames[Timeframe.S1].last
        return last.last_aggregate if last else -1

    def wait(self) -> None:
        """Hold every live trade until `begin` or `begin_live`: what came before it is being read, and nothing is closed."""
        self.suspended = True
        self.sequencer.start_at(0)

    def begin(self, first_id: int, from_ms: int) -> None:
        """Every trade from `first_id` on, the first at or after `from_ms`, is going to be given to `fill`."""
        self.suspended = False
        self.sequencer.start_at(first_id)
        self.builder.cover(from_ms)
        for timeframe in (Timeframe.S1, Timeframe.M1):  # the price before the first trade, where a kline told it
            ring = self.frames[timeframe]
            index = ring.find(from_ms - timeframe.ms)
            if index is not None:
                self.builder.last_close = ring.bar(index).close
                return

    def begin_live(self) -> None:
        """Nothing can be read of what came before: begin with the first live trade."""
        hole = self.sequencer.hole
        self.suspended = False
        self.sequencer.next_id = hole[1] if hole else None
        self._drain()

    def resume(self, last_ms: int | None = None) -> None:
        """Go on after `wait` or an interruption: `frames` was restored, or the exchange has no newer trade than ours."""
        self.suspended = False
        if last_ms is not None:
            self.proven_until = max(self.proven_until, last_ms)
        self._drain()

    def interrupt(self) -> None:
        """The connection was interrupted: nothing is closed until the ids, or the exchange, tell that nothing was missed."""
        self.suspended = True
        self.interruptions += 1

    def restore(self) -> None:
        """Continue behind the bars that `frames` was loaded with."""
        self.builder.restore()
        if self.builder.last_aggregate >= 0:
            self.sequencer.start_at(self.builder.last_aggregate + 1)
        self.proven_until = self.builder.closed_until
        self.suspended = True

    def rescale(self, finer: Instrument) -> bool:
        """Count everything in the decimals of `finer`, none of them fewer; False, and nothing done, where 64 bits are too few."""
        if finer == self.frames.instrument:
            return True
        factors = Factors.between(self.frames.instrument, finer)
        if not factors.fit(self.frames):
            return False
        self.frames = self.frames.rescaled(finer)
        self.builder.rescale(self.frames, factors)
        self.sequencer.rescale(factors)
        self._held = [factors.trade(trade) for trade in self._held]
        self._klines = {key: factors.bar(kline) for key, kline in self._klines.items()}
        if self.questioned is not None:
            self.questioned = {key: factors.bar(kline) for key, kline in self.questioned.items()}
        self.mismatches = [(each, factors.bar(ours), factors.bar(theirs), names) for each, ours, theirs, names in self.mismatches]
        if self.kept is not None:
            self.kept = [factors.trade(trade) for trade in self.kept]
        return True

    def trade(self, trade: Trade) -> None:
        """A live trade, in any order, any number of times."""
        if self.sequencer.admit(trade):
            self.suspended = False
            self._apply(trade)
            if self.sequencer.is_waiting:
                self._drain()  # it may have been the one that was missing
        elif (
            trade.id < (self.sequencer.next_id or 0)
            and 0 < self.builder.last_time < trade.time_ms - RENUMBERED_MS
            and self.doubt is None  # else newer trades are held and not counted in `last_time` yet
        ):
            self._begin_anew(trade)

    def reject(self, trade_id: int) -> None:
        """A record that must not enter a bar but has used up its id."""
        self.tally.rejected += 1
        self.sequencer.skip_rejected(trade_id)
        self._drain()

    def _begin_anew(self, trade: Trade) -> None:
        """An id of the past with a time of now is no duplicate: the exchange counts anew, or one wild id had led us astray."""
        self.sequencer.duplicates -= 1
        self.sequencer.restart_at(trade.id)
        self.tally.holes_lost += 1
        self.tally.trades_lost += 1  # how many is not to be known
        self._lost = True
        self.trade(trade)

    def anonymous(self, trade: Trade) -> None:
        """A trade of a source without ids: taken as it comes."""
        self._apply(trade)

    def fill(self, trades: Iterable[Trade]) -> None:
        """Trades read from REST into the hole; live trades behind it follow by themselves once it is closed."""
        for trade in trades:
            if self.sequencer.admit(trade):
                self.tally.trades_filled += 1
                self._apply(trade)
        self._drain()

    def give_up(self) -> tuple[int, int] | None:
        """The hole cannot be filled: mark what is around it and go on behind it. Returns the lost ids."""
        if (hole := self.sequencer.skip_hole()) is None:
            return None
        self.tally.holes_lost += 1
        self.tally.trades_lost += hole[1] - hole[0]
        self.doubt = None
        self._held.clear()
        self._lost = True
        self._drain()
        return hole

    def resolve(self, traded: Collection[int], step_ms: int) -> None:
        """Settle the doubt: the exchange has klines for the intervals of `step_ms` that open at `traded`, for no others.

        An interval with a kline was a quiet market (flat bars); one without was a halt (no bars).
        """
        if self.doubt is None:
            return
        start, end = self.doubt
        self.doubt = None
        interval = start - start % step_ms
        while interval < end:
            inside_end = min(interval + step_ms, end)
            if interval in traded:
                self.builder.advance(inside_end)
            else:
                self.builder.leave_out(max(start, interval), inside_end)
            interval += step_ms
        self.proven_until = max(self.proven_until, end)
        held, self._held = self._held, []
        for trade in held:
            self._apply(trade)

    def advance(self, until_ms: int) -> None:
        """The connection has delivered everything before `until_ms`."""
        if self.suspended or self._lost or until_ms <= self.proven_until or not self.is_complete or self.halted_from is not None:
            return
        known = max(self.proven_until, self.builder.last_time)
        if known and until_ms - known > self.silence_ms:
            self.doubt = (known, until_ms)
            return
        self.proven_until = until_ms
        self.builder.advance(until_ms)
        if self._klines:
            self._certify_waiting()

    def kline(self, timeframe: Timeframe, kline: Bar) -> None:
        """A closing kline of the exchange: certifies our bar, or stands in where ours cannot be whole."""
        ring = self.frames[timeframe]
        if self.halted_from is not None and kline.open_ms >= self.halted_from:
            self.halted_from = None
        if kline.open_ms >= self.builder.covered_from:
            if kline.open_ms + timeframe.ms > self.builder.closed_until:
                self._klines[timeframe, kline.open_ms] = kline  # ours is not closed yet
                if len(self._klines) > WAITING_LIMIT:
                    self._klines.pop(next(iter(self._klines)))
                return
            if (index := ring.find(kline.open_ms)) is not None:
                self._compare(timeframe, ring.bar(index), kline)
                return
        self._adopt(timeframe, kline)

    def unproven_silence(self, until_ms: int, timeframe: Timeframe) -> tuple[int, int] | None:
        """[from, to) of the newest silent bars that end by `until_ms` and have no kline yet; None where all have."""
        if self.suspended or not self.is_complete or self.builder.closed_until <= self.builder.covered_from:
            return None
        rows = self.frames[timeframe].between(max(until_ms - _LOOK_BACK_MS, self.builder.covered_from), until_ms - timeframe.ms + 1)
        silent = rows[(rows[:, _COUNT] == 0) & (rows[:, _STATE] == BarState.PROVISIONAL), 0]
        return (int(silent[0]), int(silent[-1]) + timeframe.ms) if len(silent) else None

    def stood_still(self, asked: range, known: Collection[int], timeframe: Timeframe) -> None:
        """The exchange has klines of those intervals `asked` for that open at `known`: our silent bars of the others never were."""
        dark = [at for at in asked if at not in known and self.builder.withdraw(at, at + timeframe.ms)]
        if not dark or any(at > dark[-1] for at in known) or self.builder.last_time >= dark[0]:
            return
        later = self.frames[timeframe].between(dark[-1], self.builder.closed_until)
        if not (later[:, _STATE] == BarState.CERTIFIED).any():  # no kline has come meanwhile
            self.builder.withdraw(dark[-1], self.builder.closed_until)  # and stands still now
            self.halted_from = dark[0]
            self.proven_until = min(self.proven_until, dark[0])

    def look_again(self) -> bool:
        """Compare the questioned klines once more, with what has come since; True where no question is left."""
        asked, self.questioned = self.questioned or {}, {}
        for (timeframe, _), kline in asked.items():
            self.kline(timeframe, kline)
        return not self.questioned

    def conclude(self) -> None:
        """The exchange has no trade that we lack: what still differs is a mismatch."""
        asked, self.questioned = self.questioned or {}, None
        for (timeframe, _), kline in asked.items():
            self.kline(timeframe, kline)
        self.questioned = {}

    def _adopt(self, timeframe: Timeframe, kline: Bar) -> None:
        if (index := self.frames[timeframe].find(kline.open_ms)) is not None:
            old = self.frames[timeframe].bar(index)
            if old.state is BarState.CERTIFIED:
                return
            kline = replace(kline, last_aggregate=old.last_aggregate, revision=old.revision)
        self.tally.adopted += 1
        self._publish(timeframe, replace(kline, state=BarState.CERTIFIED))

    def _compare(self, timeframe: Timeframe, bar: Bar, kline: Bar) -> None:
        if bar.state is BarState.CERTIFIED or (timeframe, bar.open_ms) in self._disputed:
            return
        fields = differences(bar, kline, ids_count=self.ids_certify, quote_slack=quote_slack(self.frames.instrument))
        if fields and self.questioned is not None and len(self.questioned) < WAITING_LIMIT:
            self.questioned[timeframe, bar.open_ms] = kline
            return
        if fields:
            self.tally.mismatched += 1
            self._disputed.append((timeframe, bar.open_ms))
            self.mismatches.append((timeframe, bar, kline, fields))
            return
        self.tally.certified += 1
        self._publish(timeframe, replace(bar, state=BarState.CERTIFIED))

    def _publish(self, timeframe: Timeframe, bar: Bar) -> None:
        self.frames[timeframe].put(bar)
        self.builder.events.append(BarEvent(timeframe, bar))
        if timeframe is Timeframe.M1:
            self._complete_longer(bar.open_ms)

    def _complete_longer(self, minute_ms: int) -> None:
        """A proven minute may prove, or complete, the longer bars that hold it."""
        minutes = self.frames[Timeframe.M1]
        for timeframe in (Timeframe.M5, Timeframe.M15, Timeframe.H1):
            open_ms = timeframe.floor(minute_ms)
            rows = minutes.between(open_ms, open_ms + timeframe.ms)
            if len(rows) * Timeframe.M1.ms != timeframe.ms or not (rows[:, _STATE] == BarState.CERTIFIED).all():
                continue
            bar = rolled_up(rows, open_ms)
            index = self.frames[timeframe].find(open_ms)
            old = None if index is None else self.frames[timeframe].bar(index)
            if bar is not None and (old is None or old.state is not BarState.CERTIFIED):
                bar = replace(bar, state=BarState.CERTIFIED, revision=old.revision if old else 0)
                self.frames[timeframe].put(bar)
                self.builder.events.append(BarEvent(timeframe, bar))

    def _certify_waiting(self) -> None:
        closed = self.builder.closed_until
        for timeframe, open_ms in [key for key in self._klines if key[1] + key[0].ms <= closed]:
            self.kline(timeframe, self._klines.pop((timeframe, open_ms)))

    def _apply(self, trade: Trade) -> None:
        if self.doubt is not None:
            self._held.append(trade)
            if len(self._held) > PENDING_LIMIT:
                self._abandon_doubt()
            return
        builder = self.builder
        if self._lost:
            self._lost = False
            builder.lose(trade.time_ms)
            self.proven_until = max(trade.time_ms, builder.closed_until)
        if self.halted_from is not None:  # it goes on: since when, its klines tell
            self.doubt, self.halted_from = (max(self.halted_from, builder.last_time), trade.time_ms), None
            self._held.append(trade)
            return
        if trade.time_ms - builder.last_time > self.silence_ms:
            known = max(self.proven_until, builder.last_time)
            if trade.time_ms - known > self.silence_ms and known:
                self.doubt = (known, trade.time_ms)
                self._held.append(trade)
                return
        self.tally.trades += 1
        builder.add(trade)
        if self.kept is not None:
            self.kept.append(trade)

    def _abandon_doubt(self) -> None:
        """Nobody could vouch for the silence in time: what lies around it is marked as a gap."""
        self.doubt = None
        held, self._held = self._held, []
        self.builder.lose(held[0].time_ms)
        self.proven_until = held[0].time_ms
        for trade in held:
            self._apply(trade)

    def _drain(self) -> None:
        for trade in self.sequencer.release():
            self._apply(trade)
        if self.is_complete:
            self.suspended = False
            self._certify_waiting()
