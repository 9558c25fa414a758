"""Bars to store, each field different, and what should come back."""

from collections.abc import Iterable, Sequence

from quantui.market.bars import Bar, BarState
from quantui.market.builder import BarEvent
from quantui.market.frames import Ints, bars_to_rows
from quantui.market.instruments import Instrument, Symbol, Timeframe

HOUR_0 = 1_785_283_200_000
"""2026-07-29T00:00:00Z"""

BTC = Instrument(Symbol("binance-usdm", "BTCUSDT"), 2, 3)


def bars(
    n: int, *, first: int = 0, state: BarState = BarState.CERTIFIED, revision: int = 0, timeframe: Timeframe = Timeframe.S1
) -> list[Bar]:
    """Bars `first` to `first + n` of a wild market; bar i always is the same."""
    made = []
    for i in range(first, first + n):
        noise = i * 2_654_435_761 % (1 << 32)
        opened, close = 6_163_599 + noise % 10_007, 6_163_599 + noise // 7 % 10_009
        volume = 1 + noise // 16
        taker = noise % volume
        made.append(
            Bar(
                HOUR_0 + i * timeframe.ms, opened, max(opened, close) + i % 7, min(opened, close) - i % 5, close, volume,
                volume * 100_000, taker, taker * 100_000, i % 40, 7_000 + 40 * i, 7_000 + 40 * i + i % 40, 3_000 + 10 * i, state,
                revision,
            )
        )  # fmt: skip
    return made


def events(made: Iterable[Bar], timeframe: Timeframe = Timeframe.S1) -> list[BarEvent]:
    """As a builder reports them."""
    return [BarEvent(timeframe, bar) for bar in made]


def rows(made: Sequence[Bar]) -> Ints:
    """As a ring keeps them."""
    return bars_to_rows(list(made))
