"""No published value changes because bars were added: real closes, every estimator, bar by bar."""

from pathlib import Path

import numpy as np
import pytest

from quantui.analytics.estimators import Estimator
from quantui.analytics.pair import pair_statistics
from quantui.analytics.spread import pair_history
from quantui.analytics.universe import Universe
from quantui.market.frames import Floats
from tests.oracles.test_real_closes import closes

WINDOW, BARS = 60, 90
NAMES = ("BTCUSDT", "ETHUSDT", "LTCUSDT", "OPUSDT")


@pytest.fixture(scope="module")
def hours(shared: Path) -> Floats:
    """(4, n) closes."""
    return np.array([closes(shared, name, "2024-03-01", "2024-03-10") for name in NAMES])


@pytest.mark.parametrize("estimator", list(Estimator))
def test_history_stays_and_is_what_each_bar_was_told(estimator: Estimator, hours: Floats) -> None:
    y, x = hours[1], hours[0]
    whole = pair_history(y, x, window=WINDOW, z_window=WINDOW, last=BARS, estimator=estimator)
    for end in range(len(y) - BARS + 1, len(y) + 1, 7):
        cut = pair_history(y[:end], x[:end], window=WINDOW, z_window=WINDOW, last=BARS, estimator=estimator)
        told = pair_statistics(y[:end], x[:end], window=WINDOW, bar_ms=3_600_000, estimator=estimator)[0]
        place = end - (len(y) - BARS) - 1
        for name in ("spread", "zscore", "correlation"):
            before, after = getattr(cut, name), getattr(whole, name)
            np.testing.assert_array_equal(before[-place - 1 :], after[: place + 1], err_msg=name)
            assert getattr(told, name) == pytest.approx(after[place], rel=1e-12)


def test_a_scan_of_the_past_is_the_scan_that_was_made_then(hours: Floats) -> None:
    levels = np.log(hours)
    then = Universe.of(NAMES, levels[:, :WINDOW]).table()
    universe = Universe.of(NAMES, levels[:, :WINDOW])
    for bar in range(WINDOW, levels.shape[1]):
        universe.slide(levels[:, bar])
    again = Universe.of(NAMES, levels[:, :WINDOW]).table()
    for name in ("eg_stat", "lags", "zscore", "half_life", "q_bh"):
        np.testing.assert_array_equal(getattr(then, name), getattr(again, name))
    now = Universe.of(NAMES, levels[:, -WINDOW:]).table()
    np.testing.assert_allclose(universe.table().eg_stat, now.eg_stat, rtol=1e-8)
