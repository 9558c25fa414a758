"""Whether the terminal takes what is written as fast as it comes: how long the writes had to wait tells it."""

from collections import deque
from typing import Final

WINDOW_S: Final = 10.0
"""So far back it is looked."""
SLOW: Final = 0.25
"""The share of that time that writes had to wait from which on the link is slow."""
QUICK: Final = 0.03
"""The share below which it is not any more. Far below, because there are fewer pictures meanwhile."""
STUCK_S: Final = 1.0
"""A write that waits as long says it by itself."""
SHORTEST_S: Final = 0.005
"""What a write takes that nobody holds up."""


class Pace:
    """Once slow, the link counts as slow for a while: what follows from it must not come and go."""

    def __init__(self) -> None:
        self._waits: deque[tuple[float, float]] = deque()
        self._is_slow = False

    def wrote(self, began: float, ended: float) -> None:
        """A write went on from one time to the other (monotonic seconds)."""
        while self._waits and self._waits[0][1] < ended - WINDOW_S:
            self._waits.popleft()
        if ended - began >= SHORTEST_S:
            self._waits.append((began, ended))

    def is_slow(self, now: float, writing_since: float | None) -> bool:
        """Whether the link is slow, looked at now; `writing_since`: a write that has not ended yet."""
        stuck = writing_since is not None and now - writing_since >= STUCK_S
        share = self._share(now, writing_since)
        if stuck or share >= SLOW:
            self._is_slow = True
        elif share < QUICK:
            self._is_slow = False
        return self._is_slow

    def _share(self, now: float, writing_since: float | None) -> float:
        first = now - WINDOW_S
        waits = [*self._waits, (writing_since, now)] if writing_since is not None else self._waits
        return sum(ended - max(began, first) for began, ended in waits if ended > first) / WINDOW_S
