"""What the screen costs its terminal."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


class Counted(Protocol):
    """A driver that counts."""

    @property
    def sent(self) -> int:
        """Bytes written so far."""
        ...

    @property
    def is_slow(self) -> bool:
        """Whether the terminal takes less than it is sent."""
        ...

    @property
    def name(self) -> str:
        """As it is chosen by."""
        ...


@dataclass(slots=True)
class Meter:
    """Bytes a second between two looks."""

    now: Callable[[], float] = time.monotonic
    _sent: int = 0
    _at: float = field(default=-1.0)

    def line(self, driver: Counted) -> str:
        """Bytes so far, a second since the last look, and by which driver."""
        at, sent = self.now(), driver.sent
        rate = f"  {_amount((sent - self._sent) / (at - self._at))}/s" if self._at >= 0 and at > self._at else ""
        self._sent, self._at = sent, at
        link = "  slow link" if driver.is_slow else ""
        return f"{_amount(sent)} sent{rate}  driver {driver.name}{link}"


def _amount(count: float) -> str:
    if count < 1000:
        return f"{count:.0f} B"
    return f"{count / 1000:.1f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"
