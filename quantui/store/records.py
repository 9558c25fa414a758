"""What the store keeps besides bars, and the words it uses for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from quantui.market.frames import Ints
from quantui.market.instruments import Instrument, Symbol, Timeframe

DAY_MS = 86_400_000


class StoreError(Exception):
    """The store cannot do what was asked; the message is one line: what, where, what to do."""


class SeriesKey(NamedTuple):
    """One line of data: the bars of a timeframe, or the `tick`s, of one symbol."""

    venue: str
    symbol: str
    timeframe: str

    @classmethod
    def of(cls, symbol: Symbol, timeframe: str) -> "SeriesKey":
        """The key of `symbol`; `timeframe` is a `Timeframe` or `tick`."""
        return cls(symbol.venue, symbol.name, str(timeframe))


TICKS = "tick"
BAN = "ban:"
"""With the venue's name, the key of the state that holds until when the exchange has banned us, and its words."""


class AlertRecord(msgspec.Struct, frozen=True):
    """An alert as it fired (docs/contracts: alerts); `id` is given by the store."""

    time_ms: int
    bar_ms: int
    """Open time of the bar it fired on."""
    pair: str
    timeframe: str
    rule: str
    severity: str
    direction: str = ""
    zscore: float | None = None
    spread: float | None = None
    alpha: float | None = None
    beta: float | None = None
    correlation: float | None = None
    eg_p: float | None = None
    half_life: float | None = None
    n: int | None = None
    legs: tuple[dict[str, str | float | None], ...] = ()
    """`{symbol, side, quantity, price}` of each leg."""
    gates: dict[str, dict[str, bool | float | None]] = {}
    """`{ok, value, limit}` of each gate."""
    message: str = ""
    id: int = 0


class AnalyticsRow(msgspec.Struct, frozen=True, array_like=True):
    """The statistics of one pair at one closed bar, as published. Field order is the column order of the table."""

    price_y: float | None = None
    price_x: float | None = None
    alpha: float | None = None
    beta: float | None = None
    r_squared: float | None = None
    beta_se: float | None = None
    spread: float | None = None
    zscore: float | None = None
    correlation: float | None = None
    adf_stat: float | None = None
    adf_p: float | None = None
    eg_stat: float | None = None
    eg_p: float | None = None
    half_life: float | None = None
    signal: str = ""
    quality: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restart continues from."""

    instrument: Instrument
    """With the finest decimals found: those of `rows`."""
    frames: Mapping[Timeframe, Ints]
    """(n, columns) rows of each timeframe, ascending; ready for `BarRing.load`."""
    cursor: int
    """Every trade up to this aggregate id is in the 1s bars, none behind it; -1 where unknown."""
    damaged: int = 0
    """Stored bars that failed their check and were left out."""


def _frozen(ages: dict[Timeframe, int | None]) -> Mapping[Timeframe, int | None]:
    return MappingProxyType(ages)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long data is kept, in ms behind the newest of its series; None is for ever."""

    bars: Mapping[Timeframe, int | None] = field(
        default_factory=lambda: _frozen(
            {Timeframe.S1: 7 * DAY_MS, Timeframe.M1: 90 * DAY_MS, Timeframe.M5: None, Timeframe.M15: None, Timeframe.H1: None}
        )
    )
    analytics: Mapping[Timeframe, int | None] = field(
        default_factory=lambda: _frozen(
            {
                Timeframe.S1: DAY_MS,
                Timeframe.M1: 30 * DAY_MS,
                Timeframe.M5: 90 * DAY_MS,
                Timeframe.M15: 365 * DAY_MS,
                Timeframe.H1: 365 * DAY_MS,
            }
        )
    )
    ticks_ms: int | None = 2 * DAY_MS
    max_bytes: int | None = None
    """When the database holds more, the oldest ticks go, then the oldest 1s bars."""
