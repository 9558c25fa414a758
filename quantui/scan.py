"""`scan`: every ordered pair of a market at one moment; from files or from the store, here or on a cluster."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime

import numpy as np

from quantui.analytics.blocks import Block, Solved, assemble, blocks, solve_here
from quantui.analytics.candidates import candidates
from quantui.analytics.universe import Table, usable
from quantui.config import Settings
from quantui.feeds.files.closes import Closes, closes_of, files_in, interval_ms, read_closes, spacing_ms
from quantui.feeds.files.errors import FileError
from quantui.market.frames import Floats, Ints
from quantui.market.instruments import Timeframe
from quantui.paths import Paths
from quantui.store.reader import read_frames, stored_series
from quantui.store.records import StoreError
from quantui.store.schema import open_readonly
from quantui.store.tables import milliseconds
from quantui.text import safe

FAILED, USAGE, TOO_LITTLE = 1, 2, 4
Advance = Callable[[int], None]
_DAY_MS = 86_400_000
_TITLES = "           y            x     beta     R2   corr      EG        p lag half-life      z Kalman z        q"
_LOOKED_AT = 200
"""Of the pairs shown so many at most are looked at with estimators that take milliseconds each."""
_COLUMNS = ("y", "x", "n", "alpha", "beta", "r_squared", "correlation", "eg_stat", "eg_p", "lags", "half_life", "zscore",
            "spread_std", "turnover_y", "turnover_x", "q_bh", "q_by")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Market:
    """The closes of a market on its newest common bars."""

    symbols: Sequence[str]
    levels: Floats
    """(N, W) logarithms."""
    turnover: Mapping[str, float]
    """Quote turnover a day over the window."""
    left_out: Mapping[str, str]
    step_ms: int
    last_ms: int
    """Open time of the newest bar."""


def run(settings: Settings, places: Paths, options: argparse.Namespace) -> int:
    """Print the scan; exit code 0, 1 unreadable input, 2 wrong usage, 4 not enough data."""
    try:
        window = options.window or settings.analysis.window
        market = _market(settings, places, options, window)
        if len(market.symbols) < 2:
            reasons = "; ".join(f"{symbol}: {why}" for symbol, why in list(market.left_out.items())[:3])
            return _fail(f"{len(market.symbols)}/2 symbols have {window} bars ({reasons or 'none found'})", TOO_LITTLE)
        table = _scanned(market, window, options.scheduler)
    except (FileError, StoreError, OSError) as error:
        return _fail(error, FAILED)
    except ValueError as error:
        return _fail(error, USAGE)
    print(_as_json(table, market, options) if options.json else _as_text(table, market, options))
    return 0


def _fail(error: object, code: int) -> int:
    print(f"quantui: {safe(str(error))}", file=sys.stderr)
    return code


def _scanned(market: Market, window: int, scheduler: str | None) -> Table:
    work = blocks(len(market.symbols))
    pairs = sum(block.size for block in work)
    with _progress("pairs", pairs) as advance:
        return assemble(market.symbols, window, _counted(_solved(market.levels, work, scheduler), advance))


def _solved(levels: Floats, work: Sequence[Block], scheduler: str | None) -> Iterable[Solved]:
    if scheduler is None:
        return solve_here(levels, work)
    from quantui.cluster import solve_there

    return solve_there(levels, work, scheduler)


def _counted(solved: Iterable[Solved], advance: Advance) -> Iterator[Solved]:
    for part in solved:
        advance(len(part.found.stat))
        yield part


def _market(settings: Settings, places: Paths, options: argparse.Namespace, window: int) -> Market:
    wanted = {symbol.upper() for symbol in options.symbols or ()}
    if options.input:
        tables, step = _from_files(options)
    else:
        timeframe = Timeframe(options.timeframe or settings.analysis.timeframe)
        tables, step = _from_store(places, settings.market.venue, timeframe, window), timeframe.ms
    unknown = wanted - {table.symbol for table in tables}
    if wanted:
        tables = [table for table in tables if table.symbol in wanted]
    at_ms = None if options.at is None else milliseconds(options.at, "--at")
    return aligned(tables, window, step, at_ms, dict.fromkeys(sorted(unknown), "no bars of it"))


def aligned(tables: Sequence[Closes], window: int, step: int, at_ms: int | None, left_out: Mapping[str, str]) -> Market:
    """The `window` bars up to the newest last bar with which most symbols have them all (of those that closed by `at_ms`)."""
    reasons = dict(left_out)
    usual = [table for table in tables if len(table.times) and (len(table.times) == 1 or np.diff(table.times).min() == step)]
    for table in tables:
        if all(table is not one for one in usual):
            reasons[table.symbol] = "its bars are of another length" if len(table.times) else "no whole bar"
    times = [table.times if at_ms is None else table.times[table.times + step <= at_ms] for table in usual]
    last = _last_bar(times, window, step)
    closes, turnover = {}, {}
    for table in usual:
        inside = (table.times > last - window * step) & (table.times <= last)
        closes[table.symbol] = table.closes[inside]
        turnover[table.symbol] = float(table.turnover[inside].mean() * _DAY_MS / step) if inside.any() else math.nan
    symbols, levels, unusable = usable(closes, window)
    return Market(symbols, levels, turnover, reasons | unusable, step, last)


def _last_bar(times: Sequence[Ints], window: int, step: int) -> int:
    """Of the last bars of all symbols the newest with which most have a whole window."""
    candidates = np.unique([each[-1] for each in times if len(each)])[::-1]
    whole = [sum(_holds(each, int(last), window, step) for each in times) for last in candidates.tolist()]
    return int(candidates[int(np.argmax(whole))]) if len(candidates) else 0


def _holds(times: Ints, last: int, window: int, step: int) -> bool:
    after = int(np.searchsorted(times, last, "right"))
    return after >= window and times[after - 1] == last and times[after - window] == last - (window - 1) * step


def _from_files(options: argparse.Namespace) -> tuple[list[Closes], int]:
    files = files_in(options.input)
    with _progress("files", len(files)) as advance:
        tables = read_closes(files, skip_bad=options.skip_bad, on_file=lambda: advance(1))
    return tables, interval_ms(options.timeframe) if options.timeframe else spacing_ms(tables)


def _from_store(places: Paths, venue: str, timeframe: Timeframe, window: int) -> list[Closes]:
    if not places.database.exists():
        raise StoreError(f"there is no store at {places.database}: run `quantui collect`, or name files with --input")
    with closing(open_readonly(places.database)) as connection:
        symbols = [symbol for symbol, each in stored_series(connection) if each is timeframe and symbol.venue == venue]
    found = []
    for symbol in symbols:
        stored = read_frames(places.database, symbol, {timeframe: 2 * window})
        found.append(closes_of(stored.frames[timeframe], stored.instrument))
    return found


def _rows(table: Table, market: Market, top: int) -> Iterator[dict[str, object]]:
    places = table.order()[:top]
    first = places[:_LOOKED_AT]
    more = candidates(market.levels, table.y[first], table.x[first])
    for number, place in enumerate(places.tolist()):
        y, x = market.symbols[table.y[place]], market.symbols[table.x[place]]
        known = {"y": y, "x": x, "n": table.n, "turnover_y": market.turnover[y], "turnover_x": market.turnover[x]}
        row = {name: known[name] if name in known else getattr(table, name)[place].item() for name in _COLUMNS}
        row |= {each.name: getattr(more, each.name)[number].item() for each in fields(more) if number < _LOOKED_AT}
        yield {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()}


def _as_json(table: Table, market: Market, options: argparse.Namespace) -> str:
    head = {
        "tests": table.tests, "expected_by_chance": table.expected_by_chance, "fdr": options.fdr,
        "timeframe": _length(market.step_ms), "window": table.n, "last_bar": _time(market.last_ms), "left_out": market.left_out,
        "untested": [[market.symbols[table.y[place]], market.symbols[table.x[place]], why] for place, why in table.reasons.items()],
        "pairs": list(_rows(table, market, options.top)),
    }  # fmt: skip
    return json.dumps(head, indent=2, ensure_ascii=False, allow_nan=False)


def _as_text(table: Table, market: Market, options: argparse.Namespace) -> str:
    low, sure = int((table.eg_p <= 0.05).sum()), int((table.q_bh <= options.fdr).sum())
    lines = [
        f"{len(market.symbols)} symbols, {table.n} bars of {_length(market.step_ms)} up to {_time(market.last_ms)}",
        f"{table.tests} tests: {low} have p <= 0.05, chance alone would give about {table.expected_by_chance:.0f}",
        f"{sure} pass a false discovery rate of {options.fdr:g} (q_bh; q_by holds under any dependence)",
        "",
        _TITLES,
    ]
    lines += map(_line, _rows(table, market, options.top))
    if table.reasons:
        lines.append(f"without a test: {len(table.reasons)} pairs ({next(iter(table.reasons.values()))} ...)")
    lines += [f"left out: {symbol}: {why}" for symbol, why in market.left_out.items()]
    return "\n".join(lines)


def _line(row: Mapping[str, object]) -> str:
    return (
        f"{row['y']:>12} {row['x']:>12} {_n(row['beta'], 8, 4)} {_n(row['r_squared'], 6, 3)} {_n(row['correlation'], 6, 2)}"
        f" {_n(row['eg_stat'], 7, 3)} {_n(row['eg_p'], 8, 5)} {row['lags']:>3} {_n(row['half_life'], 9, 1)}"
        f" {_n(row['zscore'], 6, 2)} {_n(row.get('kalman_zscore'), 8, 2)}"
        f" {_n(row['q_bh'], 8, 5)}"
    )


def _n(value: object, width: int, digits: int) -> str:
    return f"{value:{width}.{digits}f}" if isinstance(value, float) else "-".rjust(width)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _length(ms: int) -> str:
    """`5m`, `1d`: the longest unit that is whole."""
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        if ms and ms % length == 0:
            return f"{ms // length}{unit}"
    return f"{ms // 1000}s"


@contextmanager
def _progress(what: str, total: int) -> Iterator[Advance]:
    """A bar on stderr where somebody looks."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
