"""The palette: what it offers where, and that it does what it says."""

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from quantui.collector.snapshot import PairRow
from quantui.ui.actions import ACTIONS, MONITOR_ACTIONS
from quantui.ui.app import MonitorApp
from quantui.ui.choices import Choices
from quantui.ui.commands import Palette
from quantui.ui.keys import Keys
from quantui.ui.palette import Entry, Scene, entries
from quantui.ui.render.pages.kinds import KINDS
from quantui.ui.screens.page import PageScreen
from tests.ui.fakes import FakeSource, snapshot
from tests.ui.test_app import running, sessions, until


def known(**session: object) -> Choices:
    choices = Choices()
    latest = snapshot()
    choices.latest = replace(latest, session=replace(latest.session, **session))
    return choices


def titles(found: list[Entry]) -> list[str]:
    return [entry.title for entry in found]


def test_before_the_first_snapshot_every_action_is_there_under_its_name() -> None:
    found = titles(entries(Keys(), Choices(), Scene()))
    named = {action.title for action in (*ACTIONS, *MONITOR_ACTIONS) if action.palette}
    assert set(found) == named - {"Back to now", "Fill the screen"} | {"Fill the screen with z"}


def test_values_are_told_with_what_they_would_become_and_what_cannot_be_is_not_offered() -> None:
    found = titles(entries(Keys(), known(timeframe="1s", window=480, entry=2.0, estimator="huber"), Scene()))
    for title in (
        "Longer timeframe: 1s to 1m",
        "Smaller window: 480 to 240",
        "Next estimator: HUBER to THEIL",
        "Previous estimator: HUBER to OLS",
        "Raise threshold: 2.0 to 2.1",
        "Lower threshold: 2.0 to 1.9",
    ):
        assert title in found
    assert not [title for title in found if title.startswith(("Shorter timeframe", "Larger window"))]


def test_each_watched_pair_but_the_one_in_focus_is_offered_with_how_it_stands() -> None:
    choices = known()
    pairs = {entry.title: entry for entry in entries(Keys(), choices, Scene()) if entry.call.startswith("pick_pair")}
    labels = [row.label.replace("USDT", "") for row in snapshot().pairs]
    assert list(pairs) == [f"Pair {number}: {label}" for number, label in enumerate(labels, 1)][1:]
    second = pairs["Pair 2: SOL/ETH"]
    assert second.help.startswith("z ")
    assert "SHORT, cointegrated, p .008" in second.help
    assert second.call == "pick_pair(1)"
    assert pairs["Pair 4: LINK/ETH"].help == "87/240 bars"


def test_a_page_offers_its_own_actions_first_and_not_itself() -> None:
    found = entries(Keys(), known(), Scene(KINDS["scan"], filter="q<0.05"))
    assert titles(found)[:3] == ["Back", "Down", "Next column"]
    assert "Filter: q<0.05" in titles(found)
    assert "Scanner" not in titles(found)
    assert "Chart" in titles(found)
    assert "Help on Scanner" in titles(found)
    assert "One bar back" not in titles(found)
    assert all(entry.is_of_screen for entry in found[:7])


def test_what_is_stopped_can_go_on_and_what_is_full_can_be_shrunk() -> None:
    found = titles(entries(Keys(), known(), Scene(paused=True, marked="price", only="price")))
    assert {"Go on", "Back to now", "All panels again", "Help on price"} <= set(found)
    assert "Pause" not in found


async def opened(app: MonitorApp, pilot: Pilot[int], key: str = "colon") -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, Palette) and len(offered(app)) > 0)


def offered(app: MonitorApp) -> list[str]:
    options = app.screen.query_one("CommandList", OptionList)
    return [str(options.get_option_at_index(index).prompt).split("\n")[0] for index in range(options.option_count)]


@pytest.mark.parametrize("key", ["ctrl+p", "colon"])
async def test_it_is_shown_in_its_order(key: str) -> None:
    async with running(FakeSource()) as (app, pilot):
        await opened(app, pilot, key)
        assert offered(app) == titles(app.palette_entries())


@pytest.mark.parametrize(("typed", "seen"), [("pair 2", {"pair": 1}), ("raise", {"entry": 2.1})])
async def test_what_is_typed_finds_it_and_enter_does_it(typed: str, seen: dict[str, object]) -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await opened(app, pilot)
        await pilot.press(*("space" if sign == " " else sign for sign in typed))
        await until(pilot, lambda: app.screen.query_one(Input).value == typed and 0 < len(offered(app)) < 3)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: sessions(source) == [seen])


async def test_an_action_of_the_page_below_is_done_by_that_page() -> None:
    async with running(FakeSource()) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and app.screen.page is not None)
        page = app.screen
        await opened(app, pilot)
        await pilot.press(*"reverse")
        await until(pilot, lambda: offered(app) == ["Reverse"])
        await pilot.press("enter", "enter")
        await until(pilot, lambda: isinstance(page, PageScreen) and page.view.is_reversed)


async def test_names_from_outside_are_no_markup() -> None:
    source = FakeSource()
    row = PairRow(label="[b]EVIL[/b]/[/]X", zscore=1.0, note="[red]", n=240, need=240)
    source.put(pairs=(source.current.pairs[0], row, *source.current.pairs[2:]))
    async with running(source) as (app, pilot):
        await opened(app, pilot)
        assert "Pair 2: [b]EVIL[/b]/[/]X" in offered(app)
        await pilot.press(*"evil")
        await until(pilot, lambda: offered(app)[:1] == ["Pair 2: [b]EVIL[/b]/[/]X"] and len(offered(app)) < 20, "not found")


async def test_a_page_up_before_the_list_is_laid_out_is_no_failure() -> None:
    async with running(FakeSource()) as (app, pilot):
        await opened(app, pilot)
        commands = app.screen.query_one(OptionList)
        commands.display = False  # as for a moment when it is new: it has options, and no width
        await pilot.pause()
        commands._clear_caches()
        await pilot.press("pageup", "pagedown")
        assert isinstance(app.screen, Palette)
