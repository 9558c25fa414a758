"""The few pairs a scan has put first, by other estimators: the same numbers as for one pair."""

import numpy as np
import pytest

from quantui.analytics.candidates import candidates
from quantui.analytics.estimators import Estimator
from quantui.analytics.pair import pair_statistics
from tests.analytics.test_universe import market


def test_each_is_what_the_monitor_says_of_that_pair_alone() -> None:
    levels = market(6, 120)
    y, x = np.array([2, 0, 5]), np.array([1, 3, 4])
    found = candidates(levels, y, x)
    for place in range(3):
        legs = np.exp(levels[y[place]]), np.exp(levels[x[place]])
        for estimator, beta in (
            (Estimator.HUBER, found.huber_beta),
            (Estimator.THEIL_SEN, found.theil_sen_beta),
            (Estimator.KALMAN, found.kalman_beta),
        ):
            alone = pair_statistics(*legs, window=120, bar_ms=60_000, estimator=estimator)[0]
            assert beta[place] == pytest.approx(alone.beta, rel=1e-8)
            if estimator is Estimator.KALMAN:
                assert found.kalman_zscore[place] == pytest.approx(alone.zscore, rel=1e-8)


def test_of_nothing_nothing() -> None:
    none = np.zeros(0, int)
    assert candidates(market(3, 60), none, none).huber_beta.shape == (0,)
