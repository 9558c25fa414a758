"""The filter beside one written out in matrices, beside least squares, and on its own model."""

import numpy as np
import pytest

from quantui.analytics.estimators import Estimator
from quantui.analytics.hedge import fit_line
from quantui.analytics.kalman import hedge, kalman
from quantui.analytics.pair import pair_statistics, preview
from quantui.analytics.spread import pair_history, zscore_bound
from quantui.analytics.whiteness import chi_squared_tail, innovation_size, ljung_box
from quantui.market.frames import Floats
from tests.analytics.series import pair, walk


def drifting(random: np.random.Generator, n: int, q: float, r: float) -> tuple[Floats, Floats]:
    """y (1, n) whose alpha and beta walk, and x (1, n)."""
    x = walk(random, n, 1.0)
    alpha, beta = walk(random, n, np.sqrt(q)), 1.0 + walk(random, n, np.sqrt(q))
    return (alpha + beta * x + random.normal(scale=np.sqrt(r), size=n))[None], x[None]


def by_matrices(y: Floats, x: Floats, q: float, r: float, prior: float) -> tuple[Floats, Floats, Floats, Floats]:
    """(innovations, their variances, last state, its covariance) by the textbook's recursion."""
    state, covariance = np.zeros(2), prior * np.eye(2)
    errors, variances = np.empty(len(y)), np.empty(len(y))
    for t in range(len(y)):
        observation = np.array([1.0, x[t]])
        if t:
            covariance = covariance + q * np.eye(2)
        variances[t] = observation @ covariance @ observation + r
        errors[t] = y[t] - observation @ state
        gain = covariance @ observation / variances[t]
        state = state + gain * errors[t]
        left = np.eye(2) - np.outer(gain, observation)
        covariance = left @ covariance @ left.T + r * np.outer(gain, gain)
    return errors, variances, state, covariance


@pytest.mark.parametrize(("q", "r"), [(0.0, 1.0), (1e-4, 0.5), (0.01, 1e-3), (2.0, 0.1)])
def test_equals_the_textbook(q: float, r: float) -> None:
    y, x = drifting(np.random.default_rng(1), 200, 1e-3, 0.1)
    errors, variances, state, covariance = by_matrices(y[0], x[0], q, r, 10.0)
    ours = kalman(y, x, q=q, r=r, prior=10.0)
    assert ours.innovations[0].tolist() == pytest.approx(errors.tolist(), rel=1e-8, abs=1e-10)
    assert (ours.innovation_sd[0] ** 2).tolist() == pytest.approx(variances.tolist(), rel=1e-9)
    assert [ours.alpha[0, -1], ours.beta[0, -1]] == pytest.approx(state.tolist(), rel=1e-9)
    assert ours.beta_sd[0, -1] ** 2 == pytest.approx(covariance[1, 1], rel=1e-9)
    terms = np.log(2 * np.pi * variances) + errors**2 / variances
    assert ours.log_likelihood[0] == pytest.approx(-0.5 * terms[2:].sum(), rel=1e-10)


def test_without_state_noise_it_is_least_squares_of_all_bars_so_far() -> None:
    y, x = drifting(np.random.default_rng(2), 100, 0.0, 1.0)
    ours = kalman(y, x, q=0.0, r=1.0)
    for bars in (3, 10, 57, 100):
        line = fit_line(y[:, :bars], x[:, :bars])
        assert ours.beta[0, bars - 1] == pytest.approx(float(line.beta[0]), rel=1e-9)
        assert ours.alpha[0, bars - 1] == pytest.approx(float(line.alpha[0]), rel=1e-9)
        assert ours.beta_sd[0, bars - 1] == pytest.approx(float(line.beta_se[0] / line.residual_sd[0]), rel=1e-9)


def test_the_likeliest_noise_is_near_the_true_one_and_no_neighbour_is_likelier() -> None:
    random = np.random.default_rng(3)
    ratios = []
    for _ in range(20):
        y, x = drifting(random, 400, 1e-3, 0.1)
        found = kalman(y, x)
        q, r, best = float(found.q[0]), float(found.r[0]), float(found.log_likelihood[0])
        ratios.append(q / r)
        for scale in (0.97, 1.03):
            assert kalman(y, x, q=q * scale, r=r).log_likelihood[0] < best + 1e-6
            assert kalman(y, x, q=q, r=r * scale).log_likelihood[0] < best + 1e-6
    assert np.median(ratios) == pytest.approx(0.01, rel=0.5)


