"""One leg against several: y = alpha + beta_1 x_1 + ... + beta_k x_k, its spread, and whether that reverts."""

import math
from collections.abc import Sequence

import numpy as np

from quantui.analytics.cointegration import residual_tests
from quantui.analytics.hedge import ROUNDING
from quantui.analytics.multi import regress
from quantui.analytics.stationarity import Missing, UnitRoot
from quantui.market.frames import Floats

_TABLED = 2
"""Regressors up to which MacKinnon's p-values are tabled here."""


def several_legs(y: Floats, others: Floats, names: Sequence[str], z_window: int) -> dict[str, object] | Missing:
    """JSON-ready: ratios with both kinds of errors, the newest spread and z-score, and Engle-Granger's test of the residual.

    Args:
        y: (n,) dependent levels.
        others: (n, k) levels of the other legs.
        names: (k,) theirs.
        z_window: Z, bars of the z-score.
    """
    n, k = others.shape
    if n <= k + 2:
        return Missing(f"{n}/{k + 3} bars")
    if (np.ptp(others, axis=0) <= ROUNDING * np.abs(others[-1])).any() or np.ptp(y) <= ROUNDING * abs(y[-1]):
        return Missing("a leg is constant")
    fit = regress(y, others)
    if not math.isfinite(float(fit.alpha)):
        return Missing("the legs are linearly dependent")
    recent = fit.residuals[-z_window:]
    std = float(recent.std(ddof=1))
    test: UnitRoot | Missing = Missing("p-values are tabled for two legs beside y at most")
    if k <= _TABLED:
        test = residual_tests(fit.residuals[None], np.array([fit.r_squared]), regressors=k)[0]
    return {
        "alpha": float(fit.alpha),
        "r_squared": float(fit.r_squared),
        "legs": {
            name: {"beta": float(beta), "beta_se": float(error), "robust_se": float(robust), "t": float(beta / error)}
            for name, beta, error, robust in zip(names, fit.betas, fit.errors, fit.robust_errors, strict=True)
        },
        "spread": float(recent[-1]),
        "spread_std": std,
        "zscore": float((recent[-1] - recent.mean()) / std) if std > 0 else None,
        "engle_granger": {"reason": test.reason}
        if isinstance(test, Missing)
        else {"stat": test.stat, "p_value": test.p_value, "lags": test.lags, "critical": dict(test.critical)},
    }
