"""Series with known properties."""

import numpy as np

from quantui.market.frames import Floats


def walk(random: np.random.Generator, n: int, step: float = 0.01) -> Floats:
    """A random walk (n,)."""
    path: Floats = np.cumsum(random.normal(scale=step, size=n))
    return path


def reverting(random: np.random.Generator, n: int, phi: float, step: float = 0.01) -> Floats:
    """An AR(1) that starts in its stationary distribution (a walk for phi = 1)."""
    shocks = random.normal(scale=step, size=n)
    out = np.empty(n)
    out[0] = shocks[0] / np.sqrt(1 - phi * phi) if phi < 1 else shocks[0]
    for t in range(1, n):
        out[t] = phi * out[t - 1] + shocks[t]
    return out


def pair(random: np.random.Generator, n: int, phi: float = 0.9) -> tuple[Floats, Floats]:
    """Closes of two legs whose log spread reverts by phi."""
    x = 4 + walk(random, n)
    y = 0.5 + 0.8 * x + reverting(random, n, phi, 0.005)
    return np.exp(y), np.exp(x)
