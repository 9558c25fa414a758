"""All colours of the screen. Each is exact in the 256-colour palette, which is what a terminal over SSH has."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from rich.style import Style
from textual.theme import Theme

from quantui.ui.render.lines import Role

_OWN: Final = "ansi_default"
"""The terminal's own colour."""


class _Palette(NamedTuple):
    """The colours of one theme."""

    paper: str
    text: str
    dim: str
    good: str
    bad: str
    warn: str
    focus: str
    line: str
    edge: str
    panel: str
    is_dark: bool = True


_PALETTES: Final[Mapping[str, _Palette]] = {
    "dark": _Palette("#121212", "#d0d0d0", "#8a8a8a", "#87d787", "#ff8787", "#d7af5f", "#ffffff", "#5fafd7", "#585858", "#303030"),
    "light": _Palette(
        "#eeeeee", "#262626", "#5f5f5f", "#005f00", "#af0000", "#875f00", "#000000", "#005faf", "#9e9e9e", "#d0d0d0", is_dark=False
    ),
    "contrast": _Palette(
        "#000000", "#ffffff", "#d0d0d0", "#00ff00", "#ff8787", "#ffff00", "#ffffff", "#00ffff", "#ffffff", "#444444"
    ),
    # Blue, orange and purple stay apart for every common kind of colour-blindness (Okabe and Ito 2002).
    "safe": _Palette("#121212", "#d0d0d0", "#8a8a8a", "#5fafff", "#ff8700", "#d787af", "#ffffff", "#ffffaf", "#585858", "#303030"),
}


def _theme(name: str, palette: _Palette) -> Theme:
    return Theme(
        name=f"quantui-{name}",
        primary=palette.line,
        secondary=palette.dim,
        warning=palette.warn,
        error=palette.bad,
        success=palette.good,
        accent=palette.line,
        foreground=palette.text,
        background=palette.paper,
        surface=palette.paper,
        panel=palette.panel,
        dark=palette.is_dark,
        variables={"edge": palette.edge, "edge-title": palette.dim},
    )


def _styles(palette: _Palette) -> dict[Role, Style]:
    """Each on the theme's own paper: a terminal's may be of the opposite kind."""
    colors = {
        Role.TEXT: palette.text,
        Role.DIM: palette.dim,
        Role.TITLE: palette.dim,
        Role.GOOD: palette.good,
        Role.BAD: palette.bad,
        Role.WARN: palette.warn,
        Role.LINE: palette.line,
    }
    return {
        **{role: Style(color=color, bgcolor=palette.paper) for role, color in colors.items()},
        Role.FOCUS: Style(color=palette.focus, bgcolor=palette.paper, bold=True),
        Role.FLASH: Style(color=palette.paper, bgcolor=palette.warn),
    }


def _own_colours(name: str) -> Theme:
    """A theme that never names a colour of its own."""
    plain: tuple[str, ...] = ("edge", "edge-title", "ansi-background", "ansi-foreground", "border", "border-blurred")
    plain += tuple(f"{part}-{side}" for part in _REVERSED for side in ("background", "foreground"))
    plain += tuple(f"{part}-selection-{side}" for part in ("input", "screen") for side in ("background", "foreground"))
    plain += tuple(
        f"scrollbar{part}" for part in ("", *_BAR_PARTS, *(f"-background{part}" for part in ("", *_BAR_PARTS)), "-corner-color")
    )
    variables = dict.fromkeys(plain, _OWN) | {f"{part}-text-style": "reverse" for part in _REVERSED}
    return Theme(
        name=f"quantui-{name}",
        primary=_OWN,
        secondary=_OWN,
        warning=_OWN,
        error=_OWN,
        success=_OWN,
        accent=_OWN,
        foreground=_OWN,
        background=_OWN,
        surface=_OWN,
        panel=_OWN,
        boost=_OWN,
        ansi=True,
        variables=variables,
    )


_REVERSED: Final = ("block-cursor", "input-cursor")
_BAR_PARTS: Final = ("-hover", "-active")
_PLAIN: Final = {
    **dict.fromkeys(Role, Style()),
    Role.BAD: Style(bold=True),
    Role.WARN: Style(bold=True),
    Role.FOCUS: Style(bold=True),
    Role.FLASH: Style(reverse=True),
}

THEMES: Final[Mapping[str, Theme]] = {
    **{name: _theme(name, palette) for name, palette in _PALETTES.items()},
    "ansi": _own_colours("ansi"),
    "mono": _own_colours("mono"),
}
"""`mono` is what NO_COLOR asks for: the terminal's own two colours; states stay apart by glyph, word, bold and reverse."""

STYLES: Final[Mapping[str, Mapping[Role, Style]]] = {
    **{THEMES[name].name: _styles(palette) for name, palette in _PALETTES.items()},
    THEMES["ansi"].name: _PLAIN
    | {
        Role.GOOD: Style(color="green"),
        Role.BAD: Style(color="red", bold=True),
        Role.WARN: Style(color="yellow"),
        Role.LINE: Style(color="cyan"),
    },
    THEMES["mono"].name: _PLAIN,
}
