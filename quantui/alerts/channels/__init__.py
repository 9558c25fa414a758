"""Ways to reach a person who is not looking at the screen."""

from typing import Protocol

from quantui.alerts.records import AlertRecord


class Channel(Protocol):
    """Takes alerts at once and delivers them in its own time."""

    name: str
    """As `notify` in the configuration calls it."""
    sent: int
    failed: int
    dropped: int
    error: str
    """Why the last delivery failed; empty where it did not."""

    def offer(self, record: AlertRecord) -> None:
        """Accept a record for delivery; never blocks, never raises. What does not fit is counted as dropped."""
        ...

    async def run(self) -> None:
        """Deliver until cancelled."""
        ...
