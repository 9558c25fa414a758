"""One symbol: gaps, halts, flats, certification, adoption, previews."""

import pytest
from msgspec.structs import replace

from quantui.market.bars import Bar, BarState
from quantui.market.instruments import Timeframe
from quantui.market.stream import SymbolStream
from quantui.market.trades import Trade
from tests.market.tape import bars, new_stream

T = 1_723_161_600_000
S1, M1, M5 = Timeframe.S1, Timeframe.M1, Timeframe.M5


def trade(number: int, at_ms: int, price: int = 100, quantity: int = 10) -> Trade:
    return Trade(number, T + at_ms, price, quantity, number, number, buyer_is_maker=False)


def states(stream: SymbolStream, timeframe: Timeframe = S1) -> dict[int, BarState]:
    return {(bar.open_ms - T) // 1000: bar.state for bar in bars(stream, timeframe)}


def streamed(*trades: Trade) -> SymbolStream:
    stream = new_stream()
    for one in trades:
        stream.trade(one)
    return stream


def minute(stream: SymbolStream, number: int, start_id: int = 1) -> Bar:
    """Trade every second of minute `number` and close it; returns our bar."""
    for second in range(60):
        stream.trade(trade(start_id + second, number * 60_000 + second * 1000, 100 + second))
    stream.advance(T + (number + 1) * 60_000)
    index = stream.frames[M1].find(T + number * 60_000)
    assert index is not None
    return stream.frames[M1].bar(index)


def test_the_second_and_the_minute_of_the_first_trade_are_never_published() -> None:
    stream = streamed(trade(1, 500), trade(2, 1_200), trade(3, 61_500))
    stream.resolve((), 1 << 62)
    stream.advance(T + 62_000)
    assert 0 not in states(stream)
    assert states(stream, M1) == {}


def test_quiet_seconds_repeat_the_close_with_no_volume() -> None:
    stream = streamed(trade(1, -500), trade(2, 100, 105))
    stream.advance(T + 3_999)
    flat = bars(stream, S1)[1:]
    assert [(bar.open_ms - T, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trade_count) for bar in flat] == [
        (1_000, 105, 105, 105, 105, 0, 0),
        (2_000, 105, 105, 105, 105, 0, 0),
    ]


def test_a_late_trade_revises_its_second_its_minute_and_the_flats_behind() -> None:
    stream = streamed(trade(1, -500), trade(2, 100, 105))
    stream.advance(T + 62_000 - 57_000)
    stream.trade(trade(3, 900, 120, 1))
    first, *flat = bars(stream, S1)
    assert (first.high, first.close, first.volume, first.revision) == (120, 120, 11, 1)
    assert {bar.close for bar in flat} == {120}
    assert stream.builder.revisions == 1
    forming = stream.builder.forming(M1)
    assert forming is not None
    assert (forming.high, forming.volume) == (120, 11)


def test_a_late_trade_revises_a_closed_minute() -> None:
    stream = streamed(trade(1, -500))
    minute(stream, 0, start_id=2)
    stream.trade(trade(62, 59_900, 500, 1))
    bar = bars(stream, M1)[0]
    assert (bar.high, bar.close, bar.trade_count, bar.revision) == (500, 500, 61, 1)


def test_a_silence_is_doubted_and_a_halt_has_no_bars() -> None:
    stream = streamed(trade(1, -500), trade(2, 100))
    stream.advance(T + 20_000)
    assert stream.doubt == (T + 100, T + 20_000)
    stream.trade(trade(3, 20_500))
    stream.trade(trade(4, 22_000))
    assert max(states(stream), default=-1) < 1
    stream.resolve((), 60_000)
    assert states(stream) == {0: BarState.PROVISIONAL, 20: BarState.PROVISIONAL, 21: BarState.PROVISIONAL}


def test_a_halt_before_the_first_trade_does_not_keep_the_bars_behind_it_away() -> None:
    stream = new_stream()
    stream.begin_live()
    stream.advance(T)
    stream.advance(T + 60_000)
    stream.resolve(traded=(), step_ms=60_000)
    for number, at_ms in enumerate((60_500, 61_500, 62_500), 1):
        stream.trade(trade(number, at_ms))
    stream.advance(T + 64_000)
    assert states(stream) == dict.fromkeys((61, 62, 63), BarState.PROVISIONAL)


def test_a_silence_with_klines_was_a_quiet_market() -> None:
    stream = streamed(trade(1, -500), trade(2, 100), trade(3, 20_500))
    assert stream.doubt is not None
    stream.resolve({T}, 60_000)
    assert list(states(stream)) == list(range(20))


def _quiet_since_two(until_s: int) -> SymbolStream:
    """Trades in seconds -1, 0 and 1, then flat seconds, one after the other, as on a socket on which others speak."""
    stream = streamed(trade(1, -500), trade(2, 100), trade(3, 1_100))
    for second in range(2, until_s + 1):
        stream.advance(T + second * 1000)
    return stream


def test_silent_bars_without_klines_are_withdrawn_and_nothing_is_closed_until_it_goes_on() -> None:
    stream = _quiet_since_two(130)
    assert stream.unproven_silence(T + 120_000, S1) == (T + 2_000, T + 120_000)
    stream.builder.events.clear()
    stream.stood_still(range(T + 2_000, T + 120_000, 1000), {T + 2_000, T + 3_000}, S1)
    assert list(states(stream)) == [0, 1, 2, 3]
    assert list(states(stream, M1)) == [0]
    assert stream.halted_from == T + 4_000
    assert (M1, T + 60_000) in stream.builder.withdrawn
    assert (S1, T + 129_000) in stream.builder.withdrawn
    stream.advance(T + 140_000)
    assert max(states(stream)) == 3
    stream.trade(trade(4, 150_500))
    assert stream.doubt == (T + 4_000, T + 150_500)
    stream.resolve({T + 149_000}, 1000)
    stream.advance(T + 152_000)
    assert list(states(stream)) == [0, 1, 2, 3, 149, 150, 151]


def test_silent_bars_of_a_market_that_trades_again_are_withdrawn_where_it_stood_still() -> None:
    stream = _quiet_since_two(30)
    stream.trade(trade(4, 30_500))
    stream.stood_still(range(T + 2_000, T + 30_000, 1000), {T + at * 1000 for at in (2, 3, 28, 29)}, S1)
    assert list(states(stream)) == [0, 1, 2, 3, 28, 29]
    assert stream.halted_from is None
    for second in range(32, 61):
        stream.advance(T + second * 1000)
    (minute_bar,) = bars(stream, M1)
    assert (minute_bar.open_ms, minute_bar.trade_count) == (T, 3)


def test_a_bar_that_a_kline_has_proven_is_never_withdrawn_and_ends_the_halt() -> None:
    stream = _quiet_since_two(30)
    proven = next(bar for bar in bars(stream, S1) if bar.open_ms == T + 25_000)
    stream.kline(S1, proven)  # came while REST was asked for the seconds before
    stream.stood_still(range(T + 2_000, T + 20_000, 1000), set(), S1)
    assert states(stream)[25] is BarState.CERTIFIED
    assert stream.halted_from is None
    assert [second for second in states(stream) if 2 <= second < 20] == []


def test_a_kline_ends_a_halt_and_brings_its_bar_back() -> None:
    stream = _quiet_since_two(30)
    stream.stood_still(range(T + 2_000, T + 20_000, 1000), set(), S1)
    assert list(states(stream)) == [0, 1]
    stream.kline(S1, replace(bars(stream, S1)[-1], open_ms=T + 25_000, volume=0, trade_count=0, first_id=-1, last_id=-1))
    assert stream.halted_from is None
    assert states(stream)[25] is BarState.CERTIFIED


def test_a_hole_given_up_is_marked_and_the_minute_is_not_built() -> None:
    stream = streamed(trade(1, -500), *(trade(number, number * 500) for number in range(2, 200) if number != 30))
    stream.give_up()
    stream.advance(T + 100_000)
    assert states(stream)[14] is BarState.GAP
    assert states(stream)[15] is BarState.GAP
    assert states(stream)[13] is states(stream)[16] is BarState.PROVISIONAL
    assert states(stream, M1) == {}
    assert (stream.tally.holes_lost, stream.tally.trades_lost) == (1, 1)


def test_seconds_closed_over_a_hole_before_it_was_known_are_marked() -> None:
    stream = streamed(trade(1, -500), trade(2, 100))
    stream.advance(T + 3_000)
    stream.trade(trade(4, 3_500))
    assert stream.hole == (3, 4)
    stream.give_up()
    assert set(states(stream).values()) == {BarState.GAP}


def test_a_hole_before_a_refused_record_is_still_marked() -> None:
    stream = streamed(trade(1, -500), trade(2, 100))
    stream.reject(4)
    stream.give_up()
    stream.advance(T + 3_000)
    assert states(stream) == {}
    stream.trade(trade(5, 3_500))
    stream.advance(T + 6_000)
    assert states(stream)[0] is BarState.GAP
    assert states(stream)[3] is BarState.GAP
    assert states(stream)[4] is BarState.PROVISIONAL


def test_a_trade_that_closes_the_hole_releases_what_waited() -> None:
    stream = streamed(trade(1, -500), trade(3, 200), trade(4, 300), trade(2, 100))
    assert stream.is_complete
    assert stream.tally.trades == 4


def test_nothing_is_closed_while_a_trade_is_missing() -> None:
    stream = streamed(trade(1, -500), trade(2, 100), trade(4, 900))
    stream.advance(T + 4_000)
    assert states(stream) == {}
    stream.fill([trade(3, 500)])
    stream.advance(T + 4_000)
    assert set(states(stream).values()) == {BarState.PROVISIONAL}
    assert stream.tally.trades_filled == 1


def test_nothing_is_closed_while_suspended() -> None:
    stream = streamed(trade(1, -500), trade(2, 100))
    stream.suspended = True
    stream.advance(T + 4_000)
    assert states(stream) == {}
    stream.resume(T + 4_000)
    stream.builder.advance(T + 4_000)
    assert len(states(stream)) == 4


def test_live_trades_wait_for_what_came_before() -> None:
    stream = new_stream()
    stream.wait()
    stream.trade(trade(12, 1_500))
    assert stream.tally.trades == 0
    stream.begin(10, T)
    stream.fill([trade(10, 100), trade(11, 200)])
    stream.advance(T + 2_000)
    assert list(states(stream)) == [0, 1]


def test_nothing_is_closed_before_it_has_begun() -> None:
    stream = new_stream()
    stream.wait()
    stream.advance(T + 1_000)
    stream.advance(T + 60_000)
    assert (stream.doubt, stream.proven_until) == (None, 0)


def test_a_late_trade_counts_once_where_klines_lie_ahead_of_our_bars() -> None:
    stream = streamed(trade(1, -500))
    for second in range(20):  # as read at the start, before the trades
        flat = Bar(T + second * 1000, 107, 107, 107, 107, 0, 0, 0, 0, 0, -1, -1, -1, BarState.CERTIFIED)
        stream.frames[S1].put(replace(flat, volume=7, trade_count=1) if second == 12 else flat)
    for second in range(1, 61):
        stream.advance(T + second * 1000)
        if second == 10:
            stream.trade(trade(2, 8_500, 105))
        if second == 12:
            stream.trade(trade(3, 12_500, 106))
    seconds = {(bar.open_ms - T) // 1000: (bar.close, bar.volume) for bar in bars(stream, S1)}
    assert [seconds[second] for second in (7, 8, 9, 10, 11, 12, 13)] == [
        (100, 0), (105, 10), (105, 0), (105, 0), (105, 0), (106, 10), (106, 0),
    ]  # fmt: skip
    assert [(bar.volume, bar.trade_count) for bar in bars(stream, M1)] == [(20, 2)]


def test_without_history_the_first_live_trade_begins() -> None:
    stream = new_stream()
    stream.wait()
    stream.trade(trade(12, 1_500))
    stream.begin_live()
    stream.trade(trade(13, 2_500))
    stream.advance(T + 3_000)
    assert list(states(stream)) == [2]


def test_an_equal_kline_certifies_and_a_different_one_is_an_event() -> None:
    stream = streamed(trade(1, -500))
    first, second = minute(stream, 0, 2), minute(stream, 1, 62)
    stream.kline(M1, replace(first, state=BarState.CERTIFIED))
    stream.kline(M1, replace(second, high=second.high + 1))
    assert list(states(stream, M1).values()) == [BarState.CERTIFIED, BarState.PROVISIONAL]
    assert (stream.tally.certified, stream.tally.mismatched) == (1, 1)
    assert stream.mismatches[0][3] == ("high",)
    stream.kline(M1, replace(second, high=second.high + 1))  # said again, over REST
    assert (stream.tally.mismatched, len(stream.mismatches)) == (1, 1)


def test_a_late_trade_that_is_told_again_is_no_new_count_of_the_exchange() -> None:
    stream = streamed(trade(1, -500), trade(2, 100))
    for second in range(1, 80):  # others speak: the watermark goes on
        stream.advance(T + second * 1000)
    late = trade(3, 75_000)
    stream.trade(late)
    stream.trade(late)
    assert (stream.sequencer.duplicates, stream.tally.holes_lost, stream.sequencer.next_id) == (1, 0, 4)
    assert stream.frames[S1].bar(stream.frames[S1].find(T + 75_000) or 0).volume == late.quantity


def test_where_the_exchange_can_be_asked_a_different_kline_is_a_question_first() -> None:
    stream = streamed(trade(1, -500))
    stream.questioned = {}
    bar = minute(stream, 0, 2)
    lacking = trade(62, 59_500, 500)
    stream.kline(M1, replace(bar, high=500, close=500, volume=bar.volume + 10, quote_volume=bar.quote_volume + 5000,
        taker_volume=bar.taker_volume + 10, taker_quote=bar.taker_quote + 5000, trade_count=61, last_id=62))  # fmt: skip
    assert (stream.tally.certified, stream.tally.mismatched, len(stream.questioned)) == (0, 0, 1)
    assert not stream.look_again()
    stream.fill([lacking])
    assert stream.look_again()
    assert (stream.tally.certified, stream.tally.mismatched) == (1, 0)
    assert states(stream, M1) == {0: BarState.CERTIFIED}


def test_a_question_without_an_answer_is_a_mismatch() -> None:
    stream = streamed(trade(1, -500))
    stream.questioned = {}
    bar = minute(stream, 0, 2)
    stream.kline(M1, replace(bar, high=bar.high + 1))
    stream.conclude()
    assert (stream.tally.mismatched, stream.questioned) == (1, {})
    assert stream.mismatches[0][3] == ("high",)


def test_a_kline_that_comes_first_waits_for_our_bar() -> None:
    twin = streamed(trade(1, -500))
    kline = minute(twin, 0, 2)
    stream = streamed(trade(1, -500), trade(2, 0, 100))
    stream.kline(M1, kline)
    for second in range(1, 60):
        stream.trade(trade(2 + second, second * 1000, 100 + second))
    stream.advance(T + 60_000)
    assert list(states(stream, M1).values()) == [BarState.CERTIFIED]


def test_five_certified_minutes_certify_the_longer_bar() -> None:
    stream = streamed(trade(1, -500))
    for number in range(5):
        stream.kline(M1, minute(stream, number, 2 + 60 * number))
    assert list(states(stream, M5).values()) == [BarState.CERTIFIED]


def test_a_kline_stands_in_for_a_minute_with_a_gap() -> None:
    stream = streamed(trade(1, -500), *(trade(number, number * 500) for number in range(2, 140) if number != 30))
    stream.give_up()
    stream.advance(T + 65_000)
    kline = Bar(T, 100, 100, 100, 100, 1_190, 119_000, 1_190, 119_000, 119, 2, 120, -1, BarState.CERTIFIED)
    stream.kline(M1, kline)
    assert bars(stream, M1) == [kline]
    stream.trade(trade(140, 59_900, 900))  # late: our seconds hold less than the exchange's bar, so it stays
    assert bars(stream, M1) == [kline]


def test_the_preview_of_a_forming_bar_holds_the_closed_seconds() -> None:
    stream = streamed(trade(1, -500), trade(2, 100, 105), trade(3, 1_100, 95), trade(4, 2_200, 99))
    forming = stream.builder.forming(M1)
    assert forming is not None
    assert (forming.open_ms, forming.open, forming.high, forming.low, forming.close, forming.volume) == (T, 105, 105, 95, 99, 30)
    second = stream.builder.forming(S1)
    assert second is not None
    assert (second.open_ms, second.state) == (T + 2_000, BarState.OPEN)


@pytest.mark.parametrize("wait_ms", [0, 4_000])
def test_trades_without_ids_are_taken_as_they_come(wait_ms: int) -> None:
    stream = new_stream()
    for _ in range(3):
        stream.anonymous(Trade(-1, T + 1_000 + wait_ms, 100, 10, -1, -1, buyer_is_maker=True))
    stream.anonymous(Trade(-1, T - 500, 100, 10, -1, -1, buyer_is_maker=True))
    assert stream.tally.trades == 4
    assert stream.cursor == -1
