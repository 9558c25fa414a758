"""A feed whose bars the test makes, and a collector on it with a real store."""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from msgspec import toml

from quantui.clock import Clock
from quantui.collector import build
from quantui.collector.core import Collector
from quantui.config import Settings
from quantui.feeds.feed import Feed, FeedStatus
from quantui.market.bars import Bar, BarState
from quantui.market.builder import BarEvent
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Pair, Symbol, Timeframe
from quantui.market.stream import SymbolStream
from quantui.store.writer import Store

Y, X = Symbol("binance-usdm", "ETHUSDT"), Symbol("binance-usdm", "BTCUSDT")
PAIR = Pair(Y, X)
T0 = 1_785_283_200_000


@dataclass(slots=True)
class TapeFeed:
    """Bars on order; nothing runs by itself."""

    clock: Clock
    symbols: Sequence[Symbol] = (Y, X)
    streams: dict[Symbol, SymbolStream] = field(default_factory=dict)
    status: FeedStatus = field(default_factory=FeedStatus)

    def __post_init__(self) -> None:
        for symbol in self.symbols:
            self.streams[symbol] = SymbolStream(SymbolFrames(Instrument(symbol, 4, 3)))

    def focus(self, symbols: Sequence[Symbol]) -> None:
        """Nothing to fetch."""

    async def run(self) -> None:
        """Over at once."""

    def put(self, symbol: Symbol, open_ms: int, price: float, timeframe: Timeframe = Timeframe.S1, **more: object) -> None:
        """A closed bar."""
        close = round(price * 10_000)
        state = more.get("state", BarState.PROVISIONAL)
        assert isinstance(state, BarState)
        bar = Bar(open_ms, close, close, close, close, 1000, close * 1000, 0, 0, 1, 1, 1, 1, state)
        stream = self.streams[symbol]
        stream.frames[timeframe].put(bar)
        stream.builder.events.append(BarEvent(timeframe, bar))
        stream.builder.closed_until = max(stream.builder.closed_until, open_ms + timeframe.ms)

    def bars(self, first: int, last: int, *, jump_at: int | None = None, timeframe: Timeframe = Timeframe.S1) -> None:
        """Bars of both legs, `first` to `last`; y leaps at `jump_at`."""
        for i in range(first, last):
            y, x = price(i)
            self.put(Y, T0 + i * timeframe.ms, y * (1.0005 if i == jump_at else 1), timeframe)
            self.put(X, T0 + i * timeframe.ms, x, timeframe)

    def speak(self, exchange_ms: int) -> None:
        """The exchange's clock shows so much."""
        self.status.link = "live"
        self.status.exchange_ms, self.status.exchange_at = exchange_ms, self.clock.monotonic()


def price(i: int) -> tuple[float, float]:
    """Both legs at bar `i`: always the same, well correlated, z within the entry."""
    rng = np.random.default_rng(i)
    x = 9 + 0.01 * math.sin(i / 3) + 0.002 * math.sin(i / 7)
    return math.exp(0.5 + 0.8 * x + rng.normal(0, 1e-6) + 1e-5 * (-1) ** i), math.exp(x)


def settings(text: str = "") -> Settings:
    """As read from a configuration: one pair, 1s, a window of 60."""
    base = '[[pairs]]\ny = "ETHUSDT"\nx = "BTCUSDT"\n[analysis]\ntimeframe = "1s"\nwindow = 60\n'
    return toml.decode(base + text, type=Settings)


@asynccontextmanager
async def collecting(
    folder: Path, feeds: Sequence[Feed], clock: Clock, using: Settings | None = None, mode: str = "live"
) -> AsyncIterator[Collector]:
    """A collector on `feeds`; its store is in `folder` and closed in order."""
    using = using or settings()
    async with await Store.open(folder / "quantui.db", clock=clock) as store:
        yield await build.collector(using, build.Plan.of(using), mode, clock, store, feeds)
