"""The screens beside the monitor, driven by their keys."""

import time

import pytest
from msgspec.structs import replace

from quantui.collector.client import CollectorGoneError
from quantui.collector.snapshot import AlertRow
from quantui.ui.actions import PAGE_ACTIONS
from quantui.ui.app import MonitorApp
from quantui.ui.commands import Palette
from quantui.ui.screens.help import HelpScreen
from quantui.ui.screens.page import PageScreen
from quantui.ui.widgets.lines import LineWidget
from tests.ui.fakes import T0, FakeSource, scan_page
from tests.ui.test_app import running, sessions, until

KEYS = {"s": "Scanner", "i": "Pair", "c": "Correlation", "m": "Statistics", "v": "Chart", "a": "Alerts"}


def shown(app: MonitorApp) -> list[str]:
    return [line.rstrip() for line in app.screen.query_one("#page", LineWidget).texts()]


def cursor(app: MonitorApp) -> str:
    return next(line for line in shown(app) if line.startswith("▸"))[4:].split()[0]


def asked(source: FakeSource) -> list[object]:
    return [argument for name, argument in source.calls if name == "page"]


@pytest.mark.parametrize(("key", "title"), KEYS.items())
@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_key_opens_a_page_and_escape_or_q_closes_it(key: str, title: str, size: tuple[int, int]) -> None:
    source = FakeSource()
    async with running(source, size) as (app, pilot):
        for back in ("escape", "q"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, PageScreen) and "bar 00:00:00 UTC" in shown(app)[0], "no page")
            assert shown(app)[0].startswith(title)
            assert "q back" in shown(app)[-1]
            assert "? help" in shown(app)[-1]
            await pilot.press(back)
            await until(pilot, lambda: app.screen is app.monitor)
            assert app.is_running


async def test_nothing_is_asked_for_before_a_page_is_open_and_after_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantui.ui.puller.PAGE_S", 0.05)
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.pause(0.3)
        assert asked(source) == []
        await pilot.press("s")
        await until(pilot, lambda: len(asked(source)) > 3)
        assert set(asked(source)) == {"scan"}
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.monitor)
        await pilot.pause(0.2)
        before = len(asked(source))
        await pilot.pause(0.3)
        assert len(asked(source)) == before


async def test_a_page_that_has_not_changed_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantui.ui.puller.PAGE_S", 0.05)
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: len(asked(source)) > 2)
        drawn: list[object] = []
        panel = app.screen.query_one("#page", LineWidget)
        monkeypatch.setattr(panel, "refresh", lambda *regions, **more: drawn.append(regions))
        await until(pilot, lambda: len(asked(source)) > 8)
        assert drawn == []
        source.pages["scan"] = replace(scan_page(2), rows=(replace(scan_page().rows[0], zscore=9.99), *scan_page().rows[1:]))
        await until(pilot, lambda: bool(drawn))
        assert len(drawn) == 1, "one row has changed"


async def test_keys_of_the_monitor_work_on_a_page_and_another_page_takes_its_place() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        await pilot.press("n", "b")
        await until(pilot, lambda: {"pair": 1, "estimator": "huber"} in sessions(source) or len(sessions(source)) == 2)
        await pilot.press("c")
        await until(pilot, lambda: "Correlation" in shown(app)[0])
        await pilot.press("c", "q")
        await until(pilot, lambda: app.screen is app.monitor)


async def test_rows_are_walked_sorted_and_turned() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and len(shown(app)) > 5 and "▸" in "".join(shown(app)))
        assert cursor(app) == "BTC/ETH"
        await pilot.press("j", "down", "k")
        assert cursor(app) == "BTC/SOL"
        await pilot.press("G")
        assert cursor(app) == "ADA/LINK"
        assert "more" not in shown(app)[-1]
        await pilot.press("pageup", "g")
        assert cursor(app) == "BTC/ETH"
        assert "more" in shown(app)[-1]
        await pilot.press("greater_than_sign")
        assert "pair▲" in shown(app)[3]
        await pilot.press("r")
        assert "pair▼" in shown(app)[3]
        assert cursor(app) == "SOL/LINK"
        await pilot.press("less_than_sign", "less_than_sign")
        assert "q BY▼" in shown(app)[3]
        await pilot.press("q", "s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and len(shown(app)) > 5 and "q BY▼" in shown(app)[3])


async def test_a_filter_is_typed_kept_and_dropped_and_its_letters_are_no_keys() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and "▸" in "".join(shown(app)))
        await pilot.press("slash", *"q<0.01 and y=ETH*", "x", "backspace")
        assert "/q<0.01 and y=ETH*_" in shown(app)
        assert any("3 of 30 rows" in line for line in shown(app))
        await pilot.press("enter")
        assert any("3 of 30 rows" in line for line in shown(app))
        assert ("watch", ("ETHUSDT/BTCUSDT", False)) not in source.calls
        await pilot.press("slash", *"(((")
        assert any("means nothing" in line or "missing" in line or "join" in line for line in shown(app))
        await pilot.press("escape")
        assert any("3 of 30 rows" in line for line in shown(app))
        await pilot.press("slash", "ctrl+u", "enter")
        assert not any("of 30 rows" in line for line in shown(app))
        assert app.screen is not app.monitor


