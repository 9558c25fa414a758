"""Records out of the store, into a file or onto stdout; works beside a collector that writes."""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from quantui.store.formats import write_csv, write_ndjson, write_parquet
from quantui.store.records import StoreError
from quantui.store.schema import open_readonly
from quantui.store.tables import Export, ExportFilter

__all__ = ["ExportFilter", "Exported", "export", "export_file"]

_WRITERS = {"csv": write_csv, "parquet": write_parquet, "ndjson": write_ndjson}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    rows: int
    damaged: int
    """Stored records that failed their check and were left out: say so to the user."""


def export(
    database: Path, kind: str, wanted: ExportFilter, form: str = "csv", output: Path | None = None, *, force: bool = False
) -> Exported:
    """Write the `wanted` records of `kind` (bars, ticks, analytics or alerts) as `form` to `output`, or to stdout.

    A regular file appears whole or not at all, with mode 0600; devices and pipes are written to as they are.

    Raises:
        StoreError: no store, no such symbol, or `output` exists and `force` is not given.
        ValueError: unknown `kind` or `form`.
        OSError: `output` cannot be written.
    """
    if form not in _WRITERS:
        raise ValueError(f"{form!r} is not a format: csv, parquet or ndjson")
    with closing(open_readonly(database)) as connection:
        connection.execute("BEGIN")  # one snapshot from the first row to the last
        records = Export(connection, kind, wanted)
        try:
            rows = _to_stream(records, form, output) if _is_stream(output) else _to_file(records, form, output, force=force)
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the store at {database}: {error}") from error
    return Exported(rows, records.damaged)


def export_file(database: Path, kind: str, target: Path) -> Exported:
    """Everything of `kind` as CSV into the new file `target`; raises as `export`."""
    return export(database, kind, ExportFilter(), "csv", target)


def _is_stream(output: Path | None) -> bool:
    if output is None or str(output) in ("-", "/dev/stdout"):
        return True
    return output.exists() and not output.is_file() and not output.is_dir()


def _to_stream(records: Export, form: str, output: Path | None) -> int:
    if output is None or str(output) in ("-", "/dev/stdout"):
        rows = _WRITERS[form](records, sys.stdout.buffer)
        sys.stdout.flush()
        return rows
    with output.open("wb") as stream:
        return _WRITERS[form](records, stream)


def _to_file(records: Export, form: str, output: Path | None, *, force: bool) -> int:
    assert output is not None
    if output.is_dir():
        raise StoreError(f"{output} is a directory: name a file in it")
    if not force and os.path.lexists(output):
        raise StoreError(f"{output} exists: name another file, or replace it with --force")
    with _whole_file(output, force=force) as partial, partial.open("wb") as stream:
        rows = _WRITERS[form](records, stream)
        stream.flush()
        os.fsync(stream.fileno())
    return rows


@contextmanager
def _whole_file(output: Path, *, force: bool) -> Iterator[Path]:
    """A temporary file beside `output` that takes its name when all went well, and goes when not."""
    descriptor, name = tempfile.mkstemp(prefix=f".{output.name}.", suffix=".part", dir=output.parent)
    os.close(descriptor)
    partial = Path(name)
    try:
        yield partial
        if force:
            partial.replace(output)
        else:
            try:
                output.hardlink_to(partial)  # unlike a rename, never over a file that came meanwhile
            except FileExistsError:
                raise StoreError(f"{output} exists: name another file, or replace it with --force") from None
            except OSError:  # a file system without hard links
                partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(output.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
