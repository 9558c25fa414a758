"""The collector's state as the snapshot a screen pulls."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from msgspec import structs

from quantui.analytics.estimators import Estimator
from quantui.analytics.false_alarms import false_alarms, white_alarms
from quantui.analytics.gates import Gate
from quantui.analytics.pair import PairStatistics, preview
from quantui.analytics.spread import zscore_bound
from quantui.analytics.stationarity import UnitRoot
from quantui.collector import snapshot as view
from quantui.collector.desk import Desk, DeskSettings, Reading
from quantui.feeds.feed import Feed, FeedStatus
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import BarRing
from quantui.market.instruments import Pair, Symbol, Timeframe
from quantui.market.stream import SymbolStream
from quantui.text import safe

_STATE = COLUMNS.index("state")
_CERTIFIED_BARS = 240


class _Listed(NamedTuple):
    """A row of the watch list, and what it was made from."""

    reading: Reading | None
    need: int
    row: view.PairRow


class _Proof(NamedTuple):
    """What is proven of a ring, and at which of its changes that was counted."""

    ring: BarRing
    changes: int
    total: int
    proven: int


@dataclass(slots=True)
class Lens:
    """Builds the parts of a snapshot; keeps what is costly until a bar closes."""

    desk: Desk
    feeds: Sequence[Feed]
    _proofs: dict[Symbol, _Proof] = field(default_factory=dict)
    _listed: dict[Pair, _Listed] = field(default_factory=dict)

    def stream(self, symbol: Symbol) -> SymbolStream | None:
        """The stream of a symbol, whichever feed has it."""
        return next((feed.streams[symbol] for feed in self.feeds if symbol in feed.streams), None)

    def status(self, symbol: Symbol) -> FeedStatus | None:
        """The status of the feed that has, or was asked for, the symbol."""
        for feed in self.feeds:
            if symbol in feed.streams or symbol in feed.status.notes:
                return feed.status
        return self.feeds[0].status if self.feeds else None

    def feed(self, pair: Pair, monotonic: float) -> view.FeedView:
        """The status line: the worst link of all feeds, the ages of the pair in focus."""
        statuses = [feed.status for feed in self.feeds]
        worst = max(statuses, key=lambda status: _severity(status.link))
        streams = [stream for feed in self.feeds for stream in feed.streams.values()]
        focus = self.status(pair.y) or worst
        tallies = [stream.tally for stream in streams]
        return view.FeedView(
            link=view.Link(worst.link),
            detail=safe(worst.detail),
            venue=pair.y.venue,
            age_s=self._age(pair, focus, monotonic),
            lag_ms=_rounded(focus.lag_ms, 0),
            skew_ms=_rounded(focus.skew_ms, 0),
            gaps_open=sum(not stream.is_complete for stream in streams),
            gaps_filled=sum(tally.holes_filled for tally in tallies),
            gaps_lost=sum(tally.holes_lost for tally in tallies),
            certified=self._certified(streams),
            mismatched=sum(tally.mismatched for tally in tallies),
            rejected=sum(tally.rejected for tally in tallies) + sum(status.rejected for status in statuses),
            duplicates=sum(stream.sequencer.duplicates for stream in streams),
            revisions=sum(stream.builder.revisions for stream in streams),
            reconnects=sum(status.reconnects for status in statuses),
            messages=sum(status.messages for status in statuses),
        )

    def leg(self, symbol: Symbol, timeframe: Timeframe, window: int, volatility: float | None) -> view.LegView:
        """Price, change over the window, cost of crossing and funding of one leg."""
        stream, status = self.stream(symbol), self.status(symbol)
        name = safe(symbol.name)
        if stream is None or status is None:
            return view.LegView(symbol=name)
        unit = 10**stream.frames.instrument.price_decimals
        last = stream.builder.last_close
        rows = stream.frames[timeframe].rows[-window:]
        price = last / unit if last is not None else (float(rows[-1, 4]) / unit if len(rows) else None)
        first = float(rows[0, 4]) / unit if len(rows) else None
        quote = status.quotes.get(symbol)
        return view.LegView(
            symbol=name,
            price=price,
            change=price / first - 1 if price and first else None,
            decimals=stream.frames.instrument.price_decimals,
            volatility=volatility,
            spread_bps=20_000 * (quote.ask - quote.bid) / (quote.ask + quote.bid) if quote else None,
            funding=status.funding.get(symbol),
        )

    def stats(self, pair: Pair, timeframe: Timeframe) -> view.StatsView:
        """Statistics of the pair in focus, with the preview on the forming bar."""
        reading = self.desk.readings.get((pair, timeframe))
        need = self.desk.settings.window
        if reading is None:
            return view.StatsView(n=0, need=need)
        s = reading.statistics
        ahead = self._preview(pair, s)
        return view.StatsView(
            n=s.n,
            need=need,
            bar_ms=reading.bar_ms,
            alpha=s.alpha,
            beta=s.beta,
            beta_se=s.beta_se,
            r_squared=s.r_squared,
            spread=s.spread,
            spread_std=s.spread_std,
            zscore=s.zscore,
            correlation=s.correlation,
            adf=_test(s.adf),
            engle_granger=_test(s.engle_granger),
            half_life=s.half_life,
            half_life_low=s.half_life_low,
            half_life_high=s.half_life_high,
            signal=reading.signal.value,
            false_alarms=chance_alarms(self.desk.settings, self.desk.settings.entry, timeframe.ms),
            z_bound=round(zscore_bound(self.desk.settings.z_window), 2),
            preview_zscore=_rounded(ahead[0], 2),
            preview_spread=ahead[1],
            gates=tuple(_gate(gate) for gate in reading.gates),
            missing=dict(s.missing),
            certified=reading.certified,
            provisional=reading.provisional,
        )

    def rows(self, pairs: Sequence[Pair], timeframe: Timeframe) -> tuple[view.PairRow, ...]:
        """The watch list."""
        notes, rows = self._notes(), [self.row(pair, timeframe) for pair in pairs]
        if notes:
            told = [notes.get(pair.y) or notes.get(pair.x) for pair in pairs]
            rows = [structs.replace(row, note=note) if note else row for row, note in zip(rows, told, strict=True)]
        return tuple(rows)

    def row(self, pair: Pair, timeframe: Timeframe) -> view.PairRow:
        """A pair's row of the watch list, but for what is wrong with its feed; made once for each reading."""
        reading, need = self.desk.readings.get((pair, timeframe)), self.desk.settings.window
        listed = self._listed.get(pair)
        if listed is None or listed.reading is not reading or listed.need != need:
            listed = self._listed[pair] = _Listed(reading, need, _pair_row(pair, reading, need))
        return listed.row

    def _notes(self) -> dict[Symbol, str]:
        """What is wrong with a symbol, where something is."""
        notes: dict[Symbol, str] = {}
        for feed in self.feeds:
            for symbol, stream in feed.streams.items():
                if stream.hole is not None and stream.sequencer.next_id:
                    notes[symbol] = f"filling {symbol.name}"
            notes.update((symbol, safe(note)) for symbol, note in feed.status.notes.items())
        return notes

    def _certified(self, streams: Sequence[SymbolStream]) -> float | None:
        """Share of the newest minute bars that equal the exchange's own; counted anew where bars have changed."""
        total = proven = 0
        for stream in streams:
            ring, symbol = stream.frames[Timeframe.M1], stream.frames.instrument.symbol
            known = self._proofs.get(symbol)
            if known is None or known.ring is not ring or known.changes != ring.changes:
                known = self._proofs[symbol] = _Proof(ring, ring.changes, *_proof(ring))
            total, proven = total + known.total, proven + known.proven
        return round(proven / total, 4) if total else None

    def _age(self, pair: Pair, status: FeedStatus, monotonic: float) -> float | None:
        """Seconds since the older of the legs' last trades, by exchange time."""
        times = [stream.builder.last_time for symbol in (pair.y, pair.x) if (stream := self.stream(symbol)) is not None]
        now = carried_ms(status, monotonic)
        if not times or not min(times) or not now:
            return None
        age = max(0.0, (now - min(times)) / 1000)
        return round(age, 1) if age < 1 else float(round(age))

    def _preview(self, pair: Pair, statistics: PairStatistics) -> tuple[float | None, float | None]:
        prices = []
        for symbol in (pair.y, pair.x):
            stream = self.stream(symbol)
            if stream is None or stream.builder.last_close is None:
                return None, None
            prices.append(stream.builder.last_close / 10**stream.frames.instrument.price_decimals)
        found = preview(statistics, *prices)
        return (found.zscore, found.spread) if found else (None, None)


