"""Pages about single symbols: their statistics side by side, and how they move together. Pure, but for the copying of bars."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from quantui.analytics.correlations import clustered_order, correlation_matrix
from quantui.analytics.descriptive import close_volatility, parkinson_volatility, price_statistics
from quantui.analytics.liquidity import liquidity, spread_bps
from quantui.analytics.stationarity import Missing
from quantui.collector.desk import turnover_a_day
from quantui.collector.pages import CorrelationPage, StatisticsPage, SymbolRow
from quantui.feeds.feed import FeedStatus
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import Floats, Ints, SymbolFrames
from quantui.market.instruments import Instrument, Timeframe
from quantui.text import safe

_HIGH, _LOW, _CLOSE, _TURNOVER, _STATE = (COLUMNS.index(name) for name in ("high", "low", "close", "quote_volume", "state"))
_LATE = 3
"""Bars a symbol may lag behind the newest before it is left out rather than waited for."""


@dataclass(frozen=True, slots=True)
class SymbolBars:
    """The newest whole bars of a symbol, copied, and what else is known of it now."""

    instrument: Instrument
    rows: Ints
    turnover: float | None
    """A day, in the quote asset."""
    spread_bps: float | None
    funding: float | None

    @classmethod
    def of(cls, frames: SymbolFrames, timeframe: Timeframe, window: int, status: FeedStatus | None) -> "SymbolBars":
        """A few bars more than the window, so that symbols can be brought to one end."""
        rows = frames[timeframe].rows[-window - _LATE :]
        rows = rows[rows[:, _STATE] != BarState.GAP]  # a copy
        symbol = frames.instrument.symbol
        until_ms = int(rows[-1, 0]) + timeframe.ms if len(rows) else 0
        quote = status.quotes.get(symbol) if status else None
        return cls(
            frames.instrument,
            rows,
            turnover_a_day(frames, until_ms),
            spread_bps(quote.bid, quote.ask) if quote else None,
            status.funding.get(symbol) if status else None,
        )

    def closes(self, rows: Ints) -> Floats:
        """Closes of some of its rows."""
        closes: Floats = rows[:, _CLOSE] / 10**self.instrument.price_decimals
        return closes


def correlation_page(bars: Sequence[SymbolBars], timeframe: Timeframe, window: int) -> CorrelationPage:
    """Correlations over the newest window that every symbol has closed."""
    newest = _shared_end(bars, timeframe)
    first = newest - (window - 1) * timeframe.ms
    names, closes, left_out = [], [], dict[str, str]()
    for name, each in zip(_names(bars), bars, strict=True):
        rows = each.rows[(each.rows[:, 0] >= first) & (each.rows[:, 0] <= newest)]
        if len(rows) < window:
            left_out[name] = f"{len(rows)}/{window} bars"
            continue
        names.append(name)
        closes.append(each.closes(rows))
    if len(names) < 2:
        note = f"{len(names)}/2 symbols have {window} bars of {timeframe}"
        return CorrelationPage(timeframe.value, window, newest, left_out=left_out, note=note)
    matrix = correlation_matrix(np.diff(np.log(np.array(closes))))
    order = clustered_order(matrix).tolist()
    rounded = matrix[np.ix_(order, order)].round(4).tolist()
    return CorrelationPage(
        timeframe.value,
        window,
        newest,
        tuple(names[place] for place in order),
        tuple(tuple(value if math.isfinite(value) else None for value in row) for row in rounded),
        left_out,
    )


def statistics_page(bars: Sequence[SymbolBars], timeframe: Timeframe, window: int) -> StatisticsPage:
    """A row for each symbol, in alphabetical order."""
    rows = [_row(name, each, timeframe, window) for name, each in zip(_names(bars), bars, strict=True)]
    rows.sort(key=lambda row: row.symbol)
    note = "" if rows else "waiting for data"
    return StatisticsPage(timeframe.value, window, _shared_end(bars, timeframe), tuple(rows), note)


def _row(name: str, bars: SymbolBars, timeframe: Timeframe, window: int) -> SymbolRow:
    rows = bars.rows[-window:]
    closes = bars.closes(rows)
    last = float(closes[-1]) if len(closes) else None
    decimals = bars.instrument.price_decimals
    head = SymbolRow(
        name, len(rows), decimals, last, turnover=bars.turnover, spread_bps=bars.spread_bps, funding=bars.funding,
    )  # fmt: skip
    found = price_statistics(closes) if len(rows) == window else Missing(f"{len(rows)}/{window} bars")
    if isinstance(found, Missing):
        return replace(head, note=found.reason)
    unit, quote = 10**decimals, 10**bars.instrument.quote_decimals
    volume = liquidity(rows[:, _TURNOVER] / quote)
    return replace(
        head,
        change=found.change,
        mean=found.mean,
        median=found.median,
        std=found.std,
        low=found.low,
        high=found.high,
        skew=found.return_skew,
        kurtosis=found.return_kurtosis,
        volatility=close_volatility(closes, timeframe.ms),
        parkinson=parkinson_volatility(rows[:, _HIGH] / unit, rows[:, _LOW] / unit, timeframe.ms),
        variation=None if isinstance(volume, Missing) else volume.variation,
        volume_state="" if isinstance(volume, Missing) else volume.state.value,
    )


def _shared_end(bars: Sequence[SymbolBars], timeframe: Timeframe) -> int:
    """Open time of the newest bar that every symbol has closed, but for those that are far behind."""
    ends = [int(each.rows[-1, 0]) for each in bars if len(each.rows)]
    newest = max(ends, default=0)
    return min((end for end in ends if end >= newest - _LATE * timeframe.ms), default=0)


def _names(bars: Sequence[SymbolBars]) -> list[str]:
    """Names as they are shown: with the venue where there are several."""
    symbols = [each.instrument.symbol for each in bars]
    several = len({symbol.venue for symbol in symbols}) > 1
    return [safe(str(symbol) if several else symbol.name) for symbol in symbols]
