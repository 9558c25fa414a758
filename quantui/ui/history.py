"""Where in time the screen looks: at now, or at a closed bar before."""

from typing import TYPE_CHECKING, Final

from quantui.market.instruments import Timeframe
from quantui.ui.render import local

if TYPE_CHECKING:
    from quantui.collector.snapshot import Snapshot

_DAY_MS: Final = 86_400_000


class History:
    """The bar that is looked at, and the way to another."""

    def __init__(self) -> None:
        self.bar_ms: int | None = None
        """Open time of the bar that was asked for last; None: now."""

    def move(self, bars: int, latest: "Snapshot") -> int | None:
        """The bar so many bars on (or back, where negative) from where the screen looks; None where that is now."""
        newest = latest.stats.bar_ms
        if newest is None:
            return None
        target = (newest if self.bar_ms is None else self.bar_ms) + bars * _bar_ms(latest)
        self.bar_ms = target if target < newest else None
        return self.bar_ms

    def arrived(self, asked_ms: int, shown: "Snapshot") -> bool:
        """Whether what has come is what was asked for last; behind the oldest bar there is nothing, so no step counts."""
        if asked_ms != self.bar_ms:
            return False
        if shown.stats.bar_ms is not None:
            self.bar_ms = max(self.bar_ms, shown.stats.bar_ms)
        return True

    def told(self, shown: "Snapshot", latest: "Snapshot") -> str:
        """How far back it is and of when, for the status line."""
        newest, at = latest.stats.bar_ms, shown.stats.bar_ms
        if newest is None or at is None:
            return ""
        bars = (newest - at) // _bar_ms(latest)
        form = "%H:%M:%S" if newest - at < _DAY_MS else "%m-%d %H:%M"
        return f"-{bars} {local.at(at):{form}}"


def _bar_ms(snapshot: "Snapshot") -> int:
    return Timeframe(snapshot.session.timeframe).ms