@lru_cache(maxsize=64)
def chance_alarms(settings: DeskSettings, threshold: float, bar_ms: int) -> float:
    """Alerts a day at |z| of `threshold` that two unrelated walks would give, to two digits; before gates."""
    if settings.estimator is Estimator.KALMAN:
        expected = white_alarms(threshold, bar_ms)
    else:
        expected = false_alarms(settings.window, settings.z_window, threshold, bar_ms)
    return float(f"{expected.per_day:.2g}")


def _proof(ring: BarRing) -> tuple[int, int]:
    """How many of the newest bars count, and how many of these are proven; the very newest has no kline yet."""
    states = ring.rows[-_CERTIFIED_BARS:, _STATE]
    if len(states) and states[-1] == BarState.PROVISIONAL:
        states = states[:-1]
    return len(states), int(np.count_nonzero(states == BarState.CERTIFIED))


def _pair_row(pair: Pair, reading: Reading | None, need: int) -> view.PairRow:
    if reading is None:
        return view.PairRow(label=safe(pair.label), need=need, note="waiting for data")
    s = reading.statistics
    return view.PairRow(
        label=safe(pair.label),
        zscore=_rounded(s.zscore, 2),
        signal=reading.signal.value,
        eg_p=s.engle_granger.p_value if s.engle_granger else None,
        cointegrated=next((gate.ok for gate in reading.gates if gate.name == "cointegration"), None),
        n=s.n,
        need=need,
        note="warming up" if s.n < need else "gap" if reading.gaps else "",
    )


def carried_ms(status: FeedStatus, monotonic: float) -> int:
    """Exchange time now: the newest event's, carried forward unless a recording is played; 0 before the first."""
    if not status.exchange_ms or status.link in ("replay", "ended"):
        return status.exchange_ms
    return status.exchange_ms + int((monotonic - status.exchange_at) * 1000)


def _severity(link: str) -> int:
    order = ("ended", "replay", "live", "filling", "connecting", "stale", "reconnecting", "offline", "blocked")
    return order.index(link)


def _test(found: UnitRoot | None) -> view.TestView | None:
    return view.TestView(stat=found.stat, p_value=found.p_value, lags=found.lags) if found else None


def _gate(gate: Gate) -> view.GateView:
    return view.GateView(
        name=gate.name,
        ok=gate.ok,
        value=gate.value,
        limit=gate.limit,
        enabled=gate.enabled,
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)
