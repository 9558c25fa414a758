"""The true log price behind a coin's trades on both markets: a random walk tied, or not, to another coin.

log y = base + beta * (log x - base of x) + own walk + mean-reverting spreads. Everything of one minute comes from
(seed, coin, minute) and the state at its start, so that any minute can be made again.
"""

from dataclasses import dataclass, field
from itertools import accumulate
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEP_MS = 500
STEPS = 60_000 // STEP_MS
HISTORY_MINUTES = 95 * 1440
_BP = 1e-4
_KEPT = 8


@dataclass(frozen=True, slots=True)
class Coin:
    """How one coin behaves."""

    symbol: str
    base: float
    """Price at the start of the tape."""
    ticks: tuple[int, int]
    """Price decimals on spot and on futures; -1: not listed."""
    steps: tuple[int, int]
    """Quantity decimals on spot and on futures."""
    rate: float
    """Fills a second, on average."""
    size: float
    """Median quantity of a fill."""
    parent: str = ""
    """The coin it follows; empty: none."""
    beta: float = 0.0
    walk: float = 0.0
    """Its own random walk, basis points a square root of a second: above 0 it is not cointegrated with its parent."""
    spreads: tuple[tuple[float, float], ...] = ()
    """Mean-reverting spreads: (half-life in seconds, standard deviation in basis points)."""
    breaks: float = 0.0
    """Chance a minute of a regime break: the mean of the spread jumps by several deviations and stays."""


def rng_of(*key: int | str) -> np.random.Generator:
    """A generator that depends on nothing but `key`."""
    return np.random.Generator(np.random.PCG64([crc32(part.encode()) if isinstance(part, str) else part for part in key]))


@dataclass(slots=True)
class _State:
    walk: float
    spreads: tuple[float, ...]


