"""What robust and drifting hedge ratios say of the few pairs that a scan has put first."""

from dataclasses import dataclass

import numpy as np

from quantui.analytics.estimators import Estimator, hedge_line
from quantui.analytics.hedge import fit_line
from quantui.market.frames import Floats, Ints


@dataclass(frozen=True, slots=True)
class Candidates:
    """One value a pair; NaN where an estimator has nothing to say."""

    huber_beta: Floats
    theil_sen_beta: Floats
    kalman_beta: Floats
    """After the newest bar."""
    kalman_zscore: Floats
    """The newest bar's innovation in its standard deviation."""


def candidates(levels: Floats, y: Ints, x: Ints) -> Candidates:
    """Of the pairs (y[i], x[i]), rows of `levels` (N, n); milliseconds a pair, so for some hundreds of them at most."""
    dependent, other = levels[y], levels[x]
    least = fit_line(dependent, other)
    huber, theil_sen, drifting = (
        hedge_line(each, dependent, other, least) for each in (Estimator.HUBER, Estimator.THEIL_SEN, Estimator.KALMAN)
    )
    assert drifting.innovation is not None
    assert drifting.innovation_sd is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        return Candidates(huber.beta, theil_sen.beta, drifting.beta, drifting.innovation / drifting.innovation_sd)
