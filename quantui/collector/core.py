"""The collector: feeds in, statistics and alerts out, everything kept. Wires what the packages below it do."""

import asyncio
import os
from collections import ChainMap
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from msgspec import structs

from quantui.analytics.estimators import Estimator
from quantui.clock import Clock
from quantui.collector.alarm import Alarm
from quantui.collector.alert_pages import AlertsPage
from quantui.collector.alert_study import alerts_page
from quantui.collector.audience import Audience
from quantui.collector.desk import Desk, Reading
from quantui.collector.drawing import Drawing
from quantui.collector.freshness import Freshness
from quantui.collector.health import health_page, stream_health
from quantui.collector.pages import HealthPage, Page
from quantui.collector.past import Past
from quantui.collector.screening import Screening
from quantui.collector.session import Kept, SessionChange, changed, restored
from quantui.collector.snapshot import Session, Snapshot
from quantui.collector.studies import Studies
from quantui.collector.trouble import FeedWatch, GapWatch
from quantui.collector.view import Lens
from quantui.collector.watching import added, named
from quantui.feeds.binance.survey import Survey
from quantui.feeds.feed import Feed
from quantui.market.instruments import Pair, Symbol, Timeframe
from quantui.market.stream import SymbolStream
from quantui.store.records import AnalyticsRow, StoreError
from quantui.store.ticks import tick_table
from quantui.store.writer import Store

_SESSION_KEY = "session"
_TROUBLE_KEY = "trouble"
_ADDED_KEY = "added pairs"
_SURVEY_S = 20.0
"""So long the scan waits for the bars of hundreds of symbols that come over REST."""
_TURN = 20
"""Symbols taken in before the event loop gets its turn."""