@dataclass(slots=True)
class Price:
    """The log price of one coin, minute by minute from `first_minute` on, and per minute before it."""

    seed: int
    coin: Coin
    parent: "Price | None"
    first_minute: int
    _states: list[_State] = field(default_factory=list)
    _paths: dict[int, Floats] = field(default_factory=dict)
    _history: Floats | None = None

    def __post_init__(self) -> None:
        rng = rng_of(self.seed, self.coin.symbol, "start")
        self._states.append(_State(0.0, tuple(rng.normal(0, sd * _BP) for _, sd in self.coin.spreads)))

    def path(self, minute: int) -> Floats:
        """Log price on the grid of `STEP_MS`, both ends included: shape (STEPS + 1,)."""
        known = self._paths.get(minute)
        if known is not None:
            return known
        while len(self._states) <= minute - self.first_minute:
            self._walk_through(self.first_minute + len(self._states) - 1)
        return self._walk_through(minute)

    def history(self) -> Floats:
        """Log price at the end of every minute before `first_minute`, the newest last; its last value is where `path` begins."""
        if self._history is None:
            count, minute = HISTORY_MINUTES, 60.0
            rng = rng_of(self.seed, self.coin.symbol, "history")
            state = self._states[0]
            # Seen backwards a walk is a walk and a mean-reverting spread is one too.
            walk = np.concatenate(([0.0], np.cumsum(rng.normal(0, self.coin.walk * _BP * minute**0.5, count - 1))))
            total = walk
            for (half_life, sd), start in zip(self.coin.spreads, state.spreads, strict=True):
                total = total + _reverting(rng, start, 0.5 ** (minute / half_life), sd * _BP, count - 1)
            self._history = self._level(total[::-1], None if self.parent is None else self.parent.history())
        return self._history

    def _level(self, own: Floats, parent: Floats | None) -> Floats:
        level = float(np.log(self.coin.base)) + own
        if parent is None or self.parent is None:
            return level
        return np.asarray(level + self.coin.beta * (parent - np.log(self.parent.coin.base)), np.float64)

    def _walk_through(self, minute: int) -> Floats:
        index = minute - self.first_minute
        state, coin = self._states[index], self.coin
        rng = rng_of(self.seed, coin.symbol, minute)
        lively = float(np.exp(rng_of(self.seed, coin.symbol, "lively", minute // 10).normal(0, 0.25)))
        step = (STEP_MS / 1000) ** 0.5
        moves = rng.normal(0, coin.walk * _BP * step * lively, STEPS)
        if rng.random() < coin.breaks:
            deviation = max((sd for _, sd in coin.spreads), default=10 * coin.walk)
            moves[rng.integers(STEPS)] += rng.choice((-1.0, 1.0)) * rng.uniform(5, 9) * deviation * _BP
        walk = np.concatenate(([state.walk], state.walk + np.cumsum(moves)))
        spreads = [
            _reverting(rng, start, 0.5 ** (STEP_MS / 1000 / half_life), sd * _BP, STEPS)
            for (half_life, sd), start in zip(coin.spreads, state.spreads, strict=True)
        ]
        own = walk + sum(spreads) if spreads else walk
        if len(self._states) == index + 1:
            self._states.append(_State(float(walk[-1]), tuple(float(spread[-1]) for spread in spreads)))
        path = self._level(own, None if self.parent is None else self.parent.path(minute))
        self._paths[minute] = path
        while len(self._paths) > _KEPT:
            del self._paths[next(iter(self._paths))]
        return path


def _reverting(rng: np.random.Generator, start: float, phi: float, sd: float, count: int) -> Floats:
    """An AR(1) with stationary deviation `sd`, its `start` included: shape (count + 1,)."""
    noise = rng.normal(0, sd * (1 - phi * phi) ** 0.5, count).tolist()
    return np.fromiter(accumulate(noise, lambda level, shock: phi * level + shock, initial=start), np.float64, count + 1)


COINS: tuple[Coin, ...] = (
    Coin("BTCUSDT", 61_800.0, (2, 1), (5, 3), 11.0, 0.008, walk=1.5, breaks=0.004),
    Coin("ETHUSDT", 2_650.0, (2, 2), (4, 3), 9.0, 0.15, "BTCUSDT", 1.15, spreads=((7.0, 1.5), (420.0, 0.5))),
    Coin("SOLUSDT", 152.0, (2, 2), (3, 2), 5.0, 2.0, "ETHUSDT", 1.2, spreads=((12.0, 2.2), (300.0, 1.0))),
    Coin("BNBUSDT", 512.0, (2, 2), (3, 2), 3.0, 0.4, "BTCUSDT", 0.8, spreads=((9.0, 1.6), (600.0, 1.0)), breaks=0.03),
    Coin("LINKUSDT", 10.5, (3, 3), (2, 2), 2.0, 30.0, "ETHUSDT", 1.1, spreads=((15.0, 2.5), (900.0, 2.5)), breaks=0.01),
    Coin("ADAUSDT", 0.355, (5, 5), (1, 0), 1.5, 900.0, "BTCUSDT", 0.9, walk=0.7),
    Coin("AVAXUSDT", 22.4, (3, 3), (2, 0), 1.2, 15.0, "SOLUSDT", 0.95, spreads=((25.0, 3.0), (1200.0, 3.0)), breaks=0.02),
    Coin("DOGEUSDT", 0.1035, (5, 6), (0, 0), 2.0, 2500.0, walk=1.3),
    Coin("XRPUSDT", 0.585, (4, 4), (1, 1), 2.5, 700.0, walk=1.2),
    Coin("LTCUSDT", 61.7, (2, 2), (3, 3), 0.3, 2.0, "BTCUSDT", 0.85, walk=0.6),
    Coin("币安人生USDT", 0.1312, (4, -1), (1, 0), 0.04, 400.0, walk=2.0),
)
"""The demo's universe: cointegrated pairs, pairs that only look it, strangers, quiet ones, a name beyond ASCII."""


def more_coins(count: int) -> list[Coin]:
    """Invented ones that follow bitcoin, for a market as wide as a test wants: `A00USDT`, `A01USDT`, ..."""
    return [
        Coin(
            f"A{number:02d}USDT", 0.5 * 1.7 ** (number % 12), (4, 4), (2, 1), 0.3 + number % 5 / 4, 40.0,
            "BTCUSDT", 0.7 + number % 4 / 5,
            spreads=((30.0 * (1 + number % 7), 3.0),), walk=0.0 if number % 3 else 0.8,
        )
        for number in range(count)
    ]  # fmt: skip
