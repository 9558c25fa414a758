"""Does the line hold, and which leg corrects: against statsmodels and on pairs made to break."""

import numpy as np
import pytest
from statsmodels.api import OLS, add_constant
from statsmodels.stats.diagnostic import breaks_cusumolsresid

from quantui.analytics.hedge import fit_line
from quantui.analytics.long_run import automatic_bandwidth, long_run_variance
from quantui.analytics.stability import Cusum, ErrorCorrection, cusum, error_correction, kolmogorov_tail
from quantui.analytics.stationarity import Missing
from quantui.market.frames import Floats
from tests.analytics.series import pair, reverting, walk


def logs(seed: int, phi: float = 0.9) -> tuple[Floats, Floats]:
    y, x = pair(np.random.default_rng(seed), 240, phi)
    return np.log(y), np.log(x)


def test_cusum_is_statsmodels_own() -> None:
    for seed in range(5):
        residuals = fit_line(*logs(seed)).residuals
        stat, p, _ = breaks_cusumolsresid(residuals, ddof=2)
        ours = cusum(residuals)
        assert isinstance(ours, Cusum)
        assert [ours.stat, ours.p_value] == pytest.approx([stat, p], rel=1e-9)


def test_a_spread_that_reverts_slowly_is_no_break_and_a_broken_line_is_one() -> None:
    """The plain statistic calls most slowly reverting spreads broken; the robust one does not, and finds a real break."""
    plain = robust = broken = 0
    for seed in range(100):
        y, x = logs(seed)
        ours = cusum(fit_line(y, x).residuals)
        assert isinstance(ours, Cusum)
        plain += ours.p_value < 0.05
        robust += ours.robust_p_value < 0.05
        y[120:] += 0.1
        ours = cusum(fit_line(y, x).residuals)
        assert isinstance(ours, Cusum)
        broken += ours.robust_p_value < 0.05
    assert plain > 50
    assert robust <= 10
    assert broken > 50


def test_tail_at_the_published_critical_values() -> None:
    assert [kolmogorov_tail(value) for value in (1.63, 1.36, 1.22)] == pytest.approx([0.01, 0.05, 0.10], abs=0.002)
    assert [kolmogorov_tail(value) for value in (0.0, 0.19, 9.0)] == pytest.approx([1.0, 1.0, 0.0], abs=1e-12)
    assert kolmogorov_tail(0.2) == pytest.approx(1.0, abs=1e-9)


def test_the_leg_that_was_made_to_correct_corrects() -> None:
    found = []
    for seed in range(40):
        y, x = logs(seed, 0.8)
        line = fit_line(y, x)
        ours = error_correction(y, x, line.residuals, float(line.beta))
        assert isinstance(ours, ErrorCorrection)
        found.append((ours.y.t, ours.x.t, ours.closed, ours.y_share or 0.0))
    y_t, x_t, closed, y_share = np.mean(found, axis=0)
    assert y_t < -2.5
    assert abs(x_t) < 0.5
    assert closed == pytest.approx(0.23, abs=0.03)  # 0.2 and the small-sample bias of a residual
    assert y_share == pytest.approx(1.0, abs=0.1)


def test_error_correction_is_least_squares_of_each_move() -> None:
    y, x = logs(2)
    line = fit_line(y, x)
    design = add_constant(np.column_stack((line.residuals[1:-1], np.diff(y)[:-1], np.diff(x)[:-1])))
    ours = error_correction(y, x, line.residuals, float(line.beta))
    assert isinstance(ours, ErrorCorrection)
    for leg, found in ((y, ours.y), (x, ours.x)):
        theirs = OLS(np.diff(leg)[1:], design).fit()
        assert [found.speed, found.error, found.t] == pytest.approx([theirs.params[1], theirs.bse[1], theirs.tvalues[1]], rel=1e-7)


def test_long_run_variance_of_an_autoregression() -> None:
    """Of phi = 0.5 and unit noise it is 1 / (1 - phi)² = 4; of noise, 1."""
    random = np.random.default_rng(3)
    for phi, truth in ((0.0, 1.0), (0.5, 4.0)):
        series = reverting(random, 20_000, phi, 1.0)
        assert long_run_variance(series - series.mean()) == pytest.approx(truth, rel=0.15)
    assert automatic_bandwidth(np.zeros(10)) == 0.0


def test_nothing_to_test_is_a_reason() -> None:
    y, x = logs(4)
    assert cusum(np.zeros(100)) == cusum(np.full(100, np.nan)) == Missing("residuals do not vary or are missing")
    assert cusum(y[:20]) == error_correction(y[:20], x[:20], y[:20], 1.0) == Missing("20/30 bars")
    still = error_correction(y, np.ones(240), walk(np.random.default_rng(5), 240), 1.0)
    assert still == Missing("the regression of moves is singular")
