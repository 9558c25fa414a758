"""Prices, turnover, carry and correlations, beside scipy and by hand."""

import math

import numpy as np
import pytest
from scipy.stats import kendalltau, kurtosis, rankdata, skew, spearmanr

from quantui.analytics.carry import funding_carry
from quantui.analytics.correlations import (
    clustered_order,
    correlation_matrix,
    kendall,
    ranks,
    rolling_correlations,
    spearman,
)
from quantui.analytics.descriptive import PriceStatistics, close_volatility, parkinson_volatility, price_statistics
from quantui.analytics.liquidity import Liquidity, VolumeState, liquidity, spread_bps
from quantui.analytics.stationarity import Missing
from tests.analytics.series import walk

HOUR = 3_600_000


def test_prices() -> None:
    closes = np.exp(walk(np.random.default_rng(1), 240))
    ours = price_statistics(closes)
    assert isinstance(ours, PriceStatistics)
    assert [ours.last, ours.low, ours.high] == [closes[-1], closes.min(), closes.max()]
    assert [ours.mean, ours.median, ours.std] == pytest.approx([closes.mean(), np.median(closes), closes.std(ddof=1)], rel=1e-12)
    assert ours.change == pytest.approx(closes[-1] / closes[0] - 1, rel=1e-12)
    assert [ours.skew, ours.kurtosis] == pytest.approx([skew(closes), kurtosis(closes)], rel=1e-9)
    returns = np.diff(np.log(closes))
    assert [ours.return_skew, ours.return_kurtosis] == pytest.approx([skew(returns), kurtosis(returns)], rel=1e-9)


def test_prices_that_say_nothing() -> None:
    still = price_statistics(np.full(50, 0.1))
    assert isinstance(still, PriceStatistics)
    assert (still.skew, still.kurtosis, still.return_skew, still.change) == (None, None, None, 0.0)
    assert price_statistics(np.ones(3)) == Missing("3/4 bars")
    assert price_statistics(np.array([1.0, 2.0, 0.0, 3.0])) == Missing("a close is missing or is no price")


def test_both_volatilities_find_that_of_a_walk_without_pauses() -> None:
    """100 trades a bar: the range misses a little of the true one."""
    path = np.exp(walk(np.random.default_rng(2), 240_00, 0.001)).reshape(240, 100)
    truth = 0.001 * math.sqrt(100) * math.sqrt(365 * 24)
    assert close_volatility(path[:, -1], HOUR) == pytest.approx(truth, rel=0.12)
    assert parkinson_volatility(path.max(1), path.min(1), HOUR) == pytest.approx(0.93 * truth, rel=0.06)


def test_turnover() -> None:
    steady = np.tile([90.0, 110.0], 50)
    ours = liquidity(steady)
    assert isinstance(ours, Liquidity)
    assert (ours.total, ours.average, ours.recent, ours.state) == (10_000.0, 100.0, 100.0, VolumeState.STEADY)
    assert ours.variation == pytest.approx(steady.std(ddof=1) / 100)
    for factor, state in ((2.0, VolumeState.RISING), (0.5, VolumeState.FALLING)):
        changed = liquidity(np.concatenate((steady, factor * steady[:20])))
        assert isinstance(changed, Liquidity)
        assert changed.state is state
    nothing = liquidity(np.zeros(30))
    assert isinstance(nothing, Liquidity)
    assert (nothing.variation, nothing.state) == (None, VolumeState.STEADY)
    assert liquidity(np.ones(20)) == Missing("20/21 bars")
    assert liquidity(np.full(30, -1.0)) == Missing("a turnover is missing")


def test_width_of_the_book() -> None:
    assert spread_bps(99.0, 101.0) == pytest.approx(200.0)
    assert spread_bps(100.0, 100.0) == 0.0
    for bid, ask in ((0.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (1.0, math.inf)):
        assert spread_bps(bid, ask) is None


def test_longs_pay_and_shorts_receive() -> None:
    assert funding_carry(0.0001, 0.0, 1.0).annual == pytest.approx(-0.0001 * 3 * 365)
    assert funding_carry(0.0, 0.0001, 0.5).annual == pytest.approx(0.5 * 0.0001 * 3 * 365)
    assert funding_carry(0.0001, 0.0001, 1.0).annual == 0.0
    assert funding_carry(0.0001, 0.0001, 1.0, hours_x=4.0).hourly == pytest.approx(0.0001 / 8)


def test_ranks_are_scipy_own() -> None:
    values = np.round(np.random.default_rng(3).normal(size=(20, 60)), 1)  # with ties
    assert ranks(values).tolist() == [rankdata(row).tolist() for row in values]
    values[3, 5] = np.nan
    assert np.isnan(ranks(values)[3]).all()


def test_rank_correlations_are_scipy_own() -> None:
    random = np.random.default_rng(4)
    a = np.round(random.normal(size=240), 2)
    b = np.round(0.5 * a + random.normal(size=240), 2)
    assert float(spearman(a, b)) == pytest.approx(spearmanr(a, b).statistic, rel=1e-12)
    assert kendall(a, b) == pytest.approx(kendalltau(a, b).statistic, rel=1e-12)
    assert math.isnan(kendall(a, np.ones(240)))
    assert np.isnan(spearman(a, np.ones(240)))


def test_rolling_correlations_are_those_of_each_window_and_never_repaint() -> None:
    random = np.random.default_rng(5)
    y, x = random.normal(size=(2, 150))
    pearson, rank = rolling_correlations(y, x, 60)
    assert np.isnan(pearson[:59]).all()
    assert pearson[100] == pytest.approx(np.corrcoef(y[41:101], x[41:101])[0, 1], rel=1e-9)
    assert rank[100] == pytest.approx(spearmanr(y[41:101], x[41:101]).statistic, rel=1e-9)
    shorter = rolling_correlations(y[:101], x[:101], 60)
    np.testing.assert_array_equal(shorter[0], pearson[:101])
    np.testing.assert_array_equal(shorter[1], rank[:101])
    assert np.isnan(rolling_correlations(y[:10], x[:10], 60)[0]).all()


def test_correlation_matrix_and_its_order() -> None:
    random = np.random.default_rng(6)
    groups = random.normal(size=(2, 300))
    returns = np.stack([groups[i % 2] + 0.5 * random.normal(size=300) for i in range(8)] + [np.zeros(300)])
    matrix = correlation_matrix(returns)
    np.testing.assert_allclose(matrix[:8, :8], np.corrcoef(returns[:8]), rtol=1e-9)
    assert np.isnan(matrix[8]).all()
    order = clustered_order(matrix).tolist()
    assert sorted(order) == list(range(9))
    assert order[8] == 8
    assert {i % 2 for i in order[:4]} != {i % 2 for i in order[4:8]}
    assert len({i % 2 for i in order[:4]}) == 1
    assert clustered_order(matrix[:2, :2]).tolist() == [0, 1]
