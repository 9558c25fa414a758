"""Panels of lines: what is patched row by row is what Textual would draw as a whole."""

import random

import pytest
from textual.geometry import Region

from quantui.ui.app import MonitorApp
from quantui.ui.render.lines import Line, Role, Span
from quantui.ui.settings import ScreenSettings
from quantui.ui.widgets.lines import LineWidget
from tests.ui.fakes import FakeSource
from tests.ui.test_app import ENVIRON, panel, until


@pytest.mark.parametrize("theme", ["dark", "light", "mono", "ansi"])
@pytest.mark.parametrize("name", ["price", "pairs"])
async def test_rows_that_change_look_as_if_all_were_drawn_anew(theme: str, name: str) -> None:
    chance = random.Random(7)
    source = FakeSource()
    app = MonitorApp(lambda: source, ScreenSettings(fps=1, theme=theme), environ=ENVIRON)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "87/240" in panel(app, "pairs"), "no first snapshot")
        widget = app.monitor.query_one(f"#{name}", LineWidget)
        patched = 0
        lines: list[Line] = [(Span(f"row {y}", Role.TEXT),) for y in range(widget.content_size.height)]
        for turn in range(200):
            for _ in range(chance.choice((0, 1, 1, 2, 9))):
                role = chance.choice(list(Role))
                text = chance.choice(("", "short", "β ² 漢字 wide", "x" * 99, f"turn {turn}"))
                lines[chance.randrange(len(lines))] = (Span(text, role), Span(" end", Role.DIM))
            widget.show(lines[: chance.choice((len(lines), len(lines), 2))])
            patched += widget._rendered is not None and bool(widget._stale)
            whole = Region(0, 0, *widget.outer_size)
            shown = [list(strip) for strip in widget.render_lines(whole)]
            widget._rendered = None
            assert shown == [list(strip) for strip in widget.render_lines(whole)], turn
        assert patched > 50
