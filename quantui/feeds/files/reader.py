"""Any file in: what it is is found out from its content, and the reader for it is called."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from quantui.feeds.files.bar_tables import FEATHER, PARQUET, read_table
from quantui.feeds.files.bar_text import KLINE_FIELDS, BarReader, is_bar_header, is_kline_header
from quantui.feeds.files.bars import BarTable
from quantui.feeds.files.capture import CaptureReader
from quantui.feeds.files.errors import BadRowError, FileError
from quantui.feeds.files.rows import columns, is_number, missing, split
from quantui.feeds.files.source import DEFAULT_LIMITS, Limits, Source
from quantui.feeds.files.tape import Tape
from quantui.feeds.files.ticks import TickReader, archive_layout, read_archive


class Kind(StrEnum):
    """What a file is."""

    CAPTURE = "raw stream capture"
    NDJSON = "ticks as NDJSON"
    TICKS = "ticks as CSV"
    ARCHIVE = "Binance bulk trades"
    KLINES = "Binance bulk klines"
    BARS = "bars as CSV"
    JSON = "bars as JSON"
    TABLE = "bars as Feather or Parquet"


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller knows about a file and the file may not tell."""

    symbol: str | None = None
    timeframe: str | None = None
    venue: str | None = None
    skip_bad: bool = False
    """Count bad rows instead of stopping at the first."""


NOTHING_GIVEN = Given()
_CAPTURE = re.compile(rb"(wss?|https?)://|\d+(\.\d+)?:?\s+[\[{]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read(
    path: str | Path, given: Given = NOTHING_GIVEN, *, stdin: BinaryIO | None = None, limits: Limits = DEFAULT_LIMITS
) -> Tape | list[BarTable]:
    """The trades, or the bars, of a file.

    Args:
        path: The file, or `-` for `stdin`. Packed (gzip, a zip of one file) or not.
        given: What the file may not tell.
        stdin: Where `-` reads from.
        limits: What is refused as hostile.

    Raises:
        FileError: It cannot be read: names the file, the line where there is one, and what to do.
    """
    with Source(path, stdin=stdin, limits=limits) as source:
        source.tolerant = given.skip_bad
        try:
            return _read(source, sniff(source), given)
        except BadRowError as error:  # a symbol given by the caller
            raise FileError(source.name, str(error)) from error


def read_trades(
    path: str | Path, given: Given = NOTHING_GIVEN, *, stdin: BinaryIO | None = None, limits: Limits = DEFAULT_LIMITS
) -> Tape:
    """As `read`, for a caller that needs trades.

    Raises:
        FileError: It cannot be read, or holds bars.
    """
    found = read(path, given, stdin=stdin, limits=limits)
    if isinstance(found, Tape):
        return found
    raise FileError(str(path), "holds bars, not trades: there is nothing to replay in it (see `quantui analyze --input`)")


def sniff(source: Source) -> Kind:
    """What a file is, from its first bytes.

    Raises:
        FileError: It is nothing that quantui reads.
    """
    head = source.head()
    if head.startswith((FEATHER, PARQUET)):
        return Kind.TABLE
    if head.startswith(_UTF16):
        raise FileError(source.name, "not UTF-8 text: convert it first", 1)
    start = head.lstrip()
    if _CAPTURE.match(start):
        return Kind.CAPTURE
    if start.startswith(b"{"):
        return Kind.NDJSON
    if start.startswith(b"["):
        return Kind.JSON
    line = start.partition(b"\n")[0].rstrip(b"\r")
    try:
        kind = _csv_kind(split(line))
    except BadRowError:
        kind = None
    if kind is None:
        raise FileError(source.name, "neither trades nor bars in any format that quantui knows: see docs/files.md", 1)
    return kind


def _csv_kind(fields: list[str]) -> Kind | None:
    if archive_layout(fields) is not None:
        return Kind.ARCHIVE
    if is_number(fields[0]):
        return Kind.KLINES if len(fields) == KLINE_FIELDS else None
    if is_kline_header(fields):
        return Kind.KLINES
    if is_bar_header(fields):
        return Kind.BARS
    return None if missing(columns(tuple(fields)), ("time", "price", "size")) else Kind.TICKS


def _read(source: Source, kind: Kind, given: Given) -> Tape | list[BarTable]:
    symbol, venue, skip_bad = given.symbol, given.venue, given.skip_bad
    if kind is Kind.CAPTURE:
        return CaptureReader(source, venue=venue, skip_bad=skip_bad).read()
    if kind is Kind.ARCHIVE:
        return read_archive(source, symbol=symbol, venue=venue, skip_bad=skip_bad)
    if kind in (Kind.NDJSON, Kind.TICKS):
        ticks = TickReader(source, symbol=symbol, venue=venue, skip_bad=skip_bad)
        return ticks.ndjson() if kind is Kind.NDJSON else ticks.csv()
    if kind is Kind.TABLE:
        return read_table(source, symbol=symbol, timeframe=given.timeframe, venue=venue, skip_bad=skip_bad)
    bars = BarReader(source, symbol=symbol, timeframe=given.timeframe, venue=venue, skip_bad=skip_bad)
    return bars.klines() if kind is Kind.KLINES else bars.json() if kind is Kind.JSON else bars.csv()
