import asyncio
import csv
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from quantui.clock import Clock
from quantui.market.bars import BarState
from quantui.market.instruments import Instrument, Pair, Symbol, Timeframe
from quantui.market.trades import Trade
from quantui.store.export import ExportFilter, export, export_file
from quantui.store.records import AlertRecord, AnalyticsRow, StoreError
from quantui.store.schema import open_readonly
from quantui.store.tables import COLUMNS, Export
from quantui.store.ticks import tick_table
from quantui.store.writer import Store
from tests.store.bars import BTC, HOUR_0, bars, events

ETH = Instrument(Symbol("binance-usdm", "ETHUSDT"), 2, 3)
PAIR = Pair(ETH.symbol, BTC.symbol)
KINDS = ("bars", "ticks", "analytics", "alerts")
HEADERS = {
    "bars": "timestamp,symbol,interval,open,high,low,close,volume,quote_volume,vwap,trade_count,taker_buy_volume,state",
    "ticks": "timestamp,symbol,price,size,id,side",
    "analytics": "timestamp,symbol_y,symbol_x,timeframe,price_y,price_x,alpha,beta,r_squared,beta_se,spread,zscore,correlation,"
    "adf_stat,adf_p,eg_stat,eg_p,half_life,signal,quality",
    "alerts": "id,time,bar,pair,timeframe,rule,severity,direction,zscore,spread,alpha,beta,correlation,eg_p,half_life,n,legs,"
    "gates,message",
}
EVIL = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "'quoted", 'a"b,c', "two\nlines", "=\",\n'")


async def fill(path: Path) -> None:
    """BTCUSDT over 70 minutes and some seconds of ETHUSDT, with bars of every state; trades, statistics, alerts."""
    async with await Store.open(path, clock=Clock()) as store:
        made = bars(4_200)
        made[1], made[2] = bars(1, first=1, state=BarState.PROVISIONAL)[0], bars(1, first=2, state=BarState.GAP)[0]
        store.put_bars(BTC, events(made))
        store.put_bars(BTC, events(bars(3, timeframe=Timeframe.M1), Timeframe.M1))
        store.put_bars(ETH, events(bars(5)))
        taken, anonymous = Trade(7, HOUR_0 + 1, 6_168_590, 10, 1, 2, True), Trade(-1, HOUR_0 + 2, 5, 123_456, -1, -1, False)
        store.put_ticks(BTC, tick_table([taken, anonymous]))
        statistics = AnalyticsRow(1864.05, 61685.99, zscore=-2.5, spread=float("inf"), signal="LONG_SPREAD")
        store.put_analytics(PAIR, Timeframe.S1, HOUR_0, statistics)
        store.put_analytics(PAIR, Timeframe.M1, HOUR_0, AnalyticsRow(quality="-odd"))
        for number, text in enumerate(EVIL):
            store.put_alert(
                AlertRecord(
                    HOUR_0 + number, HOUR_0, PAIR.label, "1s", f"rule {number}", "alert", zscore=-2.0, message=text,
                    legs=({"symbol": "ETHUSDT", "side": "sell", "quantity": 0.5, "price": 1864.05},),
                )
            )  # fmt: skip
        await store.upkeep()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "quantui.db"
    asyncio.run(fill(path))
    return path


def written(database: Path, kind: str, form: str = "csv", wanted: ExportFilter | None = None) -> str:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out"
        export(database, kind, wanted or ExportFilter(), form, target)
        return target.read_bytes().decode()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("kind", KINDS)
def test_headers_are_those_of_the_contract_in_every_format(filled: Path, tmp_path: Path, kind: str) -> None:
    names = HEADERS[kind].split(",")
    assert written(filled, kind).split("\n", 1)[0] == HEADERS[kind]
    assert all(list(json.loads(line)) == names for line in written(filled, kind, "ndjson").splitlines())
    target = tmp_path / "x.parquet"
    export(filled, kind, ExportFilter(), "parquet", target)
    assert pl.read_parquet(target).columns == names


def test_bars_are_exact(filled: Path) -> None:
    rows = table(written(filled, "bars"))
    assert len(rows) == 4_200 + 3 + 5
    first, expected = rows[0], bars(1)[0]
    assert first["timestamp"] == "2026-07-29T00:00:00.000Z"
    assert (first["symbol"], first["interval"], first["state"]) == ("BTCUSDT", "1s", "certified")
    assert [row["state"] for row in rows[1:3]] == ["provisional", "gap"]
    assert first["open"] == f"{Decimal(expected.open).scaleb(-2):.2f}"
    assert first["volume"] == f"{Decimal(expected.volume).scaleb(-3):.3f}"
    assert first["quote_volume"] == f"{Decimal(expected.quote_volume).scaleb(-5):.5f}"
    assert first["taker_buy_volume"] == f"{Decimal(expected.taker_volume).scaleb(-3):.3f}"
    assert float(first["vwap"]) == pytest.approx(expected.quote_volume / expected.volume / 100)
    assert first["trade_count"] == str(expected.trade_count)
    assert [row["timestamp"] for row in rows[:4_200]] == sorted(row["timestamp"] for row in rows[:4_200])


