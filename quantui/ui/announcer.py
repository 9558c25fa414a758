"""Which alerts are told at the terminal: those that came since the screen looks, each once."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from quantui.ui import terminal_alerts
from quantui.ui.settings import ScreenSettings

if TYPE_CHECKING:
    from quantui.collector.alert_pages import ChannelRow
    from quantui.collector.pages import Page
    from quantui.collector.snapshot import AlertRow, Snapshot

BELL_S: Final = 1.0
"""Shortest time between two bells."""


class Announcer:
    """Remembers the newest alert it has seen, and counts what it told."""

    def __init__(self, settings: ScreenSettings, environ: Mapping[str, str], now: Callable[[], float]) -> None:
        self._settings, self._environ, self._now = settings, environ, now
        self._newest: int | None = None
        self._bell_at = float("-inf")
        self._bells = self._silent = self._notifications = 0

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
        self._count(rows, sequences)
        return sequences

    def completed(self, page: "Page | None") -> "Page | None":
        """The page of alerts with the channels that only the screen knows; any other page as it is."""
        from quantui.collector.alert_pages import AlertsPage

        if not isinstance(page, AlertsPage):
            return page
        from msgspec.structs import replace

        return replace(page, channels=(*self._channels(), *page.channels))

    def _count(self, rows: "Sequence[AlertRow]", sequences: str) -> None:
        rings = sequences.startswith(terminal_alerts.BELL)
        if rings:
            self._bell_at = self._now()
            self._bells += 1
        elif self._settings.bell:
            self._silent += sum("bell" in row.notify for row in rows)
        self._notifications += bool(sequences.removeprefix(terminal_alerts.BELL))

    def _channels(self) -> "tuple[ChannelRow, ...]":
        from quantui.collector.alert_pages import ChannelRow

        bell = (
            ChannelRow("bell", "on", self._bells, dropped=self._silent)
            if self._settings.bell
            else ChannelRow("bell", "off", detail="[ui] bell = false")
        )
        way = terminal_alerts.protocol(self._settings.notify_terminal, self._environ)
        if way == "off":
            return bell, ChannelRow("terminal", "off", detail="[ui] terminal_notification = false")
        return bell, ChannelRow("terminal", "on", self._notifications, detail="osc9 and osc777" if way == "both" else way)
