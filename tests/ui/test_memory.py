"""What the screen remembers: for each size, through rubbish, and beside other screens."""

import json
from pathlib import Path

import pytest

from quantui.ui.memory import MOST, Desk, Memory
from quantui.ui.screens.page import PageScreen
from quantui.ui.settings import ScreenSettings
from tests.ui.fakes import FakeSource
from tests.ui.test_app import panel, running, until
from tests.ui.test_pages import shown


def loaded(path: Path) -> Memory:
    memory = Memory(str(path))
    memory.load()
    return memory


def test_each_size_has_its_own(tmp_path: Path) -> None:
    path = tmp_path / "below" / "screen.json"
    memory = loaded(path)
    assert memory.is_new
    memory.keep(80, 24, Desk("price", "z", {"scan": {"sort": 2}}))
    memory.keep(200, 50, Desk())
    assert path.stat().st_mode & 0o777 == 0o600
    again = loaded(path)
    assert not again.is_new
    assert again.of(80, 24) == Desk("price", "z", {"scan": {"sort": 2}})
    assert again.of(200, 50) == again.of(120, 40) == Desk()
    assert [each.name for each in path.parent.iterdir()] == ["screen.json"]


def test_what_another_screen_wrote_stays_and_the_oldest_sizes_go(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    first, second = loaded(path), loaded(path)
    first.keep(80, 24, Desk(only="z"))
    second.keep(120, 40, Desk(only="log"))
    assert loaded(path).of(80, 24).only == "z"
    for columns in range(100, 100 + MOST):
        first.keep(columns, 30, Desk())
    assert len(json.loads(path.read_text())["sizes"]) == MOST
    assert loaded(path).of(80, 24) == Desk()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{", "\x00\xff", '{"sizes": 3}', '{"sizes": {"80x24": 5}}', "[" * 5000,
        '{"sizes": {"80x24": {"only": "\\u001b]52;c;x\\u0007", "marked": 7, "views": [1]}}}',
        '{"sizes": {"80x24": {"only": ["z"], "marked": {}, "views": {"scan": 3}}}}',
    ],
)  # fmt: skip
def test_rubbish_is_as_good_as_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "screen.json"
    path.write_text(text, encoding="latin-1")
    memory = loaded(path)
    assert memory.of(80, 24) == Desk()
    memory.keep(80, 24, Desk(only="z"))
    assert loaded(path).of(80, 24).only == "z"


def test_no_place_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    loaded(tmp_path / "file" / "screen.json").keep(80, 24, Desk(only="z"))
    nowhere = Memory("")
    nowhere.load()
    nowhere.keep(80, 24, Desk(only="z"))
    assert not nowhere.is_new
    assert nowhere.of(80, 24) == Desk()


async def test_a_screen_begins_as_it_was_left_at_this_size(tmp_path: Path) -> None:
    settings = ScreenSettings(fps=10, state_path=str(tmp_path / "screen.json"))
    async with running(FakeSource(), settings=settings) as (app, pilot):
        await pilot.press("escape", "s")  # out of the tour
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and app.screen.page is not None)
        await pilot.press("greater_than_sign", "r", "slash", *"q<0.05", "enter", "q", "tab", "f")
        await until(pilot, lambda: app.monitor.only == "price")
        await pilot.press("q")
        await until(pilot, lambda: app.return_value == 0)
    async with running(FakeSource(), settings=settings) as (app, pilot):
        await until(pilot, lambda: (app.monitor.marked, app.monitor.only) == ("price", "price"))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and any("/q<0.05" in line for line in shown(app)))
        assert isinstance(app.screen, PageScreen)
        assert (app.screen.view.sort, app.screen.view.is_reversed, app.screen.view.cursor) == (1, True, 0)
    async with running(FakeSource(), (120, 40), settings=settings) as (app, pilot):
        assert (app.monitor.marked, app.monitor.only) == ("", "")


@pytest.mark.parametrize(
    "view",
    [
        {"sort": 99, "zoom": -5, "shown": 10**9, "filter": "\x1b[31m", "is_reversed": 1},
        {"sort": "1", "zoom": True, "filter": 5, "cursor": 99},
        {"sort": -3, "filter": "x" * 5000},
    ],
)
async def test_views_that_cannot_be_are_no_failure(tmp_path: Path, view: dict[str, object]) -> None:
    path = tmp_path / "screen.json"
    path.write_text(json.dumps({"tour": "seen", "sizes": {"80x24": {"views": {"scan": view, "chart": view, "nonsense": view}}}}))
    async with running(FakeSource(), settings=ScreenSettings(fps=10, state_path=str(path))) as (app, pilot):
        for key in "sv":
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, PageScreen) and app.screen.page is not None)
            await until(pilot, lambda: len(shown(app)) > 3)
            assert "\x1b" not in "".join(shown(app))
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.monitor)
        assert "87/240" in panel(app, "pairs")
