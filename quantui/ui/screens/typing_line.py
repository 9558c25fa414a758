"""A line that is typed at the foot of a screen: a filter, a name to search for."""

from typing import TYPE_CHECKING

from quantui.text import safe

if TYPE_CHECKING:
    from textual.events import Key


class TypingLine:
    """While it is open, keys are text.

    Args:
        longest: Characters it takes; more are dropped.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._before = ""
        self.text = ""
        self.is_open = False

    def open(self, text: str = "") -> None:
        """Begin to type behind `text`."""
        self.is_open, self.text, self._before = True, text, text

    def press(self, event: "Key") -> bool:
        """Take a key; True where it kept the line (Enter). Esc drops what was typed."""
        if event.key in ("enter", "escape"):
            self.is_open = False
            self.text = self.text.strip() if event.key == "enter" else self._before
            return event.key == "enter"
        if event.key == "backspace":
            self.text = self.text[:-1]
        elif event.key == "ctrl+u":
            self.text = ""
        elif event.is_printable and event.character:
            self.add(event.character)
        return False

    def add(self, text: str) -> None:
        """Typed or pasted text."""
        self.text = safe(self.text + text)[: self._longest]
