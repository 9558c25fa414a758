"""`quantui scan` on files, on Parquet by address and on a store, in the process of the test."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from quantui import cli
from quantui.analytics.universe import Universe
from quantui.feeds.files.closes import Closes
from quantui.market.frames import Floats
from quantui.scan import aligned
from tests.analytics.test_universe import market

DAY_MS = 86_400_000
START = 1_704_067_200_000
NAMES = ("AAA", "BBB", "CCC", "DDD")


def write(folder: Path, name: str, closes: Floats, *, kind: str = "feather", first: int = 0, hour: bool = False) -> Path:
    """A file of bars; its first and last are taken for half ones."""
    step = DAY_MS // (24 if hour else 1)
    times = START + step * (first + np.arange(len(closes)))
    frame = pl.DataFrame(
        {
            "date": times,
            "open": closes,
            "high": closes * 1.01,
            "low": closes * 0.99,
            "close": closes,
            "volume": np.full(len(closes), 2.0),
        }
    ).with_columns(pl.col("date").cast(pl.Datetime("ms", "UTC")))
    path = folder / f"{name}_USDT-{'1h' if hour else '1d'}.{kind}"
    if kind == "feather":
        frame.write_ipc(path)
    elif kind == "parquet":
        frame.write_parquet(path)
    else:
        frame = frame.select(pl.col("date").dt.epoch("ms").alias("timestamp"), pl.all().exclude("date"))
        frame.insert_column(1, pl.lit(f"{name}USDT").alias("symbol")).insert_column(2, pl.lit("1h").alias("interval")).write_csv(
            path
        )
    return path


@pytest.fixture
def levels() -> Floats:
    return market(4, 60)


@pytest.fixture
def folder(tmp_path: Path, levels: Floats) -> Path:
    found = tmp_path / "bars"
    found.mkdir()
    for name, row in zip(NAMES, np.exp(levels), strict=True):
        write(found, name, row)
    return found


def run(tmp_path: Path, *words: str) -> int:
    return cli.run(["--data-dir", str(tmp_path / "data"), "scan", *words])


def scanned(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run(tmp_path, "--json", *words) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_json_is_what_the_contract_says(
    tmp_path: Path, folder: Path, levels: Floats, capsys: pytest.CaptureFixture[str]
) -> None:
    found = scanned(tmp_path, capsys, "--input", str(folder), "--window", "50", "--top", "5")
    table = Universe.of(NAMES, levels[:, 9:59]).table()  # the last bar of a file is half
    assert (found["tests"], found["expected_by_chance"], found["fdr"]) == (12, pytest.approx(0.6), 0.05)
    assert (found["timeframe"], found["window"], found["last_bar"]) == ("1d", 50, "2024-02-28T00:00:00Z")
    assert (found["left_out"], found["untested"], len(found["pairs"])) == ({}, [], 5)
    for row, place in zip(found["pairs"], table.order(), strict=False):
        assert (row["y"], row["x"], row["n"]) == (f"{NAMES[table.y[place]]}USDT", f"{NAMES[table.x[place]]}USDT", 50)
        for name in ("alpha", "beta", "r_squared", "correlation", "eg_stat", "eg_p", "zscore", "spread_std", "q_bh", "q_by"):
            assert row[name] == pytest.approx(getattr(table, name)[place], rel=1e-9), name
        assert row["lags"] == table.lags[place]
        mean = float(np.exp(levels[table.y[place], 9:59]).mean())
        assert row["turnover_y"] == pytest.approx(2.0 * mean)


def test_people_read_how_many_chance_would_find(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "NEW", np.linspace(1, 2, 20), first=40)
    assert run(tmp_path, "--input", str(folder), "--window", "50", "--symbols", "aaausdt", "BBBUSDT", "NEWUSDT", "ZZZUSDT") == 0
    text = capsys.readouterr().out
    assert "2 symbols, 50 bars of 1d up to 2024-02-28T00:00:00Z" in text
    assert "2 tests: " in text
    assert "chance alone would give about 0" in text
    assert "left out: NEWUSDT: 18/50 bars" in text
    assert "left out: ZZZUSDT: no bars of it" in text


def test_twins_have_a_reason_and_no_number(
    tmp_path: Path, folder: Path, levels: Floats, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "TWIN", np.exp(2 * levels[0]))
    found = scanned(tmp_path, capsys, "--input", str(folder), "--window", "50", "--top", "100")
    assert sorted(map(tuple, found["untested"])) == [
        ("AAAUSDT", "TWINUSDT", "legs are almost perfectly collinear"),
        ("TWINUSDT", "AAAUSDT", "legs are almost perfectly collinear"),
    ]
    assert (found["pairs"][-1]["eg_p"], found["pairs"][-1]["zscore"]) == (None, None)
    assert found["tests"] == 18


def test_as_of_a_time_and_by_the_length_of_bars(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "HOUR", np.linspace(1, 2, 90), hour=True)
    found = scanned(tmp_path, capsys, "--input", str(folder), "--window", "40", "--at", "2024-02-20")
    assert found["last_bar"] == "2024-02-19T00:00:00Z"
    assert found["left_out"] == {"HOURUSDT": "its bars are of another length"}
    assert scanned(tmp_path, capsys, "--input", str(folder), "--window", "40", "--timeframe", "1d")["tests"] == 12
    assert run(tmp_path, "--input", str(folder), "--timeframe", "1x") == 2
    assert "'1x' is no length of a bar" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_other_files_give_the_same(
    tmp_path: Path, folder: Path, levels: Floats, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name, row in zip(NAMES, np.exp(levels).round(6), strict=True):
        write(folder, name, row, hour=True)
        write(other, name, row, kind=kind, hour=True)
    words = ("--window", "50", "--top", "12", "--timeframe", "1h")
    (folder / "notes.txt").write_text("not bars")
    hours = [str(file) for file in sorted(folder.glob("*-1h.feather"))]
    assert scanned(tmp_path, capsys, *words, "--input", str(other)) == scanned(tmp_path, capsys, *words, "--input", *hours)


def test_parquet_by_address_is_read_by_column_or_by_file(
    tmp_path: Path, folder: Path, levels: Floats, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = []
    for name, row in zip(NAMES, np.exp(levels), strict=True):
        path = write(tmp_path, name, row, kind="parquet")
        parts.append(pl.read_parquet(path).with_columns(pl.lit(f"{name}USDT").alias("symbol")))
    whole = tmp_path / "whole"
    whole.mkdir()
    pl.concat(parts).write_parquet(whole / "all.parquet")
    words = ("--window", "50", "--top", "12")
    expected = scanned(tmp_path, capsys, *words, "--input", str(folder))
    assert scanned(tmp_path, capsys, *words, "--input", f"file://{tmp_path}/*.parquet") == expected
    assert scanned(tmp_path, capsys, *words, "--input", f"file://{whole}/*.parquet") == expected


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--input", "{folder}", "--window", "59"), 4, "0/2 symbols have 59 bars"),
        (("--input", "{folder}/none"), 1, "none"),
        (("--input", "{empty}"), 1, "no file in this folder"),
        (("--input", "file://{empty}/*.parquet"), 1, "cannot be read"),
        ((), 1, "there is no store"),
        (("--input", "{folder}", "--window", "6"), 2, "too few"),
        (("--input", "{folder}", "--at", "yesterday"), 2, "--at 'yesterday' is not a time"),
        (("--input", "{folder}", "--window", "50", "--scheduler", "tcp://127.0.0.1:1"), 1, "no Dask scheduler"),
    ],
)
def test_what_cannot_be_scanned_is_one_line(
    tmp_path: Path, folder: Path, words: Sequence[str], code: int, said: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("quantui.cluster.CONNECT_S", 0.5)
    (tmp_path / "empty").mkdir()
    assert run(tmp_path, *(word.format(folder=folder, empty=tmp_path / "empty") for word in words)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert said in captured.err


def test_bad_rows_stop_the_scan_or_are_left_out(
    tmp_path: Path, folder: Path, levels: Floats, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = np.exp(levels[0])
    broken[2] = np.nan
    write(folder, "AAA", broken)
    assert run(tmp_path, "--input", str(folder), "--window", "50") == 1
    assert "row 3 has no time, no price or no volume" in capsys.readouterr().err
    assert scanned(tmp_path, capsys, "--input", str(folder), "--window", "50", "--skip-bad")["tests"] == 12


def _closes(symbol: str, first: int, count: int) -> Closes:
    times = np.arange(first, first + count) * DAY_MS
    return Closes(symbol, times, np.exp(np.arange(count) * 0.01 + 0.1 * np.sin(np.arange(count) * (first + 2))), np.ones(count))


def test_the_window_ends_where_most_symbols_have_one() -> None:
    tables = [_closes("A", 0, 30), _closes("B", 0, 30), _closes("C", 1, 30), _closes("D", 20, 12)]
    found = aligned(tables, 20, DAY_MS, None, {})
    assert found.last_ms == 29 * DAY_MS  # the last day of A and B, on which C has a window too
    assert (list(found.symbols), found.left_out) == (["A", "B", "C"], {"D": "10/20 bars"})
    assert aligned([], 20, DAY_MS, None, {}).symbols == []
