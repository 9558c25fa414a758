"""LCG-500: a pair of series any language can generate, with values from statsmodels, arch and linearmodels."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from quantui.analytics.cointegration import engle_granger
from quantui.analytics.correlations import kendall, spearman
from quantui.analytics.dfgls import dfgls
from quantui.analytics.dols import dols
from quantui.analytics.estimators import Estimator, hedge_line, theil_sen, tls
from quantui.analytics.fmols import FullyModified, fmols
from quantui.analytics.half_life import half_life
from quantui.analytics.hedge import fit_line
from quantui.analytics.johansen import johansen
from quantui.analytics.kalman import kalman
from quantui.analytics.kpss import Kpss, kpss
from quantui.analytics.ou import OrnsteinUhlenbeck, ornstein_uhlenbeck
from quantui.analytics.pair import pair_statistics
from quantui.analytics.phillips_ouliaris import PhillipsOuliaris, phillips_ouliaris, phillips_perron
from quantui.analytics.report import ReportSettings, full_report
from quantui.analytics.spread import correlation, pair_history, spread_moments
from quantui.analytics.stability import Cusum, cusum
from quantui.analytics.stationarity import Missing, UnitRoot, adf
from quantui.analytics.variance_ratio import variance_ratios
from quantui.market.frames import Floats
from quantui.market.instruments import Timeframe


@pytest.fixture(scope="module")
def legs() -> tuple[Floats, Floats]:
    """Log prices y, x."""
    state, normal, draws = 12345, NormalDist(), []
    for _ in range(1000):
        state = (1103515245 * state + 12345) % 2**31
        draws.append(normal.inv_cdf(state / 2**31))
    x = 4 + np.cumsum(0.01 * np.array(draws[:500]))
    s = 0.0
    spread = [s]
    for draw in draws[501:]:
        s = 0.9 * s + 0.01 * draw
        spread.append(s)
    return 0.5 + 0.8 * x + np.array(spread), x


def stat(test: object) -> float:
    assert isinstance(test, UnitRoot | Kpss)
    return test.stat


def test_the_series_are_the_fixture(legs: tuple[Floats, Floats]) -> None:
    y, x = legs
    assert x[:3].tolist() == pytest.approx([4.00399273, 3.99888670, 4.00342322], abs=6e-9)
    assert [x[499], y[499]] == pytest.approx([3.7905697043, 3.5506592353], abs=6e-11)


def test_regression(legs: tuple[Floats, Floats]) -> None:
    line = fit_line(*legs)
    ours = [float(v) for v in (line.alpha, line.beta, line.alpha_se, line.beta_se, line.r_squared)]
    assert ours == pytest.approx([0.3509447, 0.83757891, 0.04161984, 0.01058765, 0.92629034], abs=6e-8)


def test_robust_and_orthogonal_regression(legs: tuple[Floats, Floats]) -> None:
    y, x = legs
    huber = hedge_line(Estimator.HUBER, y[None], x[None])
    assert [float(huber.alpha[0]), float(huber.beta[0])] == pytest.approx([0.35384443, 0.8365763], abs=6e-8)
    assert theil_sen(y, x) == pytest.approx((0.36051857, 0.83566082), abs=6e-9)
    assert tls(y, x)[1] == pytest.approx(0.86559143, abs=6e-9)


def test_rolling_regression(legs: tuple[Floats, Floats]) -> None:
    y, x = np.exp(legs[0]), np.exp(legs[1])
    for end, alpha, beta in ((500, 1.37989418, 0.56845122), (250, -0.73806294, 1.10804078)):
        statistics = pair_statistics(y[:end], x[:end], window=100, bar_ms=60_000)[0]
        assert [statistics.alpha, statistics.beta] == pytest.approx([alpha, beta], abs=6e-9)


def test_unit_root_tests(legs: tuple[Floats, Floats]) -> None:
    y, x = legs
    residual = fit_line(y, x).residuals
    ours = [
        stat(engle_granger(y, x, lags=1)), stat(engle_granger(y, x)), stat(engle_granger(x, y)), stat(adf(residual, lags=1)),
        stat(kpss(residual, 12)), stat(kpss(residual, 10)),
    ]  # fmt: skip
    assert ours == pytest.approx([-5.69935511, -5.52302395, -5.22057542, -5.69319797, 0.11113814, 0.12139928], abs=6e-9)


def test_decay_and_correlation(legs: tuple[Floats, Floats]) -> None:
    statistics = pair_statistics(np.exp(legs[0]), np.exp(legs[1]), window=500, bar_ms=60_000)[0]
    assert statistics.half_life == pytest.approx(4.68502199, abs=6e-9)
    assert statistics.correlation == pytest.approx(0.63704525, abs=6e-9)
    assert 1 + float(half_life(fit_line(*legs).residuals[None]).slope[0]) == pytest.approx(0.862474573, abs=6e-10)


def test_zscore_of_the_last_sixty(legs: tuple[Floats, Floats]) -> None:
    y, x = np.exp(legs[0]), np.exp(legs[1])
    assert pair_statistics(y, x, window=500, z_window=60, bar_ms=60_000)[0].zscore == pytest.approx(0.98060548, abs=6e-9)
    assert pair_history(y, x, window=500, z_window=60, last=1).zscore[0] == pytest.approx(0.98060548, abs=6e-9)


def test_kalman_with_given_noise(legs: tuple[Floats, Floats]) -> None:
    """The fixture's likelihood is rounded: from a prior of 1e6 the covariance form loses digits. 50 digits give the exact one."""
    y, x = (leg[None] for leg in legs)
    ours = kalman(y, x, q=1e-8, r=1e-4, prior=1e6)
    assert ours.log_likelihood[0] == pytest.approx(1056.67918337, rel=1e-8)
    assert ours.log_likelihood[0] == pytest.approx(1056.679181609822, rel=1e-12)
    assert [ours.alpha[0, -1], ours.beta[0, -1]] == pytest.approx([0.43706093, 0.81699269], abs=6e-9)
    assert ours.zscores[0, -1] == pytest.approx(1.70629326, abs=4e-8)
    still = kalman(y, x, q=0.0, r=1e-4)
    assert [still.alpha[0, -1], still.beta[0, -1]] == pytest.approx([0.3509447, 0.83757891], abs=6e-9)


