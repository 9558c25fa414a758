from quantui.ui.render.scale import Scale, steady, symmetric


def test_no_values_have_no_scale() -> None:
    assert steady([], None) is None
    assert steady([None], None) is None


def test_the_scale_holds_while_the_values_stay_inside() -> None:
    first = steady([1.0, 2.0], None)
    assert first is not None
    assert first.low < 1 < 2 < first.high
    assert steady([1.1, 2.0], first) is first


def test_it_grows_when_a_value_leaves_and_shrinks_when_little_is_left() -> None:
    first = steady([1.0, 2.0], None)
    grown = steady([1.0, 3.0], first)
    assert grown is not None
    assert grown.high > 3
    small = steady([1.0, 1.1], first)
    assert small is not None
    assert small.high < 1.5


def test_a_flat_line_has_a_scale_around_it() -> None:
    flat = steady([5.0, 5.0], None)
    assert flat is not None
    assert flat.low < 5 < flat.high


def test_z_always_shows_both_thresholds() -> None:
    scale = symmetric([0.1], 2.0, None)
    assert scale.high == -scale.low == 2.5


def test_z_reaches_beyond_the_peak_in_halves_and_comes_back_late() -> None:
    wide = symmetric([-4.1], 2.0, None)
    assert wide == Scale(-4.5, 4.5)
    assert symmetric([3.4], 2.0, wide) is wide
    assert symmetric([1.0], 2.0, wide) == Scale(-2.5, 2.5)
