"""The vertical scale of a chart: it stays while the data stay inside, so that a tick does not shift every row."""

from collections.abc import Iterable
from typing import NamedTuple


class Scale(NamedTuple):
    """Lowest and highest value drawn."""

    low: float
    high: float

    @property
    def span(self) -> float:
        """Height in data units."""
        return self.high - self.low


_PAD = 0.08
_SHRINK = 0.55
"""The scale is taken anew once the data fill less than this share of it."""


def steady(values: Iterable[float | None], previous: Scale | None) -> Scale | None:
    """The scale for `values`; the previous one while it still fits them well. None without any value."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    if previous and previous.low <= low and high <= previous.high and high - low >= _SHRINK * previous.span:
        return previous
    pad = (high - low) * _PAD or max(abs(high) * 1e-6, 1e-12)
    return Scale(low - pad, high + pad)


def symmetric(values: Iterable[float | None], floor: float, previous: Scale | None) -> Scale:
    """A scale around 0 that always shows +-`floor`, in steps of a half."""
    peak = max((abs(value) for value in values if value is not None), default=0.0)
    reach = max(floor * 1.25, peak * 1.05)
    reach = -(-reach * 2 // 1) / 2
    if previous and reach <= previous.high <= 1.5 * reach and previous.high >= floor * 1.25:
        return previous
    return Scale(-reach, reach)
