"""Which page lies over the monitor, and what there is to remember of each."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rich.style import Style

from quantui.ui.keys import Keys
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Role

if TYPE_CHECKING:
    from quantui.collector.pages import Page
    from quantui.ui.render.pages.sheet import View
    from quantui.ui.screens.page import PageScreen


class Pages:
    """At most one page is shown; what its keys have chosen is kept while it is away."""

    def __init__(self) -> None:
        self.shown: PageScreen | None = None
        self.document: Page | None = None
        """The newest of the page that is shown."""
        self._views: dict[str, View] = {}

    def is_shown(self, name: str) -> bool:
        """Whether this page is in front."""
        return self.shown is not None and self.shown.kind.name == name

    def open(
        self, name: str, styles: Mapping[Role, Style], glyphs: Glyphs, *, keys: Keys, watch: Callable[[str, bool], None]
    ) -> "PageScreen":
        """A screen for this page, in place of the one that is shown. What it needs is imported only now."""
        from quantui.ui.render.pages.kinds import KINDS
        from quantui.ui.render.pages.sheet import View
        from quantui.ui.screens.page import PageScreen

        if self.shown is not None:
            self.shown.dismiss()
        view = self._views.get(name, View())
        self.shown, self.document = PageScreen(KINDS[name], styles, glyphs, view=view, keys=keys, watch=watch), None
        return self.shown

    def closed(self, page: "PageScreen") -> bool:
        """A page has gone; whether none has taken its place."""
        self._views[page.kind.name] = page.view
        if self.shown is not page:
            return False
        self.shown = None
        return True
