"""What is older than it is kept goes, in small steps between checkpoints."""

import aiosqlite

from quantui.market.instruments import Timeframe
from quantui.store.checkpoint import transaction
from quantui.store.records import TICKS, Retention
from quantui.store.segments import segment_ms

_STEP = 8
"""Segments or blocks deleted in one transaction."""

_ANALYTICS_STEP = 2_000


async def retain(connection: aiosqlite.Connection, retention: Retention, now_ms: int) -> bool:
    """Delete one step of what is older than it is kept; True when more may be left.

    Ages count back from the newest record of the series, so that an old recording is not deleted as it is imported, but
    never from a record of the future.
    """
    statements = [*await _old_bars(connection, retention, now_ms), *await _old_analytics(connection, retention, now_ms)]
    if retention.max_bytes is not None:
        statements += await _too_much(connection, retention.max_bytes)
    if not statements:
        return False
    async with transaction(connection):
        for sql, parameters in statements:
            await connection.execute(sql, parameters)
    return True


_Statement = tuple[str, tuple[int | str, ...]]


async def _old_bars(connection: aiosqlite.Connection, retention: Retention, now_ms: int) -> list[_Statement]:
    found: list[_Statement] = []
    rows = await connection.execute_fetchall(
        """SELECT line.id, line.timeframe, (SELECT max(open_ms) FROM recent WHERE series = line.id),
        (SELECT max(start_ms) FROM segments WHERE series = line.id), (SELECT min(start_ms) FROM segments WHERE series = line.id),
        (SELECT max(last_ms) FROM ticks WHERE series = line.id), (SELECT min(last_ms) FROM ticks WHERE series = line.id)
        FROM series AS line"""
    )
    for series, name, recent, newest_segment, oldest_segment, newest_tick, oldest_tick in rows:
        if name == TICKS:
            limit = _limit(retention.ticks_ms, newest_tick, now_ms)
            if limit is not None and oldest_tick < limit:
                found.append((f"DELETE FROM ticks WHERE id IN ({_OLDEST_TICKS})", (series, limit)))
            continue
        timeframe = Timeframe(name)
        limit = _limit(retention.bars[timeframe], max((recent or 0), (newest_segment or 0)) or None, now_ms)
        if limit is None or oldest_segment is None:
            continue
        limit -= segment_ms(timeframe)
        if oldest_segment < limit:
            found.append((f"DELETE FROM segments WHERE id IN ({_OLDEST_SEGMENTS})", (series, limit)))
    return found


_USED = """SELECT (pages.page_count - free.freelist_count) * size.page_size
    FROM pragma_page_count() AS pages, pragma_freelist_count() AS free, pragma_page_size() AS size"""
_OLDEST_TICKS = f"SELECT id FROM ticks WHERE series = ? AND last_ms < ? ORDER BY first_ms LIMIT {_STEP}"
_OLDEST_SEGMENTS = f"SELECT id FROM segments WHERE series = ? AND start_ms < ? ORDER BY start_ms LIMIT {_STEP}"


async def _old_analytics(connection: aiosqlite.Connection, retention: Retention, now_ms: int) -> list[_Statement]:
    found: list[_Statement] = []
    for pair, timeframe in await _lines(connection):
        key = (pair, str(timeframe))
        rows = await connection.execute_fetchall(
            "SELECT min(open_ms), max(open_ms) FROM analytics WHERE pair = ? AND timeframe = ?", key
        )
        for oldest, newest in rows:
            limit = _limit(retention.analytics[timeframe], newest, now_ms)
            if limit is not None and oldest < limit:
                chosen = "SELECT open_ms FROM analytics WHERE pair = ? AND timeframe = ? AND open_ms < ? ORDER BY open_ms"
                found.append(
                    (
                        f"DELETE FROM analytics WHERE pair = ? AND timeframe = ? AND open_ms IN ({chosen} LIMIT {_ANALYTICS_STEP})",
                        (*key, *key, limit),
                    )
                )
    return found


async def _lines(connection: aiosqlite.Connection) -> list[tuple[int, Timeframe]]:
    rows = await connection.execute_fetchall("SELECT id FROM pairs")
    return [(row[0], timeframe) for row in rows for timeframe in Timeframe]


async def _too_much(connection: aiosqlite.Connection, max_bytes: int) -> list[_Statement]:
    """The oldest trades, then the oldest seconds, while the database holds more than `max_bytes`."""
    used = 0
    for row in await connection.execute_fetchall(_USED):
        used = row[0]
    if used <= max_bytes:
        return []
    for _ in await connection.execute_fetchall("SELECT 1 FROM ticks LIMIT 1"):
        return [(f"DELETE FROM ticks WHERE id IN (SELECT id FROM ticks ORDER BY id LIMIT {_STEP})", ())]
    seconds = "series IN (SELECT id FROM series WHERE timeframe = ?)"
    for _ in await connection.execute_fetchall(f"SELECT 1 FROM segments WHERE {seconds} LIMIT 1", (str(Timeframe.S1),)):
        oldest = f"SELECT id FROM segments WHERE {seconds} ORDER BY start_ms LIMIT {_STEP}"
        return [(f"DELETE FROM segments WHERE id IN ({oldest})", (str(Timeframe.S1),))]
    return []


def _limit(age_ms: int | None, newest: int | None, now_ms: int) -> int | None:
    """What is older may go; None when nothing may."""
    return None if age_ms is None or newest is None else min(newest, now_ms) - age_ms
