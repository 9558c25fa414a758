"""How many of many tests pass by chance: false discovery rates of a scan."""

import numpy as np

from quantui.market.frames import Floats


def q_values(p_values: Floats, *, dependent: bool = False) -> Floats:
    """The smallest false discovery rate at which each test is still a discovery.

    Args:
        p_values: (P,); NaN where there was no test.
        dependent: any dependence between the tests (Benjamini & Yekutieli 2001) instead of independent or positively
            dependent ones (Benjamini & Hochberg 1995).

    Returns:
        (P,); NaN where there was no test.
    """
    out = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    count = len(tested)
    if count == 0:
        return out
    order = tested[np.argsort(p_values[tested])]
    ranks = np.arange(1, count + 1)
    factor = float((1.0 / ranks).sum()) if dependent else 1.0
    raw = p_values[order] * (count * factor) / ranks
    out[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return out
