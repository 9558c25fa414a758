"""Keys done and painted without a turn of the loop; however many come, nothing of them stays unpainted."""

import asyncio
from typing import Any

import pytest
from rich.console import RenderableType
from textual.events import Key
from textual.screen import Screen

from quantui.ui import quick_keys
from quantui.ui.app import MonitorApp
from tests.ui.fakes import FakeSource
from tests.ui.test_app import running, until


def top_row(app: MonitorApp) -> str:
    """Of what the panels show now."""
    return app.screen._compositor.render_strips()[0].text


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Textual was given to paint, each time."""
    found: list[str] = []
    display = MonitorApp._display

    def record(app: MonitorApp, screen: Screen[Any], renderable: RenderableType | None) -> None:
        found.append(type(renderable).__name__)
        display(app, screen, renderable)

    monkeypatch.setattr(MonitorApp, "_display", record)
    return found


async def press(app: MonitorApp, *keys: str) -> None:
    """Give them to the app as its loop does, one after the other without a pause."""
    with app._context():
        for key in keys:
            await app.on_event(Key(key, key))


async def test_a_key_is_painted_before_anything_else_has_its_turn(pictures: list[str]) -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with running(FakeSource()) as (app, _):
        counting = asyncio.create_task(turn())
        await asyncio.sleep(0.1)
        before, pictures[:] = turns, []
        await press(app, "n")
        assert turns == before
        assert pictures == ["ChopsUpdate"]
        assert "SOL/ETH" in top_row(app)
        counting.cancel()


async def test_many_keys_at_once_make_one_picture_and_textual_paints_the_rest(
    pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_keys, "SHORTEST_S", 3600.0)
    async with running(FakeSource()) as (app, pilot):
        pictures.clear()
        await press(app, "n", "n", "w")
        assert pictures == ["ChopsUpdate"]
        await until(pilot, lambda: len(pictures) > 1)
        await until(pilot, lambda: "W480" in top_row(app))


async def test_a_key_that_opens_a_page_leaves_the_painting_to_textual(pictures: list[str]) -> None:
    async with running(FakeSource()) as (app, pilot):
        pictures.clear()
        await press(app, "s")
        assert not pictures
        await until(pilot, lambda: app.screen is not app.monitor and bool(pictures))
