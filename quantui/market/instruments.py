"""Symbols, pairs, timeframes, and the decimals a symbol's numbers are counted in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from quantui.text import safe


class Timeframe(StrEnum):
    """The bar lengths quantui builds; every one is a whole multiple of the one before."""

    S1 = "1s"
    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"

    @property
    def ms(self) -> int:
        """Length in milliseconds."""
        return _LENGTH_MS[self]

    def floor(self, time_ms: int) -> int:
        """Open time of the interval that holds `time_ms` (UTC)."""
        return time_ms - time_ms % _LENGTH_MS[self]


_LENGTH_MS = {
    Timeframe.S1: 1_000,
    Timeframe.M1: 60_000,
    Timeframe.M5: 300_000,
    Timeframe.M15: 900_000,
    Timeframe.H1: 3_600_000,
}


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """One market of one venue, such as BTCUSDT of binance-usdm."""

    venue: str
    name: str

    @classmethod
    def parse(cls, text: str, venue: str) -> Self:
        """Read `BTCUSDT` (of `venue`) or `binance-spot:BTCUSDT`; names are upper-cased."""
        head, colon, tail = text.strip().partition(":")
        name = (tail if colon else head).upper()
        if not name or "/" in name or safe(text) != text:
            raise ValueError(f"{text!r} is not a symbol: write it like BTCUSDT or binance-spot:BTCUSDT")
        return cls(head if colon else venue, name)

    def __str__(self) -> str:
        return f"{self.venue}:{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two symbols, written Y/X: the spread is Y minus beta times X."""

    y: Symbol
    x: Symbol

    @classmethod
    def parse(cls, text: str, venue: str) -> Self:
        """Read `ETHUSDT/BTCUSDT`; either leg may name its own venue."""
        y, slash, x = text.partition("/")
        if not slash:
            raise ValueError(f"{text!r} is not a pair: write it Y/X, like ETHUSDT/BTCUSDT")
        pair = cls(Symbol.parse(y, venue), Symbol.parse(x, venue))
        if pair.y == pair.x:
            raise ValueError(f"{text!r} pairs a symbol with itself")
        return pair

    @property
    def label(self) -> str:
        """`ETHUSDT/BTCUSDT`; the venues are added where the legs differ in it."""
        if self.y.venue != self.x.venue:
            return f"{self.y}/{self.x}"
        return f"{self.y.name}/{self.x.name}"


@dataclass(frozen=True, slots=True)
class Instrument:
    """A symbol with the decimals its prices and quantities are counted in.

    Every price is kept as an integer of 10**-price_decimals and every quantity as an integer of 10**-quantity_decimals, so
    that sums do not depend on their order (binance.md A6.5). Quote volume counts in the product of both units.
    """

    symbol: Symbol
    price_decimals: int
    quantity_decimals: int

    @property
    def quote_decimals(self) -> int:
        """Decimals of price times quantity."""
        return self.price_decimals + self.quantity_decimals
