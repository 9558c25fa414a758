"""Regressions on several regressors, plain and dynamic, beside statsmodels."""

import numpy as np
import pytest
from arch.unitroot.cointegration import FullyModifiedOLS
from pandas import DataFrame, Series
from statsmodels.api import OLS, add_constant

from quantui.analytics.dols import dols
from quantui.analytics.fmols import FullyModified, fmols
from quantui.analytics.multi import bandwidth, regress
from quantui.analytics.stationarity import Missing
from tests.analytics.series import pair, walk


@pytest.mark.parametrize("regressors", [1, 2, 4])
def test_several_regressors(regressors: int) -> None:
    random = np.random.default_rng(regressors)
    x = 50.0 + np.stack([walk(random, 240) for _ in range(regressors)], -1)
    y = x.sum(-1) + walk(random, 240)
    ours, theirs = regress(y, x), OLS(y, add_constant(x)).fit()
    assert float(ours.alpha) == pytest.approx(theirs.params[0], rel=1e-7)
    assert ours.betas.tolist() == pytest.approx(theirs.params[1:].tolist(), rel=1e-8)
    assert ours.errors.tolist() == pytest.approx(theirs.bse[1:].tolist(), rel=1e-8)
    assert ours.t.tolist() == pytest.approx(theirs.tvalues[1:].tolist(), rel=1e-8)
    assert [float(ours.r_squared), float(ours.residual_sd)] == pytest.approx([theirs.rsquared, theirs.mse_resid**0.5], rel=1e-9)
    robust = theirs.get_robustcov_results("HAC", maxlags=bandwidth(240), use_correction=False)
    assert ours.robust_errors.tolist() == pytest.approx(robust.bse[1:].tolist(), rel=1e-8)


def test_dependent_regressors_say_nothing_and_leave_the_batch_alone() -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=(2, 100, 2))
    x[0, :, 1] = 3.0 * x[0, :, 0]
    y = random.normal(size=(2, 100))
    ours = regress(y, x)
    assert np.isnan(ours.betas[0]).all()
    assert np.isnan(ours.r_squared[0])
    assert ours.betas[1].tolist() == regress(y[1:], x[1:]).betas[0].tolist()


@pytest.mark.parametrize(("leads", "lags"), [(1, 1), (0, 2), (3, 0)])
def test_dynamic_least_squares(leads: int, lags: int) -> None:
    y, x = (np.log(leg) for leg in pair(np.random.default_rng(6), 240))
    moves = np.diff(x)
    rows = range(lags + 1, 240 - leads)
    design = [[1.0, x[t], *(moves[t - 1 - lags + j] for j in range(leads + lags + 1))] for t in rows]
    theirs = OLS(y[rows.start : rows.stop], np.array(design)).fit()
    ours = dols(y, x, leads, lags)
    assert [float(ours.alpha), float(ours.betas[0])] == pytest.approx(theirs.params[:2].tolist(), rel=1e-8)


@pytest.mark.parametrize("n", [60, 240, 500])
def test_fully_modified_least_squares(n: int) -> None:
    y, x = (np.log(leg) for leg in pair(np.random.default_rng(n), n))
    theirs = FullyModifiedOLS(Series(y, name="y"), DataFrame({"x": x})).fit()
    ours = fmols(y, x)
    assert isinstance(ours, FullyModified)
    assert [ours.alpha, ours.beta] == pytest.approx([theirs.params["const"], theirs.params["x"]], rel=1e-8)
    assert ours.beta_se == pytest.approx(theirs.std_errors["x"], rel=1e-8)


def test_fully_modified_least_squares_of_nothing() -> None:
    x = walk(np.random.default_rng(8), 100)
    assert fmols(x, np.ones(100)) == Missing("a leg is constant or has missing values")
    assert fmols(x[:20], x[:20]) == Missing("20/25 bars")


def test_the_robust_error_of_dynamic_least_squares_covers_a_true_ratio_where_the_plain_one_does_not() -> None:
    random = np.random.default_rng(7)
    plain = robust = 0
    for _ in range(300):
        y, x = (np.log(leg) for leg in pair(random, 240, 0.8))
        fit = dols(y, x)
        off = abs(float(fit.betas[0]) - 0.8)
        plain += off <= 1.96 * float(fit.errors[0])
        robust += off <= 1.96 * float(fit.robust_errors[0])
    assert plain / 300 < 0.65 < robust / 300
