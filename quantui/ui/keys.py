"""Keys that a person has chosen: `[keys]` of the configuration, a line for each action."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from quantui.ui.actions import ACTIONS, MONITOR_ACTIONS, PAGE_ACTIONS, Action, bound

_NAMES: Final = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Characters whose name Textual shortens."""


class Keys(NamedTuple):
    """All actions with the keys they have now."""

    actions: tuple[Action, ...] = ACTIONS
    monitor_actions: tuple[Action, ...] = MONITOR_ACTIONS
    page_actions: tuple[Action, ...] = PAGE_ACTIONS
    keymap: Mapping[str, str] = {}
    """What differs from the built-in ones, as Textual wants it."""


def rebound(chosen: Mapping[str, str]) -> Keys:
    """The actions with the keys a person has chosen.

    Args:
        chosen: Keys separated by commas, by the id of their action; a key is a character or a name such as `ctrl+x`, `f2`, `space`.

    Raises:
        ValueError: there is no such action, no key, or a key would do two things in one place. One line.
    """
    known = {action.id for action in (*ACTIONS, *MONITOR_ACTIONS, *PAGE_ACTIONS) if "{" not in action.call}
    for name in chosen:
        if name not in known:
            raise ValueError(f"there is no action {name!r}; there are {', '.join(sorted(known))}")
    keymap = {name: ",".join(_key(name, part) for part in keys.split(",")) for name, keys in chosen.items()}
    actions, on_monitor, on_pages = (
        tuple(_with(action, keymap) for action in each) for each in (ACTIONS, MONITOR_ACTIONS, PAGE_ACTIONS)
    )
    everywhere = [(name, keymap.get(name, keys)) for name, keys, _, _ in bound()]
    _refuse_clashes([*everywhere, *((action.id, action.keys) for action in on_monitor)])
    _refuse_clashes([(action.id, action.keys) for action in on_pages])
    return Keys(actions, on_monitor, on_pages, keymap)


def _key(name: str, text: str) -> str:
    key = text.strip() or text
    if not key:
        raise ValueError(f"{name}: names no key")
    if len(key) > 1 or key.isalnum():
        return key
    full = unicodedata.name(key, "").lower().replace("-", "_").replace(" ", "_")
    return _NAMES.get(full, full) or key


def _with(action: Action, keymap: Mapping[str, str]) -> Action:
    if action.id not in keymap:
        return action
    keys = keymap[action.id]
    shown = keys.replace(",", " ")
    words = action.footer.partition(" ")[2]
    return action._replace(keys=keys, shown=shown, footer=f"{shown.split()[0]} {words}" if words else "")


def _refuse_clashes(bindings: Sequence[tuple[str, str]]) -> None:
    taken: dict[str, str] = {}
    for name, keys in bindings:
        for key in keys.split(","):
            if taken.setdefault(key, name) != name:
                raise ValueError(f"{key} would do both {taken[key]} and {name}: choose another key for one of them")
