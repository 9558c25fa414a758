"""Trades made up for tests, and the bars they must give, built in another way than the product does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from quantui.market.bars import Bar, BarState
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Symbol, Timeframe
from quantui.market.stream import SymbolStream
from quantui.market.trades import Trade

START = 1_723_161_590_000
"""Ten seconds before midnight UTC: the minutes, quarters and hours all turn."""
BTC = Instrument(Symbol("binance-spot", "BTCUSDT"), 2, 5)
CAPACITY: Mapping[Timeframe, int] = dict.fromkeys(Timeframe, 5_000)
Numbers = tuple[int, ...]
"""Open time, o, h, l, c, v, q, V, Q, n, first id, last id."""


def new_stream() -> SymbolStream:
    return SymbolStream(SymbolFrames(BTC, CAPACITY))


@dataclass(frozen=True, slots=True)
class Step:
    """What one trade is drawn from."""

    wait_ms: int
    price: int
    quantity: int
    fills: int
    maker: bool


steps = st.lists(
    st.builds(
        Step,
        wait_ms=st.one_of(st.integers(0, 300), st.integers(0, 4_900), st.sampled_from([0, 1, 999, 1000, 1001, 2000])),
        price=st.integers(1, 50),
        quantity=st.integers(1, 1000),
        fills=st.integers(1, 3),
        maker=st.booleans(),
    ),
    min_size=1,
    max_size=80,
)


def trades_of(drawn: Sequence[Step]) -> list[Trade]:
    """Trades with consecutive ids, times that never fall."""
    out = []
    time, raw = START, 1_000
    for number, step in enumerate(drawn):
        time += step.wait_ms
        out.append(Trade(100 + number, time, step.price, step.quantity, raw, raw + step.fills - 1, step.maker))
        raw += step.fills
    return out


def true_bars(trades: Sequence[Trade], timeframe: Timeframe, until_ms: int) -> dict[int, Numbers]:
    """Bars that open after the second of the first trade and have ended by `until_ms`, by open time."""
    first_whole = (trades[0].time_ms // 1000 + 1) * 1000
    by_bar: dict[int, list[Trade]] = {}
    for trade in trades:
        by_bar.setdefault(trade.time_ms // timeframe.ms, []).append(trade)
    out: dict[int, Numbers] = {}
    close = 0
    for number in range(min(by_bar), until_ms // timeframe.ms):
        inside = by_bar.get(number, [])
        if inside:
            prices = [trade.price for trade in inside]
            taken = [trade for trade in inside if not trade.buyer_is_maker]
            close = prices[-1]
            bar = (
                prices[0], max(prices), min(prices), close, sum(trade.quantity for trade in inside),
                sum(trade.quantity * trade.price for trade in inside), sum(trade.quantity for trade in taken),
                sum(trade.quantity * trade.price for trade in taken), sum(trade.count for trade in inside),
                inside[0].first_id, inside[-1].last_id,
            )  # fmt: skip
        else:
            bar = (close, close, close, close, 0, 0, 0, 0, 0, -1, -1)
        if number * timeframe.ms >= first_whole:
            out[number * timeframe.ms] = (number * timeframe.ms, *bar)
    return out


def numbers(bar: Bar) -> Numbers:
    return (
        bar.open_ms, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote_volume, bar.taker_volume, bar.taker_quote,
        bar.trade_count, bar.first_id, bar.last_id,
    )  # fmt: skip


def bars(stream: SymbolStream, timeframe: Timeframe) -> list[Bar]:
    ring = stream.frames[timeframe]
    return [ring.bar(index) for index in range(len(ring))]


def built(stream: SymbolStream, timeframe: Timeframe) -> dict[int, Numbers]:
    """The bars that are not marked as a gap, by open time."""
    return {bar.open_ms: numbers(bar) for bar in bars(stream, timeframe) if bar.state is not BarState.GAP}


def end_of(trades: Sequence[Trade]) -> int:
    """Some seconds after the last trade, as the feed's time."""
    return max(trade.time_ms for trade in trades) + 4_000
