"""One leg against several, beside statsmodels."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant
from statsmodels.tsa.stattools import coint

from quantui.analytics.several import several_legs
from quantui.analytics.stationarity import Missing
from tests.analytics.series import reverting, walk


def test_ratios_errors_score_and_test_are_statsmodels() -> None:
    random = np.random.default_rng(4)
    others = np.column_stack((4 + walk(random, 240), 9 + walk(random, 240)))
    y = 0.3 + others @ np.array([0.8, -0.4]) + reverting(random, 240, 0.8, 0.005)
    found = several_legs(y, others, ["A", "B"], 100)
    assert isinstance(found, dict)
    fit = OLS(y, add_constant(others)).fit()
    legs = found["legs"]
    assert isinstance(legs, dict)
    for place, name in enumerate("AB", 1):
        assert (legs[name]["beta"], legs[name]["beta_se"], legs[name]["t"]) == pytest.approx(
            (fit.params[place], fit.bse[place], fit.tvalues[place]), rel=1e-8
        )
    assert (found["alpha"], found["r_squared"]) == pytest.approx((fit.params[0], fit.rsquared), rel=1e-8)
    recent = fit.resid[-100:]
    assert found["zscore"] == pytest.approx((recent[-1] - recent.mean()) / recent.std(ddof=1), rel=1e-7)
    stat, chance, _ = coint(y, others)
    test = found["engle_granger"]
    assert isinstance(test, dict)
    assert (test["stat"], test["p_value"]) == pytest.approx((stat, chance), rel=1e-7)


def test_what_cannot_be_had_has_a_reason() -> None:
    random = np.random.default_rng(5)
    x, y = walk(random, 60), walk(random, 60)
    assert several_legs(y[:4], np.column_stack((x, y))[:4], ["A", "B"], 4) == Missing("4/5 bars")
    assert several_legs(y, np.column_stack((x, 2 * x)), ["A", "B"], 60) == Missing("the legs are linearly dependent")
    assert several_legs(y, np.column_stack((x, np.ones(60))), ["A", "B"], 60) == Missing("a leg is constant")
    three = several_legs(y, np.column_stack((x, walk(random, 60), walk(random, 60))), ["A", "B", "C"], 60)
    assert isinstance(three, dict)
    assert three["engle_granger"] == {"reason": "p-values are tabled for two legs beside y at most"}
