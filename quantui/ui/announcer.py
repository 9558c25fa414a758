"""Which alerts are told at the terminal: those that came since the screen looks, each once."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from quantui.ui import terminal_alerts
from quantui.ui.settings import ScreenSettings

if TYPE_CHECKING:
    from quantui.collector.snapshot import Snapshot

BELL_S: Final = 1.0
"""Shortest time between two bells."""


class Announcer:
    """Remembers the newest alert it has seen."""

    def __init__(self, settings: ScreenSettings, environ: Mapping[str, str], now: Callable[[], float]) -> None:
        self._settings, self._environ, self._now = settings, environ, now
        self._newest: int | None = None
        self._bell_at = float("-inf")

    def sequences(self, snapshot: "Snapshot") -> str:
        """What the terminal is to be sent for the alerts that are new in this snapshot; empty for none."""
        newest, last = max((row.id for row in snapshot.alerts), default=-1), self._newest
        self._newest = newest if last is None else max(newest, last)
        if last is None or newest <= last:
            return ""
        rows = [row for row in snapshot.alerts if row.id > last and row.notify]
        if not rows:
            return ""
        bell = self._settings.bell and self._now() - self._bell_at >= BELL_S
        setting = self._settings.notify_terminal
        sequences = terminal_alerts.announcement(rows, bell=bell, setting=setting, environ=self._environ)
        if sequences.startswith(terminal_alerts.BELL):
            self._bell_at = self._now()
        return sequences
