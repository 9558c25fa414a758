import math

import numpy as np
import pytest

from quantui.analytics.half_life import half_life
from quantui.analytics.hedge import fit_line
from quantui.market.frames import Floats


def simulated(random: np.random.Generator, phi: float, n: int, count: int) -> Floats:
    shocks = random.normal(size=(count, n))
    series = np.empty((count, n))
    series[:, 0] = shocks[:, 0] / math.sqrt(1 - phi * phi)
    for t in range(1, n):
        series[:, t] = phi * series[:, t - 1] + shocks[:, t]
    return series


def half_life_of(phi: float) -> float:
    return -math.log(2) / math.log(phi)


def test_noiseless_decay() -> None:
    assert float(half_life(np.exp(math.log(0.95) * np.arange(50))[None]).value[0]) == pytest.approx(13.513407, abs=1e-6)


@pytest.mark.parametrize("fitted", [0, 1])
@pytest.mark.parametrize("n", [60, 240])
@pytest.mark.parametrize("phi", [0.5, 0.9, 0.97])
def test_interval_covers_the_truth_as_often_as_documented(phi: float, n: int, fitted: int) -> None:
    """Nominally 95 %; 88-96 % in small samples near a unit root. Without the correction it is 70 % at phi 0.97, n 60."""
    random = np.random.default_rng(n)
    spreads = simulated(random, phi, n, 3000)
    if fitted:
        spreads = fit_line(spreads, np.cumsum(random.normal(size=spreads.shape), axis=1)).residuals
    decay = half_life(spreads, fitted=fitted)
    reverts = np.isfinite(decay.value)
    covered = (decay.low <= half_life_of(phi)) & (half_life_of(phi) <= decay.high)
    assert 0.87 <= covered[reverts].mean() <= 0.97


def test_the_plain_estimate_is_too_short_and_the_interval_says_so() -> None:
    decay = half_life(simulated(np.random.default_rng(1), 0.97, 60, 3000))
    assert float(np.nanmedian(decay.value)) < 0.5 * half_life_of(0.97)
    assert float(np.mean(np.isinf(decay.high))) > 0.5


def test_a_series_that_does_not_revert_has_none() -> None:
    explosive, alternating = 1.05 ** np.arange(50), (-0.9) ** np.arange(50)
    decay = half_life(np.array([explosive, alternating, np.full(50, np.nan)]))
    for values in (decay.value, decay.low, decay.high):
        assert np.isnan(values).all()


def test_ends_are_in_order() -> None:
    decay = half_life(simulated(np.random.default_rng(2), 0.8, 40, 500))
    known = np.isfinite(decay.value)
    assert (decay.low[known] <= decay.value[known]).all()
    assert (decay.low[known] <= decay.high[known]).all()


def test_correction_takes_most_of_the_bias_away() -> None:
    """phi 0.9, n 240: half of the corrected half-lives lie on either side of the true 6.6 bars; of the plain ones, fewer."""
    decay = half_life(simulated(np.random.default_rng(3), 0.9, 240, 3000))
    assert float(np.nanmedian(decay.value)) < 0.95 * half_life_of(0.9)
    assert float(np.nanmedian(decay.corrected)) == pytest.approx(half_life_of(0.9), rel=0.06)
