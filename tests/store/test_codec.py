import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantui.market.bars import COLUMNS
from quantui.store.codec import DamagedError, decode, encode
from quantui.store.records import StoreError
from quantui.store.segments import decode_bars, encode_bars, merge, rescale, restart_point
from quantui.store.ticks import decode_ticks, encode_ticks
from tests.store.bars import bars, rows

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


@given(st.integers(1, 5).flatmap(lambda k: st.lists(st.lists(INT64, min_size=k, max_size=k), min_size=1, max_size=30)))
@settings(max_examples=200, deadline=None)
def test_any_integers_come_back_exactly(lines: list[list[int]]) -> None:
    table = np.array(lines, dtype=np.int64).T
    assert np.array_equal(decode(encode(table)), table)


@given(st.lists(st.lists(INT64, min_size=15, max_size=15), min_size=1, max_size=10))
@settings(max_examples=100, deadline=None)
def test_any_bars_come_back_exactly(lines: list[list[int]]) -> None:
    table = np.array(lines, dtype=np.int64)
    assert np.array_equal(decode_bars(encode_bars(table)).T, table)


@given(st.lists(st.lists(INT64, min_size=7, max_size=7), min_size=1, max_size=10))
@settings(max_examples=100, deadline=None)
def test_any_trades_come_back_exactly(lines: list[list[int]]) -> None:
    table = np.array(lines, dtype=np.int64).T
    assert np.array_equal(decode_ticks(encode_ticks(table)), table)


@pytest.mark.parametrize("width", [7, 8, 15, 16, 31, 32, 62])
def test_every_width_of_numbers_is_kept(width: int) -> None:
    edge = 1 << width
    table = np.array([[0, edge - 1, -edge, edge, -edge - 1, 1], [5, 5, 5, 5, 5, 5], [0, 3, 6, 9, 12, 15]], dtype=np.int64)
    assert np.array_equal(decode(encode(table)), table)


def test_regular_columns_cost_next_to_nothing() -> None:
    n = 3_600
    table = np.stack((1_000 * np.arange(n), np.full(n, 2), np.zeros(n, dtype=np.int64)))
    assert len(encode(table)) < 150


def test_every_flipped_byte_is_noticed() -> None:
    table = rows(bars(50)).T.copy()
    data = encode(table)
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 0x10
        try:
            found = decode(bytes(broken))
        except DamagedError:
            continue
        assert np.array_equal(found, table), f"byte {at} changed the content unseen"


def test_rescaling_counts_in_finer_units() -> None:
    table = rows(bars(3))
    finer = table.copy()
    rescale(finer, 1, 2)
    by_name = dict(zip(COLUMNS, zip(table.T, finer.T, strict=True), strict=True))
    for name, factor in {
        "open": 10,
        "close": 10,
        "volume": 100,
        "taker_volume": 100,
        "quote_volume": 1_000,
        "trade_count": 1,
    }.items():
        before, after = by_name[name]
        assert np.array_equal(before * factor, after), name


def test_rescaling_beyond_64_bits_is_refused() -> None:
    with pytest.raises(StoreError, match="64 bits"):
        rescale(rows(bars(3)), 9, 9)


def test_changes_replace_insert_append_and_withdraw() -> None:
    old, new = rows(bars(6)), rows(bars(6, revision=1))
    kept = old[[0, 1, 3, 4]]
    merged = merge(kept, new[[1, 2, 5]], new[[4], 0])
    assert merged[:, 0].tolist() == old[[0, 1, 2, 3, 5], 0].tolist()
    assert merged[:, -1].tolist() == [0, 1, 1, 0, 1]


def test_a_restart_keeps_all_bars_when_no_trade_was_late() -> None:
    assert restart_point(rows(bars(10))) == 10
    assert restart_point(rows([])) == 0


def test_a_restart_goes_back_behind_a_late_trade_that_overtook_the_forming_bar() -> None:
    table = rows(bars(10))
    # A late trade of second 7 came after second 9 had closed and second 10 had begun: its id is above the cursor.
    table[7, COLUMNS.index("last_aggregate")] = table[9, COLUMNS.index("last_aggregate")] + 3
    table[7, COLUMNS.index("revision")] = 1
    assert restart_point(table) == 7


def test_a_restart_keeps_a_late_trade_that_later_bars_have_passed() -> None:
    table = rows(bars(10))
    table[4, COLUMNS.index("revision")] = 1
    table[4, COLUMNS.index("last_aggregate")] = table[5, COLUMNS.index("last_aggregate")] + 1
    assert restart_point(table) == 10