async def test_a_bar_without_trades_has_no_vwap(store: Store, path: Path) -> None:
    (bar,) = bars(1)
    flat = type(bar)(HOUR_0, 5, 5, 5, 5, 0, 0, 0, 0, 0, -1, -1, 9, BarState.CERTIFIED)
    store.put_bars(BTC, events([flat]))
    await store.flush()
    assert table(written(path, "bars"))[0]["vwap"] == ""
    assert json.loads(written(path, "bars", "ndjson"))["vwap"] is None


def test_numbers_of_ndjson_are_exact_decimals(filled: Path) -> None:
    lines = written(filled, "bars", "ndjson").splitlines()
    text = [json.loads(line, parse_float=str, parse_int=str) for line in lines]
    assert [row["close"] for row in text] == [row["close"] for row in table(written(filled, "bars"))]
    assert isinstance(json.loads(lines[0])["close"], float)


def test_parquet_has_types(filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "bars.parquet"
    export(filled, "bars", ExportFilter.of(symbol="btcusdt", timeframe="1s"), "parquet", target)
    frame = pl.read_parquet(target)
    assert frame.schema["timestamp"] == pl.Datetime("ms", "UTC")
    assert frame.schema["trade_count"] == pl.Int64
    assert frame["timestamp"][0] == datetime(2026, 7, 29, tzinfo=UTC)
    assert frame["close"].to_list() == [bar.close / 100 for bar in bars(4_200)]


def test_trades_have_the_takers_side_and_no_id_where_there_is_none(filled: Path) -> None:
    assert written(filled, "ticks").splitlines()[1:] == [
        "2026-07-29T00:00:00.001Z,BTCUSDT,61685.90,0.010,7,sell",
        "2026-07-29T00:00:00.002Z,BTCUSDT,0.05,123.456,,buy",
    ]


def test_numbers_are_never_quoted_against_spreadsheets_texts_are(filled: Path) -> None:
    seconds, minutes = written(filled, "analytics").splitlines()[1:]
    assert seconds == "2026-07-29T00:00:00.000Z,ETHUSDT,BTCUSDT,1s,1864.05,61685.99,,,,,,-2.5,,,,,,,LONG_SPREAD,"
    assert minutes.endswith(',"\'-odd"')
    assert json.loads(written(filled, "analytics", "ndjson").splitlines()[0])["spread"] is None  # not a finite number


def test_evil_texts_are_harmless_in_csv_and_come_back(filled: Path) -> None:
    cells = [row["message"] for row in table(written(filled, "alerts"))]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in cells)
    assert [cell.removeprefix("'") for cell in cells] == list(EVIL)
    assert [json.loads(line)["message"] for line in written(filled, "alerts", "ndjson").splitlines()] == list(EVIL)
    assert json.loads(table(written(filled, "alerts"))[0]["legs"])[0]["side"] == "sell"


@pytest.mark.parametrize(
    ("kind", "wanted", "rows"),
    [
        ("bars", {"symbol": "ETHUSDT"}, 5),
        ("bars", {"symbol": "binance-usdm:BTCUSDT", "timeframe": "1m"}, 3),
        ("bars", {"pair": "ETHUSDT/BTCUSDT", "timeframe": "1s"}, 4_205),
        ("bars", {"symbol": "BTCUSDT", "timeframe": "1s", "start": "2026-07-29T00:00:10Z", "end": "2026-07-29T00:00:20"}, 10),
        ("bars", {"symbol": "BTCUSDT", "timeframe": "1s", "start": "2026-07-29T02:30:10+01:30"}, 590),
        ("bars", {"end": "2026-07-28"}, 0),
        ("ticks", {"start": "2026-07-29T00:00:00.002Z"}, 1),
        ("analytics", {"pair": "ETHUSDT/BTCUSDT", "timeframe": "1m"}, 1),
        ("analytics", {"pair": "BTCUSDT/ETHUSDT"}, 0),
        ("analytics", {"symbol": "BTCUSDT"}, 2),
        ("alerts", {"pair": "binance-usdm:ETHUSDT/binance-usdm:BTCUSDT"}, len(EVIL)),
        ("alerts", {"pair": "BTCUSDT/ETHUSDT"}, 0),
        ("alerts", {"timeframe": "1m"}, 0),
        ("alerts", {"end": "2026-07-29T00:00:00.003Z"}, 3),
    ],
)
def test_filters(filled: Path, kind: str, wanted: dict[str, str], rows: int) -> None:
    assert len(table(written(filled, kind, wanted=ExportFilter.of(**wanted)))) == rows


