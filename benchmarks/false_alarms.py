"""Derives the table of quantui/analytics/false_alarms.py: how often unrelated random walks pass a z-score threshold.

`python -m benchmarks.false_alarms`: two independent walks, least squares over W bars at every bar, z-score over the last Z spreads
with the coefficients of that bar, as the monitor publishes it. Takes minutes; the seed is fixed.
"""

from collections.abc import Iterator

import numpy as np

from quantui.analytics.false_alarms import RATIOS, THRESHOLDS, Z_WINDOWS, rearm_level
from quantui.market.frames import Floats

SEED = 20260102
VALUES = 32_000_000
"""z-scores simulated for each cell."""
_CHUNK = 1_000_000


def zscores(random: np.random.Generator, walks: int, window: int, z_window: int, bars: int) -> Floats:
    """(bars, walks) published z-scores of pairs of unrelated walks."""
    y, x = (np.cumsum(random.normal(size=(bars + window - 1, walks)), axis=0) for _ in range(2))
    sums = {name: np.cumsum(np.pad(values, ((1, 0), (0, 0))), axis=0) for name, values in _moments(y, x)}
    over = {name: total[window:] - total[:-window] for name, total in sums.items()}
    beta = (over["xy"] - over["x"] * over["y"] / window) / (over["xx"] - over["x"] ** 2 / window)
    part = {name: total[window:] - total[window - z_window : -z_window] for name, total in sums.items()}
    mean = (part["y"] - beta * part["x"]) / z_window
    squares = part["yy"] - 2.0 * beta * part["xy"] + beta**2 * part["xx"] - z_window * mean**2
    z: Floats = (y[window - 1 :] - beta * x[window - 1 :] - mean) / np.sqrt(squares / (z_window - 1))
    return z


def rates(z: Floats, threshold: float) -> tuple[float, float]:
    """(share of bars at or beyond the threshold, alerts a bar) of z (bars, walks), an alert armed again at `rearm_level`."""
    size = np.abs(z)
    beyond, back = size >= threshold, size <= rearm_level(threshold)
    armed, alerts = back[0].copy(), 0  # a walk that starts beyond has already told
    for bar in range(1, len(z)):
        fired = armed & beyond[bar]
        alerts += int(fired.sum())
        armed = (armed & ~fired) | back[bar]
    return float(beyond.mean()), alerts / z[1:].size


def cell(window: int, z_window: int, values: int = VALUES, seed: int = SEED) -> tuple[list[float], list[float]]:
    """Shares of bars, and alerts in Z bars, by threshold."""
    random = np.random.default_rng([seed, window, z_window])
    bars = 4 * window
    walks = max(1, min(values, _CHUNK) // bars)
    chunks = max(1, values // (walks * bars))
    total = np.zeros((2, len(THRESHOLDS)))
    for _ in range(chunks):
        z = zscores(random, walks, window, z_window, bars)
        found = [rates(z, threshold) for threshold in THRESHOLDS]
        total += np.array(found).T / chunks
    shares, alerts = total
    return shares.tolist(), (alerts * z_window).tolist()


def _moments(y: Floats, x: Floats) -> Iterator[tuple[str, Floats]]:
    yield from (("y", y), ("x", x), ("yy", y * y), ("xy", x * y), ("xx", x * x))


def _print_table() -> None:
    cells = [[cell(round(z_window / ratio), z_window) for z_window in Z_WINDOWS] for ratio in RATIOS]
    for name, part in (("_SHARES", 0), ("_ALERTS", 1)):
        print(f"{name} = (")
        for row in cells:
            print("    (")
            for entry in row:
                print(f"        ({', '.join(f'{value:.3g}' for value in entry[part])}),")
            print("    ),")
        print(")")


if __name__ == "__main__":
    _print_table()
