"""Closes of many symbols out of files of bars of any length, for research: a market is read in a second or two."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from quantui.feeds.files.bar_tables import FEATHER, PARQUET, bar_floats, bar_times, table_columns
from quantui.feeds.files.errors import FileError
from quantui.feeds.files.fields import LAST_MS, symbol_name, symbol_of
from quantui.feeds.files.reader import Given, read
from quantui.feeds.files.source import Source
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import Floats, Ints
from quantui.market.instruments import Instrument

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_INTERVAL = re.compile(r"([1-9]\d{0,3})([smhdw])")
_FILE = "file"
_STATE, _CLOSE, _VOLUME, _QUOTE = (COLUMNS.index(name) for name in ("state", "close", "volume", "quote_volume"))
_KINDS = {".feather", ".arrow", ".ipc", ".parquet", ".csv", ".json", ".gz", ".zip"}


@dataclass(frozen=True, slots=True)
class Closes:
    """Whole bars of one symbol, ascending."""

    symbol: str
    times: Ints
    """(n,) open times in ms."""
    closes: Floats
    turnover: Floats
    """Quote volume; close times volume where the file does not tell it."""


def interval_ms(text: str) -> int:
    """Length of `5m`, `4h`, `1d` ... in ms. Raises `ValueError`."""
    found = _INTERVAL.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is no length of a bar: write it like 5m, 1h or 1d")
    return int(found[1]) * _UNITS[found[2]]


def spacing_ms(tables: Iterable[Closes]) -> int:
    """The bar length most tables have; 0 without tables."""
    steps = [int(np.diff(table.times).min()) for table in tables if len(table.times) > 1]
    return max(sorted(set(steps)), key=steps.count, default=0)


def files_in(inputs: Sequence[str]) -> list[str]:
    """Files and addresses as they are, and of folders every file that may hold bars.

    Raises:
        FileError: A folder holds none.
    """
    found: list[str] = []
    for each in inputs:
        folder = Path(each)
        if "://" in each or not folder.is_dir():
            found.append(each)
            continue
        inside = sorted(str(file) for file in folder.iterdir() if file.suffix.lower() in _KINDS)
        if not inside:
            raise FileError(each, "no file in this folder is of a kind that holds bars (Feather, Parquet, CSV, JSON)")
        found += inside
    return found


def read_closes(inputs: Sequence[str], *, skip_bad: bool = False, on_file: Callable[[], None] = lambda: None) -> list[Closes]:
    """The closes of every file.

    The first and the last bar of a file are left out unless they are proven whole (see `bars`).

    Args:
        inputs: Files (see `files_in`), or addresses of Parquet that polars reads: `s3://bucket/*.parquet`, with a column
            `symbol` or a file for each.
        skip_bad: Leave bad rows out instead of stopping at the first.
        on_file: Told after each.

    Raises:
        FileError: A file cannot be read, or holds trades.
    """
    found: list[Closes] = []
    for each in inputs:
        found += _from_address(each) if "://" in each else _from_file(each, skip_bad=skip_bad)
        on_file()
    return _joined(found)


def closes_of(rows: Ints, instrument: Instrument) -> Closes:
    """Of rows of a ring (n, columns) that are no gaps."""
    rows = rows[rows[:, _STATE] != BarState.GAP]
    closes = rows[:, _CLOSE] / 10**instrument.price_decimals
    volumes, quotes = rows[:, _VOLUME] / 10**instrument.quantity_decimals, rows[:, _QUOTE] / 10**instrument.quote_decimals
    return Closes(instrument.symbol.name, rows[:, 0], closes, np.where(rows[:, _QUOTE] >= 0, quotes, closes * volumes))


def _from_file(path: str, *, skip_bad: bool) -> list[Closes]:
    with Source(path) as source:
        if source.head().startswith((FEATHER, PARQUET)):
            symbol = symbol_of(source.stem)
            if symbol is None:
                raise FileError(source.name, "no symbol in the file's name (BTC_USDT-1h.feather)")
            times, (_, _, _, closes, volumes) = table_columns(source)
            return [_checked(source.name, symbol, times, closes, volumes, skip_bad=skip_bad)]
    tables = read(path, Given(skip_bad=skip_bad))
    if not isinstance(tables, list):
        raise FileError(path, "holds trades, not bars: import it, then scan the store")
    return [closes_of(table.whole(), table.instrument) for table in tables]


def _from_address(address: str) -> list[Closes]:
    import polars as pl

    try:
        frame = pl.scan_parquet(address, include_file_paths=_FILE).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FileError(address, f"cannot be read ({str(error).splitlines()[0]})") from error
    frame = frame.rename({column: column.lower() for column in frame.columns})
    lacking = [column for column in ("close", "volume") if column not in frame.columns]
    if lacking:
        raise FileError(address, f"no column for {', '.join(lacking)}")
    by = "symbol" if "symbol" in frame.columns else _FILE
    found = []
    for (key,), part in frame.group_by(by, maintain_order=True):
        symbol = symbol_name(str(key)) if by == "symbol" else symbol_of(PurePosixPath(str(key)).stem)
        if symbol is None:
            raise FileError(str(key), "no symbol in the file's name (BTC_USDT-1h.parquet), and no column for it")
        times, closes, volumes = bar_times(part, address), *(bar_floats(part, name, address) for name in ("close", "volume"))
        found.append(_checked(address, symbol, times, closes, volumes, skip_bad=False))
    return found


def _checked(name: str, symbol: str, times: Ints, closes: Floats, volumes: Floats, *, skip_bad: bool) -> Closes:
    good = (times > 0) & (times < LAST_MS) & np.isfinite(closes) & (closes > 0) & (volumes >= 0)
    if not (skip_bad or good.all()):
        row = int(np.flatnonzero(~good)[0]) + 1
        raise FileError(name, f"row {row} has no time, no price or no volume (--skip-bad leaves such rows out)")
    times, unique = np.unique(times[good], return_index=True)
    closes, volumes = closes[good][unique], volumes[good][unique]
    return Closes(symbol, times[1:-1], closes[1:-1], (closes * volumes)[1:-1])


def _joined(tables: list[Closes]) -> list[Closes]:
    """One table a symbol; of two bars of one time the later file's counts."""
    by_symbol: dict[str, list[Closes]] = {}
    for table in tables:
        by_symbol.setdefault(table.symbol, []).append(table)
    found = []
    for symbol, parts in by_symbol.items():
        times, closes, turnover = (
            np.concatenate([getattr(part, name) for part in parts[::-1]]) for name in ("times", "closes", "turnover")
        )
        times, unique = np.unique(times, return_index=True)
        found.append(Closes(symbol, times, closes[unique], turnover[unique]))
    return found
