"""Whatever the feed does to the trades, the bars are the tape's, or marked."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from quantui.market.bars import COLUMNS
from quantui.market.instruments import Timeframe
from quantui.market.stream import SymbolStream
from quantui.market.trades import Trade
from tests.market.tape import START, Step, bars, built, end_of, new_stream, steps, trades_of, true_bars

TIMEFRAMES = (Timeframe.S1, Timeframe.M1, Timeframe.M5)


def check(stream: SymbolStream, trades: Sequence[Trade]) -> None:
    for timeframe in TIMEFRAMES:
        assert built(stream, timeframe) == true_bars(trades, timeframe, end_of(trades)), timeframe


def vouch(stream: SymbolStream) -> None:
    """The exchange has klines for every silence: the market was quiet."""
    while stream.doubt is not None:
        start, end = stream.doubt
        stream.resolve(range(start - start % 1_000, end, 1_000), 1_000)


@settings(deadline=None)
@given(drawn=steps, lag=st.integers(0, 600), every=st.integers(1, 5))
def test_trades_in_order_give_the_bars_of_the_tape(drawn: list[Step], lag: int, every: int) -> None:
    trades, stream = trades_of(drawn), new_stream()
    for number, trade in enumerate(trades):
        stream.trade(trade)
        if number % every == 0:
            stream.advance(trade.time_ms - lag)
    stream.advance(end_of(trades))
    check(stream, trades)


@settings(deadline=None)
@given(drawn=steps, data=st.data())
def test_shuffled_and_repeated_trades_give_the_same_bars(drawn: list[Step], data: st.DataObject) -> None:
    trades, stream = trades_of(drawn), new_stream()
    repeats = data.draw(st.lists(st.sampled_from(trades), max_size=20))
    rest = data.draw(st.permutations([*trades[1:], *repeats]))
    stream.trade(trades[0])
    for trade in rest:
        stream.trade(trade)
    stream.advance(end_of(trades))
    check(stream, trades)
    assert stream.tally.trades == len(trades)
    assert stream.sequencer.duplicates == len(repeats)


@settings(deadline=None)
@given(drawn=steps, data=st.data())
def test_a_hole_that_is_filled_leaves_no_trace(drawn: list[Step], data: st.DataObject) -> None:
    trades, stream = trades_of(drawn), new_stream()
    lost = set(data.draw(st.lists(st.integers(1, len(trades)), max_size=10)))
    for number, trade in enumerate(trades):
        if number not in lost:
            stream.trade(trade)
        elif data.draw(st.booleans()):
            stream.reject(trades[0].id)  # a duplicate that cannot be read changes nothing
        if data.draw(st.booleans()):
            stream.advance(trade.time_ms - data.draw(st.integers(0, 600)))
        while stream.hole is not None and data.draw(st.booleans()):
            first, end = stream.hole
            stream.fill([trade for trade in trades if first - 2 <= trade.id < end + 2])
    while stream.hole is not None:
        first, end = stream.hole
        stream.fill([trade for trade in trades if first <= trade.id < end])
    stream.fill([trade for trade in trades if trade.id >= (stream.sequencer.next_id or 0)])  # lost at the very end
    vouch(stream)
    stream.advance(end_of(trades))
    vouch(stream)
    check(stream, trades)


@settings(deadline=None)
@given(drawn=steps, data=st.data())
def test_a_hole_that_cannot_be_filled_is_marked_and_no_whole_bar_is_wrong(drawn: list[Step], data: st.DataObject) -> None:
    trades, stream = trades_of(drawn), new_stream()
    inside = st.integers(1, max(1, len(trades) - 2))  # what is lost at the very end cannot be known
    lost = set(data.draw(st.lists(inside, max_size=6))) if len(trades) > 2 else set()
    refused = set(data.draw(st.lists(inside, max_size=6))) if len(trades) > 2 else set()
    for number, trade in enumerate(trades):
        if number not in lost:
            if number in refused:
                stream.reject(trade.id)
            else:
                stream.trade(trade)
        if data.draw(st.booleans()):
            stream.advance(trade.time_ms - 1)
        while stream.hole is not None and data.draw(st.booleans()):
            stream.give_up()
        while stream.doubt is not None:
            stream.resolve((), 1 << 62)
    while stream.hole is not None:
        stream.give_up()
    stream.advance(end_of(trades))
    taken = [trade for number, trade in enumerate(trades) if number not in refused]
    for timeframe in TIMEFRAMES:
        truth = true_bars(taken, timeframe, end_of(trades))
        for time, bar in built(stream, timeframe).items():
            if bar[COLUMNS.index("trade_count")] or time in truth:
                assert bar == truth[time], timeframe


@settings(deadline=None)
@given(drawn=steps, data=st.data())
def test_a_restart_anywhere_gives_the_bars_of_an_unbroken_run(drawn: list[Step], data: st.DataObject) -> None:
    trades, first = trades_of(drawn), new_stream()
    cut = data.draw(st.integers(1, len(trades)))
    for trade in trades[:cut]:
        first.trade(trade)
        if data.draw(st.booleans()):
            first.advance(trade.time_ms)
    second = new_stream()
    for timeframe in Timeframe:
        second.frames[timeframe].load(first.frames[timeframe].rows.copy())
    second.restore()
    behind = [trade for trade in trades if trade.id > second.cursor] if second.cursor >= 0 else trades
    for trade in behind:
        second.trade(trade)
    second.resume()
    second.advance(end_of(trades))
    unbroken = new_stream()
    for trade in trades:
        unbroken.trade(trade)
    unbroken.advance(end_of(trades))
    for timeframe in Timeframe:
        assert bars(second, timeframe) == bars(unbroken, timeframe), timeframe


@settings(deadline=None)
@given(drawn=steps, data=st.data())
def test_late_trades_revise_until_the_bars_are_the_tapes(drawn: list[Step], data: st.DataObject) -> None:
    """Times may go back along the ids: what counts is where the trades belong."""
    trades = trades_of(drawn)
    late = [
        replace(t, time_ms=max(START + 1_000, t.time_ms - data.draw(st.sampled_from([0, 0, 0, 700, 2_500])))) for t in trades[1:]
    ]
    trades = [trades[0], *late]
    stream = new_stream()
    stream.silence_ms = 60_000
    for trade in trades:
        stream.trade(trade)
    stream.advance(end_of(trades))
    check(stream, trades)
