"""How often a z-score passes a threshold although there is nothing there: two random walks that have nothing to do with each other.

No formula is known. The tables are simulated by `benchmarks/false_alarms.py`, which tests run again in part. Gates let fewer alerts
pass; one on cointegration lets through those walks that look most like a pair.
"""

import math
from dataclasses import dataclass

import numpy as np

from quantui.analytics.spread import zscore_bound

RATIOS = (1 / 8, 1 / 2, 1.0)
"""Z/W."""
Z_WINDOWS = (10, 20, 40, 80, 160, 320, 640)
THRESHOLDS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
_EXIT = 0.5
_DAY_MS = 86_400_000
_NEVER = 1e-7
"""Stands for none in the simulation, so that there is a logarithm."""

_Table = tuple[tuple[tuple[float, ...], ...], ...]

# by ratio, Z and threshold: share of bars at or beyond the threshold, and alerts in Z bars
_SHARES: _Table = (
    (
        (0.519, 0.245, 0.0555, 0.0019, 0, 0, 0),
        (0.542, 0.294, 0.105, 0.0211, 0.00176, 2.79e-05, 0),
        (0.554, 0.316, 0.131, 0.0363, 0.00636, 0.000632, 2.94e-05),
        (0.56, 0.327, 0.143, 0.0448, 0.00986, 0.00149, 0.000147),
        (0.563, 0.333, 0.15, 0.0496, 0.012, 0.00214, 0.000279),
        (0.564, 0.335, 0.153, 0.052, 0.0133, 0.00254, 0.000365),
        (0.564, 0.337, 0.154, 0.0529, 0.0138, 0.00269, 0.000404),
    ),
    (
        (0.502, 0.245, 0.0608, 0.00234, 0, 0, 0),
        (0.529, 0.295, 0.114, 0.0252, 0.00231, 3.88e-05, 0),
        (0.543, 0.319, 0.141, 0.0431, 0.00827, 0.000878, 4.15e-05),
        (0.55, 0.331, 0.155, 0.0531, 0.0128, 0.00207, 0.000218),
        (0.554, 0.337, 0.162, 0.0585, 0.0154, 0.00294, 0.000403),
        (0.555, 0.339, 0.165, 0.0612, 0.0169, 0.00346, 0.000516),
        (0.556, 0.341, 0.167, 0.0628, 0.0177, 0.00375, 0.000607),
    ),
    (
        (0.437, 0.202, 0.0504, 0.00208, 0, 0, 0),
        (0.479, 0.259, 0.102, 0.0244, 0.00253, 4.84e-05, 0),
        (0.501, 0.289, 0.132, 0.0433, 0.00931, 0.00115, 6.63e-05),
        (0.512, 0.304, 0.147, 0.0543, 0.0146, 0.00272, 0.000328),
        (0.518, 0.311, 0.155, 0.0604, 0.0178, 0.00384, 0.000593),
        (0.521, 0.315, 0.158, 0.0631, 0.0193, 0.00446, 0.000766),
        (0.523, 0.317, 0.161, 0.065, 0.0204, 0.00491, 0.000891),
    ),
)
_ALERTS: _Table = (
    (
        (1.45, 1.12, 0.442, 0.0189, 0, 0, 0),
        (2.01, 1.53, 0.915, 0.298, 0.0326, 0.000557, 0),
        (2.67, 1.94, 1.24, 0.58, 0.158, 0.0208, 0.00112),
        (3.41, 2.34, 1.51, 0.785, 0.283, 0.0634, 0.00831),
        (4.22, 2.74, 1.74, 0.94, 0.382, 0.107, 0.0197),
        (5.08, 3.11, 1.92, 1.05, 0.454, 0.141, 0.0299),
        (5.9, 3.42, 2.08, 1.14, 0.5, 0.164, 0.0388),
    ),
    (
        (1.56, 1.17, 0.476, 0.0231, 0, 0, 0),
        (2.22, 1.66, 0.997, 0.35, 0.0425, 0.000769, 0),
        (3, 2.16, 1.38, 0.678, 0.201, 0.0286, 0.00156),
        (3.88, 2.65, 1.71, 0.923, 0.359, 0.0872, 0.0122),
        (4.87, 3.14, 1.99, 1.12, 0.48, 0.144, 0.0286),
        (5.9, 3.6, 2.23, 1.26, 0.568, 0.189, 0.0431),
        (6.96, 4.02, 2.44, 1.37, 0.638, 0.223, 0.0559),
    ),
    (
        (1.72, 1.16, 0.424, 0.0206, 0, 0, 0),
        (2.56, 1.82, 1.03, 0.359, 0.0469, 0.000959, 0),
        (3.59, 2.49, 1.54, 0.75, 0.235, 0.038, 0.00251),
        (4.77, 3.17, 1.98, 1.07, 0.437, 0.117, 0.0186),
        (6.08, 3.83, 2.37, 1.32, 0.599, 0.197, 0.0434),
        (7.48, 4.46, 2.7, 1.52, 0.717, 0.256, 0.066),
        (8.9, 5.01, 2.97, 1.67, 0.803, 0.306, 0.0839),
    ),
)


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """What to expect of a pair that is none."""

    share: float
    """Of bars at or beyond the threshold."""
    per_day: float
    """Alerts, each armed again at `rearm_level`."""


def rearm_level(threshold: float) -> float:
    """|z| at which an alert may fire again: halfway between 0.5 and the threshold, as rules have it unless told otherwise."""
    return (_EXIT + threshold) / 2.0


def false_alarms(window: int, z_window: int, threshold: float, bar_ms: int) -> FalseAlarms:
    """Expected share of bars and alerts a day, before gates.

    Logarithms are interpolated between the tables' entries; beyond their ends the nearest stands. For |z| above 4 and Z below 10
    that is more than the truth, for Z above 640 a little less.

    Args:
        window: W, bars of the regression.
        z_window: Z, bars of the z-score.
        threshold: |z| of the alert, positive.
        bar_ms: length of a bar.
    """
    if threshold > zscore_bound(z_window):
        return FalseAlarms(0.0, 0.0)
    share, alerts = (_interpolate(table, z_window / window, z_window, threshold) for table in (_SHARES, _ALERTS))
    return FalseAlarms(share, alerts / z_window * _DAY_MS / bar_ms)


def white_alarms(threshold: float, bar_ms: int) -> FalseAlarms:
    """Expected of z-scores that are independent and normal, as a filter's standardised innovations are of walks too."""
    share, back = math.erfc(threshold / math.sqrt(2.0)), math.erf(rearm_level(threshold) / math.sqrt(2.0))
    bars = 1.0 / share + 1.0 / back if share > 0.0 else math.inf  # from one alert to the next: until armed, until beyond
    return FalseAlarms(share, _DAY_MS / bar_ms / bars)


def _interpolate(table: _Table, ratio: float, z_window: int, threshold: float) -> float:
    lengths = np.log(Z_WINDOWS)
    by_ratio = []
    for rows in table:
        by_length = [float(np.interp(threshold, THRESHOLDS, np.log(np.maximum(row, _NEVER)))) for row in rows]
        by_ratio.append(float(np.interp(math.log(z_window), lengths, by_length)))
    return math.exp(float(np.interp(ratio, RATIOS, by_ratio)))
