"""Hedge ratios beside least squares, against statsmodels and scipy, and what they are for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import theilslopes
from statsmodels.api import RLM, add_constant

from quantui.analytics.estimators import NO_ERROR, Estimator, hedge_line, huber, theil_sen, tls
from quantui.analytics.pair import pair_statistics
from quantui.analytics.spread import Space, pair_history, zscore_bound
from quantui.market.frames import Floats

OTHERS = [each for each in Estimator if each is not Estimator.OLS]


def _legs(seed: int, n: int = 240) -> tuple[Floats, Floats]:
    """Log prices whose spread is an AR(1) with heavy tails."""
    rng = np.random.default_rng(seed)
    x = 4 + np.cumsum(0.01 * rng.normal(size=n))
    spread = np.zeros(n)
    noise = 0.01 * rng.standard_t(3, size=n)
    for t in range(1, n):
        spread[t] = 0.9 * spread[t - 1] + noise[t]
    return 0.5 + 0.8 * x + spread, x


@pytest.mark.parametrize("seed", range(20))
def test_huber_is_statsmodels_own(seed: int) -> None:
    y, x = _legs(seed)
    design = add_constant(x)
    theirs, ours = RLM(y, design).fit(maxiter=500, tol=1e-14), huber(y, design)
    assert ours.parameters.tolist() == pytest.approx(theirs.params.tolist(), rel=1e-8)
    assert ours.errors.tolist() == pytest.approx(theirs.bse.tolist(), rel=1e-6)
    assert ours.scale == pytest.approx(theirs.scale, rel=1e-8)
    line = hedge_line(Estimator.HUBER, y[None], x[None])
    assert [float(line.alpha[0]), float(line.beta[0])] == pytest.approx(theirs.params.tolist(), rel=1e-8)
    assert float(line.beta_se[0]) == pytest.approx(float(theirs.bse[1]), rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_theil_sen_is_scipy_own(seed: int) -> None:
    y, x = _legs(seed)
    x = np.round(x, 2)  # with ties
    slope, intercept, _, _ = theilslopes(y, x)
    assert theil_sen(y, x) == pytest.approx((intercept, slope), rel=1e-12)


def test_tls_is_the_smallest_principal_direction_and_its_own_inverse() -> None:
    y, x = _legs(5)
    intercept, slope = tls(y, x)
    _, _, directions = np.linalg.svd(np.column_stack((x - x.mean(), y - y.mean())))
    assert slope == pytest.approx(float(-directions[1, 0] / directions[1, 1]), rel=1e-12)
    assert intercept == pytest.approx(float(y.mean() - slope * x.mean()), rel=1e-12)
    assert tls(x, y)[1] == pytest.approx(1 / slope, rel=1e-12)
    assert np.isnan(tls(y, np.ones(240))[1])


@pytest.mark.parametrize("estimator", [Estimator.HUBER, Estimator.THEIL_SEN])
def test_a_few_wild_bars_do_not_move_a_robust_ratio(estimator: Estimator) -> None:
    y, x = _legs(3)
    wild = y.copy()
    wild[[20, 100, 200]] += 2.0
    moved = abs(float(hedge_line(estimator, wild[None], x[None]).beta[0] - hedge_line(estimator, y[None], x[None]).beta[0]))
    least = abs(float(hedge_line(Estimator.OLS, wild[None], x[None]).beta[0] - hedge_line(Estimator.OLS, y[None], x[None]).beta[0]))
    assert moved < 0.1 * least


@pytest.mark.parametrize("estimator", OTHERS)
def test_an_estimator_replaces_the_line_and_nothing_else(estimator: Estimator) -> None:
    y, x = (np.exp(leg) for leg in _legs(7))
    plain = pair_statistics(y, x, window=240, bar_ms=60_000)[0]
    ours = pair_statistics(y, x, window=240, bar_ms=60_000, estimator=estimator)[0]
    line = hedge_line(estimator, np.log(y)[None], np.log(x)[None])
    spread = np.log(y) - float(line.alpha[0]) - float(line.beta[0]) * np.log(x)
    assert ours.beta == float(line.beta[0])
    assert ours.beta != plain.beta
    if estimator is not Estimator.KALMAN:  # its spread is the innovation: tests/analytics/test_kalman.py
        assert ours.zscore == pytest.approx((spread[-1] - spread.mean()) / spread.std(ddof=1), rel=1e-9)
    assert (ours.engle_granger, ours.correlation) == (plain.engle_granger, plain.correlation)
    assert (ours.beta_se is None) == (estimator in NO_ERROR)
    assert ours.missing == ({"beta_se": NO_ERROR[estimator]} if estimator in NO_ERROR else {})


@pytest.mark.parametrize("estimator", Estimator)
def test_scaling_prices_leaves_the_ratio_and_company_leaves_the_digits(estimator: Estimator) -> None:
    y, x = (np.exp(leg) for leg in _legs(8))
    ours = pair_statistics(y, x, window=240, bar_ms=60_000, estimator=estimator)[0]
    scaled = pair_statistics(1e4 * y, 0.01 * x, window=240, bar_ms=60_000, estimator=estimator)[0]
    assert scaled.beta == pytest.approx(ours.beta, rel=1e-8)
    assert scaled.zscore == pytest.approx(ours.zscore, rel=1e-6)
    many = pair_statistics(np.stack((x, y, y)), np.stack((y, x, x[::-1])), window=240, bar_ms=60_000, estimator=estimator)
    assert many[1] == ours


@pytest.mark.parametrize("estimator", Estimator)
def test_a_leg_that_does_not_move_has_no_ratio(estimator: Estimator) -> None:
    y, x = np.exp(_legs(9)[0]), np.full(240, 5.0)
    ours = pair_statistics(y, x, window=240, bar_ms=60_000, estimator=estimator)[0]
    assert ours.beta is None
    assert ours.missing["beta"] == "x is constant"
    assert ours.missing["zscore"] == "x is constant"


def test_returns_are_regressed_on_logs_only() -> None:
    y, x = (np.exp(leg) for leg in _legs(9))
    with pytest.raises(ValueError, match="--space log"):
        pair_statistics(y, x, window=240, bar_ms=60_000, estimator=Estimator.RETURNS, space=Space.PRICE)


@pytest.mark.parametrize("estimator", Estimator)
def test_history_is_what_was_published_and_is_never_changed_by_later_bars(estimator: Estimator) -> None:
    y, x = (np.exp(leg) for leg in _legs(10, 140))
    whole = pair_history(y, x, window=60, z_window=60, last=140, estimator=estimator)
    for end in (75, 103):
        before = pair_history(y[:end], x[:end], window=60, z_window=60, last=140, estimator=estimator)
        np.testing.assert_array_equal(before.zscore, whole.zscore[:end])
        np.testing.assert_array_equal(before.spread, whole.spread[:end])
        published = pair_statistics(y[:end], x[:end], window=60, bar_ms=60_000, estimator=estimator)[0]
        assert (published.zscore, published.spread) == (whole.zscore[end - 1], whole.spread[end - 1])


def test_where_half_of_the_bars_lie_on_the_line_huber_has_it_and_no_error() -> None:
    y, x = np.full(60, 109.0), np.full(60, 2.0)
    y[1:3], x[0] = (125.0, 5.0), 1.0
    found = pair_statistics(y, x, window=60, bar_ms=60_000, estimator=Estimator.HUBER)[0]
    assert found.beta == pytest.approx(0.0, abs=1e-9)
    assert found.missing["beta_se"] == "more than half of the bars lie on the line"
    assert np.isfinite(pair_history(y, x, window=20, z_window=20, last=41, estimator=Estimator.HUBER).zscore).any()


@settings(deadline=None, max_examples=15)
@given(
    hnp.arrays(np.float64, 60, elements=st.floats(1e-6, 1e6)), hnp.arrays(np.float64, 60, elements=st.floats(1e-6, 1e6)),
    st.sampled_from(Estimator),
)  # fmt: skip
def test_z_never_passes_its_bound(y: Floats, x: Floats, estimator: Estimator) -> None:
    z = pair_history(y, x, window=20, z_window=20, last=41, estimator=estimator).zscore
    assert np.nanmax(np.abs(z), initial=0.0) <= zscore_bound(20) * (1 + 1e-6)
