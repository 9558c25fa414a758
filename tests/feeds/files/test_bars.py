"""Bars out of files: exact, with their edges treated as partial until proven whole."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quantui.feeds.files import FileError
from quantui.feeds.files.bars import BarTable
from quantui.feeds.files.reader import Given, read
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import to_frame
from quantui.market.instruments import Timeframe
from tests.feeds.files.conftest import Write

T = 1_723_161_600_000
MINUTE = 60_000
HOUR = 3_600_000
NOTHING = Given()


def one(path: Path, given: Given = NOTHING) -> BarTable:
    found = read(path, given)
    assert isinstance(found, list)
    assert len(found) == 1
    return found[0]


def column(table: BarTable, name: str) -> list[int]:
    values: list[int] = table.rows[:, COLUMNS.index(name)].tolist()
    return values


def kline(open_ms: int, *, micro: bool = False, step: int = MINUTE) -> str:
    unit, last = (1000, 999) if micro else (1, 0)
    close_ms = (open_ms + step - 1) * unit + last
    prices = "0.35270000,0.35280000,0.35220000,0.35280000"
    return f"{open_ms * unit},{prices},25877.00000000,{close_ms},9116.04600000,30,58.00000000,20.46240000,0"


HEADER = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n"


@pytest.mark.parametrize(
    ("header", "micro", "start", "venue"),
    [
        ("", False, T, "binance-spot"),
        ("", True, T + 365 * 86_400_000, "binance-spot"),
        (HEADER, False, T, "binance-usdm"),
        ("", False, T - 3 * 365 * 86_400_000, "external"),
    ],
)
def test_bulk_klines(write: Write, header: str, micro: bool, start: int, venue: str) -> None:
    content = header + "\n".join(kline(start + index * MINUTE, micro=micro) for index in range(3))
    table = one(write("NKNUSDT-1m-2024-08-09.zip", content))
    assert (table.instrument.symbol.name, table.instrument.symbol.venue, table.timeframe) == ("NKNUSDT", venue, Timeframe.M1)
    assert (table.instrument.price_decimals, table.instrument.quantity_decimals) == (4, 0)
    assert table.rows[0].tolist() == [
        start, 3527, 3528, 3522, 3528, 25877, 91160460, 58, 204624, 30, -1, -1, -1, BarState.CERTIFIED, 0,
    ]  # fmt: skip


def test_the_last_kline_is_partial_unless_it_ends_the_day_of_a_bulk_file(write: Write) -> None:
    midday = one(write("A-1m.csv", "\n".join(kline(T + index * MINUTE) for index in range(3))))
    assert midday.whole()[:, 0].tolist() == [T, T + MINUTE]
    assert column(midday, "state") == [BarState.CERTIFIED, BarState.CERTIFIED, BarState.PROVISIONAL]
    day = one(write("B-1m.csv", "\n".join(kline(T - (3 - index) * MINUTE) for index in range(3))))
    assert len(day.whole()) == 3


def test_a_range_decides_about_the_edges(write: Write) -> None:
    rows = [[T + index * HOUR, 1, 2, 1, 2, 5] for index in range(5)]
    table = one(write("BTC_USDT-1h.json", json.dumps(rows)))
    assert table.whole()[:, 0].tolist() == [T + HOUR, T + 2 * HOUR, T + 3 * HOUR]
    assert table.whole(T, T + 2 * HOUR)[:, 0].tolist() == [T, T + HOUR]
    assert len(table.whole(T)) == 4
    assert len(table.whole(end_ms=T + 5 * HOUR)) == 4
    assert len(table.whole(T + 9 * HOUR, T)) == 0


BARS = "timestamp,symbol,interval,open,high,low,close,volume"


def test_bars_csv_of_several_symbols_and_intervals(write: Write) -> None:
    lines = [BARS + ",trade_count,vwap"]
    for symbol in ("btcusdt", "ETHUSDT"):
        lines += [f"{T + index * HOUR},{symbol},1h,100.5,101,100,100.50,2.5,7,100.4" for index in range(3)]
    lines += ["2024-08-09T00:00:00Z,ETHUSDT,1m,1,1,1,1,0,0,"]
    found = read(write("bars.csv", "\n".join(lines)))
    assert isinstance(found, list)
    assert [(table.instrument.symbol.name, table.timeframe, len(table.rows)) for table in found] == [
        ("BTCUSDT", Timeframe.H1, 3), ("ETHUSDT", Timeframe.H1, 3), ("ETHUSDT", Timeframe.M1, 1),
    ]  # fmt: skip
    assert column(found[0], "trade_count") == [7, 7, 7]
    assert column(found[0], "quote_volume") == [25100, 25100, 25100]  # 100.4 * 2.5 in units of 10**-(1 + 1)
    assert len(found[0].whole()) == 1
    assert column(found[2], "trade_count") == [0]


def test_what_a_file_does_not_tell_is_unknown_and_not_zero(write: Write) -> None:
    table = one(write("bars.csv", f"{BARS}\n{T},A,1h,1,1,1,1,5\n{T + HOUR},A,1h,1,1,1,1,0\n"))
    for name in ("quote_volume", "taker_volume", "taker_quote", "trade_count"):
        assert column(table, name) == [-1, 0]
    assert to_frame(table.rows, table.instrument)["vwap"].to_list() == [None, None]


def test_the_states_of_our_own_export_prove_the_edges(write: Write) -> None:
    header = BARS + ",quote_volume,vwap,trade_count,taker_buy_volume,state\n"
    rows = "\n".join(
        f"{T + index * 1000},A,1s,1,1,1,1,5,5,1,3,2,{state}" for index, state in enumerate(("certified", "gap", "provisional"))
    )
    table = one(write("bars.csv", header + rows))
    assert len(table.whole()) == 3
    assert column(table, "state") == [BarState.CERTIFIED, BarState.GAP, BarState.PROVISIONAL]
    assert column(table, "taker_volume") == [2, 2, 2]


@pytest.mark.parametrize(
    "bad",
    [
        f"{T + HOUR},A,1h,1,1,1,0,5",
        f"{T + HOUR},A,1h,1,1,1,NaN,5",
        f"{T + HOUR},A,1h,1,1,1,1,-5",
        f"{T + HOUR},A,1h,1,0.5,1,1,5",
        f"{T + HOUR},A,1h,1,2,1.5,2,5",
        f"{T + 1},A,1h,1,1,1,1,5",
        f"{T + HOUR},A,1h,1,1,1",
        BARS,
    ],
)
def test_the_first_bad_bar_is_named_and_may_be_skipped(write: Write, bad: str) -> None:
    path = write("bars.csv", f"{BARS}\n{T},A,1h,1,1,1,1,5\n{bad}\n{T + 2 * HOUR},A,1h,1,1,1,1,5\n")
    if bad == BARS:
        with pytest.raises(FileError, match="interval 'interval' is not built"):
            read(path)
        return
    with pytest.raises(FileError, match="line 3"):
        read(path)
    table = one(path, Given(skip_bad=True))
    assert (len(table.rows), table.rejected) == (2, 1)


def test_json_of_rest_klines_keeps_everything(write: Write) -> None:
    row: list[Any] = [
        T,
        "0.35270000",
        "0.35280000",
        "0.35220000",
        "0.35280000",
        "25877.0",
        T + MINUTE - 1,
        "9116.046",
        30,
        "58.0",
        "20.4624",
        "0",
    ]
    table = one(write("NKNUSDT-1m.json", json.dumps([row, [T + MINUTE, *row[1:]]])))
    assert column(table, "trade_count") == [30, 30]
    assert len(table.whole()) == 1  # the last kline of an answer is normally still forming


def test_json_numbers_may_have_exponents(write: Write) -> None:
    table = one(write("SHIB_USDT.json", f"[[{T},1.036e-05,1.038e-05,1.036e-05,1.037e-05,9e10],[{T + HOUR},1e-5,1e-5,1e-5,1e-5,1]]"))
    assert (table.instrument.price_decimals, table.instrument.quantity_decimals) == (8, 0)
    assert column(table, "open") == [1036, 1000]
    assert column(table, "volume") == [90_000_000_000, 1]
    assert table.timeframe is Timeframe.H1


@pytest.mark.parametrize(
    "content", ["[[]]", "[[1,2,3]]", "[", "[{}]", "[]", '[["a",1,1,1,1,1]]', f"[[{T},1,1,1,true,1]]", "[" * 50_000]
)
def test_json_that_is_no_bars_is_an_error(write: Write, content: str) -> None:
    with pytest.raises(FileError):
        read(write("BTCUSDT-1h.json", content))


def table_file(folder: Path, name: str, frame: pl.DataFrame) -> Path:
    path = folder / name
    if name.endswith(".parquet"):
        frame.write_parquet(path)
    else:
        frame.write_ipc(path)
    return path


def bars_frame(count: int = 4, **columns: object) -> pl.DataFrame:
    values: dict[str, Any] = {name: [(index + 1) / 10 for index in range(count)] for name in ("open", "high", "low", "close")}
    times = pl.Series([T + index * HOUR for index in range(count)]).cast(pl.Datetime("ms"))
    return pl.DataFrame({"date": times, **values, "volume": [float(index) for index in range(count)], **columns})


@pytest.mark.parametrize("name", ["BTC_USDT-1h.feather", "BTC_USDT-1h.parquet", "BTC_USDT-1h.bin"])
def test_feather_and_parquet(tmp_path: Path, name: str) -> None:
    table = one(table_file(tmp_path, name, bars_frame()))
    assert table.instrument.symbol.name == "BTCUSDT"
    assert table.timeframe is Timeframe.H1
    assert table.instrument.price_decimals == 1
    assert column(table, "close") == [1, 2, 3, 4]
    assert len(table.whole()) == 2


@pytest.mark.parametrize("dtype", [pl.Datetime("ns", "UTC"), pl.Datetime("us"), pl.Int64])
def test_times_of_tables_in_every_type(tmp_path: Path, dtype: "pl.DataType") -> None:
    frame = bars_frame().with_columns(
        pl.col("date").cast(pl.Datetime("ms")).cast(dtype) if dtype != pl.Int64 else pl.col("date").dt.epoch("ms")
    )
    assert one(table_file(tmp_path, "A-1h.feather", frame)).rows[0, 0] == T


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf"), 0.0, -1.0])
def test_a_bad_row_of_a_table_is_named_and_may_be_skipped(tmp_path: Path, bad: float | None) -> None:
    path = table_file(tmp_path, "A-1h.feather", bars_frame(close=[0.1, 0.2, bad, 0.4]))
    with pytest.raises(FileError, match="row 3"):
        read(path)
    assert len(one(path, Given(skip_bad=True)).rows) == 3


def test_a_table_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    for name in ("A-1h.feather", "A-1h.parquet"):
        path = table_file(tmp_path, name, bars_frame())
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(FileError):
            read(path)


def test_real_closes_come_back_exactly_and_their_windows_are_whole(shared: Path) -> None:
    pairs = json.loads((shared / "oracles/reference/pairs_detail_visible.json").read_text())["pairs"]
    checked = 0
    for pair in pairs:
        folder = shared / "data/klines" / pair["source"]
        start, end = (
            pl.Series([pair[key]]).str.to_datetime(time_unit="ms").dt.epoch("ms")[0] for key in ("start", "end_exclusive")
        )
        for leg, index in (("y", 0), ("x", 1)):
            base = pair[leg].removesuffix("USDT")
            path = next(folder.glob(f"{base}_USDT-*.feather"))
            if path.stem.endswith("-1d"):
                continue
            table = one(path)
            original = pl.read_ipc(path.read_bytes()).filter(pl.col("date").dt.epoch("ms").is_between(start, end - 1))
            rows = table.whole(start, end)
            closes = rows[:, COLUMNS.index("close")] / 10**table.instrument.price_decimals
            assert closes.tolist() == original["close"].to_list()
            assert (closes[0], closes[-1]) == (pair["first_close"][index], pair["last_close"][index])
            checked += 1
    assert checked >= 4