@pytest.mark.parametrize("wanted", [{"pair": "BTCUSDT"}, {"start": "yesterday"}, {"timeframe": "2s"}])
def test_what_cannot_be_read_is_refused(wanted: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a"):
        ExportFilter.of(**wanted)


def test_an_unknown_symbol_is_named_with_those_there_are(filled: Path) -> None:
    with pytest.raises(StoreError, match="it holds BTCUSDT, ETHUSDT"):
        written(filled, "bars", wanted=ExportFilter.of(symbol="DOGEUSDT"))


def test_unknown_kinds_and_formats_are_refused(filled: Path) -> None:
    with pytest.raises(ValueError, match="'trades'"):
        written(filled, "trades")
    with pytest.raises(ValueError, match="not a format"):
        written(filled, "bars", "xlsx")


async def test_two_venues_of_one_name_are_told_apart(store: Store, path: Path) -> None:
    for venue in ("binance-spot", "binance-usdm"):
        store.put_bars(Instrument(Symbol(venue, "BTCUSDT"), 2, 3), events(bars(1)))
    await store.flush()
    assert [row["symbol"] for row in table(written(path, "bars"))] == ["binance-spot:BTCUSDT", "binance-usdm:BTCUSDT"]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_empty_store_gives_a_header_alone(store: Store, path: Path, tmp_path: Path, kind: str) -> None:
    await store.flush()
    assert written(path, kind) == HEADERS[kind] + "\n"
    assert written(path, kind, "ndjson") == ""
    target = tmp_path / "empty.parquet"
    export(path, kind, ExportFilter(), "parquet", target)
    assert pl.read_parquet(target).columns == [column.name for column in COLUMNS[kind]]


def test_the_file_is_private_and_never_replaces_another_unasked(filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    export_file(filled, "bars", target)
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreError, match="exists: name another file, or replace it with --force"):
        export_file(filled, "ticks", target)
    assert target.read_text().startswith(HEADERS["bars"])
    export(filled, "ticks", ExportFilter(), "csv", target, force=True)
    assert target.read_text().startswith(HEADERS["ticks"])
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_symbolic_link_is_not_followed(filled: Path, tmp_path: Path) -> None:
    precious, link = tmp_path / "precious", tmp_path / "link"
    precious.write_text("precious")
    link.symlink_to(precious)
    with pytest.raises(StoreError, match="exists"):
        export_file(filled, "ticks", link)
    export(filled, "ticks", ExportFilter(), "csv", link, force=True)
    assert precious.read_text() == "precious"
    assert not link.is_symlink()


def test_a_dangling_link_counts_as_a_file(filled: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="exists"):
        export_file(filled, "ticks", link)


def test_a_folder_is_refused(filled: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a directory"):
        export_file(filled, "ticks", tmp_path)


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_a_file_that_cannot_be_finished_leaves_nothing_behind(filled: Path, tmp_path: Path, form: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))  # room for the shared memory of a reader
    try:
        with pytest.raises((OSError, StoreError), match="File too large"):
            export(filled, "bars", ExportFilter(), form, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_to_as_it_is(filled: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    export(filled, "bars", ExportFilter(), "csv", pipe)
    reader.join()
    assert found[0].decode() == written(filled, "bars")


@pytest.mark.parametrize("output", ["None", "Path('-')", "Path('/dev/stdout')"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_stdout_is_the_default(filled: Path, tmp_path: Path, output: str, form: str) -> None:
    code = (
        "import sys; from pathlib import Path; from quantui.store.export import *;"
        f"export(Path(sys.argv[1]), 'bars', ExportFilter(), {form!r}, {output})"
    )
    done = subprocess.run([sys.executable, "-c", code, str(filled)], capture_output=True, check=True)
    if form == "csv":
        assert done.stdout.decode() == written(filled, "bars")
    else:
        assert len(pl.read_parquet(io.BytesIO(done.stdout))) == 4_208


async def test_an_export_sees_one_moment_while_the_store_is_written(store: Store, path: Path) -> None:
    store.put_bars(BTC, events(bars(4_000)))
    await store.upkeep()
    with closing(open_readonly(path)) as connection:
        connection.execute("BEGIN")
        batches = Export(connection, "bars", ExportFilter()).batches()
        rows = list(next(batches))
        store.put_bars(BTC, events(bars(9_000)))
        await store.upkeep()
        for batch in batches:
            rows += batch
    assert len(rows) == 4_000
    assert len(table(written(path, "bars"))) == 9_000
