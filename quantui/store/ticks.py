"""Trades as the store keeps them: compressed blocks of 4,096, the last one growing."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from quantui.market.frames import Ints
from quantui.market.trades import Trade
from quantui.store.codec import DamagedError, decode, encode

BLOCK = 4_096

TICK_COLUMNS = ("id", "time_ms", "price", "quantity", "first_id", "last_id", "maker")
"""Rows of a tick table, in order; `maker` is 1 where the buyer was the maker."""

ID, TIME, PRICE, QUANTITY, FIRST_ID, LAST_ID, MAKER = range(len(TICK_COLUMNS))


@dataclass(frozen=True, slots=True)
class Tail:
    """The block that still grows: its number, the decimals it counts in, its trades."""

    block: int
    price_decimals: int
    quantity_decimals: int
    table: Ints

    def grown(self, block: int, table: Ints) -> "Tail":
        """The tail after it."""
        return Tail(block, self.price_decimals, self.quantity_decimals, table)


def empty_ticks() -> Ints:
    """A (7, 0) tick table."""
    return np.empty((len(TICK_COLUMNS), 0), dtype=np.int64)


def tick_table(trades: Iterable[Trade]) -> Ints:
    """(7, n) tick table of trades."""
    rows = [(t.id, t.time_ms, t.price, t.quantity, t.first_id, t.last_id, t.buyer_is_maker) for t in trades]
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(TICK_COLUMNS)).T


def encode_ticks(table: Ints) -> bytes:
    """A block of (7, n) trades, n >= 1."""
    table = np.array(table, dtype=np.int64, order="C")
    np.subtract(table[LAST_ID], table[FIRST_ID], out=table[LAST_ID])
    return encode(table)


def decode_ticks(data: bytes) -> Ints:
    """The (7, n) trades of a block; raises `DamagedError`."""
    table = decode(data)
    if len(table) != len(TICK_COLUMNS):
        raise DamagedError(f"damaged block of trades: {len(table)} columns")
    np.add(table[LAST_ID], table[FIRST_ID], out=table[LAST_ID])
    return table


def without_ids(table: Ints, known: list[Ints]) -> Ints:
    """`table` without the trades whose id is in one of the `known` (7, n) tables or comes twice; those without id all stay."""
    ids = table[ID]
    keep = np.ones(len(ids), dtype=bool)
    if len(ids) and not (np.diff(ids) > 0).all():
        first = np.zeros(len(ids), dtype=bool)
        first[np.unique(ids, return_index=True)[1]] = True
        keep &= first
    for other in known:
        keep &= ~np.isin(ids, other[ID])
    keep |= ids < 0
    return table if keep.all() else table[:, keep]


def blocks(tail: Tail, added: Ints) -> tuple[list[tuple[int, Ints]], Tail]:
    """Blocks to write, numbered, and the tail that goes on growing. The tail's own block is written again with what joined it."""
    table = np.concatenate((tail.table, added), axis=1)
    parts = [(tail.block + at // BLOCK, table[:, at : at + BLOCK]) for at in range(0, table.shape[1], BLOCK)]
    if parts and parts[-1][1].shape[1] < BLOCK:
        number, rest = parts[-1]
        return parts, tail.grown(number, rest.copy())
    return parts, tail.grown(tail.block + len(parts), empty_ticks())
