"""Each action of the registry does what it says: the keys before it, its own key, and the effect that is seen then."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot
from textual.widgets import Static

from quantui.collector.snapshot import AlertRow
from quantui.ui.actions import ACTIONS, MONITOR_ACTIONS, PAGE_ACTIONS, Action
from quantui.ui.app import MonitorApp
from quantui.ui.commands import Palette
from quantui.ui.screens.help import HelpScreen
from quantui.ui.screens.page import PageScreen
from tests.ui.fakes import T0, FakeSource
from tests.ui.test_app import panel, running, sessions, until
from tests.ui.test_pages import cursor, shown

REGISTRY = {action.id: action for action in (*ACTIONS, *MONITOR_ACTIONS, *PAGE_ACTIONS)}


class Stage(NamedTuple):
    """An app on which the key of an action has been pressed."""

    app: MonitorApp
    pilot: Pilot[int]
    source: FakeSource
    before: str
    """What was shown before the key."""
    folder: Path
    signals: list[int]
    """Signals the app has sent to itself."""

    async def sees(self, predicate: Callable[[], bool], what: str = "") -> None:
        await until(self.pilot, predicate, f"{what}\n{picture(self.app)}")


Check = Callable[[Stage], Awaitable[None]]


def picture(app: MonitorApp) -> str:
    """The text of what is in front."""
    if isinstance(app.screen, PageScreen):
        return "\n".join(shown(app))
    return app.monitor.text() if app.screen is app.monitor else type(app.screen).__name__


def asks(wanted: dict[str, object], where: str, said: str) -> Check:
    """The source is asked for this, and the panel shows it."""

    async def check(stage: Stage) -> None:
        await stage.sees(lambda: sessions(stage.source)[-1:] == [wanted], f"asked: {sessions(stage.source)}")
        await stage.sees(lambda: said in panel(stage.app, where), said)

    return check


def opens(name: str, said: str) -> Check:
    """The page is in front, with its data."""

    async def check(stage: Stage) -> None:
        await stage.sees(lambda: isinstance(stage.app.screen, PageScreen) and stage.app.screen.kind.name == name)
        await stage.sees(lambda: said in picture(stage.app), said)
        assert ("page", name) in stage.source.calls

    return check


def shows(said: str) -> Check:
    """The page says this, and did not before."""

    async def check(stage: Stage) -> None:
        await stage.sees(lambda: said in picture(stage.app), said)
        assert said not in stage.before

    return check


def selects(pair: str) -> Check:
    """The row of the scanner that the cursor is on."""

    async def check(stage: Stage) -> None:
        await stage.sees(lambda: cursor(stage.app) == pair, pair)
        assert f"▸   {pair}" not in stage.before

    return check


def says(text: str) -> Check:
    """An answer above the panels."""

    async def check(stage: Stage) -> None:
        await stage.sees(lambda: text in panel(stage.app, "notice"), text)

    return check


def fills(name: str) -> Check:
    """A panel has the screen for itself."""

    async def check(stage: Stage) -> None:
        await stage.sees(lambda: stage.app.monitor.query_one(f"#{name}").region.height > 15)
        assert not stage.app.monitor.query_one("#pairs").region

    return check


def leaves(call: str) -> Check:
    """The app ends, and the collector knows how."""

    async def check(stage: Stage) -> None:
        await stage.sees(lambda: stage.app.return_value == 0)
        assert stage.source.calls == [(call, None)]

    return check


def watches(drop: bool) -> Check:
    async def check(stage: Stage) -> None:
        pair = "ETHUSDT/BTCUSDT" if drop else "BTCUSDT/ETHUSDT"
        await stage.sees(lambda: ("watch", (pair, drop)) in stage.source.calls)
        await stage.sees(lambda: ("no longer watched" if drop else "on the watch list, in focus") in picture(stage.app))

    return check


async def help_is_open(stage: Stage) -> None:
    await stage.sees(lambda: isinstance(stage.app.screen, HelpScreen))
    keys = str(stage.app.screen.query_one("#about-keys", Static).content)
    assert all(action.tooltip in keys for action in REGISTRY.values())


async def palette_is_open(stage: Stage) -> None:
    await stage.sees(lambda: isinstance(stage.app.screen, Palette))


async def tours(stage: Stage) -> None:
    await stage.sees(lambda: "Tour 1/6" in panel(stage.app, "notice"))


async def picture_stands_still(stage: Stage) -> None:
    await stage.sees(lambda: "PAUSED" in panel(stage.app, "status"))
    newest = max(row.id for row in stage.source.current.alerts)  # an alert is all that it asks for
    stage.source.put(mode="replay", alerts=(AlertRow(newest + 1, T0, "alert", "ETH/BTC", "SHORT", ()),))
    await stage.sees(lambda: stage.app._choices.latest is stage.source.current)
    assert "replay" not in panel(stage.app, "status")


async def exports(stage: Stage) -> None:
    await says("analytics written to /tmp/quantui-analytics.csv")(stage)
    assert ("export", "analytics") in stage.source.calls


async def copies(stage: Stage) -> None:
    await says("lines sent to the clipboard")(stage)
    assert "ETH/BTC" in stage.app.clipboard
    assert "87/240" in stage.app.clipboard


async def writes_a_picture(stage: Stage) -> None:
    await says("screenshot written to")(stage)
    (written,) = await asyncio.to_thread(lambda: list(stage.folder.glob("*.svg")))
    assert "87/240" in written.read_text()


async def stops_itself(stage: Stage) -> None:
    await stage.sees(lambda: stage.signals == [signal.SIGTSTP])


async def monitor_is_back(stage: Stage) -> None:
    await stage.sees(lambda: stage.app.screen is stage.app.monitor)
    assert stage.app.is_running
    assert ("stop", None) not in stage.source.calls


async def marks_the_next(stage: Stage) -> None:
    assert stage.app.monitor.query_one("#price").border_title == "▸ Price"


async def marks_the_one_before(stage: Stage) -> None:
    assert panel(stage.app, "log").startswith("▸")


async def searches(stage: Stage) -> None:
    await stage.pilot.press(*"dot")
    await stage.sees(lambda: "DOT/ATOM" in panel(stage.app, "pairs") and "ETH/BTC" not in panel(stage.app, "pairs"))
    assert "/dot_" in panel(stage.app, "footer")


async def filters(stage: Stage) -> None:
    await stage.pilot.press(*"x=BTC*")
    await stage.sees(lambda: "/x=BTC*_" in shown(stage.app) and "5 of 30 rows" in picture(stage.app))


def travels(back: int) -> Check:
    """The screen of so many bars ago, and the source was asked for that bar."""

    async def check(stage: Stage) -> None:
        newest = stage.source.current.stats.bar_ms
        assert newest is not None
        await stage.sees(lambda: f"PAST -{back} " in panel(stage.app, "status"), f"PAST -{back}")
        assert stage.source.calls[-1] == ("past", newest - back * 1000)
        assert stage.app.monitor.snapshot is not stage.source.current

    return check


async def moves_again(stage: Stage) -> None:
    await stage.sees(lambda: "LIVE" in panel(stage.app, "status"))
    await stage.sees(lambda: stage.app.monitor.snapshot is stage.source.current)


TO_WATCHED = ("s", *"jjjjj")
"""The scanner's row of a pair that is on the watch list."""

