"""Time as a parameter: the one place that reads the machine's clocks.

Exchange time decides about bars (docs/architecture.md); this clock measures ages and timeouts, and `speed` lets the demo and
the tests run a scaled exchange with every timer of the client on the same scale.
"""

import asyncio
import time


class Clock:
    """Wall and monotonic time, scaled by `speed` from the moment it was made."""

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self.speed = speed
        self._wall_0 = time.time()
        self._mono_0 = time.monotonic()

    def monotonic(self) -> float:
        """Scaled seconds from an arbitrary start; never goes back."""
        return (time.monotonic() - self._mono_0) * self.speed

    def now_ms(self) -> int:
        """Scaled Unix time in milliseconds, as this machine believes it."""
        if self.speed == 1.0:
            return time.time_ns() // 1_000_000
        return int((self._wall_0 + self.monotonic()) * 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait for scaled seconds."""
        await asyncio.sleep(seconds / self.speed)
