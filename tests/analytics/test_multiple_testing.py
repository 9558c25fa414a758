"""False discovery rates: the fifteen p-values of Benjamini & Hochberg (1995)."""

import numpy as np
from scipy.stats import false_discovery_control

from quantui.analytics.multiple_testing import q_values

PUBLISHED = np.array(
    [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
)


def test_the_paper_rejects_four_and_three_under_dependence() -> None:
    assert [int((rates <= 0.05).sum()) for rates in q_values(PUBLISHED)] == [4, 3]


def test_as_scipy_in_any_order() -> None:
    p = np.random.default_rng(3).uniform(size=200) ** 2
    hochberg, yekutieli = q_values(p)
    np.testing.assert_allclose(hochberg, false_discovery_control(p, method="bh"), rtol=1e-12)
    np.testing.assert_allclose(yekutieli, false_discovery_control(p, method="by"), rtol=1e-12)


def test_what_was_not_tested_has_no_rate_and_does_not_count() -> None:
    with_holes = np.insert(PUBLISHED, [0, 7], np.nan)
    for ours, whole in zip(q_values(with_holes), q_values(PUBLISHED), strict=True):
        np.testing.assert_array_equal(ours[~np.isnan(with_holes)], whole)
        assert np.isnan(ours[[0, 8]]).all()
    assert np.isnan(q_values(np.array([np.nan]))).all()
