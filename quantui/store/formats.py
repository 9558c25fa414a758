"""Rows to bytes: CSV, NDJSON, Parquet."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from quantui.store.records import StoreError
from quantui.store.tables import Column, Export, Row

if TYPE_CHECKING:
    import polars as pl

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠", "'")
"""A text that begins so may be run by a spreadsheet. The apostrophe is among them so that taking one away restores every text."""

_POLARS_TIME = "%Y-%m-%dT%H:%M:%S%.3fZ"


def write_csv(export: Export, target: BinaryIO) -> int:
    """RFC 4180 with LF, a header, text guarded against spreadsheets, numbers bare; returns the number of rows."""
    target.write((",".join(column.name for column in export.columns) + "\n").encode())
    texts = [column.kind in ("text", "json") for column in export.columns]

    def line(row: Row) -> str:
        return ",".join("" if cell is None else _csv_text(cell) if text else cell for cell, text in zip(row, texts, strict=True))

    return _write_lines(export, line, target)


def write_ndjson(export: Export, target: BinaryIO) -> int:
    """One JSON object a line, numbers as exact decimals; returns the number of rows."""
    heads = [f"{msgspec.json.encode(column.name).decode()}:" for column in export.columns]
    texts = [column.kind in ("text", "time") for column in export.columns]

    def line(row: Row) -> str:
        cells = zip(heads, row, texts, strict=True)
        return (
            "{"
            + ",".join(head + ("null" if cell is None else _json_text(cell) if text else cell) for head, cell, text in cells)
            + "}"
        )

    return _write_lines(export, line, target)


def write_parquet(export: Export, target: BinaryIO) -> int:
    """Times as UTC milliseconds, counts as 64-bit integers, other numbers as 64-bit floats; returns the number of rows."""
    import polars as pl
    from polars.io.plugins import register_io_source

    written = 0

    def batches(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        nonlocal written
        for rows in export.batches():
            if rows:
                written += len(rows)
                yield _frame(rows, export.columns)

    empty = _frame([], export.columns)
    try:
        register_io_source(batches, schema=empty.schema).sink_parquet(target, compression="zstd", engine="streaming")
    except pl.exceptions.ComputeError as error:  # polars' word for a full disk, too
        raise StoreError(f"cannot write the Parquet file: {error}".splitlines()[0]) from error
    return written


def _write_lines(export: Export, line: Callable[[Row], str], target: BinaryIO) -> int:
    written = 0
    for rows in export.batches():
        if rows:
            target.write(("\n".join(map(line, rows)) + "\n").encode("utf-8", "backslashreplace"))
            written += len(rows)
    return written


def _csv_text(text: str) -> str:
    if text.startswith(_FORMULA):
        text = f"'{text}"
        return '"' + text.replace('"', '""') + '"'
    if any(char in text for char in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _json_text(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _frame(rows: list[Row], columns: tuple[Column, ...]) -> "pl.DataFrame":
    import polars as pl

    frame = pl.DataFrame(rows, schema={column.name: pl.String for column in columns}, orient="row")
    casts = {"number": pl.Float64, "integer": pl.Int64}
    return frame.with_columns(
        pl.col(name).str.to_datetime(_POLARS_TIME, time_unit="ms").dt.replace_time_zone("UTC")
        if kind == "time"
        else pl.col(name).cast(casts[kind])
        for name, kind in columns
        if kind == "time" or kind in casts
    )
