"""Which screens look at a collector: it stays for those that do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

LOOKING_S: Final = 3.0
"""A screen that has asked within this time is there."""
_SCREENS: Final = 16


@dataclass(slots=True)
class Audience:
    """Screens by their number; times are real seconds of `now`."""

    now: Callable[[], float]
    on_leave: Callable[[bool], None] = lambda stop: None
    """Called when the last screen goes; whether by quitting."""
    last_look: float | None = None
    """When a screen last asked."""
    _looks: dict[int, float] = field(default_factory=dict)
    _quit_at: float | None = None
    """When a screen quit while another seemed to look; None once one has asked since."""

    def seen(self, screen: int) -> None:
        """A screen asks."""
        self.last_look = self._looks[screen] = now = self.now()
        self._quit_at = None
        if len(self._looks) > _SCREENS:
            self._looks = {each: looked for each, looked in self._looks.items() if now - looked <= LOOKING_S}

    def leave(self, screen: int, *, stop: bool) -> None:
        """A screen goes; another that still looks keeps the collector."""
        self._looks.pop(screen, None)
        now = self.now()
        if not any(now - looked <= LOOKING_S for looked in self._looks.values()):
            self._quit_at = None
            self.on_leave(stop)
        elif stop:
            self._quit_at = now

    def look_again(self) -> None:
        """The other that seemed to look when one quit had vanished without a word: then the collector was quit by the last."""
        if self._quit_at is not None and self.now() - self._quit_at > LOOKING_S:
            self._quit_at = None
            self.on_leave(True)
