"""How easily a symbol trades: its turnover against its own average, and the width of its book."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from quantui.analytics.stationarity import Missing
from quantui.market.frames import Floats

_STEADY = 0.10
"""Turnover within this share of its average is steady."""


class VolumeState(StrEnum):
    """Where turnover is going."""

    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"


@dataclass(frozen=True, slots=True)
class Liquidity:
    """Turnover of a symbol, in its quote currency a bar."""

    total: float
    average: float
    recent: float
    """Average of the latest bars."""
    variation: float | None
    """Coefficient of variation: how uneven; None without turnover."""
    state: VolumeState


def liquidity(quote_volume: Floats, recent: int = 20) -> Liquidity | Missing:
    """Turnover of the last `recent` bars beside that of all (n,), n > recent."""
    n = len(quote_volume)
    if n <= recent:
        return Missing(f"{n}/{recent + 1} bars")
    if not (np.isfinite(quote_volume) & (quote_volume >= 0)).all():
        return Missing("a turnover is missing")
    average, now = float(quote_volume.mean()), float(quote_volume[-recent:].mean())
    state = VolumeState.STEADY
    if abs(now - average) > _STEADY * average:
        state = VolumeState.RISING if now > average else VolumeState.FALLING
    variation = float(quote_volume.std(ddof=1)) / average if average > 0.0 else None
    return Liquidity(float(quote_volume.sum()), average, now, variation, state)


def spread_bps(bid: float, ask: float) -> float | None:
    """Width of the book in 1/10,000 of its middle; None where a side is missing or the book is crossed."""
    if not (math.isfinite(bid) and math.isfinite(ask) and 0.0 < bid <= ask):
        return None
    return (ask - bid) / (ask + bid) * 2e4
