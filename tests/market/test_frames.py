"""Rings and frames: bounded, ordered, equal to a plain dictionary of bars."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from quantui.market.bars import COLUMNS, Bar, BarState
from quantui.market.frames import BarRing, SymbolFrames, aligned_closes, bars_to_rows, pair_frame
from quantui.market.instruments import Instrument, Symbol, Timeframe
from tests.market.tape import BTC, CAPACITY

ETH = Instrument(Symbol("binance-spot", "ETHUSDT"), 3, 2)
M1 = Timeframe.M1


def bar(minute: int, close: int = 100, state: BarState = BarState.PROVISIONAL) -> Bar:
    return Bar(minute * 60_000, close, close, close, close, 10, close * 10, 4, close * 4, 2, 1, 2, 1, state)


@settings(deadline=None)
@given(st.integers(1, 8), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.booleans()), max_size=80))
def test_a_ring_is_the_newest_bars_by_time(capacity: int, actions: list[tuple[int, int, bool]]) -> None:
    ring = BarRing(capacity)
    model: dict[int, Bar] = {}
    for minute, close, remove in actions:
        one = bar(minute, close)
        if remove:
            assert ring.remove(one.open_ms) == (model.pop(one.open_ms, None) is not None)
            continue
        ring.put(one)
        model[one.open_ms] = one
        model = dict(sorted(model.items())[-capacity:])
        assert [ring.bar(index) for index in range(len(ring))] == list(model.values())
        assert ring.last == (list(model.values())[-1] if model else None)
    for minute in range(31):
        assert (ring.find(minute * 60_000) is not None) == (minute * 60_000 in model)
    assert ring.between(5 * 60_000, 9 * 60_000)[:, 0].tolist() == [time for time in model if 5 * 60_000 <= time < 9 * 60_000]


def test_loading_keeps_the_newest() -> None:
    ring = BarRing(3)
    ring.load(bars_to_rows([bar(minute) for minute in range(10)]))
    assert ring.times.tolist() == [7 * 60_000, 8 * 60_000, 9 * 60_000]
    ring.put(bar(10))
    assert len(ring) == 3


def test_columns_come_back_field_by_field() -> None:
    one = Bar(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, BarState.CERTIFIED, 14)
    ring = BarRing(2)
    ring.put(one)
    assert ring.bar(0) == one
    assert ring.rows[0].tolist() == [getattr(one, name) for name in COLUMNS]


def frames(instrument: Instrument, *bars_: Bar) -> SymbolFrames:
    made = SymbolFrames(instrument, CAPACITY)
    for one in bars_:
        made[M1].put(one)
    return made


def test_a_frame_has_times_in_utc_and_numbers_in_units() -> None:
    flat = replace(bar(1), volume=0, quote_volume=0)
    frame = frames(BTC, bar(0, 6_183_763), flat).frame(M1)
    assert frame["close"][0] == 61837.63
    assert frame["volume"][0] == 10 / 10**5
    assert frame["vwap"].to_list() == [61837.63, None]
    assert frame["open_time"].to_list()[1] == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert len(frames(BTC, bar(0), bar(1)).frame(M1, last=1)) == 1


def test_legs_are_aligned_on_shared_bars_without_gaps() -> None:
    y = frames(BTC, bar(0), bar(1, 200), bar(2, 300, BarState.GAP), bar(4, 500, BarState.CERTIFIED))
    x = frames(ETH, bar(1, 1_000), bar(2, 1_000), bar(3, 1_000), bar(4, 2_000))
    closes = aligned_closes(y, x, M1, 10)
    assert closes.times.tolist() == [60_000, 240_000]
    assert closes.y.tolist() == [2.0, 5.0]
    assert closes.x.tolist() == [1.0, 2.0]
    assert closes.state.tolist() == [BarState.PROVISIONAL, BarState.PROVISIONAL]
    assert pair_frame(y, x, M1)["close_y"].to_list() == [2.0, 3.0, 5.0]


@settings(deadline=None)
@given(st.sets(st.integers(0, 200)), st.sets(st.integers(0, 200)), st.sets(st.integers(0, 200)), st.integers(1, 40))
def test_alignment_finds_the_newest_shared_bars_however_far_back(y: set[int], x: set[int], gaps: set[int], last: int) -> None:
    left = frames(BTC, *(bar(m, 100 + m, BarState.GAP if m in gaps else BarState.PROVISIONAL) for m in sorted(y)))
    right = frames(BTC, *(bar(m, 100 + m) for m in sorted(x)))
    closes = aligned_closes(left, right, M1, last)
    assert closes.times.tolist() == [m * 60_000 for m in sorted((y & x) - gaps)][-last:]
    assert np.array_equal(closes.y, closes.x)
