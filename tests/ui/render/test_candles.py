"""Candles, columns and axes."""

import pytest

from quantui.ui.render.axis import step_of, ticks, time_axis
from quantui.ui.render.candles import Candle, candles, columns, merged
from quantui.ui.render.glyphs import ASCII, BRAILLE, GLYPHS
from quantui.ui.render.lines import Role, Span, joined
from quantui.ui.render.scale import Scale

DAY = 1_723_161_600_000
MINUTE = 60_000


def drawn(bars: list[Candle], height: int, scale: Scale, glyphs: str = "braille") -> list[str]:
    return [joined(tuple(row)) for row in candles(bars, height, scale, GLYPHS[glyphs])]


def test_a_candle_has_its_wick_and_its_body_at_half_a_cell() -> None:
    up = Candle(open=2, high=8, low=0, close=6)
    assert drawn([up], 4, Scale(0, 8)) == ["│", "┃", "┃", "╿"]


@pytest.mark.parametrize("glyphs", list(GLYPHS))
def test_rising_and_falling_differ_without_colour(glyphs: str) -> None:
    bars = [Candle(1, 9, 0, 8), Candle(8, 9, 0, 1)]
    rows = drawn(bars, 5, Scale(0, 9), glyphs)
    assert any(row[0] != row[1] for row in rows)
    assert all(len(row) == 2 for row in rows)


def test_a_bar_that_did_not_move_is_still_a_sign() -> None:
    rows = drawn([Candle(5, 5, 5, 5)], 4, Scale(0, 10))
    assert sum(row.strip() != "" for row in rows) == 1


def test_columns_fill_from_the_bottom() -> None:
    assert columns([0, 4, 8], 1, 8, BRAILLE) == [" ▄█"]
    assert columns([0, 8, 16], 2, 16, BRAILLE) == ["  █", " ██"]
    assert columns([0, 1, 2], 2, 2, ASCII) == ["  #", " ##"]
    assert columns([0, 0], 1, 0, BRAILLE) == ["  "]


def test_neighbours_of_one_role_are_one_span() -> None:
    spans = [Span(" ", Role.GOOD), Span("a", Role.BAD), Span(" ", Role.GOOD), Span("b", Role.BAD), Span("c", Role.GOOD)]
    assert merged(spans) == (Span(" a b", Role.BAD), Span("c", Role.GOOD))


def test_ticks_are_round_numbers_in_their_rows() -> None:
    assert ticks(Scale(0, 10), 10, every=5) == {9: "0", 5: "5", 0: "10"}
    assert set(ticks(Scale(2608.1, 2621.7), 12).values()) <= {"2,610", "2,615", "2,620"}
    assert list(ticks(Scale(0.0101, 0.0149), 8).values()) == ["0.0125"]
    assert ticks(Scale(1, 1), 5) == {}


@pytest.mark.parametrize(
    ("span", "most", "step"), [(10, 2, 5), (10, 4, 2.5), (0.03, 3, 0.01), (7e5, 5, 2e5), (9, 1, 10), (0, 3, 0)]
)
def test_a_step_is_round_and_large_enough(span: float, most: int, step: float) -> None:
    assert step_of(span, most) == pytest.approx(step)


def test_the_time_axis_has_round_times_at_their_columns() -> None:
    times = [DAY + 5 * MINUTE + MINUTE * i for i in range(60)]
    row = time_axis(times)
    assert len(row) == 60
    for text, column in (("00:15", 10), ("00:30", 25), ("00:45", 40)):
        assert row[column : column + 5] == text
    days = time_axis([DAY - 3_600_000 * (30 - i) for i in range(60)])
    assert "09 Aug" in days
    assert time_axis([DAY]) == ""
