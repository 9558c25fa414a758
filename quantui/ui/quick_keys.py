"""Keys without a detour. Leans on a private part of Textual."""

import time
from typing import Final

from textual.app import App
from textual.events import Event, Key

SHORTEST_S: Final = 1 / 60
"""Between two pictures of keys, however fast they come; Textual paints what is left over."""


class QuickKeys(App[int]):
    """Does what a key is bound to as soon as it comes, and paints that.

    Textual passes a key on to the screen, whose own loop hands it back to the app, which then looks for its binding; what has
    changed goes through the loop of each widget, that of the screen and a timer: turns of queues, which take as long as the work.
    """

    _key_painted_at = float("-inf")

    def is_bare(self) -> bool:
        """Whether keys are for bindings only: nothing in front takes them as text, or in a way of its own."""
        return False

    async def on_event(self, event: Event) -> None:
        """A key with a binding is done; everything else goes Textual's way."""
        if isinstance(event, Key) and not event.is_forwarded and self.is_bare() and await self._check_bindings(event.key):
            if self.is_bare():
                self._paint(time.monotonic())
            return
        await super().on_event(event)

    def _paint(self, now: float) -> None:
        if now - self._key_painted_at < SHORTEST_S:
            return
        self._key_painted_at = now
        screen = self.screen
        for widget in screen.children:
            if widget._repaint_required and widget.display:
                widget._repaint_required = False
                screen._dirty_widgets.add(widget)
        screen._on_timer_update()
