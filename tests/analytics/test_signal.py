import math

import pytest

from quantui.analytics.signal import Signal, next_signal, signal_history

NONE, SHORT, LONG, EXIT, STOP = Signal.NONE, Signal.SHORT_SPREAD, Signal.LONG_SPREAD, Signal.EXIT, Signal.STOP


@pytest.mark.parametrize(
    ("zscores", "signals"),
    [
        ([1.9, 2.0, 1.0, 0.5, 0.4], [NONE, SHORT, SHORT, EXIT, NONE]),
        ([-2.0, -0.6, -0.5], [LONG, LONG, EXIT]),
        ([2.5, -2.5], [SHORT, LONG]),
        ([2.5, -1.0], [SHORT, EXIT]),
        ([-2.5, 1.0], [LONG, EXIT]),
        ([2.5, 4.0, 5.0, 3.0, 0.0], [SHORT, STOP, STOP, SHORT, EXIT]),
        ([-4.0, -1.0], [STOP, NONE]),
        ([2.5, None, 1.0, 0.0], [SHORT, SHORT, SHORT, EXIT]),
        ([None, 0.0, math.nan], [NONE, NONE, NONE]),
        ([2.5, 0.0, None], [SHORT, EXIT, NONE]),
    ],
)
def test_sequence(zscores: list[float | None], signals: list[Signal]) -> None:
    assert signal_history(zscores, 2.0, 0.5, 4.0) == signals


def test_an_exit_at_zero_is_reached_by_crossing_it() -> None:
    assert next_signal(SHORT, -0.01, 2.0, 0.0, math.inf) is EXIT
    assert next_signal(SHORT, 0.01, 2.0, 0.0, math.inf) is SHORT


def test_without_a_stop_nothing_stops() -> None:
    assert next_signal(NONE, 100.0, 2.0, 0.5, math.inf) is SHORT
