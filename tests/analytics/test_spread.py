import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from quantui.analytics.spread import correlation, pair_history, spread_moments, zscore_bound
from quantui.market.frames import Floats
from tests.analytics.series import pair

CLOSES = hnp.arrays(np.float64, 60, elements=st.floats(1e-6, 1e6))


def test_bounds_of_the_published_table() -> None:
    assert [zscore_bound(z) for z in (10, 20, 60)] == pytest.approx([2.846, 4.249, 7.617], abs=6e-4)


@settings(deadline=None)
@given(CLOSES, CLOSES, st.integers(3, 20))
def test_z_never_passes_its_bound(y: Floats, x: Floats, z_window: int) -> None:
    zscores = pair_history(y, x, window=20, z_window=z_window, last=60).zscore
    assert np.nanmax(np.abs(zscores), initial=0.0) <= zscore_bound(z_window) * (1 + 1e-9)


@settings(deadline=None)
@given(CLOSES, CLOSES)
def test_correlation_stays_within_one(y: Floats, x: Floats) -> None:
    r = pair_history(y, x, window=20, z_window=20, last=60).correlation
    assert np.nanmax(np.abs(r), initial=0.0) <= 1.0


def test_the_bound_is_reached() -> None:
    assert float(spread_moments(np.array([0.0] * 9 + [1.0]), 10).zscore) == pytest.approx(zscore_bound(10))


def test_appending_bars_never_changes_history() -> None:
    y, x = pair(np.random.default_rng(1), 2000)
    whole = pair_history(y, x, window=100, z_window=50, last=2000)
    for end in (150, 700, 1313, 1999):
        before = pair_history(y[:end], x[:end], window=100, z_window=50, last=2000)
        for name in ("spread", "zscore", "correlation"):
            np.testing.assert_array_equal(getattr(before, name), getattr(whole, name)[:end])


def test_history_before_the_first_full_window_is_empty() -> None:
    y, x = pair(np.random.default_rng(2), 130)
    history = pair_history(y, x, window=100, z_window=100, last=500)
    assert len(history.zscore) == 130
    assert np.isnan(history.zscore[:99]).all()
    assert np.isfinite(history.zscore[99:]).all()
    assert np.isfinite(history.correlation[99:]).all()


def test_history_of_too_few_bars_is_empty() -> None:
    y, x = pair(np.random.default_rng(3), 20)
    assert np.isnan(pair_history(y, x, window=100, z_window=100, last=5).zscore).all()
    assert len(pair_history(y[:0], x[:0], window=100, z_window=100, last=5).zscore) == 0


def test_a_missing_close_silences_only_the_windows_that_hold_it() -> None:
    y, x = pair(np.random.default_rng(4), 100)
    y[50] = np.nan
    history = pair_history(y, x, window=20, z_window=20, last=81)  # from bar 19 on
    silent = np.isnan(history.zscore)
    np.testing.assert_array_equal(np.flatnonzero(silent) + 19, np.arange(50, 70))


def test_a_halted_leg_has_no_z_and_no_correlation() -> None:
    y, x = pair(np.random.default_rng(5), 100)
    x[40:] = x[40]
    history = pair_history(y, x, window=20, z_window=20, last=1)
    assert np.isnan(history.zscore).all()
    assert np.isnan(history.correlation).all()


def test_perfect_correlation() -> None:
    moves = np.random.default_rng(6).normal(size=50)
    assert float(correlation(moves, 2 * moves)) == pytest.approx(1.0)
    assert float(correlation(moves, -moves)) == pytest.approx(-1.0)
