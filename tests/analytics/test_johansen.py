"""Johansen's test beside statsmodels, and where it has nothing to say."""

import numpy as np
import pytest
from statsmodels.tsa.vector_ar.vecm import VECM, coint_johansen

from quantui.analytics.johansen import critical_values, hedge, johansen
from quantui.market.frames import Floats
from tests.analytics.series import pair, walk


def systems(count: int, n: int, series: int) -> Floats:
    random = np.random.default_rng(n)
    levels = np.stack([[walk(random, n) for _ in range(series)] for _ in range(count)])
    levels[:, 0] = 0.8 * levels[:, 1] + 0.02 * random.normal(size=(count, n))
    return np.ascontiguousarray(levels.mT)


@pytest.mark.parametrize("lags", [1, 4])
@pytest.mark.parametrize("series", [2, 3, 5])
def test_statistics_and_vectors(series: int, lags: int) -> None:
    levels = systems(4, 200, series)
    ours = johansen(levels, lags)
    for row in range(4):
        theirs = coint_johansen(levels[row], 0, lags)
        assert ours.trace[row].tolist() == pytest.approx(theirs.lr1.tolist(), rel=1e-8, abs=1e-9)
        assert ours.max_eig[row].tolist() == pytest.approx(theirs.lr2.tolist(), rel=1e-8, abs=1e-9)
        vector = theirs.evec[:, 0] / theirs.evec[0, 0]
        assert ours.vectors[row, 0].tolist() == pytest.approx(vector.tolist(), rel=1e-7, abs=1e-9)
        trace, largest = critical_values(series)
        assert [list(level.values()) for level in trace] == theirs.cvt.tolist()
        assert [list(level.values()) for level in largest] == theirs.cvm.tolist()


@pytest.mark.parametrize("inside", [False, True])
def test_speeds_and_errors(inside: bool) -> None:
    levels = systems(2, 300, 3)
    ours = johansen(levels, 1, inside=inside)
    for row in range(2):
        theirs = VECM(levels[row], k_ar_diff=1, coint_rank=1, deterministic="ci" if inside else "co").fit()
        assert ours.speeds[row, 0].tolist() == pytest.approx(theirs.alpha[:, 0].tolist(), rel=1e-7)
        assert ours.errors[row].tolist() == pytest.approx(theirs.stderr_coint[:, 0].tolist(), rel=1e-7)
        if inside:
            assert ours.vectors[row, 0, 3] == pytest.approx(float(theirs.det_coef_coint[0, 0]), rel=1e-7)


def test_hedge_does_not_depend_on_which_leg_is_called_y() -> None:
    y, x = (np.log(leg)[None] for leg in pair(np.random.default_rng(1), 240))
    _, beta, error = hedge(y, x)
    _, back, _ = hedge(x, y)
    assert float(beta[0]) == pytest.approx(1.0 / float(back[0]), rel=1e-9)
    assert float(error[0]) > 0


def test_a_singular_system_is_nan_and_leaves_the_others_alone() -> None:
    levels = systems(3, 120, 2)
    levels[1, :, 1] = 2.0 * levels[1, :, 0]
    together = johansen(levels)
    assert np.isnan(together.trace[1]).all()
    assert np.isnan(together.vectors[1]).all()
    assert together.trace[2].tolist() == johansen(levels[2:]).trace[0].tolist()
