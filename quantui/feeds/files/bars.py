"""Bars out of files as rows of a ring.

The first and the last bar of a file are partial unless proven whole. Proven are: the first bar of Binance's own klines (the
exchange has no half ones at the front), the last one where it ends with a UTC day in a bulk file's layout (bulk files end
there; a download in between ends with the bar that was forming), and any bar whose `state` column says so (our own export).
An explicit range is the caller's word: `whole(start, end)` takes what lies inside.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from quantui.feeds.files.errors import BadRowError, FileError
from quantui.feeds.files.tape import EXTERNAL
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import Ints
from quantui.market.instruments import Instrument, Symbol, Timeframe

UNKNOWN = -1
"""Quote volume, taker volumes, trade count, ids: what the file does not tell. A bar without volume has 0 trades."""
_DAY_MS = 86_400_000
_LIMIT = 1 << 63
Number = tuple[int, int]
"""Digits and decimals."""


@dataclass(frozen=True, slots=True)
class BarTable:
    """The bars of one symbol and timeframe of a file."""

    name: str
    instrument: Instrument
    timeframe: Timeframe
    rows: Ints
    """(n, columns) as `market.bars.COLUMNS`, ascending; the edges may be partial."""
    first_whole: bool
    last_whole: bool
    rejected: int = 0
    """Bad rows left out, and rows of a time that came twice."""

    def whole(self, start_ms: int | None = None, end_ms: int | None = None) -> Ints:
        """Rows that open in [start_ms, end_ms); where a bound is not given, the edge is left out unless it is proven whole."""
        times = self.rows[:, 0]
        low = int(not self.first_whole) if start_ms is None else int(np.searchsorted(times, start_ms))
        high = len(times) - int(not self.last_whole) if end_ms is None else int(np.searchsorted(times, end_ms))
        return self.rows[low : max(low, high)]


@dataclass(frozen=True, slots=True)
class FileBar:
    """One bar as a file tells it."""

    open_ms: int
    prices: tuple[Number, Number, Number, Number]
    """Open, high, low, close."""
    volume: Number
    quote_volume: Number | None = None
    taker_volume: Number | None = None
    taker_quote: Number | None = None
    trade_count: int = UNKNOWN
    state: BarState = BarState.PROVISIONAL
    proven: bool = False
    """The file itself says that the bar is whole."""


@dataclass(slots=True)
class BarCollector:
    """Bars of one symbol and timeframe while a file is read."""

    name: str
    symbol: str
    timeframe: Timeframe | None = None
    """None: from the spacing of the bars."""
    bars: dict[int, FileBar] = field(default_factory=dict)
    rejected: int = 0

    def add(self, bar: FileBar) -> None:
        """Take a bar; of two with one open time the later is kept.

        Raises:
            BadRowError: Its prices contradict each other, or it does not open where such bars open.
        """
        if self.timeframe is not None and bar.open_ms % self.timeframe.ms:
            raise BadRowError(f"it does not open on a whole {self.timeframe}")
        opening, high, low, close = (digits / 10**decimals for digits, decimals in bar.prices)
        if not low <= min(opening, close) <= max(opening, close) <= high:
            raise BadRowError("open, high, low and close contradict each other")
        if bar.open_ms in self.bars:
            self.rejected += 1
        self.bars[bar.open_ms] = bar

    def table(self, venue: str | None, *, from_exchange: bool = False, day_ends: bool = False) -> BarTable:
        """The finished table.

        Args:
            venue: Where the bars are from; None is external.
            from_exchange: Binance's own klines: the first is whole.
            day_ends: A bulk file: the last is whole where it ends with a day.

        Raises:
            FileError: No bars, a timeframe that is not built, or numbers beyond 64 bits.
        """
        if not self.bars:
            raise FileError(self.name, f"no bars of {self.symbol}")
        bars = [self.bars[time] for time in sorted(self.bars)]
        timeframe = self.timeframe or spacing([bar.open_ms for bar in bars], self.name)
        instrument = Instrument(Symbol(venue or EXTERNAL, self.symbol), *_decimals(bars))
        try:
            rows = np.array([_row(bar, instrument) for bar in bars], dtype=np.int64).reshape(len(bars), len(COLUMNS))
        except OverflowError as error:
            raise FileError(self.name, "numbers too large to count exactly") from error
        last = bars[-1]
        first_whole = from_exchange or bars[0].proven
        last_whole = last.proven or (day_ends and (last.open_ms + timeframe.ms) % _DAY_MS == 0)
        if from_exchange:
            rows[: len(rows) - (not last_whole), COLUMNS.index("state")] = BarState.CERTIFIED
        return BarTable(self.name, instrument, timeframe, rows, first_whole, last_whole, self.rejected)


def spacing(times: list[int], name: str) -> Timeframe:
    """The timeframe whose bars are this close to each other.

    Raises:
        FileError: It is none that quantui builds.
    """
    closest = min((after - before for before, after in pairwise(times)), default=0)
    for timeframe in Timeframe:
        if timeframe.ms == closest and not any(time % closest for time in times):
            return timeframe
    raise FileError(name, f"bars {closest // 1000} s apart are no timeframe of quantui ({', '.join(Timeframe)}): say --timeframe")


def timeframe_of(text: str, name: str) -> Timeframe:
    """A timeframe by its name.

    Raises:
        FileError: It is none that quantui builds.
    """
    try:
        return Timeframe(text.strip().lower())
    except ValueError:
        raise FileError(name, f"interval {text.strip()[:20]!r} is not built: {', '.join(Timeframe)}") from None


def _decimals(bars: list[FileBar]) -> tuple[int, int]:
    quantity = max(max(bar.volume[1], bar.taker_volume[1] if bar.taker_volume else 0) for bar in bars)
    quotes = [quote[1] for bar in bars for quote in (bar.quote_volume, bar.taker_quote) if quote]
    price = max(decimals for bar in bars for _, decimals in bar.prices)
    # Turnover is counted in price times quantity: finer turnover means that trades had finer prices than any open or close.
    return max(price, max(quotes, default=0) - quantity), quantity


def _row(bar: FileBar, instrument: Instrument) -> tuple[int, ...]:
    price, quantity, quote = instrument.price_decimals, instrument.quantity_decimals, instrument.quote_decimals
    volume = _scaled(bar.volume, quantity)
    count = bar.trade_count if volume or bar.trade_count > 0 else 0
    turnover = ((bar.quote_volume, quote), (bar.taker_volume, quantity), (bar.taker_quote, quote))
    unknown = UNKNOWN if volume else 0
    turned = (unknown if value is None else _scaled(value, decimals) for value, decimals in turnover)
    return (
        bar.open_ms, *(_scaled(value, price) for value in bar.prices), volume, *turned, count,
        UNKNOWN, UNKNOWN, UNKNOWN, bar.state, 0,
    )  # fmt: skip


def _scaled(value: Number, decimals: int) -> int:
    digits: int = value[0] * 10 ** max(decimals - value[1], 0)
    if digits >= _LIMIT:
        raise OverflowError
    return digits