@dataclass(slots=True)
class Collector:
    """Owns the feeds, the desk, the alarm and the store of one data directory."""

    mode: str
    clock: Clock
    store: Store
    feeds: Sequence[Feed]
    pairs: Sequence[Pair]
    desk: Desk
    alarm: Alarm
    session: Session
    export_csv: Callable[[str, Path], None]
    """Writes one kind of record to a new CSV file; called in a thread."""
    symbols: Collection[Symbol] = ()
    """What the feeds were asked for: legs of pairs to watch."""
    keep_ticks: bool = False
    stays: bool = False
    """A recording that is over is still looked at: its keys work until the collector is cancelled."""
    on_stop: Callable[[], None] = lambda: None
    started_ms: int = 0
    lens: Lens = field(init=False)
    drawing: Drawing = field(init=False)
    before: Past = field(init=False)
    freshness: Freshness = field(init=False)
    screening: Screening = field(init=False)
    surveys: Sequence[Survey] = ()
    """Read what is scanned beside the watched symbols."""
    studies: Studies = field(init=False)
    audience: Audience = field(init=False)
    _own: Sequence[Pair] = field(init=False)
    """The pairs of the configuration; the others of `pairs` were added by a key."""
    _configured: Session = field(init=False)
    _stop: float = field(init=False)
    _gaps: GapWatch = field(default_factory=GapWatch)
    _watch: FeedWatch = field(init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.audience = Audience(self._real_s)
        self.lens = Lens(self.desk, self.feeds)
        self.drawing = Drawing(self.desk)
        self.before = Past(self.desk)
        self.started_ms = self.clock.now_ms()
        self.freshness = Freshness(self.feeds, self.lens.stream, self.store, self.clock, self.mode == "replay")
        self.screening = Screening(self.desk.frames, self.desk.turn, self._screened)
        self.studies = Studies(
            self.desk,
            self.lens,
            lambda: self.screening.page,
            lambda: (self.session, self.pairs[self.session.pair]),
            lambda: self.pairs,
            self.alarm.rows,
            {"health": self._health_page, "alerting": self._alerts_page},
        )
        self._own = self.pairs
        self._list((*self._own, *added(self.store.get_state(_ADDED_KEY, list[str]), self._own, self.symbols)))
        self._watch = FeedWatch(self.store.get_state(_TROUBLE_KEY, dict[int, int]) or {})
        self._configured, self._stop = self.session, self.desk.settings.stop
        kept = self.store.get_state(_SESSION_KEY, Kept)
        self._use(restored(kept, self._configured, self.pairs))

    def survey(self, surveys: Sequence[Survey]) -> None:
        """Scan what these read too."""
        self.surveys = surveys
        self.screening.frames = ChainMap(self.desk.frames, *(survey.frames for survey in surveys))
        self.screening.patience_s = _SURVEY_S
        self.screening.trouble = lambda: next((survey.problem for survey in surveys if survey.problem), "")

    def wake(self) -> None:
        """A feed has something new."""
        self._wake.set()

    async def run(self) -> None:
        """Collect until cancelled; a recording returns when it is over and everything is written."""
        self._refocus()
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(part()) for part in (self._work, self.screening.run, self.drawing.run, self.studies.run)]
            announcing = [tasks.create_task(channel.run()) for channel in self.alarm.channels]
            surveying = [tasks.create_task(survey.run()) for survey in self.surveys]
            running = [tasks.create_task(feed.run()) for feed in self.feeds]
            await asyncio.gather(*running)
            if self.stays:
                await asyncio.Event().wait()
            for task in (*working, *announcing, *surveying):
                task.cancel()
        await self.settle()

    async def settle(self) -> None:
        """Take in what the feeds have closed, publish what follows from it."""
        self.freshness.look()
        await self._drain()
        self._warn()
        async for readings in self.desk.settle():
            for reading in readings:
                self._keep(reading)
            shown = [reading for reading in readings if reading.timeframe == self.session.timeframe]
            self.alarm.judge(shown, self.freshness.allows, self._fired_ms)
            for reading in shown:
                self.lens.row(reading.pair, reading.timeframe)  # made now, a few at a time, not all in the next snapshot
        if self.desk.is_settled:
            self.freshness.judged()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.settle()
            self._refocus()
            self.screening.wake()

    async def _drain(self) -> None:
        """Take in what is closed, a few symbols at a time: many bars close at one moment, and the sockets wait meanwhile."""
        streams = [(symbol, stream) for feed in self.feeds for symbol, stream in feed.streams.items()]
        for number, (symbol, stream) in enumerate(streams, 1):
            if self.desk.frames.get(symbol) is not stream.frames:
                self.desk.frames[symbol] = stream.frames
                for timeframe in Timeframe:
                    self.desk.mark(symbol, timeframe)
            self._drain_stream(stream)
            if number % _TURN == 0:
                await asyncio.sleep(0)

    def _drain_stream(self, stream: SymbolStream) -> None:
        instrument = stream.frames.instrument
        for timeframe, open_ms in stream.builder.withdrawn:  # before the events: a kline may have brought the bar back
            self.store.withdraw_bars(instrument.symbol, timeframe, (open_ms,))
            self.desk.mark(instrument.symbol, timeframe)
        stream.builder.withdrawn.clear()
        events = stream.builder.events
        if events:
            stream.builder.events = []
            self.store.put_bars(instrument, events)
            for timeframe in {event.timeframe for event in events}:
                self.desk.mark(instrument.symbol, timeframe)
        if self.keep_ticks and stream.kept is None:
            stream.kept = []
        if stream.kept:
            self.store.put_ticks(instrument, tick_table(stream.kept))
            stream.kept.clear()
        for timeframe, ours, theirs, fields in stream.mismatches:
            self.alarm.mismatch(instrument.symbol, timeframe, ours, theirs, fields)
        stream.mismatches.clear()
        warning = self._gaps.look(instrument.symbol, stream, self._exchange_ms())
        if warning is not None:
            self.alarm.warn(warning)

    def _warn(self) -> None:
        """Speak of feeds that have been in trouble for long."""
        warning = self._watch.look([feed.status for feed in self.feeds], self._real_s(), self.clock.now_ms())
        if warning is not None:
            self.alarm.warn(warning)
            self.store.put_state(_TROUBLE_KEY, self._watch.told)

    def _keep(self, reading: Reading) -> None:
        s = reading.statistics
        adf, eg = s.adf, s.engle_granger
        self.store.put_analytics(
            reading.pair,
            reading.timeframe,
            reading.bar_ms,
            AnalyticsRow(
                price_y=reading.price_y,
                price_x=reading.price_x,
                alpha=s.alpha,
                beta=s.beta,
                r_squared=s.r_squared,
                beta_se=s.beta_se,
                spread=s.spread,
                zscore=s.zscore,
                correlation=s.correlation,
                adf_stat=adf.stat if adf else None,
                adf_p=adf.p_value if adf else None,
                eg_stat=eg.stat if eg else None,
                eg_p=eg.p_value if eg else None,
                half_life=s.half_life,
                signal=reading.signal.value,
                quality="gap" if reading.gaps else "provisional" if reading.provisional else "certified",
            ),
        )

    def _fired_ms(self, reading: Reading) -> int:
        """Exchange time of an alert; in a replay that of the bar, however fast it plays."""
        return reading.bar_ms + reading.timeframe.ms if self.mode == "replay" else self._exchange_ms()

    def _real_s(self) -> float:
        return self.clock.monotonic() / self.clock.speed

    def _exchange_ms(self) -> int:
        return max((feed.status.exchange_ms for feed in self.feeds), default=0) or self.clock.now_ms()

    # What the server asks for.

    def snapshot(self, points: int) -> Snapshot:
        """The present state."""
        session = self.session
        pair, timeframe = self.pairs[session.pair], Timeframe(session.timeframe)
        reading = self.desk.readings.get((pair, timeframe))
        volatility = (reading.statistics.volatility_y, reading.statistics.volatility_x) if reading else (None, None)
        feed = self.lens.feed(pair, self.clock.monotonic())
        if self.store.status and not feed.detail:
            feed = structs.replace(feed, detail=self.store.status)
        return Snapshot(
            version=0,
            mode=self.mode,
            time_ms=self.clock.now_ms() - int(feed.skew_ms or 0),
            feed=feed,
            session=session,
            y=self.lens.leg(pair.y, timeframe, session.window, volatility[0]),
            x=self.lens.leg(pair.x, timeframe, session.window, volatility[1]),
            stats=self.lens.stats(pair, timeframe),
            series=self.drawing.series(pair, timeframe, points),
            pairs=self.lens.rows(self.pairs, timeframe),
            alerts=self.alarm.rows(),
            pid=os.getpid(),
            started_ms=self.started_ms,
        )

    async def past(self, bar_ms: int, points: int) -> Snapshot:
        """The state when a bar before had closed. Raises `ValueError` with one line."""
        return await self.before.snapshot(bar_ms, points, self.session, tuple(self.pairs), self.snapshot(points))

    def newest_alert(self) -> int:
        """Id of the newest alert; 0 where there is none."""
        return self.alarm.newest

    def health(self) -> dict[str, Any]:
        """What `status --json` prints."""
        feed = self.lens.feed(self.pairs[self.session.pair], self.clock.monotonic())
        notes = {str(symbol): note for f in self.feeds for symbol, note in f.status.notes.items()}
        return {
            "pid": os.getpid(),
            "mode": self.mode,
            "started_ms": self.started_ms,
            "healthy": feed.link in ("live", "filling", "replay", "ended") and not self.store.status and not notes,
            "feed": structs.asdict(feed),
            "streams": {str(symbol): stream_health(stream) for f in self.feeds for symbol, stream in f.streams.items()},
            "notes": notes,
            "pairs": [pair.label for pair in self.pairs],
            "session": structs.asdict(self.session),
            "store": {"path": str(self.store.path), "status": self.store.status, "unwritten": self.store.unwritten},
        }

    def _health_page(self) -> HealthPage:
        monotonic, up_s = self.clock.monotonic(), (self.clock.now_ms() - self.started_ms) // 1000
        feed = self.lens.feed(self.pairs[self.session.pair], monotonic)
        return health_page(self.feeds, feed, monotonic, up_s, self.store.status, self.store.unwritten)

    def _alerts_page(self) -> AlertsPage:
        timeframe = Timeframe(self.session.timeframe)
        return alerts_page(self.alarm, self.desk, self.lens, self.pairs, timeframe, self.freshness.is_whole)

    def change(self, change: SessionChange) -> None:
        """Apply what a key asked for, recompute, remember it."""
        self._use(changed(self.session, change, self.pairs))
        pair = self.pairs[self.session.pair].label
        self.store.put_state(_SESSION_KEY, Kept(self.session, self._configured, pair))
        self._refocus()
        self.wake()

    def page(self, name: str) -> Page:
        """The document of a screen beside the monitor. Raises `KeyError` where there is none of this name."""
        return self.studies.page(name)

    def watch(self, pair: str, *, drop: bool) -> None:
        """Put a pair on the watch list and in focus, or drop one that a key has put there. Raises `ValueError` with one line."""
        wanted, focus = named(pair, self.symbols), self.pairs[self.session.pair]
        if drop and wanted in self._own:
            raise ValueError(f"{wanted.label} is in the configuration: remove it there")
        if drop and wanted not in self.pairs:
            raise ValueError(f"{wanted.label} is not watched")
        if drop:
            self._list(tuple(each for each in self.pairs if each != wanted))
            focus = focus if focus != wanted else self.pairs[min(self.session.pair, len(self.pairs) - 1)]
        else:
            self._list(self.pairs if wanted in self.pairs else (*self.pairs, wanted))
            focus = wanted
        self.session = structs.replace(self.session, pair=self.pairs.index(focus))
        self.store.put_state(_ADDED_KEY, [each.label for each in self.pairs if each not in self._own])
        self.change(SessionChange())
        for timeframe in Timeframe:
            self.desk.mark(wanted.y, timeframe)

    def _list(self, pairs: Sequence[Pair]) -> None:
        self.pairs = self.desk.pairs = pairs

    def _screened(self) -> tuple[Timeframe, int, set[tuple[str, str]]]:
        """What the scan goes by: timeframe and window of the session, and which pairs are watched already."""
        return Timeframe(self.session.timeframe), self.session.window, {(pair.y.name, pair.x.name) for pair in self.pairs}

    def _use(self, session: Session) -> None:
        self.session = session
        settings = replace(
            self.desk.settings,
            window=session.window,
            z_window=session.z_window,
            entry=session.entry,
            exit=session.exit,
            estimator=Estimator(session.estimator),
            stop=self._stop if self._stop > session.entry else session.entry + 1,
        )
        if settings != self.desk.settings:
            self.desk.change(settings)
        self.alarm.use_entry(session.entry)

    def _refocus(self) -> None:
        pair = self.pairs[self.session.pair]
        for feed in self.feeds:
            feed.focus((pair.y, pair.x))

    async def export(self, kind: str, target: Path) -> None:
        """Write `kind` as CSV. Raises `ValueError` with one line."""
        try:
            await self.store.flush()
            await asyncio.to_thread(self.export_csv, kind, target)
        except StoreError as error:
            raise ValueError(str(error)) from error

    def leave(self, screen: int, *, stop: bool) -> None:
        """A screen goes; another that still looks keeps the collector."""
        self.audience.leave(screen, stop=stop)

    def stop(self) -> None:
        """End the collector."""
        self.on_stop()

    def seen(self, screen: int) -> None:
        """A screen is looking."""
        self.audience.seen(screen)
