"""The database file: its tables, its version, and what to do with one that is not as it should be."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from quantui.store.records import AnalyticsRow, StoreError

APPLICATION_ID = 0x71756E74
"""`qunt`: marks the file as ours (PRAGMA application_id)."""

VERSION = 1

_ANALYTICS = ", ".join(f"{name} {'TEXT' if name in ('signal', 'quality') else 'REAL'}" for name in AnalyticsRow.__struct_fields__)

_TABLES = (
    # One row per symbol and timeframe; `tick` stands for the trades themselves.
    """CREATE TABLE series (
        id INTEGER PRIMARY KEY, venue TEXT NOT NULL, symbol TEXT NOT NULL, timeframe TEXT NOT NULL,
        UNIQUE (venue, symbol, timeframe))""",
    # The finest decimals a symbol was ever counted in: in these all that is stored of it is whole numbers.
    """CREATE TABLE instruments (
        venue TEXT NOT NULL, symbol TEXT NOT NULL, price_decimals INTEGER NOT NULL, quantity_decimals INTEGER NOT NULL,
        PRIMARY KEY (venue, symbol)) WITHOUT ROWID""",
    # The newest bars, and changes of older ones, withdrawals among them: a row here wins over a segment.
    """CREATE TABLE recent (
        series INTEGER NOT NULL, open_ms INTEGER NOT NULL, bar BLOB NOT NULL, PRIMARY KEY (series, open_ms)) WITHOUT ROWID""",
    """CREATE TABLE segments (
        id INTEGER PRIMARY KEY, series INTEGER NOT NULL, start_ms INTEGER NOT NULL, bars INTEGER NOT NULL,
        price_decimals INTEGER NOT NULL, quantity_decimals INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (series, start_ms))""",
    """CREATE TABLE ticks (
        id INTEGER PRIMARY KEY, series INTEGER NOT NULL, block INTEGER NOT NULL, first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL, first_id INTEGER NOT NULL, last_id INTEGER NOT NULL, count INTEGER NOT NULL,
        price_decimals INTEGER NOT NULL, quantity_decimals INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (series, block))""",
    "CREATE INDEX ticks_by_id ON ticks (series, last_id)",
    "CREATE INDEX ticks_by_time ON ticks (series, first_ms)",
    "CREATE TABLE pairs (id INTEGER PRIMARY KEY, y TEXT NOT NULL, x TEXT NOT NULL, UNIQUE (y, x))",
    f"""CREATE TABLE analytics (
        pair INTEGER NOT NULL, timeframe TEXT NOT NULL, open_ms INTEGER NOT NULL, {_ANALYTICS},
        PRIMARY KEY (pair, timeframe, open_ms)) WITHOUT ROWID""",
    # The unique key is what makes an alert exactly one alert, however often a bar is evaluated again after a restart.
    """CREATE TABLE alerts (
        id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, bar_ms INTEGER NOT NULL, pair TEXT NOT NULL, timeframe TEXT NOT NULL,
        rule TEXT NOT NULL, severity TEXT NOT NULL, direction TEXT NOT NULL, zscore REAL, record TEXT NOT NULL,
        UNIQUE (rule, pair, timeframe, bar_ms))""",
    "CREATE INDEX alerts_by_time ON alerts (time_ms)",
    "CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The file is there and sound."""

    notice: str = ""
    """What had to be done for it, in one sentence; empty when nothing."""


def prepare(path: Path, now_ms: int) -> Prepared:
    """Check the file at `path`, make it if it is not there, set a damaged one aside. Blocking: run it in a thread.

    Raises:
        StoreError: the file belongs to a newer quantui or to another program, or cannot be opened; it is left untouched.
    """
    if path.is_dir():
        raise StoreError(f"{path} is a directory: name a file for the store, or move it away")
    notice = ""
    if path.exists() and path.stat().st_size:
        damage = _damage(path)
        if damage:
            aside = set_aside(path, now_ms)
            notice = f"the store was damaged ({damage}): kept as {aside.name}, began anew"
    _create(path)
    return Prepared(notice)


def open_readonly(path: Path) -> sqlite3.Connection:
    """A connection that can read beside the writer, in this or another process, and never write.

    Raises:
        StoreError: no store there, or not one this version can read.
    """
    if not path.is_file():
        raise StoreError(f"no store at {path}: collect or import something first, or name another --data-dir")
    connection = _connect_readonly(path)
    try:
        _check_version(connection, path)
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            raise StoreError(f"the store at {path} is empty: collect or import something first")
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"cannot read the store at {path}: {error}") from error
    except StoreError:
        connection.close()
        raise
    return connection


def set_aside(path: Path, now_ms: int) -> Path:
    """Rename the database and its companions to `<name>.corrupt-<time>`; returns the new path."""
    aside = path.with_name(f"{path.name}.corrupt-{now_ms}")
    for suffix in ("-wal", "-shm", ""):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    return aside


def _connect_readonly(path: Path) -> sqlite3.Connection:
    try:
        # Polars reads rows for a Parquet file from a thread of its own, one after the other.
        return sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5.0, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise StoreError(f"cannot open the store at {path}: {error}; check its owner and permissions") from error


def _damage(path: Path) -> str:
    """What is wrong with the file, empty when nothing is. Read-only, so that a newer file stays as it is."""
    with closing(_connect_readonly(path)) as connection:
        try:
            _check_version(connection, path)
            problems = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname in ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_PERM"):
                raise StoreError(f"cannot read the store at {path}: {error}; is another program using it?") from error
            return str(error)
        except sqlite3.DatabaseError as error:
            return str(error)
    return "" if problems == ["ok"] else problems[0].replace("\n", " ")


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and tables:
        raise StoreError(f"{path} is a database of another program: name another --data-dir")
    if version > VERSION:
        raise StoreError(
            f"the store at {path} has version {version}, this quantui knows {VERSION}: update quantui; nothing was changed"
        )


def _create(path: Path) -> None:
    """Make the tables in one transaction, unless they are there."""
    try:
        path.touch(mode=0o600)
        with closing(sqlite3.connect(path, isolation_level=None, timeout=5.0)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _TABLES:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot write the store at {path}: {error}; check space, owner and permissions") from error
