import pytest

from quantui.ui.render.lines import Field, Role, Span, bar, cells, cut, fit, joined, line, measures, wrapped
from quantui.ui.render.names import bases, short_label, venue


def test_wide_characters_take_two_cells() -> None:
    assert cells("币安人生USDT") == 12
    assert fit("币安人生", 5) == "币安 "
    assert fit("ab", 4, right=True) == "  ab"
    assert fit("abcdef", 3) == "abc"


def test_a_line_is_cut_at_cells_and_keeps_its_roles() -> None:
    spans = line("ab", Span("币c", Role.BAD), "")
    assert cut(spans, 4) == (Span("ab"), Span("币", Role.BAD))
    assert cut(spans, 3) == (Span("ab"), Span("", Role.BAD))
    assert joined(spans) == "ab币c"


def test_wrapping_loses_no_word_and_breaks_long_ones() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("a" * 7, 3) == ["aaa", "aaa", "a"]
    assert wrapped("", 5) == []
    assert "".join(wrapped("币安人生 " * 4, 5)).replace(" ", "") == "币安人生" * 4


@pytest.mark.parametrize(
    ("width", "shown"),
    [(40, "last 07:47 SHORT z +2.60 corr .80"), (32, "last 07:47 SHORT z +2.60"), (18, "last 07:47 SHORT"), (2, "la")],
)
def test_text_with_numbers_is_cut_behind_a_whole_number(width: int, shown: str) -> None:
    assert measures("last 07:47 SHORT z +2.60 corr .80", width) == shown


def test_a_long_word_is_cut_where_the_room_ends() -> None:
    assert measures("gap abcdefghijklmnop", 10) == "gap abcdef"


def test_the_least_important_field_leaves_first() -> None:
    fields = [Field("aaa", priority=2), Field("bbb", priority=1), Field("ccc", priority=3), Field("")]
    assert [field.text for field in bar(fields, 11)] == ["aaa", "bbb", "ccc"]
    assert [field.text for field in bar(fields, 10)] == ["aaa", "ccc"]
    assert [field.text for field in bar(fields, 2)] == ["cc"]
    assert bar([], 5) == []


@pytest.mark.parametrize(
    ("y", "x", "expected"),
    [
        ("ETHUSDT", "BTCUSDT", ("ETH", "BTC")),
        ("ETHBTC", "SOLBTC", ("ETH", "SOL")),
        ("ETHUSDT", "BTCUSDC", ("ETHUSDT", "BTCUSDC")),
        ("USDT", "USDT", ("USDT", "USDT")),
    ],
)
def test_the_common_quote_asset_is_left_out(y: str, x: str, expected: tuple[str, str]) -> None:
    assert bases(y, x) == expected
    assert short_label(f"{y}/{x}") == "/".join(expected)


def test_other_labels_and_venues_stay_as_they_are() -> None:
    assert short_label("ETHUSDT") == "ETHUSDT"
    assert venue("binance-usdm") == "usdm"
    assert venue("external") == "external"
