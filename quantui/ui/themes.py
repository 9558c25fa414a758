"""All colours of the screen. Each is exact in the 256-colour palette, which is what a terminal over SSH has."""

from collections.abc import Mapping
from typing import Final

from rich.style import Style
from textual.theme import Theme

from quantui.ui.render.lines import Role

DARK: Final = Theme(
    name="quantui-dark",
    primary="#5fafd7",
    secondary="#87afaf",
    warning="#d7af5f",
    error="#ff5f5f",
    success="#87d787",
    accent="#5fafd7",
    foreground="#d0d0d0",
    background="#121212",
    surface="#121212",
    panel="#303030",
    dark=True,
    variables={"edge": "#585858", "edge-title": "#8a8a8a"},
)

MONO: Final = Theme(
    name="quantui-mono",
    primary="ansi_default",
    secondary="ansi_default",
    warning="ansi_default",
    error="ansi_default",
    success="ansi_default",
    accent="ansi_default",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    ansi=True,
    boost="ansi_default",
    variables={
        "edge": "ansi_default",
        "edge-title": "ansi_default",
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border": "ansi_default",
        "border-blurred": "ansi_default",
        "block-cursor-foreground": "ansi_default",
        "block-cursor-background": "ansi_default",
        "block-cursor-text-style": "reverse",
        "input-cursor-background": "ansi_default",
        "input-cursor-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
        "input-selection-background": "ansi_default",
        "input-selection-foreground": "ansi_default",
        "screen-selection-background": "ansi_default",
        "screen-selection-foreground": "ansi_default",
        "scrollbar": "ansi_default",
        "scrollbar-hover": "ansi_default",
        "scrollbar-active": "ansi_default",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
    },
)
"""The terminal's own two colours: what NO_COLOR asks for. States stay apart by glyph, word, bold and reverse."""

THEMES: Final[Mapping[str, Theme]] = {"dark": DARK, "mono": MONO}

STYLES: Final[Mapping[str, Mapping[Role, Style]]] = {
    DARK.name: {
        Role.TEXT: Style(color="#d0d0d0"),
        Role.DIM: Style(color="#8a8a8a"),
        Role.TITLE: Style(color="#8a8a8a"),
        Role.GOOD: Style(color="#87d787"),
        Role.BAD: Style(color="#ff8787"),
        Role.WARN: Style(color="#d7af5f"),
        Role.FOCUS: Style(color="#ffffff", bold=True),
        Role.FLASH: Style(color="#121212", bgcolor="#d7af5f"),
        Role.LINE: Style(color="#5fafd7"),
    },
    MONO.name: {
        Role.TEXT: Style(),
        Role.DIM: Style(),
        Role.TITLE: Style(),
        Role.GOOD: Style(),
        Role.BAD: Style(bold=True),
        Role.WARN: Style(bold=True),
        Role.FOCUS: Style(bold=True),
        Role.FLASH: Style(reverse=True),
        Role.LINE: Style(),
    },
}
