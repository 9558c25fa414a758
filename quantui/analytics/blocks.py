"""A market in blocks: every ordered pair lies in exactly one, and a block needs the closes of two groups of symbols only.

So blocks can be worked off one after the other, or by many machines: the numbers are the same, since each is made alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np

from quantui.analytics.engines import best_engine
from quantui.analytics.sweep import Residuals
from quantui.analytics.universe import Table, Universe, all_pairs, tabulate
from quantui.market.frames import Floats, Ints

GROUP = 256
"""Symbols of a group: two of them make 131,072 ordered pairs and moments of 40 MB."""


@dataclass(frozen=True, slots=True)
class Block:
    """The pairs within a group, or between two (in both orders)."""

    first: tuple[int, int]
    """[from, to) of the symbols."""
    second: tuple[int, int] | None = None

    @property
    def size(self) -> int:
        """How many pairs."""
        first = self.first[1] - self.first[0]
        return first * (first - 1) if self.second is None else 2 * first * (self.second[1] - self.second[0])

    def pairs(self) -> tuple[Ints, Ints]:
        """(y, x) as places within the block: its first group, then its second."""
        size = self.first[1] - self.first[0]
        if self.second is None:
            return all_pairs(size)
        other = size + np.arange(self.second[1] - self.second[0])
        y, x = (grid.ravel() for grid in np.meshgrid(np.arange(size), other, indexing="ij"))
        return np.concatenate([y, x]), np.concatenate([x, y])

    def places(self) -> Ints:
        """Symbols of the market by place within the block."""
        groups = [self.first] if self.second is None else [self.first, self.second]
        return np.concatenate([np.arange(*group) for group in groups])


@dataclass(frozen=True, slots=True)
class Solved:
    """What came out of a block."""

    block: Block
    found: Residuals
    reasons: dict[int, str]


def blocks(count: int, group: int = GROUP) -> list[Block]:
    """The blocks of a market of so many symbols."""
    groups = [(start, min(start + group, count)) for start in range(0, count, group)]
    return [Block(one) for one in groups if one[1] - one[0] > 1] + [Block(a, b) for a, b in combinations(groups, 2)]


def solve(block: Block, levels: Floats) -> Solved:
    """Test the block's pairs; `levels` are the (k, n) log closes of its symbols (`Block.places`)."""
    engine, update = best_engine()
    universe = Universe.of((), levels, engine, update)
    return Solved(block, *universe.residuals(*block.pairs()))


def solve_here(levels: Floats, work: Iterable[Block]) -> Iterator[Solved]:
    """One block after the other, of a market with (N, n) log closes."""
    for block in work:
        yield solve(block, levels[block.places()])


def assemble(symbols: Sequence[str], n: int, solved: Iterable[Solved]) -> Table:
    """The table of all blocks, which may come in any order: sorted by y, then x."""
    parts = sorted(solved, key=lambda part: (part.block.first, part.block.second or (-1, -1)))
    if not parts:
        none = np.zeros(0)
        empty = Residuals(none, none, none, none, np.zeros(0, int), none, none, none, none, np.zeros(0, bool))
        return tabulate(symbols, n, *all_pairs(0), empty, {})
    legs = [[part.block.places()[leg] for leg in part.block.pairs()] for part in parts]
    y, x = (np.concatenate([each[leg] for each in legs]) for leg in (0, 1))
    order = np.lexsort((x, y))
    joined = Residuals.joined([part.found for part in parts])
    found = Residuals(*(getattr(joined, each.name)[order] for each in fields(Residuals)))
    reasons: dict[int, str] = {}
    start, place = 0, np.empty_like(order)
    place[order] = np.arange(len(order))
    for part in parts:
        reasons |= {int(place[start + index]): why for index, why in part.reasons.items()}
        start += len(part.found.stat)
    return tabulate(symbols, n, y[order], x[order], found, reasons)