def test_kalman_by_maximum_likelihood(legs: tuple[Floats, Floats]) -> None:
    """The fixture's optimum is Nelder and Mead's, good to four digits; its likelihood is rounded as the one above."""
    y, x = (leg[None] for leg in legs)
    ours = kalman(y, x)
    assert [ours.q[0], ours.r[0]] == pytest.approx([5.084e-6, 1.029e-5], rel=1e-3)
    assert [ours.alpha[0, -1], ours.beta[0, -1]] == pytest.approx([0.34215335, 0.84631235], abs=2e-5)
    same = kalman(y, x, q=float(ours.q[0]), r=float(ours.r[0]), prior=1e6)
    assert same.log_likelihood[0] == pytest.approx(1575.238608, rel=2e-8)


def test_cointegration_without_a_lag_order(legs: tuple[Floats, Floats]) -> None:
    ours = phillips_ouliaris(*legs)
    assert isinstance(ours, PhillipsOuliaris)
    assert [ours.zt.stat, ours.za.stat] == pytest.approx([-6.12476706, -70.89663274], abs=6e-8)
    assert ours.bandwidth == pytest.approx(7.2165, abs=6e-5)
    residual = fit_line(*legs).residuals
    assert [stat(dfgls(residual, 1)), stat(phillips_perron(residual, 10))] == pytest.approx([-5.68459264, -6.01950266], abs=6e-9)


def test_variance_ratios(legs: tuple[Floats, Floats]) -> None:
    ours = variance_ratios(fit_line(*legs).residuals)
    assert not isinstance(ours, Missing)
    assert [one.ratio for one in ours] == pytest.approx([0.91817838, 0.76619403, 0.67590545, 0.41351753], abs=6e-9)
    assert [one.z for one in ours] == pytest.approx([-1.823729, -2.785560, -2.372498, -2.925804], abs=6e-7)