async def test_enter_puts_a_pair_on_the_watch_list_and_shows_one_that_is_there() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and "▸" in "".join(shown(app)))
        await pilot.press("d", "enter")
        await until(pilot, lambda: ("watch", ("BTCUSDT/ETHUSDT", False)) in source.calls)
        await until(pilot, lambda: any("on the watch list" in line for line in shown(app)))
        assert isinstance(app.screen, PageScreen)
        await pilot.press(*"jjjjj")
        assert cursor(app) == "ETH/BTC"
        await pilot.press("d")
        await until(pilot, lambda: ("watch", ("ETHUSDT/BTCUSDT", True)) in source.calls)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.monitor)
        await until(pilot, lambda: ("watch", ("ETHUSDT/BTCUSDT", False)) in source.calls)
        assert [argument for name, argument in source.calls if name == "watch"].count(("BTCUSDT/ETHUSDT", True)) == 0


async def test_a_selected_row_stays_selected_when_the_order_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantui.ui.puller.PAGE_S", 0.05)
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and "▸" in "".join(shown(app)))
        await pilot.press("j", "j")
        chosen = cursor(app)
        page = scan_page(2)
        source.pages["scan"] = replace(page, took_ms=7.0, rows=page.rows[::-1])
        await until(pilot, lambda: "numpy 7 ms" in shown(app)[0])
        assert cursor(app) == chosen


async def test_columns_scroll_aside_and_lines_down() -> None:
    async with running(FakeSource()) as (app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and len(shown(app)) > 5 and "columns 1-8" in shown(app)[1])
        await pilot.press("l", "right", "h")
        assert "columns 2-9" in shown(app)[1]
        await pilot.press(*"llllllllllll")
        assert "kurt" in shown(app)[2]
        await pilot.press("h")
        assert "kurt" not in shown(app)[2]
        first = shown(app)[3]
        await pilot.press("j")
        assert shown(app)[3] != first
        await pilot.press("k", "k")
        assert shown(app)[3] == first


async def test_a_lost_collector_and_a_pause_are_said_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantui.ui.puller.PAGE_S", 0.05)
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and "▸" in "".join(shown(app)))
        await pilot.press("space")
        await until(pilot, lambda: "PAUSED" in shown(app)[-2])
        source.pages["scan"] = replace(scan_page(2), took_ms=7.0)
        await pilot.pause(0.3)
        assert "numpy 41 ms" in shown(app)[0]
        await pilot.press("space")
        await until(pilot, lambda: "numpy 7 ms" in shown(app)[0])
        source.gone = "the collector at x cannot be reached"
        await until(pilot, lambda: any("trying again" in line for line in shown(app)))


async def test_help_opens_over_a_page_and_a_small_terminal_says_so() -> None:
    async with running(FakeSource()) as (app, pilot):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        await pilot.resize_terminal(50, 10)
        await until(pilot, lambda: "terminal too small" in shown(app)[0])
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: "Correlation" in shown(app)[0])


async def test_every_key_of_a_page_is_bound_with_id_and_tooltip() -> None:
    keys = [key for action in PAGE_ACTIONS for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))
    async with running(FakeSource()) as (app, pilot):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        bound = dict(app.screen._bindings)
        for action in PAGE_ACTIONS:
            for key in action.keys.split(","):
                assert bound[key].id == action.id
                assert bound[key].tooltip


async def test_a_collector_that_is_gone_does_not_end_the_page() -> None:
    class Gone(FakeSource):
        def page(self, name: str, since: int) -> None:
            raise CollectorGoneError("nobody there")

    async with running(Gone()) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and any("trying again" in line for line in shown(app)))
        assert "waiting for the collector" in shown(app)[0]


async def test_the_palette_opens_a_page_from_the_monitor_and_from_another_page() -> None:
    async with running(FakeSource()) as (app, pilot):
        for name, title in (("Scanner", "Scanner"), ("Correlations", "Correlation"), ("Statistics", "Statistics")):
            await pilot.press("colon")
            await until(pilot, lambda: isinstance(app.screen, Palette))
            await pilot.press(*name)
            await until(pilot, lambda: app.screen.query_one("CommandList").option_count > 0)  # type: ignore[attr-defined]
            await pilot.press("enter", "enter")
            await until(pilot, lambda title=title: isinstance(app.screen, PageScreen) and shown(app)[0].startswith(title))  # type: ignore[misc]
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.monitor)


