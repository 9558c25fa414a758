"""`verify`: are the stored bars the exchange's own? Every one is compared with its kline, read over REST within the limits."""

import argparse
import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import msgspec

from quantui.clock import Clock
from quantui.config import Settings
from quantui.feeds.binance.barrier import Barrier, BlockedError
from quantui.feeds.binance.codec import TooFineError
from quantui.feeds.binance.network import make_session
from quantui.feeds.binance.rest import PAGE, Rest, RestError, UnreachableError
from quantui.feeds.binance.venues import VENUES
from quantui.market.bars import Bar, BarState
from quantui.market.certify import differences, quote_slack
from quantui.market.instruments import Instrument, Symbol, Timeframe
from quantui.market.numbers import unscaled
from quantui.paths import Paths
from quantui.store.reader import bar_parts, finest_decimals, read_ban, stored_series
from quantui.store.records import SeriesKey, StoreError
from quantui.store.schema import open_readonly
from quantui.store.tables import ExportFilter, iso
from quantui.text import safe

EQUAL, DIFFERENT, USAGE, NOTHING = 0, 1, 2, 4
_SETTLED_MS = 5_000
"""The exchange's database lags: younger klines are not asked for."""


@dataclass(slots=True)
class Verdict:
    """What was found of one symbol and timeframe."""

    symbol: Symbol
    timeframe: Timeframe
    compared: int = 0
    different: int = 0
    gaps: int = 0
    """Bars marked as gap: known to be incomplete, not compared."""
    missing: int = 0
    """Klines of the exchange between our bars that are not stored; a hole of a page or more is not asked for."""
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """One bar that is not the exchange's."""

    symbol: Symbol
    timeframe: Timeframe
    open_ms: int
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By name: (ours, the exchange's); empty where the exchange has no such kline."""

    @property
    def text(self) -> str:
        """One line for people."""
        what = "; ".join(f"{name} {ours}, the exchange has {theirs}" for name, (ours, theirs) in self.fields.items())
        return f"{self.symbol} {self.timeframe} {iso(self.open_ms)}: {what or 'the exchange has no such bar'}"


def run(settings: Settings, places: Paths, options: argparse.Namespace) -> int:
    """Print every difference, then what was compared.

    Exit code 0 equal, 1 different or failed, 2 wrong usage, 4 nothing to compare.
    """
    try:
        wanted = ExportFilter.of(symbol=options.symbol, timeframe=options.timeframe, start=options.start, end=options.end)
    except ValueError as error:
        return _fail(error, USAGE)
    try:
        with closing(open_readonly(places.database)) as connection:
            connection.execute("BEGIN")
            return asyncio.run(_verify(connection, settings, wanted, as_json=options.json))
    except (StoreError, BlockedError, UnreachableError, RestError) as error:
        return _fail(error, DIFFERENT)


async def _verify(connection: sqlite3.Connection, settings: Settings, wanted: ExportFilter, *, as_json: bool) -> int:
    clock, verdicts = Clock(), []
    for venue, series in _comparable(connection, wanted).items():
        barrier, base = Barrier(venue, clock), settings.endpoints.of(venue).rest
        barrier.until_ms, barrier.detail = read_ban(connection, venue)
        async with make_session(base) as session:
            rest = Rest(session, VENUES[venue], base, clock, barrier)
            now, _ = await rest.server_time()
            for symbol, timeframe in series:
                verdict = Verdict(symbol, timeframe)
                verdicts.append(verdict)
                async for found in _compare(connection, rest, wanted, verdict, now - _SETTLED_MS):
                    _progress("")
                    print(json.dumps(_record(found)) if as_json else found.text, flush=True)
    return _sum_up(verdicts, as_json=as_json)


def _comparable(connection: sqlite3.Connection, wanted: ExportFilter) -> dict[str, list[tuple[Symbol, Timeframe]]]:
    """By venue: the stored series of which the exchange has klines."""
    found: dict[str, list[tuple[Symbol, Timeframe]]] = {}
    for symbol, timeframe in stored_series(connection):
        venue = VENUES.get(symbol.venue)
        if venue and timeframe in venue.klines and wanted.has_symbol(symbol) and wanted.timeframe in (None, timeframe.value):
            found.setdefault(symbol.venue, []).append((symbol, timeframe))
    return found


async def _compare(
    connection: sqlite3.Connection, rest: Rest, wanted: ExportFilter, verdict: Verdict, until_ms: int
) -> AsyncIterator[Difference]:
    instrument = Instrument(verdict.symbol, *finest_decimals(connection, verdict.symbol))
    length = verdict.timeframe.ms
    start, stop = wanted.from_ms, min(wanted.to_ms, until_ms - length + 1)
    while start < stop:
        try:
            for bars, damaged in _pages(connection, instrument, verdict.timeframe, start, stop):
                verdict.damaged += damaged
                if bars:
                    begin, end = _begin(start, bars[0], length), bars[-1].open_ms + length
                    klines = await rest.klines(instrument, verdict.timeframe, limit=PAGE, start_ms=begin, end_ms=end - 1)
                    for found in _differences(bars, klines, instrument, verdict):
                        yield found
                    start = end
                    _progress(f"{verdict.symbol} {verdict.timeframe}: {verdict.compared:,} bars compared")
            return
        except TooFineError as error:  # the exchange prints finer numbers than are stored: the rest is read in these
            instrument = error.instrument


def _pages(
    connection: sqlite3.Connection, instrument: Instrument, timeframe: Timeframe, start_ms: int, stop_ms: int
) -> Iterator[tuple[list[Bar], int]]:
    """Stored bars, those of one page of klines at a time, and how many were damaged."""
    decimals = instrument.price_decimals, instrument.quantity_decimals
    page: list[Bar] = []
    end, length = start_ms, timeframe.ms
    key = SeriesKey.of(instrument.symbol, timeframe.value)
    for rows, damaged in bar_parts(connection, key, decimals, start_ms, stop_ms):
        yield [], damaged
        for row in rows.tolist():
            bar = msgspec.convert(row, Bar)
            if page and bar.open_ms >= _begin(end, page[0], length) + PAGE * length:
                yield page, 0
                end, page = page[-1].open_ms + length, []
            page.append(bar)
    yield page, 0


def _begin(end_ms: int, first: Bar, length: int) -> int:
    """Where a page begins: where the one before ended, so that a hole between them is seen; not where a whole page is missing."""
    return end_ms if first.open_ms < end_ms + PAGE * length else first.open_ms


def _differences(bars: Sequence[Bar], klines: Sequence[Bar], instrument: Instrument, verdict: Verdict) -> Iterator[Difference]:
    theirs = {kline.open_ms: kline for kline in klines}
    counts, slack = not VENUES[verdict.symbol.venue].perpetual, quote_slack(instrument)
    for bar in bars:
        kline = theirs.pop(bar.open_ms, None)
        if bar.state is BarState.GAP:
            verdict.gaps += 1
            continue
        verdict.compared += 1
        names = () if kline is None else differences(bar, kline, ids_count=counts, quote_slack=slack)
        if kline is None or names:
            verdict.different += 1
            fields = {name: (_shown(bar, name, instrument), _shown(kline, name, instrument)) for name in names if kline}
            yield Difference(verdict.symbol, verdict.timeframe, bar.open_ms, fields)
    verdict.missing += len(theirs)


def _shown(bar: Bar, name: str, instrument: Instrument) -> str:
    """A number of a bar as decimals."""
    value: int = getattr(bar, name)
    if name in ("open", "high", "low", "close"):
        return unscaled(value, instrument.price_decimals)
    if name in ("volume", "taker_volume"):
        return unscaled(value, instrument.quantity_decimals)
    return unscaled(value, instrument.quote_decimals) if name in ("quote_volume", "taker_quote") else str(value)


def _record(found: Difference) -> dict[str, object]:
    fields = {name: {"ours": ours, "exchange": theirs} for name, (ours, theirs) in found.fields.items()}
    return {"symbol": str(found.symbol), "timeframe": found.timeframe.value, "time": iso(found.open_ms), "fields": fields}


def _sum_up(verdicts: Sequence[Verdict], *, as_json: bool) -> int:
    _progress("")
    counts = {name: sum(getattr(one, name) for one in verdicts) for name in ("compared", "different", "gaps", "missing", "damaged")}
    if as_json:
        print(json.dumps(counts))
    else:
        for one in (one for one in verdicts if one.compared or one.gaps or one.damaged):
            print(f"{one.symbol} {one.timeframe}: {_in_words(one)}", file=sys.stderr)
    if not counts["compared"]:
        return _fail("nothing to compare: no such bar is stored, or the exchange has no klines for it", NOTHING)
    return DIFFERENT if counts["different"] or counts["damaged"] else EQUAL


def _in_words(one: Verdict) -> str:
    words = [f"{one.compared:,} bars compared", f"{one.different:,} different" if one.different else "all equal the exchange's"]
    words += [f"{one.gaps:,} marked as gap"] if one.gaps else []
    words += [f"{one.missing:,} not stored"] if one.missing else []
    words += [f"{one.damaged:,} damaged, run `quantui doctor`"] if one.damaged else []
    return ", ".join(words)


def _progress(text: str) -> None:
    """One line that is written over, where somebody looks."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _fail(error: object, code: int) -> int:
    _progress("")
    print(f"quantui: {safe(str(error))}", file=sys.stderr)
    return code