def test_johansen(legs: tuple[Floats, Floats]) -> None:
    levels = np.stack(legs, -1)[None]
    ours, inside = johansen(levels), johansen(levels, inside=True)
    assert ours.trace[0].tolist() == pytest.approx([32.716983, 0.898995], abs=6e-7)
    assert ours.eigenvalues[0].tolist() == pytest.approx([0.06189326, 0.00180358], abs=6e-9)
    assert ours.vectors[0, 0].tolist() == pytest.approx([1.0, -0.82528001], abs=6e-9)
    assert inside.vectors[0, 0].tolist() == pytest.approx([1.0, -0.82544756, -0.39905134], abs=6e-9)
    assert inside.speeds[0, 0].tolist() == pytest.approx([-0.13806144, -0.00332235], abs=6e-9)


def test_least_squares_for_cointegrated_legs(legs: tuple[Floats, Floats]) -> None:
    dynamic, modified = dols(*legs), fmols(*legs)
    assert [float(dynamic.betas[0]), float(dynamic.alpha)] == pytest.approx([0.83839849, 0.34772556], abs=6e-9)
    assert isinstance(modified, FullyModified)
    assert [modified.beta, modified.alpha] == pytest.approx([0.83438946, 0.36350610], abs=6e-9)


def test_process_of_the_spread(legs: tuple[Floats, Floats]) -> None:
    residual = fit_line(*legs).residuals
    decay = fit_line(residual[1:], residual[:-1])
    assert [float(decay.alpha), float(decay.beta)] == pytest.approx([4.57138553e-5, 0.862474573], abs=6e-10)
    process = ornstein_uhlenbeck(residual)
    assert isinstance(process, OrnsteinUhlenbeck)
    ours = [process.kappa, process.theta, process.sigma, process.equilibrium_sd]
    assert ours == pytest.approx([0.14794961, 0.00033240, 0.01055599, 0.01940560], abs=6e-9)
    assert [process.half_life, -math.log(2) / (process.phi - 1)] == pytest.approx([4.68502199, 5.04013837], abs=6e-9)


def test_stability(legs: tuple[Floats, Floats]) -> None:
    ours = cusum(fit_line(*legs).residuals)
    assert isinstance(ours, Cusum)
    assert [ours.stat, ours.p_value] == pytest.approx([2.21893925, 0.000106], abs=5e-7)


def test_correlations(legs: tuple[Floats, Floats]) -> None:
    returns = [np.diff(leg) for leg in legs]
    ours = [float(correlation(*returns)), float(correlation(*legs)), kendall(*returns), float(spearman(*returns))]
    assert ours == pytest.approx([0.63704525, 0.96243979, 0.43665645, 0.60887606], abs=6e-9)


def test_largest_zscore_of_the_last_sixty(legs: tuple[Floats, Floats]) -> None:
    """Of the spread with the coefficients of the whole sample, at every bar the z of its last 60."""
    residual = fit_line(*legs).residuals
    z = spread_moments(np.lib.stride_tricks.sliding_window_view(residual, 60), 60).zscore
    assert np.abs(z).max() == pytest.approx(3.85825385, abs=6e-9)


def test_johansen_of_the_full_report(legs: tuple[Floats, Floats]) -> None:
    report = full_report(
        np.arange(500) * 60_000, np.exp(legs[0]), np.exp(legs[1]), pair="Y/X", venue="external", timeframe=Timeframe.M1,
        settings=ReportSettings(window=500), quality={},
    )  # fmt: skip
    johansen = report["johansen"]
    assert isinstance(johansen, dict)
    assert johansen["trace"] == pytest.approx([32.716983, 0.898995], abs=6e-7)
    assert johansen["critical"]["95%"] == pytest.approx([15.4943, 3.8415])
