"""The palette's provider: Textual's side of `ui/palette.py`. Imported when the palette is opened."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher

from quantui.ui.palette import Entry

if TYPE_CHECKING:
    from quantui.ui.app import MonitorApp


class Palette(CommandPalette):
    """Textual's own, mended."""

    def _action_command_list(self, action: str) -> None:
        """A page on in a list that is not laid out yet is none; Textual fails there (8.2: `_index_to_line` is empty)."""
        with contextlib.suppress(KeyError):
            super()._action_command_list(action)


class Commands(Provider):
    """Every entry, in its order, or those that match what is typed. Names come from outside: never markup."""

    def _entries(self) -> list[Entry]:
        return cast("MonitorApp", self.app).palette_entries()

    def _run(self, entry: Entry) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.app.run_action(entry.call, default_namespace=self.screen if entry.is_of_screen else self.app)

        return run

    async def discover(self) -> Hits:
        """All of them."""
        for entry in self._entries():
            yield found(entry, self._run(entry))

    async def search(self, query: str) -> Hits:
        """The best first."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score = matcher.match(entry.title)
            if score > 0:
                yield Hit(
                    score, _highlighted(matcher, entry.title), self._run(entry), text=entry.title, help=_literally(entry.help)
                )


def _literally(text: str) -> str:
    """Textual reads its help as markup, but takes content as it is; its own `escape` leaves `[$error]` to be read."""
    return cast("str", Content(text))


def found(entry: Entry, run: Callable[[], object]) -> DiscoveryHit:
    """A line of the palette; what is written there is never markup."""
    return DiscoveryHit(Content(entry.title), run, text=entry.title, help=_literally(entry.help))


def _highlighted(matcher: Matcher, title: str) -> Content:
    """With the letters that match marked. Textual's own takes the title for markup."""
    content = Content(title)
    for offset in matcher.fuzzy_search.match(matcher.query, title)[1]:
        content = content.stylize(matcher.match_style, offset, offset + 1)
    return content
