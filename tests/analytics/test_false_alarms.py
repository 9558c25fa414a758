"""The table of false alarms, made again in part, and where it ends."""

import numpy as np
import pytest

from benchmarks.false_alarms import cell, rates, zscores
from quantui.analytics.estimators import Estimator
from quantui.analytics.false_alarms import THRESHOLDS, false_alarms, rearm_level, white_alarms
from quantui.analytics.spread import pair_history, zscore_bound
from tests.analytics.series import walk

MINUTE, DAY_BARS = 60_000, 1440


def test_the_simulation_publishes_what_the_monitor_publishes() -> None:
    random = np.random.default_rng(1)
    fast = zscores(random, 2, 60, 20, 40)
    random = np.random.default_rng(1)
    y, x = (np.cumsum(random.normal(size=(99, 2)), axis=0) for _ in range(2))
    for one in range(2):
        slow = pair_history(np.exp(0.01 * y[:, one]), np.exp(0.01 * x[:, one]), window=60, z_window=20, last=40)
        np.testing.assert_allclose(fast[:, one], slow.zscore, rtol=1e-6)


def test_alerts_are_counted_once_until_they_are_armed_again() -> None:
    z = np.array([[0.0, 2.5, 1.6, 2.5, 0.9, -2.1, 3.0]]).T
    assert rates(z, 2.0) == (4 / 7, 2 / 6)
    assert rearm_level(2.0) == 1.25


@pytest.mark.parametrize(("window", "z_window"), [(160, 20), (80, 40), (80, 80)])
def test_the_table_is_what_the_simulation_gives(window: int, z_window: int) -> None:
    """Another seed, one part in thirty of the work."""
    shares, alerts = cell(window, z_window, values=1_000_000, seed=7)
    for threshold, share, in_z in list(zip(THRESHOLDS, shares, alerts, strict=True))[:4]:
        ours = false_alarms(window, z_window, threshold, MINUTE)
        assert ours.share == pytest.approx(share, rel=0.12)
        assert ours.per_day == pytest.approx(in_z / z_window * DAY_BARS, rel=0.12)


@pytest.mark.parametrize(("window", "z_window", "threshold"), [(240, 60, 2.0), (240, 240, 2.25), (300, 250, 1.8)])
def test_between_the_entries(window: int, z_window: int, threshold: float) -> None:
    z = zscores(np.random.default_rng(8), 1000, window, z_window, 4 * window)
    share, alerts = rates(z, threshold)
    ours = false_alarms(window, z_window, threshold, MINUTE)
    assert [ours.share, ours.per_day] == pytest.approx([share, alerts * DAY_BARS], rel=0.12)


def test_no_alarm_beyond_the_bound_and_more_at_lower_thresholds_and_shorter_bars() -> None:
    assert false_alarms(240, 10, 3.0, MINUTE).per_day == 0.0
    assert zscore_bound(10) < 3.0
    counts = [false_alarms(240, 240, threshold, MINUTE).per_day for threshold in (0.5, 1.0, 1.7, 2.0, 3.3, 4.0, 9.0)]
    assert counts == sorted(counts, reverse=True)
    assert false_alarms(240, 240, 2.0, 1000).per_day == pytest.approx(60 * false_alarms(240, 240, 2.0, MINUTE).per_day)


@pytest.mark.parametrize("threshold", [1.0, 2.0, 2.5])
def test_alarms_of_independent_zscores(threshold: float) -> None:
    share, alerts = rates(np.random.default_rng(9).normal(size=(2000, 200)), threshold)
    ours = white_alarms(threshold, MINUTE)
    assert [ours.share, ours.per_day] == pytest.approx([share, alerts * DAY_BARS], rel=0.03)
    assert white_alarms(60.0, MINUTE).per_day == 0.0


def test_a_filter_s_zscores_of_unrelated_walks_are_such() -> None:
    random = np.random.default_rng(10)
    z = [
        pair_history(
            np.exp(walk(random, 219)), np.exp(walk(random, 219)), window=120, z_window=120, last=100, estimator=Estimator.KALMAN
        ).zscore
        for _ in range(20)
    ]
    assert float((np.abs(z) >= 2.0).mean()) == pytest.approx(white_alarms(2.0, MINUTE).share, abs=0.015)


@pytest.mark.parametrize(
    ("estimator", "times"),
    [(Estimator.TLS, 1.0), (Estimator.DOLS, 1.0), (Estimator.RETURNS, 1.0), (Estimator.JOHANSEN, 1 / 3)],
)
def test_how_often_other_estimators_alarm_beside_least_squares(estimator: Estimator, times: float) -> None:
    """What the report notes."""
    random = np.random.default_rng(11)
    z = [
        pair_history(
            np.exp(walk(random, 360)), np.exp(walk(random, 360)), window=120, z_window=120, last=241, estimator=estimator
        ).zscore
        for _ in range(80)
    ]
    assert float((np.abs(z) >= 2.0).mean()) == pytest.approx(times * false_alarms(120, 120, 2.0, MINUTE).share, rel=0.2)
