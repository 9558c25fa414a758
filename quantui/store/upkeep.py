"""When housekeeping runs: one small step between two checkpoints, so that a checkpoint never waits long."""

import sqlite3

import aiosqlite

from quantui.store.compaction import Due, compact, due
from quantui.store.records import Retention
from quantui.store.retention import retain

SYNC_S = 10.0
"""The write-ahead log is synced and moved into the database so often: what a power cut can cost at most."""

LOOK_S = 60.0
"""How often compaction and retention look for work."""


class Upkeep:
    """Compaction, retention and syncing of one database."""

    def __init__(self, connection: aiosqlite.Connection, retention: Retention) -> None:
        self.damaged = 0
        """Stored bars that failed their check during compaction."""
        self._connection = connection
        self._retention = retention
        self._due: list[Due] = []
        self._retaining = False
        self._sync_at = self._look_at = float("-inf")

    async def step(self, now_s: float, now_ms: int) -> None:
        """Do at most one thing. `now_s` is monotonic, `now_ms` Unix time. Raises `sqlite3.Error`; the next call tries again."""
        if now_s >= self._sync_at:
            self._sync_at = now_s + SYNC_S
            await self._connection.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")
        elif self._due:
            # What fails stays away until the next look, so that one bad stretch cannot hold up the others.
            self.damaged += await compact(self._connection, self._due.pop())
            if not self._due:
                self._look_at = now_s
        elif self._retaining:
            self._retaining = await retain(self._connection, self._retention, now_ms)
        elif now_s >= self._look_at:
            self._look_at = now_s + LOOK_S
            self._due = await due(self._connection)
            self._retaining = True

    async def all(self, now_s: float, now_ms: int) -> None:
        """Do everything there is to do. Raises `sqlite3.Error`."""
        while found := await due(self._connection):
            for stretch in found:
                self.damaged += await compact(self._connection, stretch)
        while await retain(self._connection, self._retention, now_ms):
            pass
        self._sync_at = now_s + SYNC_S
        await self._connection.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")


def explain(error: sqlite3.Error, path: object) -> str:
    """What an error of SQLite means to a person, and what to do."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return f"DISK FULL at {path}: free some space; writing goes on by itself"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"the store at {path} is locked by another program: close it; writing goes on by itself"
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return f"the store at {path} is damaged: restart quantui, it sets the file aside and begins anew"
    return f"cannot write the store at {path} ({error}): check the disk; writing is tried again every second"
