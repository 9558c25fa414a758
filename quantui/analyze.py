"""`analyze`: one pair, once, in full; from files or from the store."""

import argparse
import asyncio
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quantui.analytics.estimators import Estimator
from quantui.analytics.report import ReportSettings, full_report
from quantui.analytics.several import several_legs
from quantui.analytics.spread import Space
from quantui.analytics.stationarity import Missing
from quantui.clock import Clock
from quantui.collector.build import gate_settings
from quantui.collector.desk import turnover_of
from quantui.collector.pair_study import leg_bars
from quantui.config import Settings
from quantui.feeds.files.bars import BarTable
from quantui.feeds.files.errors import FileError
from quantui.feeds.files.reader import Given, read
from quantui.feeds.recorded import RecordedFeed
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import Ints, SymbolFrames, aligned_closes
from quantui.market.instruments import Pair, Symbol, Timeframe
from quantui.paths import Paths
from quantui.store.reader import read_frames
from quantui.store.records import StoreError
from quantui.store.tables import milliseconds
from quantui.text import safe

FAILED, USAGE, TOO_LITTLE = 1, 2, 4
_SIGNAL_BARS = 240
_STATE = COLUMNS.index("state")


class NotEnoughError(Exception):
    """Fewer bars than the window."""


def run(settings: Settings, places: Paths, options: argparse.Namespace) -> int:
    """Print the report; exit code 0, 1 unreadable input, 2 wrong usage, 4 not enough data."""
    try:
        report = _report(settings, places, options)
    except NotEnoughError as error:
        return _fail(error, TOO_LITTLE)
    except (FileError, StoreError, OSError) as error:
        return _fail(error, FAILED)
    except ValueError as error:
        return _fail(error, USAGE)
    print(json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) if options.json else _table(report))
    return 0


def _fail(error: object, code: int) -> int:
    print(f"quantui: {safe(str(error))}", file=sys.stderr)
    return code


def _report(settings: Settings, places: Paths, options: argparse.Namespace) -> dict[str, Any]:
    analysis = settings.analysis
    pair = Pair.parse(options.pair, settings.market.venue)
    further = [Symbol.parse(name, settings.market.venue) for name in options.beside or ()]
    legs: Sequence[Symbol] = tuple(dict.fromkeys((pair.y, pair.x, *further)))
    window = options.window or analysis.window
    z_window = options.z_window or (analysis.z_bars if analysis.z_window else None)
    at_ms = None if options.at is None else milliseconds(options.at, "--at")
    wanted = Timeframe(options.timeframe) if options.timeframe else None
    last = window + _SIGNAL_BARS
    if options.input:
        frames, timeframe, legs = _from_files(options, legs, wanted, Timeframe(analysis.timeframe), at_ms)
        pair = Pair(*legs[:2])
    else:
        timeframe = wanted or Timeframe(analysis.timeframe)
        frames = _from_store(places, legs, timeframe)
    y, x = frames[pair.y], frames[pair.x]
    if at_ms is not None:
        for leg in frames.values():
            ring = leg[timeframe]
            ring.load(ring.rows[ring.times + timeframe.ms <= at_ms].copy())
    closes = aligned_closes(y, x, timeframe, last)
    if len(closes) < window:
        raise NotEnoughError(
            f"{pair.label} {timeframe}: {len(closes)}/{window} closed bars that both legs share; use a smaller --window"
        )
    states = closes.state[-window:]
    report = full_report(
        closes.times,
        closes.y,
        closes.x,
        pair=pair.label,
        venue=pair.y.venue,
        timeframe=timeframe,
        settings=ReportSettings(
            window=window,
            z_window=z_window,
            space=Space(options.space or analysis.space),
            estimator=Estimator(options.estimator or analysis.estimator),
            entry=analysis.entry,
            exit=analysis.exit,
            stop=analysis.stop,
            gates=gate_settings(settings),
        ),
        quality={
            "certified": int(np.count_nonzero(states == BarState.CERTIFIED)),
            "provisional": int(np.count_nonzero(states == BarState.PROVISIONAL)),
            "gap": _gaps(y, x, timeframe, int(closes.times[-window])),
        },
        turnover=turnover_of(y, x, int(closes.times[-1]) + timeframe.ms),
        bars=(leg_bars(y, timeframe, closes.times[-window:]), leg_bars(x, timeframe, closes.times[-window:])),
    )
    if len(legs) > 2:
        space = Space(options.space or analysis.space)
        report["several"] = _several(frames, legs, timeframe, closes.times[-window:], space, z_window or window)
    return {name: _plain(value) for name, value in report.items()}


def _several(
    frames: Mapping[Symbol, SymbolFrames], legs: Sequence[Symbol], timeframe: Timeframe, times: Ints, space: Space, z_window: int
) -> dict[str, object]:
    """Y against all other legs, on the bars of the pair's window."""
    columns = []
    for symbol in legs:
        rows = frames[symbol][timeframe].rows
        rows = rows[np.isin(rows[:, 0], times) & (rows[:, _STATE] != BarState.GAP)]
        if len(rows) < len(times):
            raise NotEnoughError(f"{symbol.name} {timeframe}: {len(rows)}/{len(times)} closed bars of the pair's window")
        columns.append(rows[:, COLUMNS.index("close")] / 10 ** frames[symbol].instrument.price_decimals)
    levels = np.log(columns) if space is Space.LOG else np.array(columns)
    found = several_legs(levels[0], levels[1:].T, [symbol.name for symbol in legs[1:]], z_window)
    return {"reason": found.reason} if isinstance(found, Missing) else found


