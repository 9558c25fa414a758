"""`export`: records out of the store, also while a collector writes it."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from quantui.paths import Paths
from quantui.store.export import export
from quantui.store.records import StoreError
from quantui.store.schema import open_readonly
from quantui.store.tables import ExportFilter
from quantui.text import safe


def run(places: Paths, options: argparse.Namespace) -> int:
    """Write what was asked for to stdout or a file. Exit code 0 done, 1 it cannot be, 2 wrong usage."""
    try:
        wanted = ExportFilter.of(
            symbol=options.symbol, pair=options.pair, timeframe=options.timeframe, start=options.start, end=options.end
        )
    except ValueError as error:
        return _fail(error, 2)
    try:
        _check_names(places.database, wanted)
        done = export(places.database, options.kind, wanted, options.format, options.output, force=options.force)
    except BrokenPipeError:
        raise
    except (StoreError, ValueError, OSError) as error:
        return _fail(error, 1)
    if done.damaged:
        print(f"quantui: {done.damaged} stored records were damaged and are left out; run `quantui doctor`", file=sys.stderr)
    return 0


def _check_names(database: Path, wanted: ExportFilter) -> None:
    """Every symbol asked for is in the store: an empty export of a misspelt name would look like one of a quiet market."""
    with closing(open_readonly(database)) as connection:
        held = connection.execute("SELECT DISTINCT venue, symbol FROM series ORDER BY symbol").fetchall()
    for venue, name in (*wanted.symbols, *(wanted.pair or ())):
        if not any(name == symbol and venue in (None, place) for place, symbol in held):
            known = ", ".join(dict.fromkeys(symbol for _, symbol in held)) or "nothing"
            raise StoreError(f"no {f'{venue}:' if venue else ''}{name} in the store at {database}: it holds {known[:300]}")


def _fail(error: object, code: int) -> int:
    print(f"quantui: {safe(str(error))}", file=sys.stderr)
    return code
