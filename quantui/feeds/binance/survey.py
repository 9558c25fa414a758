"""The rest of the market: closed klines of the most traded symbols, read over REST once a bar, for the scan of all pairs.

A few hundred requests a minute of the smallest weight, and no stream: what nobody watches costs no trades. The bars are the
exchange's own; a request that fails is made good with the next bar, since each asks for all that is missing.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from quantui.clock import Clock
from quantui.feeds.binance.barrier import Barrier, BlockedError
from quantui.feeds.binance.codec import TooFineError
from quantui.feeds.binance.network import make_session
from quantui.feeds.binance.rest import PAGE, Rest, RestError, UnreachableError
from quantui.feeds.binance.venues import Venue
from quantui.market.bars import Bar
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Symbol, Timeframe

LATE_MS = 2_500
"""The exchange's database has a kline so long after its end."""
_CHOOSE_ANEW_S = 3_600.0
_LANES = 4
_PAUSE_S = 10.0
_QUOTES = ("USDT", "USDC", "FDUSD", "USD")


@dataclass(slots=True)
class Survey:
    """Keeps the newest closed bars of the symbols that are not watched."""

    venue: Venue
    rest: str
    """Base address."""
    clock: Clock
    barrier: Barrier
    top: int
    """How many of the most traded symbols, the watched ones among them."""
    asked: Callable[[], tuple[Timeframe, int]]
    """Timeframe and bars wanted."""
    watched: Collection[Symbol]
    on_update: Callable[[], None]
    frames: dict[Symbol, SymbolFrames] = field(default_factory=dict)
    """Of symbols whose bars have been read; new ones come all at once, at the end of a round."""
    problem: str = ""
    """Why bars are missing; empty while all is well."""
    _chosen: dict[Symbol, SymbolFrames] = field(default_factory=dict)
    _skew_ms: int = 0

    async def run(self) -> None:
        """Read until cancelled."""
        async with make_session(self.rest) as session:
            rest = Rest(session, self.venue, self.rest, self.clock, self.barrier)
            while True:
                try:
                    await self._choose(rest)
                    chosen = self.clock.monotonic()
                    while self.clock.monotonic() - chosen < _CHOOSE_ANEW_S:
                        asked = self.asked()
                        newest = self._newest(asked[0])  # before the round: what arrives during it is read by the next
                        await self._round(rest)
                        await self._next_bar(asked, newest)
                except (UnreachableError, RestError, BlockedError) as error:
                    self.problem = f"the market beside the watched symbols is not read: {error}"
                    await self.clock.sleep(_PAUSE_S)

    async def _choose(self, rest: Rest) -> None:
        """The most traded symbols of the quote asset that is watched."""
        served, local = await rest.server_time()
        self._skew_ms = local - served
        info = await rest.exchange_info()
        turnovers = await rest.day_turnovers()
        statuses, instruments = info.statuses(), info.instruments(self.venue.name)
        quote = next((quote for quote in _QUOTES for symbol in self.watched if symbol.name.endswith(quote)), _QUOTES[0])
        traded = [name for name in instruments if statuses[name] == "TRADING" and turnovers.get(name, 0) > 0]
        names = sorted((name for name in traded if name.endswith(quote)), key=lambda name: turnovers[name], reverse=True)
        wanted = {Symbol(self.venue.name, name): instruments[name] for name in names[: self.top]}
        self._chosen = {
            symbol: self._chosen.get(symbol) or self._empty(instrument)
            for symbol, instrument in wanted.items()
            if symbol not in self.watched
        }

    def _empty(self, instrument: Instrument) -> SymbolFrames:
        timeframe, bars = self.asked()
        return SymbolFrames(instrument, dict.fromkeys(Timeframe, 1) | {timeframe: bars + 1})

    async def _round(self, rest: Rest) -> None:
        """Every symbol's missing bars, a few symbols at a time."""
        symbols = list(self._chosen)
        failed: list[str] = []
        async with asyncio.TaskGroup() as lanes:
            for lane in range(_LANES):
                lanes.create_task(self._lane(rest, symbols[lane::_LANES], failed))
        self.problem = failed[-1] if failed else ""
        for symbol in self.frames.keys() - self._chosen.keys():
            del self.frames[symbol]
        self.frames.update(self._chosen)
        self.on_update()

    async def _lane(self, rest: Rest, symbols: list[Symbol], failed: list[str]) -> None:
        for symbol in symbols:
            try:
                await self._read(rest, symbol)
            except (UnreachableError, RestError, BlockedError) as error:
                failed.append(f"{symbol.name}: {error}")
                if isinstance(error, BlockedError):
                    return

    async def _read(self, rest: Rest, symbol: Symbol) -> None:
        timeframe, bars = self.asked()
        if self._chosen[symbol][timeframe].capacity != bars + 1:  # the session has changed
            self._chosen[symbol] = self._empty(self._chosen[symbol].instrument)
        ring, newest = self._chosen[symbol][timeframe], self._newest(timeframe)
        missing = bars if not len(ring) else min((newest - int(ring.times[-1])) // timeframe.ms, bars)
        if missing <= 0:
            return
        # Behind the newest may come one that has just ended, and the one that is forming.
        found = await self._klines(rest, symbol, timeframe, min(missing + 2, PAGE))
        for bar in found:
            if bar.open_ms <= newest:
                self._chosen[symbol][timeframe].put(bar)

    async def _klines(self, rest: Rest, symbol: Symbol, timeframe: Timeframe, limit: int) -> list[Bar]:
        while True:
            frames = self._chosen[symbol]
            try:
                return await rest.klines(frames.instrument, timeframe, limit=limit)
            except TooFineError as error:  # more decimals than its tick says: count in those
                if error.instrument == frames.instrument:
                    raise RestError(200, 0, str(error)) from error
                self._chosen[symbol] = frames.rescaled(error.instrument)

    async def _next_bar(self, asked: tuple[Timeframe, int], newest: int) -> None:
        due = newest + 2 * asked[0].ms + LATE_MS
        while self._now_ms() < due and self.asked() == asked:
            await self.clock.sleep(min(1.0, max((due - self._now_ms()) / 1000, 0.01)))

    def _newest(self, timeframe: Timeframe) -> int:
        """Open time of the newest bar that has surely arrived at the exchange's database."""
        return timeframe.floor(self._now_ms() - LATE_MS) - timeframe.ms

    def _now_ms(self) -> int:
        """Exchange time."""
        return self.clock.now_ms() - self._skew_ms
