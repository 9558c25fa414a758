"""What is listed: a symbol of one market with the decimals of its numbers, as integers and on the wire."""

from dataclasses import dataclass
from enum import StrEnum

INTERVALS = {"1s": 1_000, "1m": 60_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000}
"""Kline intervals served, with their length in ms."""
MINUTE = 60_000


class Market(StrEnum):
    """The two markets; each has its own socket host and its own REST host."""

    SPOT = "spot"
    USDM = "usdm"


@dataclass(frozen=True, slots=True)
class Listing:
    """One symbol. Prices and quantities are integers of 10**-decimals; spot prints 8 decimals whatever the tick is."""

    market: Market
    symbol: str
    price_decimals: int
    quantity_decimals: int

    def price(self, value: int) -> str:
        """A price as the wire prints it."""
        return decimal(value, self.price_decimals, 8 if self.market is Market.SPOT else self.price_decimals)

    def quantity(self, value: int) -> str:
        """A quantity as the wire prints it."""
        return decimal(value, self.quantity_decimals, 8 if self.market is Market.SPOT else self.quantity_decimals)

    def quote(self, value: int) -> str:
        """A sum of price times quantity as the wire prints it: at most 8 decimals."""
        scale = self.price_decimals + self.quantity_decimals
        return decimal(value, scale, 8 if self.market is Market.SPOT else min(scale, 8))


def decimal(value: int, scale: int, digits: int) -> str:
    """`value` / 10**`scale` with exactly `digits` decimals; what does not fit is cut off.

    Args:
        value: A scaled integer, not negative.
        scale: Decimals that `value` counts in.
        digits: Decimals to print.
    """
    if scale > digits:
        value, scale = value // 10 ** (scale - digits), digits
    if digits == 0:
        return str(value)
    text = str(value).rjust(scale + 1, "0")
    cut = len(text) - scale
    return f"{text[:cut]}.{text[cut:]}{'0' * (digits - scale)}"
