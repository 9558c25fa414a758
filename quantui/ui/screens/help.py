"""Help: every key, and what each panel shows, how it is computed and read, and what it does not say."""

from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from quantui.ui.help_texts import ABOUT, LAST, About
from quantui.ui.keys import Keys

if TYPE_CHECKING:
    from quantui.ui.actions import Action

KEYS: Final = "keys"
"""The block of the keys, first of all."""


def key_text(keys: Keys) -> Text:
    """Every key with what it does."""
    text = Text()
    blocks: tuple[tuple[str, tuple[Action, ...]], ...] = (
        ("Keys", keys.actions),
        ("Keys of the monitor", keys.monitor_actions),
        ("Keys of the pages", keys.page_actions),
    )
    for title, actions in blocks:
        text.append(f"{title}\n", "bold")
        for action in actions:
            text.append(f"  {action.shown:<10s}", "bold")
            text.append(f" {action.tooltip}\n")
    return text


def about_text(about: About) -> Text:
    """One panel or page."""
    text = Text()
    text.append(f"{about.title}\n", "bold")
    for name, part in about.parts:
        text.append(f"  {name}: ", "bold")
        text.append(f"{part}\n")
    return text


def contents() -> Text:
    """What the digits jump to."""
    text = Text()
    for number, name in enumerate(_JUMPS, 1):
        about = ABOUT.get(name)
        text.append(f"{number} ", "bold")
        hint = f" ({about.hint})" if about and about.hint else ""
        text.append(f"{about.title.lower() if about else KEYS}{hint}  ")
    return text


_JUMPS: Final = (KEYS, *list(ABOUT)[:8])


class HelpScreen(ModalScreen[None]):
    """Scrolls; a digit jumps; any of its other keys closes it.

    Args:
        keys: As they are now.
        about: Name of the panel or page to begin with; the keys, where empty.
    """

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,space", "dismiss", "Close", id="help-close"),
        Binding("j", "scroll(1)", "Down", id="help-down"),
        Binding("k", "scroll(-1)", "Up", id="help-up"),
        *(Binding(str(number), f"jump('{name}')", "Jump", id=f"help-{name}") for number, name in enumerate(_JUMPS, 1)),
        Binding("ctrl+c", "app.quit", "Quit", id="help-quit"),
    ]

    def __init__(self, keys: Keys, about: str = "") -> None:
        super().__init__()
        self._keys, self._about = keys, about

    def compose(self) -> ComposeResult:
        """What the digits jump to, and below it one scrolling text."""
        yield Static(contents(), id="contents", markup=False)
        with VerticalScroll(id="help"):
            yield Static(key_text(self._keys), id=f"about-{KEYS}", markup=False)
            for name, about in ABOUT.items():
                yield Static(about_text(about), id=f"about-{name}", markup=False)
            yield Static(LAST, markup=False)

    def on_mount(self) -> None:
        """Say how to leave; begin where the person was looking."""
        panel = self.query_one("#help")
        panel.border_title = "Help"
        panel.border_subtitle = "digits jump   arrows, j, k scroll   q, esc close"
        panel.focus()
        if self._about in ABOUT:
            self.call_after_refresh(self.action_jump, self._about)

    def action_scroll(self, step: int) -> None:
        """One row up or down."""
        self.query_one("#help").scroll_relative(y=step, animate=False)

    def action_jump(self, name: str) -> None:
        """To a block."""
        block = self.query_one(f"#about-{name}")
        self.query_one("#help").scroll_to(y=block.virtual_region.y, animate=False)
