"""How often the cointegration gate passes: pairs that have nothing to do with each other, and pairs whose spread reverts.

Run: python -m benchmarks.gate [--json FILE]
"""

import numpy as np

from benchmarks.table import Row, make_parser, report
from quantui.analytics.gates import GateSettings
from quantui.analytics.hedge import fit_line
from quantui.analytics.pair import pair_statistics
from quantui.analytics.stationarity import UnitRoot, adf_batch
from quantui.market.frames import Floats

PAIRS = 2_000
LENGTHS = (120, 240, 500)
SHARES = (40, 20, 10)
"""Half-lives, as so many of them in a window."""


def walks(random: np.random.Generator, n: int) -> Floats:
    """(PAIRS, n) logarithms."""
    found: Floats = random.normal(scale=0.001, size=(PAIRS, n)).cumsum(-1)
    return found


def reverting(random: np.random.Generator, n: int, half_life: float) -> Floats:
    """(PAIRS, n) Ornstein-Uhlenbeck spreads sampled at the bars, from their stationary distribution."""
    phi = 0.5 ** (1.0 / half_life)
    out = np.empty((PAIRS, n))
    out[:, 0] = random.normal(size=PAIRS) / np.sqrt(1 - phi * phi)
    for t in range(1, n):
        out[:, t] = phi * out[:, t - 1] + random.normal(size=PAIRS)
    return 0.001 * out


def passing(y: Floats, x: Floats) -> float:
    """Share of pairs of logarithms that the gate lets through, in percent."""
    n, limit = y.shape[-1], GateSettings().cointegration.limit
    tests = [pair.engle_granger for pair in pair_statistics(np.exp(y), np.exp(x), window=n, bar_ms=60_000)]
    return 100 * sum(test is not None and test.p_value <= limit for test in tests) / len(tests)


def plain(y: Floats, x: Floats) -> float:
    """The same with the p-value everybody takes: Dickey-Fuller's, of a series that was observed and not fitted."""
    tests = adf_batch(fit_line(y, x).residuals)
    return 100 * sum(isinstance(test, UnitRoot) and test.p_value <= 0.05 for test in tests) / len(tests)


def main() -> int:
    options = make_parser(__doc__ or "").parse_args()
    rows = []
    for n in LENGTHS:
        random = np.random.default_rng(n)
        x, y = walks(random, n), walks(random, n)
        size = passing(y, x)
        rows.append(Row(f"unrelated, n = {n}: gate passes", size, "%", goal="3 to 9", met=3 <= size <= 9))
        rows.append(Row(f"unrelated, n = {n}: plain ADF would pass", plain(y, x), "%"))
        for share in SHARES:
            spread = reverting(random, n, n / share)
            rows.append(Row(f"half-life n/{share} = {n / share:g}, n = {n}: gate passes", passing(0.8 * x + spread, x), "%"))
    return 0 if report(f"The cointegration gate, {PAIRS} simulated pairs each", rows, options.json) else 1


if __name__ == "__main__":
    raise SystemExit(main())
