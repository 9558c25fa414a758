"""Settings to a collector: which symbols, which feeds, what was stored."""

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec import structs

from quantui.alerts.channels.desktop import DesktopChannel
from quantui.analytics.estimators import Estimator
from quantui.analytics.gates import GateSetting, GateSettings
from quantui.analytics.spread import Space
from quantui.clock import Clock
from quantui.collector.alarm import Alarm
from quantui.collector.core import Collector
from quantui.collector.desk import Desk, DeskSettings
from quantui.collector.session import check
from quantui.collector.snapshot import Session
from quantui.config import ConfigError, Settings
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.feed import BinanceFeed, FeedOptions
from quantui.feeds.binance.survey import Survey
from quantui.feeds.binance.venues import VENUES
from quantui.feeds.feed import Feed
from quantui.market.frames import DEFAULT_CAPACITY, SymbolFrames
from quantui.market.instruments import Pair, Symbol, Timeframe
from quantui.store.export import export_file
from quantui.store.records import BAN, DAY_MS, Retention
from quantui.store.writer import Store

_MARGIN_S = 60
_TRADES_S = 600
_SPOT_KLINES, _FUTURES_KLINES = 1_000, 1_500
"""Most klines in one answer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is watched."""

    pairs: tuple[Pair, ...]
    symbols: tuple[Symbol, ...]

    @classmethod
    def of(cls, settings: Settings) -> "Plan":
        """The pairs and every symbol of the configuration, each once. Raises `ConfigError`."""
        venue = settings.market.venue
        try:
            pairs = tuple(dict.fromkeys(Pair.parse(names.text, venue) for names in settings.pairs))
        except ValueError as error:
            raise ConfigError(f"[[pairs]] {error}") from None
        extra = [Symbol.parse(name, venue) for name in settings.market.symbols]
        legs = [symbol for pair in pairs for symbol in (pair.y, pair.x)]
        return cls(pairs, tuple(dict.fromkeys([*legs, *extra])))


def plan_for(symbols: Iterable[Symbol], configured: Plan) -> Plan:
    """What a recording can show: the configured pairs it holds, by name in each of its venues; else every pair of its symbols.

    Raises:
        ValueError: No two of its symbols belong to one venue.
    """
    have = sorted(symbols)
    venues = tuple(dict.fromkeys(symbol.venue for symbol in have))
    alike = dict.fromkeys(pair for named in configured.pairs for pair in _in_venues(named, venues))
    pairs = [pair for pair in alike if pair.y in have and pair.x in have]
    if not pairs:
        pairs = [Pair(y, x) for y, x in itertools.combinations(reversed(have), 2) if y.venue == x.venue]
    if not pairs:
        raise ValueError(f"a pair needs two symbols of one venue; the recording holds {', '.join(map(str, have)) or 'none'}")
    return Plan(tuple(pairs), tuple(have))


def _in_venues(pair: Pair, venues: Sequence[str]) -> list[Pair]:
    """The pair in each venue, whichever it was configured for; one across venues as it is."""
    if pair.y.venue != pair.x.venue:
        return [pair]
    return [Pair(Symbol(venue, pair.y.name), Symbol(venue, pair.x.name)) for venue in venues]


def retention(settings: Settings) -> Retention:
    """How long bars and ticks are kept."""
    days = settings.store.retention_days
    bars = {timeframe: _ms(days.of(timeframe.value)) for timeframe in Timeframe}
    limit = settings.store.max_megabytes * 1_000_000 or None
    return Retention(bars=bars, ticks_ms=_ms(days.of("ticks")), max_bytes=limit)


async def live_feeds(
    settings: Settings, plan: Plan, clock: Clock, store: Store, on_update: Callable[[], None]
) -> list[BinanceFeed]:
    """One feed a venue, continuing from what is stored."""
    feeds = []
    for venue in dict.fromkeys(symbol.venue for symbol in plan.symbols):
        wanted = [symbol for symbol in plan.symbols if symbol.venue == venue]
        endpoint = settings.endpoints.of(venue)
        barrier = Barrier(venue, clock, remember=partial(_remember_ban, store, venue))
        banned = store.get_state(BAN + venue, tuple[int, str])
        if banned is not None:
            barrier.until_ms, barrier.detail = banned
        feeds.append(
            BinanceFeed(
                venue=VENUES[venue],
                wanted=wanted,
                options=FeedOptions(
                    rest=endpoint.rest,
                    market=endpoint.ws_market,
                    public=endpoint.ws_public,
                    history_bars=_history(settings, venue),
                    seconds_back=_seconds_back(settings),
                    book=settings.market.book,
                ),
                clock=clock,
                barrier=barrier,
                on_update=on_update,
                restored=[frames for symbol in wanted if (frames := await restored(store, symbol)) is not None],
            )
        )
    return feeds


