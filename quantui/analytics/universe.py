"""Every ordered pair of a market at once: Engle-Granger with AIC lags, z-score, half-life, and what chance would find.

The numbers of a pair are those of `cointegration.engle_granger`: same lag, statistic within 1e-8. See docs/statistics.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from quantui.analytics.cointegration import residual_tests
from quantui.analytics.half_life import half_life
from quantui.analytics.hedge import ROUNDING, fit_line
from quantui.analytics.mackinnon import p_values
from quantui.analytics.moments import Moments, Update
from quantui.analytics.multiple_testing import q_values
from quantui.analytics.stationarity import Missing, UnitRoot, too_short
from quantui.analytics.sweep import Engine, Residuals
from quantui.analytics.sweep_numpy import residual_sweep
from quantui.market.frames import Floats, Ints

CHANCE = 0.05
"""The p-value that `expected_by_chance` speaks of."""
RECOMPUTE_BARS = 300
"""After so many bars the moments are computed from the levels again: rounding must not add up."""
_DIRECT_BLOCK = 1024
_NOTHING = np.empty(0)


@dataclass(slots=True)
class Table:
    """What is known of P pairs; every array is (P,), NaN where it cannot be had."""

    symbols: Sequence[str]
    y: Ints
    """Places in `symbols`."""
    x: Ints
    n: int
    alpha: Floats
    beta: Floats
    r_squared: Floats
    correlation: Floats
    """Of log returns."""
    eg_stat: Floats
    eg_p: Floats
    lags: Ints
    half_life: Floats
    """Bars; NaN where the spread does not revert."""
    zscore: Floats
    spread_std: Floats
    q_bh: Floats
    q_by: Floats
    reasons: Mapping[int, str]
    """By place in the table: why a pair has no test."""

    @property
    def tests(self) -> int:
        """Pairs that were tested."""
        return int(np.isfinite(self.eg_p).sum())

    @property
    def expected_by_chance(self) -> float:
        """How many of them would have p <= 0.05 if no pair of the market were cointegrated."""
        return CHANCE * self.tests

    def let_go(self) -> None:
        """Free the columns one by one: all at once, other threads would wait some milliseconds for it. The table is empty then."""
        for column in fields(self):
            if isinstance(getattr(self, column.name), np.ndarray):
                setattr(self, column.name, _NOTHING)

    def order(self) -> Ints:
        """Places from the most to the least remarkable: by q, then |z|, then p; what was not tested is last."""
        order: Ints = np.lexsort((self.eg_p, -np.abs(np.nan_to_num(self.zscore)), np.nan_to_num(self.q_bh, nan=math.inf)))
        return order


def usable(closes: Mapping[str, Floats], window: int) -> tuple[list[str], Floats, dict[str, str]]:
    """(symbols, their (N, window) log closes, reason by symbol left out) of closes that end with the same bar."""
    symbols, rows, left_out = [], [], {}
    for symbol, series in closes.items():
        recent = np.asarray(series, np.float64)[-window:]
        if len(recent) < window:
            left_out[symbol] = f"{len(recent)}/{window} bars"
        elif not (np.isfinite(recent) & (recent > 0)).all():
            left_out[symbol] = "a close is missing or is no price"
        elif np.ptp(recent) <= ROUNDING * recent[0]:
            left_out[symbol] = "its price does not move"
        else:
            symbols.append(symbol)
            rows.append(np.log(recent))
    return symbols, np.array(rows).reshape(len(rows), window), left_out


def all_pairs(count: int) -> tuple[Ints, Ints]:
    """(y, x) of every ordered pair of so many symbols, both orders of a pair side by side: they share their moments."""
    later, earlier = np.tril_indices(count, -1)
    return np.column_stack((later, earlier)).ravel(), np.column_stack((earlier, later)).ravel()


@dataclass(slots=True)
class Universe:
    """The pairs of a market on a window that moves on bar by bar."""

    symbols: Sequence[str]
    moments: Moments
    engine: Engine = residual_sweep
    update: Update | None = None

    @staticmethod
    def of(symbols: Sequence[str], levels: Floats, engine: Engine = residual_sweep, update: Update | None = None) -> "Universe":
        """From (N, n) log closes. Raises `ValueError` where n is too short for the tests."""
        short = too_short(levels.shape[-1], "n")
        if short is not None:
            raise ValueError(short.reason)
        return Universe(symbols, Moments.of(levels), engine, update)

    def slide(self, newest: Floats) -> None:
        """A bar more: (N,) log closes."""
        self.moments.slide(newest, self.update)
        if self.moments.bars_since >= RECOMPUTE_BARS:
            self.moments = Moments.of(self.moments.levels + self.moments.reference[:, None])

    def residuals(self, y: Ints, x: Ints) -> tuple[Residuals, dict[int, str]]:
        """What is known of the residuals of the pairs (y[i], x[i]); and why a pair has no test, by its place."""
        moments = self.moments
        return _with_direct(self.engine(moments, y, x), moments.levels, moments.reference, y, x)

    def table(self, y: Ints | None = None, x: Ints | None = None) -> Table:
        """Statistics of the pairs (y[i], x[i]), places in `symbols`; of every ordered pair without."""
        if y is None or x is None:
            y, x = all_pairs(len(self.symbols))
        return tabulate(self.symbols, self.moments.levels.shape[-1], y, x, *self.residuals(y, x))


def tabulate(symbols: Sequence[str], n: int, y: Ints, x: Ints, found: Residuals, reasons: Mapping[int, str]) -> Table:
    """The table of tested pairs, with the rates that only all of them together can tell."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reverts = (found.slope > -1.0) & (found.slope < 0.0)
        lives = np.where(reverts, -math.log(2.0) / np.log1p(np.where(reverts, found.slope, -0.5)), np.nan)
        zscore = found.last / found.sd
    chances = p_values(found.stat, 2, "c")
    return Table(
        symbols, y, x, n, found.alpha, found.beta, found.r_squared, found.correlation, found.stat, chances, found.lags,
        lives, zscore, found.sd, *q_values(chances), reasons,
    )  # fmt: skip


def _with_direct(found: Residuals, levels: Floats, reference: Floats, y: Ints, x: Ints) -> tuple[Residuals, dict[int, str]]:
    """What moments could not tell, from the residuals themselves; and why a pair has no test."""
    doubtful, reasons = np.flatnonzero(found.doubtful), dict[int, str]()
    for start in range(0, len(doubtful), _DIRECT_BLOCK):
        places = doubtful[start : start + _DIRECT_BLOCK]
        line = fit_line(levels[y[places]], levels[x[places]])
        tests = residual_tests(line.residuals, line.r_squared)
        for place, test in zip(places.tolist(), tests, strict=True):
            if isinstance(test, Missing):
                reasons[place] = test.reason
        found.stat[places] = [test.stat if isinstance(test, UnitRoot) else np.nan for test in tests]
        found.lags[places] = [test.lags if isinstance(test, UnitRoot) else -1 for test in tests]
        found.alpha[places] = line.alpha + reference[y[places]] - line.beta * reference[x[places]]
        found.beta[places], found.r_squared[places] = line.beta, line.r_squared
        dead = np.isnan(found.stat[places])
        found.last[places] = np.where(dead, np.nan, line.residuals[:, -1])
        found.sd[places] = np.where(dead, np.nan, line.residuals.std(-1, ddof=1))
        found.slope[places] = np.where(dead, np.nan, half_life(line.residuals, fitted=1).slope)
    return replace(found, doubtful=np.zeros_like(found.doubtful)), reasons
