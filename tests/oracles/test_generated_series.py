"""LCG-500: a pair of series any language can generate, with values from statsmodels, arch and linearmodels."""

from statistics import NormalDist

import numpy as np
import pytest

from quantui.analytics.cointegration import engle_granger
from quantui.analytics.estimators import Estimator, hedge_line, theil_sen, tls
from quantui.analytics.half_life import half_life
from quantui.analytics.hedge import fit_line
from quantui.analytics.kpss import Kpss, kpss
from quantui.analytics.pair import pair_statistics
from quantui.analytics.report import ReportSettings, full_report
from quantui.analytics.spread import pair_history
from quantui.analytics.stationarity import UnitRoot, adf
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


def test_johansen_of_the_full_report(legs: tuple[Floats, Floats]) -> None:
    report = full_report(
        np.arange(500) * 60_000, np.exp(legs[0]), np.exp(legs[1]), pair="Y/X", venue="external", timeframe=Timeframe.M1,
        settings=ReportSettings(window=500), quality={},
    )  # fmt: skip
    johansen = report["johansen"]
    assert isinstance(johansen, dict)
    assert johansen["trace"] == pytest.approx([32.716983, 0.898995], abs=6e-7)
    assert johansen["critical"]["95%"] == pytest.approx([15.4943, 3.8415])
