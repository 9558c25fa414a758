"""Recent bars become segments, one stretch at a time, between checkpoints."""

import asyncio
import sqlite3
from dataclasses import dataclass

import aiosqlite
import numpy as np

from quantui.market.instruments import Timeframe
from quantui.store.checkpoint import transaction
from quantui.store.codec import DamagedError
from quantui.store.records import TICKS
from quantui.store.segments import decode_bars, encode_bars, merge, no_bars, rescale, segment_ms, unpack

GRACE_MS = 120_000
"""A segment is written this long after its end, when late trades and closing klines have come."""


@dataclass(frozen=True, slots=True)
class Due:
    """A stretch of recent bars that belongs into a segment."""

    series: int
    timeframe: Timeframe
    start_ms: int


async def due(connection: aiosqlite.Connection) -> list[Due]:
    """The oldest stretch of each series that can be compacted."""
    rows = await connection.execute_fetchall(
        """SELECT line.id, line.timeframe, (SELECT min(open_ms) FROM recent WHERE series = line.id),
        (SELECT max(open_ms) FROM recent WHERE series = line.id) FROM series AS line WHERE line.timeframe <> ?""",
        (TICKS,),
    )
    found = []
    for series, name, oldest, newest in rows:
        if oldest is None:
            continue
        timeframe = Timeframe(name)
        span = segment_ms(timeframe)
        start = oldest - oldest % span
        if start + span + GRACE_MS <= newest + timeframe.ms:
            found.append(Due(series, timeframe, start))
    return found


async def compact(connection: aiosqlite.Connection, stretch: Due) -> int:
    """Move one stretch of recent bars into its segment; returns how many damaged bars were found and left out."""
    span = (stretch.series, stretch.start_ms, stretch.start_ms + segment_ms(stretch.timeframe))
    where = "series = ? AND open_ms >= ? AND open_ms < ?"
    async with transaction(connection):
        recent = await connection.execute_fetchall(f"SELECT bar FROM recent WHERE {where} ORDER BY open_ms", span)
        segment = await connection.execute_fetchall(
            "SELECT price_decimals, quantity_decimals, bars, data FROM segments WHERE series = ? AND start_ms = ?", span[:2]
        )
        built = await asyncio.to_thread(_build, [row[0] for row in recent], list(segment))
        await connection.execute("DELETE FROM segments WHERE series = ? AND start_ms = ?", span[:2])
        if built.bars:
            await connection.execute(
                "INSERT INTO segments VALUES (NULL, ?, ?, ?, ?, ?, ?)",
                (*span[:2], built.bars, built.price_decimals, built.quantity_decimals, built.data),
            )
        await connection.execute(f"DELETE FROM recent WHERE {where}", span)
    return built.damaged


@dataclass(frozen=True, slots=True)
class _Built:
    bars: int
    price_decimals: int
    quantity_decimals: int
    data: bytes
    damaged: int


def _build(recent: list[bytes], segment: list[sqlite3.Row]) -> _Built:
    """The new segment out of the old one, if any, and the recent bars, in the finest decimals of both."""
    changes = unpack(recent)
    price = max((*changes.price_decimals.tolist(), *(row[0] for row in segment)), default=0)
    quantity = max((*changes.quantity_decimals.tolist(), *(row[1] for row in segment)), default=0)
    rows, damaged = no_bars(), changes.damaged
    for segment_price, segment_quantity, bars, data in segment:
        try:
            rows = np.ascontiguousarray(decode_bars(data).T)
        except DamagedError:
            damaged += bars
            continue
        rescale(rows, price - segment_price, quantity - segment_quantity)
    rows = merge(rows, changes.rescaled(price, quantity), changes.withdrawn)
    return _Built(len(rows), price, quantity, encode_bars(rows) if len(rows) else b"", damaged)
