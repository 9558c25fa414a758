"""Random series, beside statsmodels in the same process."""

import warnings

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp
from statsmodels.tsa.stattools import adfuller, coint
from statsmodels.tsa.stattools import kpss as kpss_of_statsmodels

from quantui.analytics.cointegration import engle_granger
from quantui.analytics.hedge import fit_line, fit_through_origin
from quantui.analytics.kpss import Kpss, kpss
from quantui.analytics.mackinnon import Trend, critical_values, p_value
from quantui.analytics.stationarity import UnitRoot, adf, adf_batch, dickey_fuller
from quantui.market.frames import Floats
from tests.analytics.series import pair, reverting, walk


def check_adf(series: Floats, ours: object, trend: Trend = "c") -> None:
    theirs = adfuller(series, autolag="AIC", regression=trend, result_object=True)
    assert isinstance(ours, UnitRoot)
    assert (ours.lags, ours.nobs) == (theirs.lags, theirs.nobs)
    assert ours.stat == pytest.approx(theirs.statistic, rel=1e-8, abs=1e-8)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-7, abs=1e-12)
    assert ours.critical == pytest.approx(theirs.critical_values, abs=1e-12)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.99, 1.0])
def test_adf(phi: float) -> None:
    random = np.random.default_rng(round(phi * 100))
    for n in [*range(30, 60), *random.integers(60, 500, 25).tolist()]:
        series = 10 + reverting(random, n, phi)
        check_adf(series, adf(series))


@pytest.mark.parametrize("trend", ["n", "ct"])
def test_adf_with_other_deterministic_terms(trend: Trend) -> None:
    random = np.random.default_rng(3)
    for n in random.integers(40, 400, 20).tolist():
        series = walk(random, n) + 0.001 * np.arange(n)
        check_adf(series, adf(series, trend), trend)


@pytest.mark.parametrize("smooth", [3, 10, 30])
def test_adf_of_series_whose_differences_are_smooth(smooth: int) -> None:
    """Ill-conditioned regressions, where the Gram matrix alone would lose the digits."""
    random = np.random.default_rng(smooth)
    for n in (60, 240, 500):
        series = np.convolve(walk(random, n + smooth), np.hanning(smooth + 2), mode="valid")
        check_adf(series, adf(series))


def test_adf_at_any_level_and_scale() -> None:
    random = np.random.default_rng(5)
    for level, scale in ((0.0, 1e-3), (6e4, 1e3), (-50.0, 1e4)):
        series = level + scale * walk(random, 240)
        check_adf(series, adf(series))


def test_adf_loses_no_digits_where_statsmodels_does() -> None:
    """With steps of 1e-11 beside a constant of 1, statsmodels is off by 1e-6; the statistic must not depend on scale."""
    series = walk(np.random.default_rng(5), 240)
    plain = adf(series)
    assert isinstance(plain, UnitRoot)
    for scale in (1e-9, 1e9):
        scaled = adf(scale * series)
        assert isinstance(scaled, UnitRoot)
        assert scaled.stat == pytest.approx(plain.stat, rel=1e-11)


def test_adf_with_given_lags() -> None:
    series = walk(np.random.default_rng(6), 100)
    for lags in (0, 1, 5, 12):
        theirs = adfuller(series, maxlag=lags, autolag=None, result_object=True)
        ours = adf(series, lags=lags)
        assert isinstance(ours, UnitRoot)
        assert (ours.lags, ours.nobs) == (lags, theirs.nobs)
        assert ours.stat == pytest.approx(theirs.statistic, rel=1e-8)


def sparse(random: np.random.Generator, n: int, jumps: int) -> Floats:
    """A quiet market: the series stands still but for a few jumps."""
    steps = np.zeros(n)
    steps[random.choice(n, jumps, replace=False)] = random.normal(size=jumps)
    series: Floats = np.cumsum(steps)
    return series


@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")  # statsmodels says so
@pytest.mark.parametrize("jumps", [2, 3, 6, 12, 40])
def test_adf_of_quiet_markets(jumps: int) -> None:
    """Lags without a single jump in the sample make the regression singular; statsmodels' pseudo-inverse ignores them.

    Such a lag leaves AIC as it was, so statsmodels' choice between the two is rounding. Ours is the lower; its AIC is the best.
    """
    random = np.random.default_rng(jumps)
    for n in random.integers(60, 400, 30).tolist():
        series = sparse(random, n, jumps)
        ours = adf(series)
        assert isinstance(ours, UnitRoot)
        searched = adfuller(series, autolag="AIC", store=True, regresults=True, result_object=True)
        assert searched.resstore.autolag_results[2 + ours.lags].aic == pytest.approx(searched.icbest, abs=1e-8)
        assert ours.lags <= searched.lags
        alone = adfuller(series, maxlag=ours.lags, autolag=None, result_object=True)
        assert ours.nobs == alone.nobs
        assert ours.stat == pytest.approx(alone.statistic, rel=1e-8, abs=1e-8)


def test_a_batch_says_what_each_series_says_alone() -> None:
    random = np.random.default_rng(7)
    series = np.array([reverting(random, 240, phi) for phi in np.linspace(0, 1, 40)])
    series[5], series[9] = sparse(random, 240, 2), np.arange(240)
    together = adf_batch(series)
    assert len({test.lags for test in together if isinstance(test, UnitRoot)}) > 3
    assert together == [adf(row) for row in series]