def test_innovations_are_white_and_of_their_size_on_the_filter_s_own_model() -> None:
    random = np.random.default_rng(4)
    sizes, p_values = [], []
    for _ in range(200):
        z = kalman(*drifting(random, 240, 1e-3, 0.1), q=1e-3, r=0.1).zscores[0, 2:]
        sizes.append(innovation_size(z).value)
        p_values.append(ljung_box(z).p_value)
    assert np.mean(sizes) == pytest.approx(1.0, abs=0.03)
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.04)


def test_an_innovation_is_never_the_residual_after_the_update() -> None:
    y, x = drifting(np.random.default_rng(5), 240, 1e-2, 1e-6)
    found = kalman(y, x)
    updated = y - found.alpha - found.beta * x
    assert updated[0].std() < 0.05 * found.innovations[0, 2:].std()
    assert found.zscores[0, 2:].std() == pytest.approx(1.0, abs=0.05)


def test_bars_before_x_moves_teach_the_level_only() -> None:
    y, x = drifting(np.random.default_rng(6), 60, 1e-3, 0.1)
    x[:, :10] = x[:, :1]
    ours = kalman(y, x, q=0.0, r=0.1)
    assert np.isinf(ours.innovation_sd[0, :11]).all()
    assert np.isfinite(ours.innovation_sd[0, 11:]).all()
    assert (ours.alpha + ours.beta * x)[0, 9] == pytest.approx(y[0, :10].mean(), rel=1e-12)
    assert ours.beta[0, -1] == pytest.approx(float(fit_line(y, x).beta[0]), rel=1e-9)


def test_hedge_does_not_depend_on_units_or_company() -> None:
    closes = [pair(np.random.default_rng(seed), 240) for seed in range(70)]
    y, x = (np.log([legs[side] for legs in closes]) for side in (0, 1))
    ours = hedge(y, x)
    moved = hedge(100.0 + 7.0 * y, 3.0 * x - 5.0)
    assert moved.beta[:, -1].tolist() == pytest.approx((ours.beta[:, -1] * 7 / 3).tolist(), rel=1e-6)
    assert moved.zscores[:, -1].tolist() == pytest.approx(ours.zscores[:, -1].tolist(), rel=1e-6, abs=1e-7)
    alone = hedge(y[66:67], x[66:67])
    assert alone.beta[0].tolist() == ours.beta[66].tolist()
    assert alone.innovation_sd[0].tolist() == ours.innovation_sd[66].tolist()


def test_one_of_q_and_r_is_refused() -> None:
    y, x = drifting(np.random.default_rng(7), 60, 1e-3, 0.1)
    with pytest.raises(ValueError, match="together"):
        kalman(y, x, q=1.0)
    with pytest.raises(ValueError, match="together"):
        kalman(y, x, prior=1.0)


def test_published_spread_is_the_innovation_and_its_z_is_bounded_by_the_window() -> None:
    y, x = pair(np.random.default_rng(8), 300)
    ours = pair_statistics(y, x, window=240, bar_ms=60_000, estimator=Estimator.KALMAN)[0]
    found = hedge(np.log(y[None, -240:]), np.log(x[None, -240:]))
    assert ours.spread == found.innovations[0, -1]
    assert ours.spread_std == found.innovation_sd[0, -1]
    assert ours.zscore == pytest.approx(found.zscores[0, -1], rel=1e-12)
    assert (ours.beta, ours.beta_se, ours.spread_mean) == (found.beta[0, -1], found.beta_sd[0, -1], 0.0)
    assert ours.missing == {}
    assert preview(ours, float(y[-1]), float(x[-1])) is None
    spiked = y.copy()
    spiked[-1] *= 3.0
    z = pair_history(spiked, x, window=240, z_window=240, last=1, estimator=Estimator.KALMAN).zscore[-1]
    assert 10.0 < z <= zscore_bound(240)


def test_chi_squared_tail_and_ljung_box_are_those_of_others() -> None:
    from scipy.stats import chi2
    from statsmodels.stats.diagnostic import acorr_ljungbox

    for stat in (0.0, 1.0, 9.3, 18.307, 60.0):
        assert chi_squared_tail(stat, 10) == pytest.approx(float(chi2.sf(stat, 10)), rel=1e-12)
    series = walk(np.random.default_rng(9), 200) + np.random.default_rng(10).normal(size=200)
    theirs = acorr_ljungbox(series, lags=[10])
    ours = ljung_box(series)
    assert [ours.stat, ours.p_value] == pytest.approx([theirs.lb_stat.iloc[0], theirs.lb_pvalue.iloc[0]], rel=1e-9)
    with pytest.raises(ValueError, match="even"):
        ljung_box(series, 9)
    size = innovation_size(np.ones(20))
    assert [size.low, size.high] == pytest.approx([float(chi2.ppf(p, 20)) / 20 for p in (0.025, 0.975)], rel=0.01)
