"""How often the cointegration gate passes what is nothing, and what is something (docs/statistics.md)."""

import numpy as np
import pytest

from quantui.analytics.gates import GateSettings
from quantui.analytics.pair import pair_statistics
from quantui.market.frames import Floats

PAIRS = 2_000


def _passing(y: Floats, x: Floats) -> float:
    """Share of pairs of logarithms (P, n) with a p-value at or below the gate's limit."""
    pairs = pair_statistics(np.exp(y), np.exp(x), window=y.shape[-1], bar_ms=60_000)
    tests = [pair.engle_granger for pair in pairs]
    return sum(test is not None and test.p_value <= GateSettings().cointegration.limit for test in tests) / len(tests)


def _walks(random: np.random.Generator, n: int) -> Floats:
    found: Floats = random.normal(scale=0.001, size=(PAIRS, n)).cumsum(-1)
    return found


@pytest.mark.parametrize("n", [120, 240, 500])
def test_of_unrelated_pairs_about_as_many_pass_as_the_level_says(n: int) -> None:
    random = np.random.default_rng(n)
    assert 0.03 <= _passing(_walks(random, n), _walks(random, n)) <= 0.09


@pytest.mark.parametrize(("n", "least"), [(120, 0.75), (240, 0.8), (500, 0.8)])
def test_spreads_that_revert_forty_times_a_window_are_found(n: int, least: float) -> None:
    random, phi = np.random.default_rng(n), 0.5 ** (40 / n)
    x, spread = _walks(random, n), np.empty((PAIRS, n))
    spread[:, 0] = random.normal(size=PAIRS) / np.sqrt(1 - phi * phi)
    for t in range(1, n):
        spread[:, t] = phi * spread[:, t - 1] + random.normal(size=PAIRS)
    assert _passing(0.8 * x + 0.001 * spread, x) >= least