@pytest.mark.parametrize("phi", [0.3, 0.9, 0.99, 1.0])
def test_engle_granger(phi: float) -> None:
    random = np.random.default_rng(round(phi * 100) + 1)
    for n in [*range(30, 50), *random.integers(50, 500, 25).tolist()]:
        closes_y, closes_x = pair(random, n, phi)
        y, x = np.log(closes_y), np.log(closes_x)
        theirs, ours = coint(y, x), engle_granger(y, x)
        assert isinstance(ours, UnitRoot)
        residual = OLS(y, add_constant(x)).fit().resid
        assert ours.lags == adfuller(residual, regression="n", result_object=True).lags
        assert ours.stat == pytest.approx(theirs.coint_t, rel=1e-8, abs=1e-8)
        assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-7, abs=1e-12)
        assert list(ours.critical.values())[1:] == pytest.approx(theirs.critical_values[1:], abs=1e-12)


def test_engle_granger_on_prices() -> None:
    random = np.random.default_rng(8)
    for scale in (1e-6, 1.0, 6e4):
        y, x = pair(random, 240)
        ours = engle_granger(scale * y, x)
        assert isinstance(ours, UnitRoot)
        assert ours.stat == pytest.approx(coint(scale * y, x).coint_t, rel=1e-8)


def test_engle_granger_of_legs_that_hardly_move() -> None:
    """One-second bars: log 60,000 is 11, and moves by 1e-3. statsmodels then loses seven digits unless the legs are centred."""
    random = np.random.default_rng(12)
    for _ in range(20):
        y = np.log(0.1234 + 1e-4 * np.round(np.cumsum((random.random(240) < 0.1) * random.normal(scale=3, size=240))))
        x = np.log(60_000 + 0.1 * np.round(np.cumsum(random.normal(scale=50, size=240))))
        ours = engle_granger(y, x)
        assert isinstance(ours, UnitRoot)
        assert ours.stat == pytest.approx(coint(y - y.mean(), x - x.mean()).coint_t, rel=1e-9)
        assert ours.stat == pytest.approx(coint(y, x).coint_t, rel=1e-6)


def test_lines() -> None:
    random = np.random.default_rng(9)
    for n in (10, 60, 240, 1000):
        y, x = pair(random, n)
        theirs, ours = OLS(y, add_constant(x)).fit(), fit_line(y, x)
        assert [ours.alpha, ours.beta] == pytest.approx(theirs.params.tolist(), rel=1e-9)
        assert [ours.alpha_se, ours.beta_se] == pytest.approx(theirs.bse.tolist(), rel=1e-9)
        assert float(ours.r_squared) == pytest.approx(theirs.rsquared, rel=1e-9)
        theirs, ours = OLS(y, x).fit(), fit_through_origin(y, x)
        expected = [theirs.params[0], theirs.bse[0], theirs.rsquared]
        assert [ours.beta, ours.beta_se, ours.r_squared] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("variables", "trend"), [(1, "n"), (1, "c"), (1, "ct"), (2, "c"), (2, "ct"), (3, "c")])
def test_mackinnon(variables: int, trend: Trend) -> None:
    for stat in np.linspace(-30, 4, 400).tolist():
        assert p_value(stat, variables, trend) == pytest.approx(mackinnonp(stat, trend, variables), rel=1e-10, abs=1e-300)
    for nobs in (20, 100, 5000):
        ours, theirs = list(critical_values(variables, trend, nobs).values()), mackinnoncrit(variables, trend, nobs)
        if (variables, trend) == (2, "c"):
            theirs[0] += 11.0 / nobs**2  # statsmodels' misprint
        assert ours == pytest.approx(theirs.tolist(), abs=1e-12)


@pytest.mark.parametrize(
    ("nobs", "quantiles"),
    [
        (19, [-4.5363, -3.6769, -3.2748]),
        (24, [-4.3894, -3.6014, -3.2255]),
        (29, [-4.3018, -3.5549, -3.1944]),
        (39, [-4.1924, -3.4962, -3.1555]),
    ],
)
def test_critical_values_agree_with_simulation(nobs: int, quantiles: list[float]) -> None:
    """Quantiles of 6 million simulated tests; with the misprint the first would be off by 0.03."""
    assert list(critical_values(2, "c", nobs).values()) == pytest.approx(quantiles, abs=0.004)


def test_kpss() -> None:
    random = np.random.default_rng(10)
    for n in (30, 100, 240, 1000):
        for series in (walk(random, n), reverting(random, n, 0.5)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # statsmodels warns at the edge of its table
                theirs = kpss_of_statsmodels(series, "c", "auto", result_object=False)
            ours = kpss(series)
            assert isinstance(ours, Kpss)
            assert ours.lags == theirs[2]
            assert [ours.stat, ours.p_value] == pytest.approx(theirs[:2], rel=1e-9)
            assert bool(ours.at_edge) == (ours.p_value in (0.01, 0.10))


def test_size_of_engle_granger_on_unrelated_walks() -> None:
    """Near the nominal 5 % with one lag; a plain ADF p-value on the same residuals rejects three times as often."""
    random = np.random.default_rng(11)
    y, x = (np.cumsum(random.normal(size=(2000, 240)), axis=1) for _ in range(2))
    stats = dickey_fuller(fit_line(y, x).residuals, "n", 1).stat.tolist()
    assert np.mean([p_value(stat, 2, "c") <= 0.05 for stat in stats]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([p_value(stat, 1, "c") <= 0.05 for stat in stats]) > 0.12
