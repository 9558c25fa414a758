"""Ways to say how unusual a spread is; the process it would be; what people call a spread."""

import math

import numpy as np
import pytest

from quantui.analytics.ou import OrnsteinUhlenbeck, ornstein_uhlenbeck
from quantui.analytics.spread import zscore_bound
from quantui.analytics.spread_kinds import SpreadKind, unhedged
from quantui.analytics.stationarity import Missing
from quantui.analytics.zscores import ewma_z, expected_crossings, ou_z, robust_z, rolling_z, zero_crossings
from tests.analytics.series import reverting

SPREAD = reverting(np.random.default_rng(1), 240, 0.9)


def test_rolling() -> None:
    recent = SPREAD[-60:]
    assert rolling_z(SPREAD, 60) == pytest.approx((recent[-1] - recent.mean()) / recent.std(ddof=1), rel=1e-12)


def test_exponentially_weighted() -> None:
    weights = 0.5 ** (np.arange(239, -1, -1) / 20)
    mean = np.average(SPREAD, weights=weights)
    variance = np.cov(SPREAD, aweights=weights)  # freed of its bias in the same way
    assert ewma_z(SPREAD, 20) == pytest.approx((SPREAD[-1] - mean) / np.sqrt(variance), rel=1e-9)
    assert ewma_z(SPREAD, 1e9) == pytest.approx(rolling_z(SPREAD, 240), rel=1e-5)


def test_one_wild_bar_does_not_move_the_robust_one() -> None:
    wild = SPREAD.copy()
    wild[100] += 10.0
    plain, robust = rolling_z(wild, 240), robust_z(wild)
    assert robust == pytest.approx(robust_z(SPREAD), abs=0.05)
    assert plain is not None
    assert abs(plain) < 0.2
    normal = np.random.default_rng(2).normal(size=100_001)
    assert robust_z(normal) == pytest.approx(normal[-1], abs=0.03)


def test_process_is_the_one_that_made_the_spread() -> None:
    spread = 3.0 + reverting(np.random.default_rng(3), 50_000, 0.9, 0.01)
    process = ornstein_uhlenbeck(spread)
    assert isinstance(process, OrnsteinUhlenbeck)
    assert [process.phi, process.theta, process.half_life] == pytest.approx([0.9, 3.0, -math.log(2) / math.log(0.9)], rel=0.03)
    assert process.equilibrium_sd == pytest.approx(spread.std(), rel=0.02)
    assert process.sigma == pytest.approx(process.equilibrium_sd * math.sqrt(2 * process.kappa), rel=1e-12)
    assert ou_z(spread, process) == pytest.approx((spread[-1] - spread.mean()) / spread.std(), abs=0.03)


def test_a_spread_that_is_no_such_process_is_a_reason() -> None:
    assert ornstein_uhlenbeck(np.power(1.05, np.arange(50.0))) == Missing("the spread does not revert")
    assert ornstein_uhlenbeck(np.power(-0.9, np.arange(50.0))) == Missing("the spread reverts within a bar")
    assert ornstein_uhlenbeck(np.ones(50)) == Missing("the spread is constant or has missing values")
    assert ornstein_uhlenbeck(np.arange(5.0)) == Missing("5/10 bars")


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_crossings_are_as_many_as_expected(phi: float) -> None:
    random = np.random.default_rng(4)
    counts = [zero_crossings(reverting(random, 1000, phi)) for _ in range(50)]
    assert np.mean(counts) == pytest.approx(expected_crossings(phi, 1000), rel=0.05)


def test_a_touch_is_no_crossing() -> None:
    assert zero_crossings(np.array([1.0, 0.0, 1.0, 0.0, -1.0, -1.0])) == 1


def test_none_of_a_spread_that_does_not_vary() -> None:
    still = np.full(50, 0.1)
    assert robust_z(still) is None
    assert ewma_z(np.ones(50), 10) is None
    assert rolling_z(np.ones(50), 10) is None


def test_bounds() -> None:
    spike = np.array([0.0] * 239 + [1.0])
    assert rolling_z(spike, 240) == pytest.approx(zscore_bound(240))
    assert robust_z(spike) is None


def test_kinds() -> None:
    y, x = np.array([2.0, 6.0]), np.array([1.0, 2.0])
    assert unhedged(SpreadKind.DIFFERENCE, y, x).tolist() == [1.0, 4.0]
    assert unhedged(SpreadKind.RATIO, y, x).tolist() == [2.0, 3.0]
    assert unhedged(SpreadKind.LOG_RATIO, y, x).tolist() == pytest.approx([math.log(2), math.log(3)])
    with pytest.raises(ValueError, match="alpha and beta"):
        unhedged(SpreadKind.HEDGED, y, x)
