"""Numbers, instruments, sequencer, certification: the small words."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from quantui.market import sequence
from quantui.market.bars import Bar, BarState
from quantui.market.certify import differences
from quantui.market.instruments import Pair, Symbol, Timeframe
from quantui.market.numbers import BadNumberError, decimals_of, scaled, unscaled
from quantui.market.sequence import Sequencer
from quantui.market.trades import Trade


def trade(number: int) -> Trade:
    return Trade(number, 1_000 + number, 5, 7, number, number, buyer_is_maker=False)


@settings(deadline=None)
@given(st.integers(0, 10**18), st.integers(0, 18))
def test_scaled_and_unscaled_are_inverse(value: int, decimals: int) -> None:
    text = unscaled(value, decimals)
    assert scaled(text, decimals) == value
    assert scaled(text, 18) == value * 10 ** (18 - decimals)
    assert value % 10 ** (decimals - decimals_of(text)) == 0


@pytest.mark.parametrize(
    "text", ["", ".", "1.", ".1", "-1", "+1", "1e5", "NaN", "inf", "1_0", " 1", "1 ", "１", "²", "1,0", "0x1", "1" * 40]
)
def test_only_plain_decimals_are_numbers(text: str) -> None:
    with pytest.raises(BadNumberError):
        scaled(text, 8)
    with pytest.raises(BadNumberError):
        decimals_of(text)


def test_a_number_finer_than_the_instrument_is_refused_unless_with_zeros() -> None:
    assert scaled("61837.63000000", 2) == 6_183_763
    with pytest.raises(BadNumberError, match="more than 2 decimals"):
        scaled("61837.631", 2)


def test_negative_values_are_written_with_their_sign() -> None:
    assert unscaled(-5, 2) == "-0.05"


@settings(deadline=None)
@given(st.text(max_size=20))
def test_scaled_never_raises_anything_else(text: str) -> None:
    try:
        value = scaled(text, 4)
    except BadNumberError:
        return
    assert value >= 0


def test_timeframes_are_multiples_and_floor_to_utc() -> None:
    lengths = [timeframe.ms for timeframe in Timeframe]
    assert all(longer % shorter == 0 for shorter, longer in pairwise(lengths))
    assert Timeframe.M5.floor(1_723_161_599_999) == 1_723_161_300_000


def test_symbols_and_pairs_are_read_as_written() -> None:
    pair = Pair.parse("ethusdt/binance-spot:btcusdt", "binance-usdm")
    assert pair == Pair(Symbol("binance-usdm", "ETHUSDT"), Symbol("binance-spot", "BTCUSDT"))
    assert pair.label == "binance-usdm:ETHUSDT/binance-spot:BTCUSDT"
    for text in ("BTCUSDT", "BTCUSDT/BTCUSDT", "/", "A//B"):
        with pytest.raises(ValueError):
            Pair.parse(text, "binance-spot")


@settings(deadline=None)
@given(st.permutations(range(1, 30)), st.lists(st.integers(1, 29), max_size=10))
def test_the_sequencer_lets_every_id_through_once_and_in_order(order: list[int], again: list[int]) -> None:
    sequencer, out = Sequencer(next_id=1), []
    for number in [*order, *again]:
        if sequencer.admit(trade(number)):
            out.append(number)
            out += [released.id for released in sequencer.release()]
    assert out == list(range(1, 30))
    assert sequencer.duplicates == len(again)
    assert sequencer.hole is None


def test_the_first_trade_sets_the_first_id() -> None:
    sequencer = Sequencer()
    assert sequencer.admit(trade(50))
    assert not sequencer.admit(trade(49))
    assert sequencer.duplicates == 1


def test_a_hole_is_named_by_its_first_id_and_the_one_behind() -> None:
    sequencer = Sequencer(next_id=1)
    assert not sequencer.admit(trade(5))
    assert not sequencer.admit(trade(9))
    assert sequencer.hole == (1, 5)
    assert sequencer.skip_hole() == (1, 5)
    assert [held.id for held in sequencer.release()] == [5]
    assert sequencer.hole == (6, 9)


def test_a_rejected_record_uses_up_its_id() -> None:
    sequencer = Sequencer(next_id=1)
    sequencer.skip_rejected(1)
    sequencer.skip_rejected(3)
    assert sequencer.hole == (2, 3)
    assert sequencer.admit(trade(2))
    assert sequencer.release() == []
    assert sequencer.next_id == 4


def test_beyond_the_limit_the_newest_are_dropped_and_become_part_of_the_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "PENDING_LIMIT", 2)
    sequencer = Sequencer(next_id=1)
    for number in (3, 4, 5):
        sequencer.admit(trade(number))
    assert sequencer.dropped == 1
    sequencer.skip_hole()
    assert [held.id for held in sequencer.release()] == [3, 4]
    sequencer.admit(trade(6))
    assert sequencer.hole == (5, 6)


def test_starting_at_an_id_drops_what_is_held_below() -> None:
    sequencer = Sequencer(next_id=0)
    for number in (3, 7):
        sequencer.admit(trade(number))
    sequencer.start_at(5)
    assert (sequencer.duplicates, sequencer.hole) == (1, (5, 7))


BAR = Bar(0, 10, 12, 9, 11, 100, 1_000, 60, 600, 5, 1, 7, 3, BarState.PROVISIONAL)


@pytest.mark.parametrize("name", ["open", "high", "low", "close", "volume", "quote_volume", "taker_volume", "taker_quote"])
def test_every_number_takes_part_in_certification(name: str) -> None:
    other = replace(BAR, **{name: getattr(BAR, name) + 1})
    assert differences(BAR, other, ids_count=False) == (name,)


def test_ids_take_part_only_where_they_mean_something() -> None:
    other = replace(BAR, trade_count=6, first_id=2)
    assert differences(BAR, other, ids_count=False) == ()
    assert differences(BAR, other, ids_count=True) == ("trade_count", "first_id")
    assert differences(BAR, replace(BAR, first_id=-1, last_id=-1), ids_count=True) == ()  # REST does not tell ids


def test_turnover_may_differ_by_what_the_exchange_does_not_print() -> None:
    other = replace(BAR, quote_volume=1_009)
    assert differences(BAR, other, ids_count=True, quote_slack=9) == ()
    assert differences(BAR, other, ids_count=True, quote_slack=8) == ("quote_volume",)
