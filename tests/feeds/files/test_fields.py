"""One field: every unit of time, exact numbers, names."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantui.feeds.files.errors import BadRowError
from quantui.feeds.files.fields import LAST_MS, number, plain, positive, symbol_name, symbol_of, time_ms
from quantui.market.numbers import unscaled

MOMENT = 1_723_161_600_123


@pytest.mark.parametrize(
    "text",
    [
        "1723161600.123",
        "1723161600123",
        "1723161600123456",
        "1723161600123456789",
        "2024-08-09T00:00:00.123Z",
        "2024-08-09T00:00:00.123",
        "2024-08-09 00:00:00.123456+00:00",
        "2024-08-09T02:00:00.123+02:00",
    ],
)
def test_a_time_is_told_by_its_magnitude_or_iso(text: str) -> None:
    assert time_ms(text) == MOMENT


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "0", "NaN", "inf", "1e12", "9999-01-01", "99999999999999999999999", "１７２３１６１６００"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadRowError):
        time_ms(text)


@settings(deadline=None)
@given(st.integers(min_value=100_000_000_000, max_value=LAST_MS - 1))
def test_every_unit_gives_the_same_ms(moment: int) -> None:
    iso = datetime.fromtimestamp(moment / 1000, UTC)
    assert time_ms(str(moment)) == moment
    assert time_ms(f"{moment}456") == moment
    assert time_ms(f"{moment}456789") == moment
    assert time_ms(f"{moment // 1000}.{moment % 1000:03d}") == moment
    assert abs(time_ms(iso.isoformat()) - moment) <= 1


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**18), st.integers(min_value=0, max_value=18))
def test_numbers_are_exact(digits: int, decimals: int) -> None:
    found, places = number(unscaled(digits, decimals))
    assert found * 10 ** (decimals - places) == digits


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "-1", "+1", "1e5", "1_000", " 1", "1,5", "0x1", "٣", "1.2.3", ".5", "1" * 40, str(2**63)]
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(BadRowError):
        number(text)


def test_zero_is_no_price() -> None:
    with pytest.raises(BadRowError, match=r"price 0\.000 is not above zero"):
        positive("0.000", "price")


@pytest.mark.parametrize(
    ("text", "expected"), [("1e-05", "0.00001"), ("1.25E+3", "1250"), ("1.25e1", "12.5"), ("12", "12"), ("NaN", "NaN")]
)
def test_json_exponents_become_plain_text(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_a_huge_exponent_is_not_written_out() -> None:
    assert plain("1e999999999") == "1e999999999"


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("BTC_USDT-1h", "BTCUSDT"),
        ("BTC_USDT_USDT-1h-futures", "BTCUSDT"),
        ("btcusdt-aggTrades-2024-08-08", "BTCUSDT"),
        ("1000SATS_USDT-1d", "1000SATSUSDT"),
        ("a_b_c_d", None),
        ("", None),
    ],
)
def test_the_symbol_in_a_file_name(stem: str, expected: str | None) -> None:
    assert symbol_of(stem) == expected


def test_symbols_are_upper_cased_and_may_be_chinese() -> None:
    assert symbol_name(" btcusdt ") == "BTCUSDT"
    assert symbol_name("币安人生usdt") == "币安人生USDT"


@pytest.mark.parametrize("text", ["", "A B", "../ETC", "A\x1b[2J", "A:B", "X" * 41])
def test_what_cannot_be_a_symbol_is_refused(text: str) -> None:
    with pytest.raises(BadRowError):
        symbol_name(text)
