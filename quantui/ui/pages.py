"""Which page lies over the monitor, and what there is to remember of each."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from rich.style import Style

from quantui.text import safe
from quantui.ui.keys import Keys
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Role

if TYPE_CHECKING:
    from quantui.collector.pages import Page
    from quantui.ui.render.pages.sheet import View
    from quantui.ui.screens.page import PageScreen


_LONGEST: Final = 200
"""Characters of a filter that is recalled."""
_KEPT: Final = ("sort", "is_reversed", "filter", "zoom", "shown")


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

    def recall(self, views: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin with these views, as `kept` told them; what cannot be a view is left out."""
        from quantui.ui.render.pages.sheet import View

        usual = View()._asdict()
        for name, view in views.items():
            chosen = {key: view[key] for key in _KEPT if type(view.get(key)) is type(usual[key])}
            chosen["filter"] = safe(chosen.get("filter", ""))[:_LONGEST]
            self._views[name] = View()._replace(**chosen)

    def kept(self) -> dict[str, dict[str, Any]]:
        """Of each page that was opened what is worth remembering: not where its cursor stood."""
        views = self._views | ({self.shown.kind.name: self.shown.view} if self.shown else {})
        return {name: {key: getattr(view, key) for key in _KEPT} for name, view in views.items()}

    def closed(self, page: "PageScreen") -> bool:
        """A page has gone; whether none has taken its place."""
        self._views[page.kind.name] = page.view
        if self.shown is not page:
            return False
        self.shown = None
        return True
