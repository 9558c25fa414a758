import pytest

from quantui.ui.actions import ACTIONS, bound
from quantui.ui.choices import TIMEFRAMES, WINDOWS, moved_entry, stepped
from quantui.ui.settings import ScreenSettings


def test_no_key_and_no_id_is_used_twice() -> None:
    keys = [key for _, keys, _, _ in bound() for key in keys.split(",")]
    ids = [name for name, _, _, _ in bound()]
    assert len(keys) == len(set(keys))
    assert len(ids) == len(set(ids))


def test_no_essential_action_needs_a_control_chord() -> None:
    for action in ACTIONS:
        if action.id != "suspend":
            assert any("+" not in key for key in action.keys.split(","))


@pytest.mark.parametrize(
    ("choices", "current", "step", "expected"),
    [
        (WINDOWS, 240, 1, 480),
        (WINDOWS, 480, 1, 480),
        (WINDOWS, 60, -1, 60),
        (WINDOWS, 200, 1, 240),
        (WINDOWS, 200, -1, 120),
        (WINDOWS, 9999, 1, 480),
        (WINDOWS, 5, -1, 60),
        (TIMEFRAMES, "1s", 1, "1m"),
        (TIMEFRAMES, "1h", 1, "1h"),
        (TIMEFRAMES, "4h", 1, "1s"),
    ],
)
def test_steps_hold_at_the_ends_and_find_their_place(
    choices: tuple[int, ...] | tuple[str, ...], current: int | str, step: int, expected: int | str
) -> None:
    assert stepped(choices, current, step) == expected


def test_the_threshold_moves_by_exact_tenths_and_stays_positive() -> None:
    entry = 2.0
    for _ in range(13):
        entry = moved_entry(entry, 1)
    assert entry == 3.3
    assert moved_entry(0.1, -1) == 0.1


def test_wrong_settings_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="fps"):
        ScreenSettings(fps=0.5)
    with pytest.raises(ValueError, match="fps"):
        ScreenSettings(fps=11)
    with pytest.raises(ValueError, match="glyphs"):
        ScreenSettings(glyphs="emoji")
    with pytest.raises(ValueError, match="theme"):
        ScreenSettings(theme="pink")
    with pytest.raises(ValueError, match="notify_terminal"):
        ScreenSettings(notify_terminal="yes")
