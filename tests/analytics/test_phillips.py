"""Phillips-Ouliaris, Phillips-Perron, DF-GLS and variance ratios, beside the package arch."""

import numpy as np
import pytest
from arch.unitroot import DFGLS, PhillipsPerron
from arch.unitroot import VarianceRatio as VarianceRatioOfArch
from arch.unitroot.cointegration import phillips_ouliaris as phillips_ouliaris_of_arch

from quantui.analytics.dfgls import dfgls
from quantui.analytics.phillips_ouliaris import PhillipsOuliaris, phillips_ouliaris, phillips_perron
from quantui.analytics.stationarity import Missing, UnitRoot
from quantui.analytics.variance_ratio import HORIZONS, variance_ratios
from tests.analytics.series import pair, reverting, walk

LEVELS = ("1%", "5%", "10%")


@pytest.mark.parametrize("phi", [0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("n", [60, 240, 1000])
def test_phillips_ouliaris(n: int, phi: float) -> None:
    y, x = (np.log(leg) for leg in pair(np.random.default_rng(n), n, phi))
    ours = phillips_ouliaris(y, x)
    assert isinstance(ours, PhillipsOuliaris)
    for test, theirs in (
        (ours.zt, phillips_ouliaris_of_arch(y, x, test_type="Zt")),
        (ours.za, phillips_ouliaris_of_arch(y, x, test_type="Za")),
    ):
        assert test.stat == pytest.approx(theirs.stat, rel=1e-8)
        assert test.p_value == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-15)
        assert list(test.critical.values()) == pytest.approx([theirs.critical_values[k] for k in (1, 5, 10)], rel=1e-9)
        assert ours.bandwidth == pytest.approx(theirs.bandwidth, rel=1e-7)


@pytest.mark.parametrize("phi", [0.5, 0.95, 1.0])
@pytest.mark.parametrize("n", [50, 240])
def test_phillips_perron_and_dfgls(n: int, phi: float) -> None:
    series = 10 + reverting(np.random.default_rng(n), n, phi)
    for lags in (0, 3, 9, None):
        ours, theirs = phillips_perron(series, lags), PhillipsPerron(series, lags=lags)
        assert isinstance(ours, UnitRoot)
        assert [ours.stat, ours.p_value] == pytest.approx([theirs.stat, theirs.pvalue], rel=1e-7)
        assert ours.lags == theirs.lags
    for lags in (0, 2, 5):
        found, other = dfgls(series, lags), DFGLS(series, lags=lags)
        assert isinstance(found, UnitRoot)
        assert [found.stat, found.p_value] == pytest.approx([other.stat, other.pvalue], rel=1e-7)
        assert list(found.critical.values()) == pytest.approx([other.critical_values[level] for level in LEVELS], rel=1e-7)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_variance_ratios(horizon: int) -> None:
    for phi in (0.0, 0.9, 1.0):
        series = reverting(np.random.default_rng(horizon), 240, phi)
        ours, theirs = variance_ratios(series, (horizon,)), VarianceRatioOfArch(series, horizon)
        assert not isinstance(ours, Missing)
        assert [ours[0].ratio, ours[0].z, ours[0].p_value] == pytest.approx([theirs.vr, theirs.stat, theirs.pvalue], rel=1e-8)


def test_size_on_random_walks() -> None:
    """Near the nominal 5 %: the residual test on unrelated walks, DF-GLS and the variance ratio on one."""
    random = np.random.default_rng(1)
    residual, root, ratio = [], [], []
    for _ in range(400):
        first, second = walk(random, 240), walk(random, 240)
        test, single, moves = phillips_ouliaris(first, second), dfgls(first, 1), variance_ratios(first, (4,))
        assert isinstance(test, PhillipsOuliaris)
        assert isinstance(single, UnitRoot)
        assert not isinstance(moves, Missing)
        residual.append(test.zt.p_value < 0.05)
        root.append(single.p_value < 0.05)
        ratio.append(moves[0].p_value < 0.05)
    for rejections in (residual, root, ratio):
        assert np.mean(rejections) == pytest.approx(0.05, abs=0.04)


def test_scale_and_level_do_not_matter() -> None:
    y, x = (np.log(leg) for leg in pair(np.random.default_rng(2), 240))
    ours, moved = phillips_ouliaris(y, x), phillips_ouliaris(3 * y + 7, x - 20)
    assert isinstance(ours, PhillipsOuliaris)
    assert isinstance(moved, PhillipsOuliaris)
    assert [moved.zt.stat, moved.za.stat] == pytest.approx([ours.zt.stat, ours.za.stat], rel=1e-7)


def test_nothing_to_test_is_a_reason() -> None:
    series = walk(np.random.default_rng(3), 240)
    broken = series.copy()
    broken[7] = np.nan
    assert phillips_ouliaris(series, np.ones(240)) == Missing("a leg is constant or has missing values")
    assert phillips_ouliaris(2 * series, series) == Missing("legs are almost perfectly collinear")
    assert phillips_ouliaris(series[:20], series[20:40]) == Missing("20/25 bars")
    assert phillips_perron(np.ones(100)) == Missing("series is constant")
    assert phillips_perron(broken) == dfgls(broken) == variance_ratios(broken) == Missing("values are missing")
    assert phillips_perron(series[:20]) == Missing("20/26 bars")
    assert dfgls(np.ones(100)) == Missing("series is constant")
    assert dfgls(series[:29]) == Missing("29/30 bars")
    assert dfgls(series[:40], lags=20) == Missing("40 bars are too few for the test's lags")
    assert variance_ratios(series[:33]) == Missing("33/34 bars")
    for still in (np.ones(100), np.arange(100.0)):
        assert variance_ratios(still) == Missing("series moves evenly or not at all")
