"""Keys of one's own, and the table of all keys in the docs."""

from pathlib import Path

import pytest

from quantui.ui.actions import ACTIONS, MONITOR_ACTIONS, PAGE_ACTIONS
from quantui.ui.app import MonitorApp
from quantui.ui.keys import rebound
from quantui.ui.screens.page import PageScreen
from quantui.ui.settings import ScreenSettings
from tests.ui.fakes import FakeSource
from tests.ui.test_app import ENVIRON, panel, until

DOCS = Path(__file__).resolve().parents[2] / "docs" / "keys.md"


def table() -> str:
    """The docs' table, as it should be."""
    lines = ["| keys | action | does |", "|---|---|---|"]
    for heading, actions in (("", ACTIONS), ("*on the monitor*", MONITOR_ACTIONS), ("*on a page*", PAGE_ACTIONS)):
        if heading:
            lines.append(f"| {heading} | | |")
        lines += [f"| `{action.shown}` | `{action.id}` | {action.tooltip} |" for action in actions]
    return "\n".join(lines)


def test_the_docs_list_every_key_as_it_is() -> None:
    assert table() in DOCS.read_text(), "python -c 'from tests.ui.test_keys import table; print(table())'"


def test_a_key_of_ones_own_stands_in_help_and_footer() -> None:
    keys = rebound({"export": "x,f5", "page-zoom": "+"})
    export = next(action for action in keys.actions if action.id == "export")
    assert (export.keys, export.shown, export.footer) == ("x,f5", "x f5", "x export")
    assert keys.keymap == {"export": "x,f5", "page-zoom": "plus"}


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"exprt": "x"}, "there is no action 'exprt'; there are "),
        ({"export": "n"}, "n would do both next-pair and export: choose another key for one of them"),
        ({"pick-pair": "x"}, "there is no action 'pick-pair'"),
        ({"export": ""}, "export: names no key"),
        ({"page-zoom": "x"}, "x would do both page-zoom and page-picture"),
        ({"export": "1"}, "1 would do both pick-pair-1 and export"),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_one_line(chosen: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")) as error:
        rebound(chosen)
    assert "\n" not in str(error.value)


async def test_the_chosen_key_works_and_the_old_one_does_nothing() -> None:
    source = FakeSource()
    app = MonitorApp(lambda: source, ScreenSettings(fps=10, keys={"chart-page": "u", "next-pair": "f2"}), environ=ENVIRON)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "87/240" in panel(app, "pairs"))
        await pilot.press("v")
        await pilot.pause(0.05)
        assert app.screen is app.monitor
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.monitor)
        await pilot.press("f2")
        await until(pilot, lambda: ("session", {"pair": 1}) in source.calls)
