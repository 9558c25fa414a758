"""How many of many tests pass by chance: false discovery rates of a scan."""

import numpy as np

from quantui.market.frames import Floats


def q_values(p_values: Floats) -> tuple[Floats, Floats]:
    """The smallest false discovery rate at which each test is still a discovery.

    Args:
        p_values: (P,); NaN where there was no test.

    Returns:
        (P,) and (P,), NaN where there was no test: for tests that are independent or positively dependent (Benjamini & Hochberg
        1995), and under any dependence (Benjamini & Yekutieli 2001).
    """
    hochberg, yekutieli = np.full(len(p_values), np.nan), np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    if len(tested) == 0:
        return hochberg, yekutieli
    order = tested[np.argsort(p_values[tested])]
    ranks = np.arange(1, len(order) + 1)
    raw = p_values[order] * len(order) / ranks
    rates = np.minimum.accumulate(raw[::-1])[::-1]
    hochberg[order] = np.minimum(rates, 1.0)
    yekutieli[order] = np.minimum(rates * (1.0 / ranks).sum(), 1.0)
    return hochberg, yekutieli
