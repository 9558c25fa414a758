"""When to try again: soon after a connection that worked, ever later after tries that did not, and never in a storm."""

import random
from collections import deque
from dataclasses import dataclass, field

FIRST_S = 1.0
"""The next try after a connection that had delivered data comes within this time."""
_CAP_S = 30.0
_REFUSED_S = 5.0
"""At least so long after a close for breaking the rules (1008)."""
_RULES_BROKEN = 1008
NO_WAY_S = 3.0
"""Longest pause after a try that never left this machine: no name, no network. The exchange has seen nothing of it."""


@dataclass(slots=True)
class Ration:
    """At most `most` tries within any `span_s`."""

    most: int
    span_s: float
    _times: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Seconds until one more is allowed; 0 where it is."""
        return max(0.0, self._times[0] + self.span_s - now) if len(self._times) >= self.most else 0.0

    def spend(self, now: float) -> None:
        """One more has been tried."""
        self._times.append(now)
        while len(self._times) > self.most:
            self._times.popleft()

    def refund(self) -> None:
        """The newest try did not count."""
        if self._times:
            self._times.pop()


@dataclass(slots=True)
class Backoff:
    """The pauses of one connection."""

    rng: random.Random
    ration: Ration = field(default_factory=lambda: Ration(10, 60.0))
    _failures: int = 0
    _tried: bool = False
    _refused: bool = False
    _never_left: bool = False

    def ended(self, *, spoken: bool, code: int | None = None, never_left: bool = False) -> None:
        """A try is over.

        Args:
            spoken: Data had come: the exchange works, so the next try may follow soon.
            code: Close code of the exchange, where it gave one.
            never_left: There was no way to the exchange.
        """
        self._tried, self._never_left = True, never_left
        if never_left:
            self.ration.refund()
            return
        self._failures = 0 if spoken else self._failures + 1
        self._refused = code == _RULES_BROKEN

    def pause(self, now: float) -> float:
        """Seconds to wait before the next try: none before the first, else half fixed and half drawn."""
        if not self._tried:
            return 0.0
        if self._never_left:
            return NO_WAY_S * (0.5 + 0.5 * self.rng.random())
        longest = min(_CAP_S, FIRST_S * 2.0 ** min(self._failures, 5))
        pause = longest * (0.5 + 0.5 * self.rng.random())
        if self._refused:
            pause += _REFUSED_S
        return max(pause, self.ration.wait(now))
