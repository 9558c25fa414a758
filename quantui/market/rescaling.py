"""Bars and trades counted in finer decimals: a tick or step turned out to be finer than the exchange had told."""

from typing import NamedTuple

from msgspec.structs import replace

from quantui.market.bars import COLUMNS, Bar
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument
from quantui.market.trades import Trade

_QUOTE = COLUMNS.index("quote_volume")
_LARGEST = 1 << 60


class Factors(NamedTuple):
    """What numbers of an instrument are multiplied by."""

    price: int
    quantity: int

    @classmethod
    def between(cls, known: Instrument, finer: Instrument) -> "Factors":
        """From the decimals of `known` to those of `finer`, which has no fewer."""
        return cls(10 ** (finer.price_decimals - known.price_decimals), 10 ** (finer.quantity_decimals - known.quantity_decimals))

    def fit(self, frames: SymbolFrames) -> bool:
        """Whether all bars fit 64 bits afterwards, with room for what is still to be added up."""
        largest = max((int(ring.rows[:, _QUOTE].max()) for ring in frames.rings.values() if len(ring)), default=0)
        return largest * self.price * self.quantity < _LARGEST

    def bar(self, bar: Bar) -> Bar:
        """The same bar."""
        price, quantity = self
        return replace(
            bar,
            open=bar.open * price,
            high=bar.high * price,
            low=bar.low * price,
            close=bar.close * price,
            volume=bar.volume * quantity,
            quote_volume=bar.quote_volume * price * quantity,
            taker_volume=bar.taker_volume * quantity,
            taker_quote=bar.taker_quote * price * quantity,
        )

    def trade(self, trade: Trade) -> Trade:
        """The same trade."""
        return replace(trade, price=trade.price * self.price, quantity=trade.quantity * self.quantity)


def finest(known: Instrument, told: Instrument) -> Instrument:
    """Enough decimals for what is kept and for what will come."""
    price = max(known.price_decimals, told.price_decimals)
    return Instrument(known.symbol, price, max(known.quantity_decimals, told.quantity_decimals))