CASES: dict[str, tuple[tuple[str, ...], Check]] = {
    "help": ((), help_is_open),
    "next-pair": ((), asks({"pair": 1}, "pairs", "▸2  SOL/ETH")),
    "previous-pair": ((), asks({"pair": 5}, "pairs", "▸6  DOT/ATOM")),
    "pick-pair": (("4",), asks({"pair": 0}, "pairs", "▸1  ETH/BTC")),
    "longer-timeframe": ((), asks({"timeframe": "1m"}, "status", "ETH/BTC 1m")),
    "shorter-timeframe": (("t", "t"), asks({"timeframe": "1m"}, "status", "ETH/BTC 1m")),
    "larger-window": ((), asks({"window": 480}, "status", "W480")),
    "smaller-window": ((), asks({"window": 120}, "status", "W120")),
    "next-estimator": ((), asks({"estimator": "huber"}, "status", "HUBER")),
    "previous-estimator": ((), asks({"estimator": "kalman"}, "status", "KALMAN")),
    "raise-threshold": ((), asks({"entry": 2.1}, "z-labels", "+2.1")),
    "lower-threshold": ((), asks({"entry": 1.9}, "z-labels", "+1.9")),
    "pause": ((), picture_stands_still),
    "scanner": ((), opens("scan", "▸   BTC/ETH")),
    "chart-page": ((), opens("chart", "candles of y")),
    "pair-page": ((), opens("pair", "Cointegrated in this window")),
    "correlation-page": ((), opens("correlation", "TRX")),
    "statistics-page": ((), opens("statistics", "61,685.99")),
    "alerts-page": ((), opens("alerting", "cooling down")),
    "health-page": ((), opens("health", "unknown symbol NOSUCHUSDT")),
    "copy": ((), copies),
    "screenshot": ((), writes_a_picture),
    "export": ((), exports),
    "palette": ((), palette_is_open),
    "suspend": ((), stops_itself),
    "detach": ((), leaves("detach")),
    "quit": ((), leaves("stop")),
    "next-panel": ((), marks_the_next),
    "previous-panel": ((), marks_the_one_before),
    "bar-back": ((), travels(1)),
    "bar-on": (("[", "[", "["), travels(2)),
    "bars-back": ((), travels(20)),
    "bars-on": (("{", "{"), travels(20)),
    "now": (("[",), moves_again),
    "tour": ((), tours),
    "maximise": (("tab",), fills("price")),
    "search": ((), searches),
    "page-back": (("s",), monitor_is_back),
    "page-down": (("s",), selects("BTC/SOL")),
    "page-up": (("s", "j", "j"), selects("BTC/SOL")),
    "page-next": (("s",), selects("BNB/LINK")),
    "page-previous": (("s", "G"), selects("SOL/ETH")),
    "page-first": (("s", "G"), selects("BTC/ETH")),
    "page-last": (("s",), selects("ADA/LINK")),
    "page-left": (("m", "l", "l"), shows("columns 2-9")),
    "page-right": (("m",), shows("columns 2-9")),
    "page-sort": (("s",), shows("pair▲")),
    "page-sort-back": (("s",), shows("q BY▲")),
    "page-reverse": (("s",), selects("ADA/LINK")),
    "page-filter": (("s",), filters),
    "page-choose": (("s",), watches(drop=False)),
    "page-zoom": (("v",), shows("2 bars a column")),
    "page-zoom-in": (("v", "z", "z"), shows("2 bars a column")),
    "page-picture": (("v",), shows("candles of x")),
    "page-drop": (TO_WATCHED, watches(drop=True)),
}


