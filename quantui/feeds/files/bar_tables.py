"""Bars in Feather and Parquet files, as research tools store them: `date, open, high, low, close, volume`."""

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from quantui.feeds.files.bar_text import timeframe_in_name
from quantui.feeds.files.bars import UNKNOWN, BarTable, spacing, timeframe_of
from quantui.feeds.files.errors import FileError
from quantui.feeds.files.fields import LAST_MS, symbol_name, symbol_of
from quantui.feeds.files.source import Source
from quantui.feeds.files.tape import EXTERNAL
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import Floats, Ints
from quantui.market.instruments import Instrument, Symbol, Timeframe

if TYPE_CHECKING:
    import polars as pl

FEATHER, PARQUET = b"ARROW1", b"PAR1"
_TIMES = ("date", "timestamp", "time", "datetime", "open_time")
_VALUES = ("open", "high", "low", "close", "volume")
_DECIMALS = 12
_EXACT = 2.0**52
"""Below it a float counts every integer and a half."""
_ROWS = 50_000_000
Mask = npt.NDArray[np.bool_]


def read_table(
    source: Source, *, symbol: str | None = None, timeframe: str | None = None, venue: str | None = None, skip_bad: bool = False
) -> list[BarTable]:
    """The bars of a Feather or Parquet file.

    Floats are turned into decimals exactly: the scaled integers, divided again, give the very same floats. Where no decimal of up
    to twelve places does (prices somebody calculated), they are rounded there.

    Raises:
        FileError: It cannot be read, or at the first bad row, unless bad rows are skipped.
    """
    name = symbol_name(symbol) if symbol else symbol_of(source.stem)
    if name is None:
        raise FileError(source.name, "no symbol in the file's name: say --symbol")
    times, values = table_columns(source)
    step = timeframe_of(timeframe, source.name) if timeframe else timeframe_in_name(source)
    good = _good(times, values, step)
    rejected = int(np.count_nonzero(~good))
    if rejected and not skip_bad:
        row = int(np.flatnonzero(~good)[0]) + 1
        raise FileError(source.name, f"row {row} has no time, no plain prices, or prices that contradict each other"
                        " (--skip-bad leaves such rows out)")  # fmt: skip
    times, unique = np.unique(times[good], return_index=True)
    if not len(times):
        raise FileError(source.name, "no bars")
    rejected += int(np.count_nonzero(good)) - len(times)
    values = [column[good][unique] for column in values]
    price_decimals, quantity_decimals = decimals_of(np.concatenate(values[:4])), decimals_of(values[4])
    rows = np.full((len(times), len(COLUMNS)), UNKNOWN, dtype=np.int64)
    rows[:, 0] = times
    for index in range(4):
        rows[:, index + 1] = np.rint(values[index] * 10**price_decimals)
    rows[:, COLUMNS.index("volume")] = np.rint(values[4] * 10**quantity_decimals)
    silent = values[4] == 0
    for column in ("quote_volume", "taker_volume", "taker_quote", "trade_count"):
        rows[silent, COLUMNS.index(column)] = 0
    rows[:, COLUMNS.index("state")] = BarState.PROVISIONAL
    rows[:, COLUMNS.index("revision")] = 0
    instrument = Instrument(Symbol(venue or EXTERNAL, name), price_decimals, quantity_decimals)
    step = step or spacing(times.tolist(), source.name)
    return [BarTable(source.name, instrument, step, rows, first_whole=False, last_whole=False, rejected=rejected)]


def table_columns(source: Source) -> tuple[Ints, list[Floats]]:
    """(n,) open times in ms, 0 where there is none, and open, high, low, close and volume, NaN where there is none.

    Raises:
        FileError: It cannot be read as a table of bars.
    """
    frame = _frame(source)
    return bar_times(frame, source.name), [bar_floats(frame, column, source.name) for column in _VALUES]


def decimals_of(values: Floats) -> int:
    """Fewest decimals, up to twelve, that give every one of `values` (n,) back exactly; twelve, or what fits, where none do."""
    largest = float(values.max(initial=0.0))
    for decimals in range(_DECIMALS + 1):
        power = 10.0**decimals
        if largest * power >= _EXACT:
            return max(decimals - 1, 0)
        if (np.rint(values * power) / power == values).all():
            return decimals
    return _DECIMALS


def _frame(source: Source) -> "pl.DataFrame":
    import polars as pl

    data = source.read()
    try:
        frame = pl.read_parquet(io.BytesIO(data)) if data.startswith(PARQUET) else pl.read_ipc(io.BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise FileError(
            source.name, f"damaged or not a table of bars ({str(error).splitlines()[0] if str(error) else error!r})"
        ) from error
    if len(frame) > _ROWS:
        raise FileError(source.name, f"more than {_ROWS} rows: split it")
    frame = frame.rename({column: column.lower() for column in frame.columns if column.lower() not in frame.columns})
    lacking = [column for column in _VALUES if column not in frame.columns]
    if lacking:
        raise FileError(source.name, f"no column for {', '.join(lacking)}")
    return frame


def bar_times(frame: "pl.DataFrame", name: str) -> Ints:
    """Open times in ms; 0 where there is none. Raises `FileError`."""
    import polars as pl

    column = next((candidate for candidate in _TIMES if candidate in frame.columns), None)
    if column is None:
        raise FileError(name, "no column for the time of a bar: date")
    series = frame[column]
    if series.dtype in (pl.Datetime, pl.Date):
        series = series.cast(pl.Datetime("ms"))
        return series.dt.epoch("ms").fill_null(0).to_numpy().astype(np.int64)
    if not series.dtype.is_integer():
        raise FileError(name, f"column {column} holds no times")
    values = series.fill_null(0).cast(pl.Int64).to_numpy()
    for limit, factor in ((100_000_000_000, 1_000.0), (100_000_000_000_000, 1.0), (100_000_000_000_000_000, 1e-3)):
        if int(values.max(initial=0)) < limit:
            return values * 1_000 if factor > 1 else values // round(1 / factor)
    return values // 1_000_000


def bar_floats(frame: "pl.DataFrame", column: str, name: str) -> Floats:
    """A column of numbers, NaN where there is none. Raises `FileError`."""
    import polars as pl

    series = frame[column]
    if not series.dtype.is_numeric():
        raise FileError(name, f"column {column} holds no numbers")
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _good(times: Ints, values: list[Floats], step: Timeframe | None) -> Mask:
    opening, high, low, close, volume = values
    with np.errstate(invalid="ignore"):
        good = (times > 0) & (times < LAST_MS) & (low > 0) & (volume >= 0) & np.isfinite(high) & np.isfinite(volume)
        good &= (low <= np.minimum(opening, close)) & (np.maximum(opening, close) <= high) & (high < _EXACT) & (volume < _EXACT)
    if step is not None:
        good &= times % step.ms == 0
    return np.asarray(good, dtype=np.bool_)
