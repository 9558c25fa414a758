import pytest

from quantui.ui.render.glyphs import ASCII, BLOCK, BRAILLE, Glyphs, choose
from quantui.ui.render.plot import plot, points_of, row_of
from quantui.ui.render.scale import Scale

UNIT = Scale(0.0, 1.0)


def test_a_rising_line_in_braille_uses_two_points_a_cell() -> None:
    assert plot([0.1, 0.4, 0.6, 0.9], 2, 1, UNIT, BRAILLE) == ["⡠⠊"]


def test_the_newest_value_is_at_the_right_and_the_rest_is_blank() -> None:
    assert plot([0.1], 4, 1, UNIT, ASCII) == ["   ."]


def test_only_as_many_values_are_drawn_as_fit() -> None:
    values = [0.9] * 100 + [0.1] * 8
    assert plot(values, 8, 2, UNIT, ASCII) == [" " * 8, "." * 8]
    assert points_of(8, BRAILLE) == 16


def test_a_hole_stays_a_hole() -> None:
    assert plot([0.1, None, 0.1], 3, 1, UNIT, ASCII) == [". ."]


def test_a_jump_is_joined_by_a_vertical_run() -> None:
    assert plot([0.05, 0.95], 2, 3, UNIT, ASCII) == [" |", " |", ".|"]


def test_levels_are_dashed_where_the_curve_leaves_room() -> None:
    assert plot([0.95, 0.5, 0.5], 4, 3, UNIT, ASCII, levels=(0.5, 7.0)) == [" '| ", "~~|-", "    "]


def test_values_beyond_the_scale_stay_at_its_edge() -> None:
    assert row_of(99, UNIT, 4) == 0
    assert row_of(-99, UNIT, 4) == 3
    assert row_of(1, Scale(1, 1), 5) == 2


def test_one_row_of_blocks_is_a_bar_chart_of_eighths() -> None:
    assert plot([0.0, 0.5, 1.0, None], 5, 1, UNIT, BLOCK) == [" ▁▄█ "]


@pytest.mark.parametrize("glyphs", [BRAILLE, BLOCK, ASCII])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 3), (40, 9)])
def test_the_picture_has_exactly_the_size_asked_for(glyphs: Glyphs, width: int, height: int) -> None:
    for values in ([], [None], [0.5], [0.1, 0.9] * 60):
        for scale in (UNIT, None):
            rows = plot(values, width, height, scale, glyphs)
            assert [len(row) for row in rows] == [width] * height


def test_no_room_draws_nothing() -> None:
    assert plot([1.0], 0, 3, UNIT, BRAILLE) == []
    assert plot([1.0], 3, 0, UNIT, BRAILLE) == []


def test_ascii_draws_nothing_but_ascii() -> None:
    rows = plot([0.1, 0.9, 0.3, 0.31, 0.35], 9, 4, UNIT, ASCII, levels=(0.5,))
    assert "".join(rows).isascii()


@pytest.mark.parametrize(
    ("wanted", "environ", "name"),
    [
        ("auto", {"LANG": "de_DE.UTF-8", "TERM": "xterm"}, "braille"),
        ("auto", {"LANG": "C.utf8", "TERM": "linux"}, "block"),
        ("auto", {"LANG": "C", "TERM": "xterm"}, "ascii"),
        ("auto", {"LC_ALL": "POSIX", "LANG": "C.UTF-8"}, "ascii"),
        ("auto", {}, "ascii"),
        ("ascii", {"LANG": "C.UTF-8"}, "ascii"),
        ("block", {}, "block"),
    ],
)
def test_the_signs_suit_the_terminal(wanted: str, environ: dict[str, str], name: str) -> None:
    assert choose(wanted, environ).name == name


def test_an_unknown_set_of_signs_is_refused() -> None:
    with pytest.raises(ValueError, match="emoji"):
        choose("emoji", {})
