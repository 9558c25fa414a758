"""Unit-root, stationarity and Hurst tests where there is nothing to test."""

import subprocess
import sys

import numpy as np
import pytest

from quantui.analytics.cointegration import engle_granger, residual_tests
from quantui.analytics.hurst import expected_rescaled_range, hurst, hurst_of_lags, null_band
from quantui.analytics.kpss import Kpss, kpss
from quantui.analytics.stationarity import Missing, UnitRoot, adf, adf_batch
from tests.analytics.series import reverting, walk


def test_unusable_series_are_named_and_leave_the_others_alone() -> None:
    series = np.array([walk(np.random.default_rng(row), 100) for row in range(4)])
    series[0] = 7.0
    series[2, 50] = np.nan
    found = adf_batch(series)
    assert found[0] == Missing("series is constant")
    assert found[2] == Missing("values are missing")
    assert found[1] == adf(series[1])
    assert isinstance(found[3], UnitRoot)


def test_too_short() -> None:
    for n in (1, 2, 3):
        assert isinstance(adf(np.arange(n, dtype=np.float64)), Missing)
    assert adf(walk(np.random.default_rng(1), 12), lags=9) == Missing("12 bars are too few for the test's lags")


def test_a_series_that_its_past_explains_exactly_has_no_test() -> None:
    line = np.arange(64, dtype=np.float64)
    alternating = np.where(line % 2 == 0, 1.0, -1.0)
    for series in (line, alternating, np.sin(line)):
        assert adf(series) == Missing("test regression is singular")
    assert residual_tests(alternating[None], np.array([0.5])) == [Missing("test regression is singular")]


@pytest.mark.parametrize("series", [np.full(100, 5.0), np.full(100, np.nan)])
def test_constant_or_missing_legs_are_named(series: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    other = walk(np.random.default_rng(2), 100)
    for legs in ((series, other), (other, series)):
        assert engle_granger(*legs) == Missing("a leg is constant or has missing values")


def test_collinear_legs_are_named() -> None:
    x = walk(np.random.default_rng(3), 100)
    assert engle_granger(2 * x + 1, x) == Missing("legs are almost perfectly collinear")


def test_hurst_of_noise_is_a_half_in_small_samples() -> None:
    random = np.random.default_rng(4)
    for n in (128, 239, 1000):
        values = [value for _ in range(300) if isinstance(value := hurst(random.normal(size=n)), float)]
        assert np.mean(values) == pytest.approx(0.5, abs=0.02)


def test_hurst_tells_reverting_from_trending() -> None:
    random = np.random.default_rng(5)
    reverts = hurst(np.diff(reverting(random, 1000, 0.5)))
    trends = hurst(reverting(random, 1000, 0.9))
    assert isinstance(reverts, float)
    assert isinstance(trends, float)
    assert reverts < 0.3 < 0.7 < trends


def test_band_of_a_random_walk() -> None:
    """Nine of ten walks of other seeds are inside, at any length; and a window of 240 proves little."""
    random = np.random.default_rng(9)
    for n in (128, 239, 700):
        low, high = null_band(n)
        values = [value for _ in range(300) if isinstance(value := hurst(random.normal(size=n)), float)]
        assert np.mean([low <= value <= high for value in values]) == pytest.approx(0.9, abs=0.05)
    assert null_band(239) == null_band(239)
    assert null_band(239) == pytest.approx((0.39, 0.60), abs=0.02)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(8, 2.6246), (16, 4.0355), (32, 6.0655), (64, 8.9656), (128, 13.0907), (256, 18.9431)],
)
def test_expected_range_of_white_noise(size: int, expected: float) -> None:
    assert expected_rescaled_range(size) == pytest.approx(expected, abs=6e-5)


def test_the_widespread_hurst_exponent_calls_walks_reverting() -> None:
    """Why it is for comparison only."""
    random = np.random.default_rng(10)
    for n, lags, average in ((101, range(2, 50), 0.27), (240, range(2, 100), 0.35), (500, range(2, 100), 0.43)):
        values = [value for _ in range(300) if isinstance(value := hurst_of_lags(walk(random, n), lags), float)]
        assert np.mean(values) == pytest.approx(average, abs=0.03)
    assert hurst_of_lags(np.ones(50)) == Missing("50/101 bars")
    assert hurst_of_lags(np.ones(200)) == hurst_of_lags(np.full(200, np.nan)) == Missing("series is constant or has missing values")


def test_hurst_needs_data() -> None:
    assert hurst(np.ones(50)) == Missing("50/128 increments")
    assert hurst(np.zeros(200)) == Missing("series is constant over long stretches")
    assert hurst(np.full(200, np.nan)) == Missing("values are missing")


def test_kpss_says_where_its_table_ends() -> None:
    trending, noise = kpss(np.arange(300, dtype=np.float64)), kpss(np.random.default_rng(6).normal(size=300))
    assert isinstance(trending, Kpss)
    assert isinstance(noise, Kpss)
    assert (trending.p_value, trending.at_edge) == (0.01, "p below 0.01")
    assert (noise.p_value, noise.at_edge) == (0.10, "p above 0.10")
    assert kpss(np.full(50, 3.0)) == Missing("series is constant")
    assert kpss(np.full(50, np.nan)) == Missing("values are missing")


def test_the_per_bar_set_loads_neither_statsmodels_nor_scipy_nor_polars() -> None:
    code = (
        "import sys, quantui.analytics.pair, quantui.analytics.gates, quantui.analytics.signal, quantui.analytics.report\n"
        "print(sorted({'statsmodels', 'scipy', 'polars', 'pandas'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