def _gaps(y: SymbolFrames, x: SymbolFrames, timeframe: Timeframe, since_ms: int) -> int:
    """Bars of the window's time that were left out, since a leg's trades are missing."""
    times: set[int] = set()
    for leg in (y, x):
        rows = leg[timeframe].between(since_ms, 1 << 62)
        times |= set(rows[rows[:, _STATE] == BarState.GAP, 0].tolist())
    return len(times)


def _from_store(places: Paths, legs: Sequence[Symbol], timeframe: Timeframe) -> dict[Symbol, SymbolFrames]:
    if not places.database.exists():
        raise StoreError(f"there is no store at {places.database}: run `quantui collect`, or name files with --input")
    return {symbol: _stored(places, symbol, timeframe) for symbol in legs}


def _stored(places: Paths, symbol: Symbol, timeframe: Timeframe) -> SymbolFrames:
    capacity = dict.fromkeys(Timeframe, 1) | {Timeframe.H1: 24} | {timeframe: 1_000_000}
    found = read_frames(places.database, symbol, capacity)
    frames = SymbolFrames(found.instrument, {each: max(len(rows), 1) for each, rows in found.frames.items()})
    for each in {timeframe, Timeframe.H1}:
        frames[each].load(found.frames[each])
    return frames


def _from_files(
    options: argparse.Namespace, legs: Sequence[Symbol], wanted: Timeframe | None, otherwise: Timeframe, at_ms: int | None
) -> tuple[dict[Symbol, SymbolFrames], Timeframe, Sequence[Symbol]]:
    """Frames of all legs; a file that does not name its venue stands for the pair's."""
    given = Given(timeframe=wanted, skip_bad=options.skip_bad)
    contents = [read(name, given) for name in options.input]
    tables = [table for content in contents if isinstance(content, list) for table in content]
    if not tables:
        timeframe = wanted or otherwise
        return _from_trades(options.input, legs, timeframe, given)
    names = {symbol.name for symbol in legs}
    tables = [table for table in tables if table.instrument.symbol.name in names and wanted in (None, table.timeframe)]
    lengths = {table.timeframe for table in tables}
    if len(lengths) > 1:
        raise ValueError(f"the files hold bars of {' and '.join(sorted(lengths))}: choose one with --timeframe")
    timeframe = lengths.pop() if lengths else wanted or otherwise
    frames = {symbol: _from_tables(symbol, timeframe, tables, at_ms) for symbol in legs}
    return frames, timeframe, legs


def _from_tables(symbol: Symbol, timeframe: Timeframe, tables: Sequence[BarTable], at_ms: int | None) -> SymbolFrames:
    mine = [table for table in tables if table.instrument.symbol.name == symbol.name]
    if not mine:
        held = ", ".join(sorted({table.instrument.symbol.name for table in tables})) or "neither leg"
        raise FileError("--input", f"holds no {timeframe} bars of {symbol.name} (it holds {held})")
    instrument = max((table.instrument for table in mine), key=lambda each: (each.price_decimals, each.quantity_decimals))
    end_ms = None if at_ms is None else at_ms - timeframe.ms + 1
    parts = []
    for table in mine:
        rows = table.whole(None if end_ms is None else 0, end_ms)
        frames = SymbolFrames(table.instrument, dict.fromkeys(Timeframe, 1) | {timeframe: max(len(rows), 1)})
        frames[timeframe].load(rows)
        parts.append(frames.rescaled(instrument)[timeframe].rows)
    rows = np.concatenate(parts)
    _, first = np.unique(rows[:, 0], return_index=True)
    whole = SymbolFrames(instrument, dict.fromkeys(Timeframe, 1) | {timeframe: max(len(first), 1)})
    whole[timeframe].load(rows[first])
    return whole


def _from_trades(
    files: Sequence[str], legs: Sequence[Symbol], timeframe: Timeframe, given: Given
) -> tuple[dict[Symbol, SymbolFrames], Timeframe, Sequence[Symbol]]:
    """Bars built from recorded trades, as a replay builds them."""
    capacity = dict.fromkeys(Timeframe, 3_600) | {timeframe: 200_000}
    feed = RecordedFeed(files, clock=Clock(), given=given, capacity=capacity)
    asyncio.run(feed.run())
    by_name = {leg.name: [symbol for symbol in feed.streams if symbol.name == leg.name] for leg in legs}
    chosen = []
    for leg in legs:
        found = by_name[leg.name]
        if not found:
            raise FileError("--input", f"holds no trades of {leg.name}")
        chosen.append(leg if leg in found else found[0])
    return {symbol: feed.streams[symbol].frames for symbol in chosen}, timeframe, chosen


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON is any
    """JSON has no infinity and no nan."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _table(report: Mapping[str, Any]) -> str:
    """For people: one quantity a line, with the reason where there is none."""
    lines = []
    for name, value in report.items():
        if name in ("missing", "notes", "verdicts"):
            continue
        if value is None:
            text = report["missing"].get(name, "not available")
        elif isinstance(value, dict):
            text = "  ".join(f"{key} {_short(item)}" for key, item in value.items())
        else:
            text = _short(value)
        note = report.get("notes", {}).get(name)
        lines.append(f"{name:24} {text}{f'  ({note})' if note else ''}")
    verdicts = [f"{name:24} {line}" for name, line in report["verdicts"].items()]
    return "\n".join([*lines, "", "In plain words:", *verdicts] if verdicts else lines)


def _short(value: Any) -> str:  # noqa: ANN401 - JSON is any
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} {_short(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_short(item) for item in value) + "]"
    return "n/a" if value is None else str(value)
