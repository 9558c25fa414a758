"""The tour: by itself only for who is new, six lines, each about what is marked, and out of the way at once."""

from pathlib import Path

import pytest

from quantui.ui.render.geometry import PANELS
from quantui.ui.settings import ScreenSettings
from quantui.ui.tour import STOPS
from tests.ui.fakes import FakeSource
from tests.ui.test_app import panel, running, sessions, until


def test_it_has_six_lines_about_panels_there_are() -> None:
    assert len(STOPS) == 6
    assert all(stop.panel in ("", *PANELS) for stop in STOPS)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_each_line_is_whole_on_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    settings = ScreenSettings(fps=10, state_path=str(tmp_path / "screen.json"))
    async with running(FakeSource(), size, settings=settings) as (app, pilot):
        for number, stop in enumerate(STOPS, 1):
            await until(pilot, lambda number=number: f"Tour {number}/6" in panel(app, "notice"), "no such line")  # type: ignore[misc]
            told = " ".join(panel(app, "notice").split())
            assert " ".join(stop.text.split()) in told
            assert app.monitor.marked == stop.panel
            assert told.endswith("(Enter ends it)" if number == 6 else "(Enter next, Esc ends it)")
            await pilot.press("enter")
        await until(pilot, lambda: "Tour" not in panel(app, "notice"))
        assert app.monitor.marked == ""


async def test_keys_work_meanwhile_and_escape_ends_it_for_good(tmp_path: Path) -> None:
    settings = ScreenSettings(fps=10, state_path=str(tmp_path / "screen.json"))
    source = FakeSource()
    async with running(source, settings=settings) as (app, pilot):
        await until(pilot, lambda: "Tour 1/6" in panel(app, "notice"))
        await pilot.press("enter", "n")
        await until(pilot, lambda: sessions(source) == [{"pair": 1}] and "Tour 2/6" in panel(app, "notice"))
        await pilot.press("escape")
        await until(pilot, lambda: "Tour" not in panel(app, "notice") and app.monitor.marked == "")
        await pilot.press("q")
        await until(pilot, lambda: app.return_value == 0)
    async with running(FakeSource(), settings=settings) as (app, pilot):
        await pilot.pause(0.1)
        assert "Tour" not in panel(app, "notice")
        await pilot.press("enter")
        await until(pilot, lambda: "Tour 1/6" in panel(app, "notice"), "Enter shows it again")


async def test_without_a_place_to_remember_it_does_not_come_by_itself() -> None:
    async with running(FakeSource()) as (app, pilot):
        await pilot.pause(0.1)
        assert "Tour" not in panel(app, "notice")