def _history(settings: Settings, venue: str) -> int:
    """Bars to read of each timeframe at start. More than one answer holds is refused on futures: the rest comes with time."""
    most = _FUTURES_KLINES if VENUES[venue].perpetual else _SPOT_KLINES
    return min(max(settings.market.history, settings.analysis.window + 1), most)


def _remember_ban(store: Store, venue: str, until_ms: int, detail: str) -> None:
    store.put_state(BAN + venue, (until_ms, detail))


async def restored(store: Store, symbol: Symbol) -> SymbolFrames | None:
    """What is stored of a symbol; None where there is nothing."""
    found = await store.load_frames(symbol, DEFAULT_CAPACITY)
    if not any(len(rows) for rows in found.frames.values()):
        return None
    frames = SymbolFrames(found.instrument)
    for timeframe, rows in found.frames.items():
        frames[timeframe].load(rows)
    return frames


async def collector(settings: Settings, plan: Plan, mode: str, clock: Clock, store: Store, feeds: Sequence[Feed]) -> Collector:
    """Everything wired."""
    analysis = settings.analysis
    session = Session(
        pair=0,
        timeframe=analysis.timeframe,
        window=analysis.window,
        z_window=analysis.z_bars,
        entry=analysis.entry,
        exit=analysis.exit,
        estimator=analysis.estimator,
        space=analysis.space,
    )
    try:
        check(session, plan.pairs)
    except ValueError as error:
        raise ConfigError(f"[analysis] {error}") from None
    desk = Desk(plan.pairs, desk_settings(settings), turn=store.turn, every_bar=mode == "replay")
    desktop = DesktopChannel.find(os.environ, clock) if settings.ui.desktop_notification else None
    alarm = await Alarm.open(settings, store, clock, [desktop] if desktop else [])
    database = store.path

    def export_csv(kind: str, target: Path) -> None:
        export_file(database, kind, target)

    found = Collector(
        mode=mode,
        clock=clock,
        store=store,
        feeds=feeds,
        pairs=plan.pairs,
        desk=desk,
        alarm=alarm,
        session=session,
        export_csv=export_csv,
        symbols=plan.symbols,
        keep_ticks=settings.store.ticks,
    )
    if settings.scan.top:
        found.survey([_survey(settings, feed, found) for feed in feeds if isinstance(feed, BinanceFeed)])
    return found


def _survey(settings: Settings, feed: BinanceFeed, found: Collector) -> Survey:
    """The rest of the feed's market, for the scan."""
    return Survey(
        venue=feed.venue,
        rest=feed.options.rest,
        clock=feed.clock,
        barrier=feed.barrier,
        top=settings.scan.top,
        asked=found.screening.bars,
        watched=set(feed.wanted),
        on_update=found.screening.wake,
    )


def desk_settings(settings: Settings) -> DeskSettings:
    """What the statistics are computed with."""
    analysis = settings.analysis
    return DeskSettings(
        window=analysis.window,
        z_window=analysis.z_bars,
        entry=analysis.entry,
        exit=analysis.exit,
        stop=analysis.stop,
        space=Space(analysis.space),
        estimator=Estimator(analysis.estimator),
        gates=gate_settings(settings),
    )


def gate_settings(settings: Settings) -> GateSettings:
    """Switches and values of the gates."""
    gates = settings.analysis.gates
    return GateSettings(**{name: GateSetting(gate.limit, gate.enabled) for name, gate in structs.asdict(gates).items()})


def _seconds_back(settings: Settings) -> int:
    """Trades enough for a window of seconds and a chart of as many, where the exchange has no 1s klines."""
    return min(2 * settings.analysis.window, _TRADES_S) + _MARGIN_S


def _ms(days: int | None) -> int | None:
    return None if days is None else days * DAY_MS