async def test_a_session_key_asks_for_the_page_at_once() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and len(asked(source)) == 1)
        await pilot.press("n")
        await until(pilot, lambda: len(sessions(source)) == 1)
        before = time.monotonic()
        await until(pilot, lambda: len(asked(source)) > 1)
        assert time.monotonic() - before < 0.6


async def test_the_crosshair_goes_back_in_time_and_tells_what_was_there() -> None:
    async with running(FakeSource(), (80, 24)) as (app, pilot):
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and "ETH" in shown(app)[1], "no chart")
        assert shown(app)[1].startswith("00:00:00  ETH")
        await pilot.press("h", "left")
        await until(pilot, lambda: shown(app)[1].startswith("23:58:00"))
        assert any("┆" in line for line in shown(app))
        await pilot.press("h", *["left"] * 7)
        await until(pilot, lambda: "SHORT z +2.04" in shown(app)[1], "the alert is not told")
        await pilot.press("l")
        await until(pilot, lambda: shown(app)[1].startswith("23:51:00"))
        await pilot.press("pageup")
        await until(pilot, lambda: shown(app)[1].startswith("23:17:00"))
        await pilot.press("g")
        await until(pilot, lambda: shown(app)[1].startswith("19:01:00"))
        await pilot.press("G")
        await until(pilot, lambda: shown(app)[1].startswith("00:00:00"))
        assert not any("┆" in line for line in shown(app))


async def test_the_chart_has_zooms_and_three_pictures() -> None:
    async with running(FakeSource(), (120, 40)) as (app, pilot):
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and "candles of y" in shown(app)[0], "no chart")
        for said in ("2 bars", "4 bars", "8 bars"):
            await pilot.press("z")
            await until(pilot, lambda said=said: f"{said} a column" in shown(app)[0])  # type: ignore[misc]
        await pilot.press("z", "Z")
        await until(pilot, lambda: "4 bars a column" in shown(app)[0])
        await pilot.press("x")
        await until(pilot, lambda: "candles of x" in shown(app)[0])
        await pilot.press("x")
        await until(pilot, lambda: "both legs in %" in shown(app)[0])
        assert any("ETH +" in line for line in shown(app))
        await pilot.press("x")
        await until(pilot, lambda: "candles of y" in shown(app)[0])


async def test_the_health_page_names_what_is_wrong() -> None:
    async with running(FakeSource(), (80, 24)) as (app, pilot):
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and "weight" in "".join(shown(app)), "no health")
        text = "\n".join(shown(app))
        assert "NOSUCH      unknown symbol NOSUCHUSDT on binance-usdm" in text
        assert "filling" in text
        assert "<50ms    65%" in text
        assert "sent" not in text, "a pilot has no terminal that costs anything"


async def test_the_page_of_alerts_has_the_channels_of_the_screen_and_counts_what_it_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantui.ui.puller.PAGE_S", 0.05)
    source = FakeSource()
    async with running(source, (120, 40)) as (app, pilot):
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and "● bell on" in "\n".join(shown(app)), "no channels")
        text = "\n".join(shown(app))
        assert "● bell on 0 sent 0 dropped  ● terminal on by osc9 and osc777 0 sent" in text
        assert "× desktop failing 3 sent 1 failed" in text
        row = AlertRow(9, T0, "alert", "ETHUSDT/BTCUSDT", "LONG z -2.31", ("bell", "terminal"))
        source.put(alerts=(row, *source.current.alerts))
        await until(pilot, lambda: "● bell on 1 sent 0 dropped" in "\n".join(shown(app)), "the page did not hear of it")
        assert "osc777 1 sent" in "\n".join(shown(app))


async def test_the_history_scrolls_to_its_oldest_row_and_the_threshold_moves_from_the_page() -> None:
    source = FakeSource()
    async with running(source, (80, 24)) as (app, pilot):
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, PageScreen) and "▲ SHORT   +2.04" in "\n".join(shown(app)), "no history")
        assert shown(app)[-1].endswith("more"), "what is below is counted"
        await pilot.press("G")
        assert "every way" in "\n".join(shown(app))
        assert any(line.startswith("08-08 16:56:40") for line in shown(app)), "the oldest"
        await pilot.press("plus")
        await until(pilot, lambda: ("session", {"entry": 2.1}) in source.calls)


async def test_help_over_the_page_of_alerts_begins_with_it() -> None:
    async with running(FakeSource(), (80, 24)) as (app, pilot):
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        await pilot.press("question_mark")
        block = "#about-alerting"
        await until(pilot, lambda: isinstance(app.screen, HelpScreen) and app.screen.query_one("#help").scroll_y > 0)
        assert app.screen.query_one(block).virtual_region.y == app.screen.query_one("#help").scroll_y
