"""Which way the pairs of a market are tested: compiled where numba is there, else numpy."""

import numpy as np

from quantui.analytics.moments import Moments, Update
from quantui.analytics.sweep import Engine
from quantui.analytics.sweep_numpy import residual_sweep


def best_engine() -> tuple[Engine, Update | None]:
    """The compiled engine, compiled first where it must be (some seconds, once a machine); numpy's where numba cannot be had."""
    try:
        from quantui.analytics import sweep_numba
    except ImportError:
        return residual_sweep, None
    return sweep_numba.residual_sweep, sweep_numba.update


def compile_engine() -> None:
    """Compile, or load what was compiled once: for a thread in the background, so that the first scan need not wait."""
    engine, update = best_engine()
    moments = Moments.of(np.random.default_rng(1).normal(size=(3, 40)).cumsum(-1))
    moments.slide(np.zeros(3), update)
    engine(moments, np.array([0, 1]), np.array([1, 2]))
