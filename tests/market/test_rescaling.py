"""Finer decimals in the middle of everything, and ids that begin anew."""

import random

from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Timeframe
from quantui.market.rescaling import Factors, finest
from quantui.market.stream import SymbolStream
from quantui.market.trades import Trade
from tests.market.tape import BTC, CAPACITY, START, new_stream

FINER = Instrument(BTC.symbol, 3, 6)


def _trades(count: int, seed: int = 1) -> list[Trade]:
    rng = random.Random(seed)
    return [
        Trade(n, START + 700 * n, rng.randint(900, 1100), rng.randint(1, 99), n, n, rng.random() < 0.5) for n in range(1, count + 1)
    ]


def _rows(stream: SymbolStream) -> dict[Timeframe, list[list[int]]]:
    return {timeframe: stream.frames[timeframe].rows.tolist() for timeframe in Timeframe}


def test_bars_are_the_same_whenever_the_decimals_are_widened() -> None:
    trades = _trades(300)
    factors = Factors.between(BTC, FINER)
    whole = SymbolStream(SymbolFrames(FINER, CAPACITY))
    for trade in trades:
        whole.trade(factors.trade(trade))
    for at in (1, 100, 299):
        stream = new_stream()
        stream.kept = []
        for trade in trades[:at]:
            stream.trade(trade)
        assert stream.rescale(FINER)
        for trade in trades[at:]:
            stream.trade(factors.trade(trade))
        assert _rows(stream) == _rows(whole)
        assert [event.bar for event in stream.builder.events] == [event.bar for event in whole.builder.events]
        assert stream.kept == [factors.trade(trade) for trade in trades]
        assert all(stream.builder.forming(timeframe) == whole.builder.forming(timeframe) for timeframe in Timeframe)


def test_what_waits_behind_a_hole_or_a_doubt_is_widened_too() -> None:
    trades, factors = _trades(30), Factors.between(BTC, FINER)
    whole, stream = SymbolStream(SymbolFrames(FINER, CAPACITY)), new_stream()
    for trade in trades:
        whole.trade(factors.trade(trade))
    for trade in (*trades[:10], *trades[12:]):
        stream.trade(trade)
    stream.reject(99)
    assert stream.rescale(FINER)
    stream.fill(factors.trade(trade) for trade in trades[10:12])
    assert _rows(stream) == _rows(whole)
    later = Trade(31, START + 60_000, 1000, 1, 31, 31, False)
    quiet = new_stream()
    for trade in (*trades, later):
        quiet.trade(trade)
    assert quiet.doubt is not None
    assert quiet.rescale(FINER)
    quiet.resolve(range(0, 1 << 60, 1000), 1000)
    assert quiet.builder.last_close == 10_000


def test_what_would_not_fit_64_bits_is_left_as_it_is() -> None:
    stream = new_stream()
    for trade in (Trade(1, START, 10**7, 10**9, 1, 1, False), Trade(2, START + 1000, 10**7, 10**9, 2, 2, False)):
        stream.trade(trade)
    stream.advance(START + 3000)
    before = _rows(stream)
    assert not stream.rescale(Instrument(BTC.symbol, 5, 8))
    assert stream.frames.instrument == BTC
    assert _rows(stream) == before
    assert stream.rescale(BTC)


def test_the_finest_of_two_has_the_more_decimals_of_each() -> None:
    assert finest(Instrument(BTC.symbol, 5, 0), Instrument(BTC.symbol, 2, 3)) == Instrument(BTC.symbol, 5, 3)


def test_ids_that_begin_anew_are_taken_and_what_is_around_is_marked() -> None:
    stream = new_stream()
    for trade in _trades(20):
        stream.trade(trade)
    begin = START + 200_000
    for number in range(1, 8):
        stream.trade(Trade(number, begin + 700 * number, 1000, 5, number, number, False))
    assert stream.tally.holes_lost == 1
    assert stream.builder.last_time == begin + 700 * 7
    rows = stream.frames[Timeframe.S1].rows
    states = dict(rows[:, (0, COLUMNS.index("state"))].tolist())
    assert states[(START + 14_000) // 1000 * 1000] == BarState.GAP
    assert not [at for at in states if START + 15_000 <= at < begin]  # nothing is made up
    assert states[(begin + 3000) // 1000 * 1000] == BarState.PROVISIONAL


def test_one_wild_id_does_not_silence_a_symbol_for_ever() -> None:
    stream = new_stream()
    for trade in _trades(20):
        stream.trade(trade)
    stream.trade(Trade(10**17, START + 14_700, 1000, 5, 1, 1, False))
    stream.give_up()
    for number in range(21, 200):
        stream.trade(Trade(number, START + 700 * number, 1000, 5, number, number, False))
    assert stream.builder.last_aggregate == 199


def test_late_copies_do_not_look_like_new_numbering() -> None:
    stream, trades = new_stream(), _trades(200)
    for trade in trades:
        stream.trade(trade)
    for trade in trades:
        stream.trade(trade)
    far = Trade(201, START + 500_000, 1000, 5, 201, 201, False)
    stream.trade(far)
    stream.trade(far)  # held in doubt, and sent twice
    assert stream.tally.holes_lost == 0
    assert stream.sequencer.duplicates == 201