def test_every_action_has_a_case_and_every_case_an_action() -> None:
    assert set(CASES) == set(REGISTRY)


@pytest.mark.parametrize("name", CASES)
async def test_an_action_has_its_effect(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signals: list[int] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(HeadlessDriver, "can_suspend", property(lambda _: True))
    monkeypatch.setattr(os, "kill", lambda _, number: signals.append(number))
    before, check = CASES[name]
    source = FakeSource()
    async with running(source) as (app, pilot):
        for key in before:
            await pilot.press(key)
            await until(pilot, lambda: app._pages.shown is None or app._pages.shown.page is not None, "no page")
            await until(pilot, lambda: app._choices.session is None, "a change is on its way")
        was = picture(app)
        await pilot.press(REGISTRY[name].keys.split(",")[0])
        await check(Stage(app, pilot, source, was, tmp_path, signals))


PASSED_ON = "ctrl+c"
"""Textual's own copying of selected text comes first, and passes the key on where nothing is selected."""


def unreached(app: MonitorApp, actions: tuple[Action, ...]) -> list[str]:
    """Keys that would not do what the registry says, on the screen in front."""
    active = app.screen.active_bindings
    pairs = [(action.id, key) for action in actions for key in action.keys.split(",") if key != PASSED_ON]
    return [f"{name} {key}" for name, key in pairs if key not in active or active[key].binding.id not in (name, f"{name}-{key}")]


async def test_every_key_of_an_action_reaches_it() -> None:
    async with running(FakeSource()) as (app, pilot):
        assert unreached(app, (*ACTIONS, *MONITOR_ACTIONS)) == []
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        assert unreached(app, PAGE_ACTIONS) == []
