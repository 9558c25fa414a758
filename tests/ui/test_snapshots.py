"""Every screen at three sizes in three themes, cell by cell, as it was when a person last looked at it.

After a change that is wanted: `QUANTUI_SNAPSHOTS=write python -m pytest tests/ui/test_snapshots.py`, and look at the difference.
"""

import os
from itertools import groupby
from pathlib import Path

import pytest
from rich.style import Style
from textual.strip import Strip

from quantui.ui.app import MonitorApp
from quantui.ui.screens.help import HelpScreen
from quantui.ui.settings import ScreenSettings
from tests.ui.fakes import FakeSource
from tests.ui.test_app import ENVIRON, panel, until

FOLDER = Path(__file__).with_name("snapshots")
SCREENS = {
    "monitor": "",
    "scanner": "s",
    "pair": "i",
    "correlation": "c",
    "statistics": "m",
    "chart": "v",
    "health": "H",
    "alerts": "a",
    "help": "?",
}
SIZES = ((80, 24), (120, 40), (200, 50))
THEMES = ("dark", "light", "mono")


def drawn(rows: list[Strip]) -> str:
    """The text, then for each row its runs of style, each style once by its number."""
    styles: dict[Style, int] = {}
    texts, runs = [], []
    for row in rows:
        cells = [(char, segment.style or Style()) for segment in row for char in segment.text]
        texts.append("".join(char for char, _ in cells).rstrip())
        grouped = [(style, len(list(run))) for style, run in groupby(style for _, style in cells)]
        runs.append(" ".join(f"{styles.setdefault(style, len(styles))}x{count}" for style, count in grouped))
    names = [f"{number}: {style}" for style, number in styles.items()]
    return "\n".join([*texts, "-- runs of style", *runs, "-- styles", *names, ""])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", SCREENS)
async def test_a_screen_looks_as_it_did(screen: str, size: tuple[int, int], theme: str) -> None:
    source = FakeSource()
    app = MonitorApp(lambda: source, ScreenSettings(fps=10, theme=theme), environ=ENVIRON, now=lambda: 1000.0)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "87/240" in panel(app, "pairs"), "no first snapshot")
        if SCREENS[screen]:
            await pilot.press({"?": "question_mark"}.get(SCREENS[screen], SCREENS[screen]))
            await until(
                pilot,
                lambda: isinstance(app.screen, HelpScreen) or (app._pages.shown is not None and app._pages.shown.page is not None),
            )
        await pilot.pause()
        await pilot.pause(0.05)
        found = drawn(app.screen._compositor.render_strips())
    file = FOLDER / f"{screen}-{size[0]}x{size[1]}-{theme}.txt"
    if os.environ.get("QUANTUI_SNAPSHOTS") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")
