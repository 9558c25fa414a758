"""Keys without a detour. Leans on a private part of Textual."""

from textual.app import App
from textual.events import Event, Key


class QuickKeys(App[int]):
    """Does what a key is bound to as soon as it comes.

    Textual passes a key on to the screen, whose own loop hands it back to the app, which then looks for its binding: two turns of
    queues, which take about as long as the whole effect of a key.
    """

    def is_bare(self) -> bool:
        """Whether keys are for bindings only: nothing in front takes them as text, or in a way of its own."""
        return False

    async def on_event(self, event: Event) -> None:
        """A key with a binding is done; everything else goes Textual's way."""
        if isinstance(event, Key) and not event.is_forwarded and self.is_bare() and await self._check_bindings(event.key):
            return
        await super().on_event(event)
