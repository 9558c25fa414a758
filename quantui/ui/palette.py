"""What the palette offers: the actions, with what each would do now, and every watched pair by its name."""

from typing import TYPE_CHECKING, NamedTuple

from quantui.ui.choices import Choices
from quantui.ui.keys import Keys
from quantui.ui.render import numbers
from quantui.ui.render.names import estimator, short_label

if TYPE_CHECKING:
    from quantui.collector.snapshot import PairRow
    from quantui.ui.actions import Action
    from quantui.ui.render.pages.kinds import Kind


class Entry(NamedTuple):
    """One line of the palette."""

    title: str
    help: str
    call: str
    """Textual action string."""
    is_of_screen: bool = False
    """Whether the screen below does it, not the app."""


class Scene(NamedTuple):
    """Where the palette is opened."""

    page: "Kind | None" = None
    """None: the monitor."""
    paused: bool = False
    """Or in the past."""
    marked: str = ""
    """The panel that is marked."""
    only: str = ""
    """The panel that fills the screen."""
    filter: str = ""
    """Of the page."""


def entries(keys: Keys, choices: Choices, scene: Scene) -> list[Entry]:
    """What can be done here and now: what only this page can do comes first, then the pairs, then all the rest."""
    own, rest = _of_screen(keys, scene), [*_pairs(choices), *_everywhere(keys, choices, scene)]
    return [*own, *rest] if scene.page else [*rest, *own]


def _of_screen(keys: Keys, scene: Scene) -> list[Entry]:
    if scene.page is None:
        own = [each for each in keys.monitor_actions if each.id != "now" or scene.paused]
    else:
        own = [each for each in keys.page_actions if each.id in scene.page.keys]
    titles = {
        "page-filter": f"Filter: {scene.filter}" if scene.filter else "",
        "maximise": "All panels again" if scene.only else f"Fill the screen with {scene.marked or 'z'}",
    }
    return [_entry(each, titles.get(each.id, ""))._replace(is_of_screen=True) for each in own]


def _pairs(choices: Choices) -> list[Entry]:
    if choices.latest is None:
        return []
    focus = (choices.session or choices.latest.session).pair
    return [
        Entry(f"Pair {index + 1}: {short_label(pair.label)}", _standing(pair), f"pick_pair({index})")
        for index, pair in enumerate(choices.latest.pairs)
        if index != focus
    ]


def _standing(pair: "PairRow") -> str:
    """How a pair stands, in words."""
    if pair.zscore is None:
        return f"{pair.n}/{pair.need} bars" if pair.n < pair.need else pair.note or "no value"
    tests = "" if pair.cointegrated is None else ", cointegrated" if pair.cointegrated else ", not cointegrated"
    signal = numbers.signal(pair.signal)
    return f"z {numbers.signed(pair.zscore)}{f', {signal}' if signal else ''}{tests}, p {numbers.probability(pair.eg_p)}"


def _everywhere(keys: Keys, choices: Choices, scene: Scene) -> list[Entry]:
    found = []
    here = f"open_page('{scene.page.name}')" if scene.page else ""
    steps = _steps(choices)
    for action in keys.actions:
        if not action.palette or action.call == here or steps.get(action.id) == "":
            continue
        title = f"{action.title}: {steps[action.id]}" if action.id in steps else ""
        if action.id == "pause" and scene.paused:
            title = "Go on"
        elif action.id == "help" and (scene.page or scene.marked):
            title = f"Help on {scene.page.title if scene.page else scene.marked}"
        found.append(_entry(action, title))
    return found


def _steps(choices: Choices) -> dict[str, str]:
    """For each action that changes the session the value now and the next; empty where there is no next."""
    if choices.latest is None:
        return {}
    now = choices.session or choices.latest.session
    changes = {
        "longer-timeframe": choices.timeframe(1),
        "shorter-timeframe": choices.timeframe(-1),
        "larger-window": choices.window(1),
        "smaller-window": choices.window(-1),
        "next-estimator": choices.estimator(1),
        "previous-estimator": choices.estimator(-1),
        "raise-threshold": choices.entry(1),
        "lower-threshold": choices.entry(-1),
    }
    steps = {name: (field, getattr(now, field), after) for name, change in changes.items() for field, after in change.items()}
    return {
        name: "" if before == after else f"{_value(field, before)} to {_value(field, after)}"
        for name, (field, before, after) in steps.items()
    }


def _value(field: str, value: object) -> str:
    return estimator(str(value)) if field == "estimator" else str(value)


def _entry(action: "Action", title: str = "") -> Entry:
    return Entry(title or action.title, f"{action.tooltip} ({action.shown})", action.call)
