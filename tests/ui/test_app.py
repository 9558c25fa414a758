"""Every key, driven through Textual's pilot on a fake source with a frozen clock."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.geometry import Region
from textual.pilot import Pilot

from quantui.collector.client import CollectorGoneError, CollectorRefusedError
from quantui.collector.snapshot import AlertRow, LegView, Snapshot
from quantui.ui.actions import ACTIONS
from quantui.ui.app import MonitorApp
from quantui.ui.screens.help import HelpScreen
from quantui.ui.settings import ScreenSettings
from quantui.ui.source import SnapshotSource
from quantui.ui.widgets.lines import LineWidget
from tests.ui.fakes import T0, FakeSource

ENVIRON = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}


async def until(pilot: Pilot[int], predicate: Callable[[], bool], what: str = "") -> None:
    for _ in range(400):
        if predicate():
            return
        await pilot.pause(0.005)
    raise AssertionError(what or "never became true")


def panel(app: MonitorApp, name: str) -> str:
    return "\n".join(app.monitor.query_one(f"#{name}", LineWidget).texts())


def is_shown(app: MonitorApp) -> bool:
    """Whether the first snapshot is; where one panel fills the screen from the beginning, no other is ever drawn."""
    return "87/240" in panel(app, "pairs") or (app.monitor.snapshot is not None and bool(app.monitor.only))


@asynccontextmanager
async def running(
    source: FakeSource,
    size: tuple[int, int] = (80, 24),
    connect: Callable[[], SnapshotSource] | None = None,
    settings: ScreenSettings = ScreenSettings(fps=10),  # noqa: B008 - it cannot change
) -> AsyncIterator[tuple[MonitorApp, Pilot[int]]]:
    app = MonitorApp(connect or (lambda: source), settings, environ=ENVIRON, now=lambda: 1000.0)
    async with app.run_test(size=size) as pilot:
        if connect is None:
            await until(pilot, lambda: is_shown(app), "no first snapshot")
        yield app, pilot


def sessions(source: FakeSource) -> list[object]:
    return [argument for name, argument in source.calls if name == "session"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["n"], {"pair": 1}),
        (["down"], {"pair": 1}),
        (["j"], {"pair": 1}),
        (["p"], {"pair": 5}),
        (["up"], {"pair": 5}),
        (["k"], {"pair": 5}),
        (["3"], {"pair": 2}),
        (["6"], {"pair": 5}),
        (["t"], {"timeframe": "1m"}),
        (["T"], {"timeframe": "1s"}),
        (["w"], {"window": 480}),
        (["W"], {"window": 120}),
        (["plus"], {"entry": 2.1}),
        (["equals_sign"], {"entry": 2.1}),
        (["minus"], {"entry": 1.9}),
        (["b"], {"estimator": "huber"}),
        (["B"], {"estimator": "kalman"}),
    ],
)
async def test_a_key_changes_the_session(keys: list[str], expected: dict[str, object]) -> None:
    source = FakeSource()
    async with running(source) as (_, pilot):
        await pilot.press(*keys)
        await until(pilot, lambda: bool(sessions(source)))
        assert sessions(source) == [expected]


@pytest.mark.parametrize("key", [str(digit) for digit in range(7, 10)])
async def test_a_digit_beyond_the_last_pair_does_nothing(key: str) -> None:
    source = FakeSource()
    async with running(source) as (_, pilot):
        await pilot.press(key, "e")
        await until(pilot, lambda: ("export", "analytics") in source.calls)
        assert sessions(source) == []


async def test_every_key_of_the_registry_is_bound_with_id_and_tooltip() -> None:
    async with running(FakeSource()) as (app, _):
        bound = {key: binding for key, bindings in app._bindings for binding in [bindings]}
        for action in ACTIONS:
            for key in action.keys.split(","):
                assert bound[key].id is not None
                assert bound[key].tooltip


async def test_a_change_shows_at_once_and_is_marked_until_it_is_in_force() -> None:
    source = FakeSource()
    hold = threading.Event()

    class Slow(FakeSource):
        def session(self, **changes: float | str) -> None:
            assert hold.wait(5)
            super().session(**changes)

    source = Slow()
    async with running(source) as (app, pilot):
        await pilot.press("n")
        assert panel(app, "pairs").splitlines()[2].startswith("▸2")
        assert "SOL/ETH…" in panel(app, "status")
        hold.set()
        await until(pilot, lambda: "…" not in panel(app, "status"))
        assert panel(app, "pairs").splitlines()[2].startswith("▸2")


async def test_quick_keys_add_up_and_the_last_word_counts() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("n", "n", "plus", "plus", "plus")
        await until(pilot, lambda: source.current.session.pair == 2 and source.current.session.entry == 2.3)
        await until(pilot, lambda: "+2.3" in panel(app, "z-labels"))


async def test_a_refusal_is_shown_and_the_old_value_stays() -> None:
    class Strict(FakeSource):
        def session(self, **changes: float | str) -> None:
            raise CollectorRefusedError("entry 2.1 is above the bound of z, 2.0")

    async with running(Strict()) as (app, pilot):
        await pilot.press("plus")
        await until(pilot, lambda: "above the bound" in panel(app, "notice"))
        await until(pilot, lambda: "+2.0" in panel(app, "z-labels"))


async def test_space_freezes_the_picture_and_again_brings_it_up_to_date() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("space")
        assert "PAUSED" in panel(app, "status")
        before = panel(app, "spark-values")
        source.put(y=replace(source.current.y, price=9999.0))
        await pilot.pause(0.3)
        assert panel(app, "spark-values") == before
        await pilot.press("space")
        await until(pilot, lambda: "9,999.00" in panel(app, "spark-values"))
        assert "LIVE" in panel(app, "status")


async def test_a_frozen_picture_asks_for_alerts_only_and_they_ring() -> None:
    class Counting(FakeSource):
        asked = 0

        def screen(self, since: int, points: int) -> Snapshot | None:
            self.asked += 1
            return super().screen(since, points)

    source = Counting()
    async with running(source) as (app, pilot):
        await pilot.press("space")
        await pilot.pause(0.3)
        asked, before = source.asked, panel(app, "spark-values")
        source.put(y=LegView(symbol="ETHUSDT", price=9_999.0))
        await pilot.pause(1.3)
        assert source.asked == asked, "prices are not looked at"
        newest = max(row.id for row in source.current.alerts)
        source.put(alerts=(AlertRow(newest + 1, T0, "alert", "ETH/BTC", "SHORT", ("bell",)), *source.current.alerts))
        await until(pilot, lambda: app._choices.latest is source.current, "the alert was not fetched")
        assert panel(app, "spark-values") == before
        await pilot.press("space")
        await until(pilot, lambda: "9,999" in panel(app, "spark-values"), "the picture does not move again")


async def test_a_collector_that_is_back_is_no_longer_lost_though_the_picture_is_frozen() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("space")
        source.gone = "the collector at x cannot be reached"
        await until(pilot, lambda: "LOST" in panel(app, "status"), "not lost")
        source.gone = ""
        await until(pilot, lambda: "PAUSED" in panel(app, "status"), "not back")


async def test_a_session_key_unfreezes_the_picture() -> None:
    async with running(FakeSource()) as (app, pilot):
        await pilot.press("space", "n")
        assert "PAUSED" not in panel(app, "status")


async def test_export_says_where_it_went() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("e")
        await until(pilot, lambda: "analytics written to /tmp/quantui-analytics.csv" in panel(app, "notice"))
        assert ("export", "analytics") in source.calls


async def test_a_failed_export_says_why() -> None:
    class Full(FakeSource):
        def export(self, kind: str) -> str:
            raise OSError("No space left on device")

    async with running(Full()) as (app, pilot):
        await pilot.press("e")
        await until(pilot, lambda: "export failed: No space left" in panel(app, "notice"))


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_opens_scrolls_and_closes(key: str) -> None:
    async with running(FakeSource()) as (app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        body = app.screen.query_one("#help")
        assert body.max_scroll_y > 0
        await pilot.press("j", "j", "k")
        await until(pilot, lambda: body.scroll_y == 1)
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.monitor)
        assert app.is_running


@pytest.mark.parametrize(("key", "call"), [("q", "stop"), ("ctrl+c", "stop"), ("ctrl+q", "stop"), ("Q", "detach")])
async def test_leaving_tells_the_collector(key: str, call: str) -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: app.return_value == 0)
        assert source.calls == [(call, None)]


async def test_leaving_does_not_wait_for_a_collector_that_hangs() -> None:
    hold = threading.Event()

    def hang() -> SnapshotSource:
        hold.wait(30)
        return FakeSource()

    async with running(FakeSource(), connect=hang) as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: app.return_value == 0)
    hold.set()


async def test_suspend_is_bound_to_textuals_own_action() -> None:
    async with running(FakeSource()) as (app, _):
        assert [binding.action for key, binding in app._bindings if key == "ctrl+z"] == ["suspend_process"]


async def test_the_empty_screen_is_there_before_the_collector_is() -> None:
    hold = threading.Event()

    def slow() -> SnapshotSource:
        hold.wait(10)
        return FakeSource()

    async with running(FakeSource(), connect=slow) as (app, pilot):
        await until(pilot, lambda: "STARTING COLLECTOR" in panel(app, "status"))
        assert "? help" in panel(app, "footer")
        hold.set()
        await until(pilot, lambda: "LIVE" in panel(app, "status"))


async def test_a_failed_start_says_why_and_is_tried_again() -> None:
    tries = []

    def failing() -> SnapshotSource:
        tries.append(1)
        if len(tries) == 1:
            raise CollectorGoneError("no collector at /run/quantui.sock; `quantui collect` starts one")
        return FakeSource()

    async with running(FakeSource(), connect=failing) as (app, pilot):
        await until(pilot, lambda: "`quantui collect` starts one; trying again" in panel(app, "notice"))
        await until(pilot, lambda: "LIVE" in panel(app, "status"))
        assert panel(app, "notice") == ""


async def test_what_is_wrong_with_the_feed_wraps_above_the_panels_and_hides_none() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        source.put(feed=replace(source.current.feed, detail="BTCUSDT is silent for 31 s " * 5))
        await until(pilot, lambda: len(panel(app, "notice").splitlines()) == 2)
        await until(pilot, lambda: app.monitor.query_one("#price").region.y == 3)
        assert app.monitor.query_one("#notice").region.height == 2
        source.put(feed=replace(source.current.feed, detail=""))
        await until(pilot, lambda: app.monitor.query_one("#price").region.y == 1)


async def test_a_new_alert_is_marked_and_flashes_for_a_moment() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        assert "!" not in panel(app, "log")
        source.put(
            alerts=(
                AlertRow(id=4, time_ms=T0, severity="alert", pair="ETHUSDT/BTCUSDT", text="LONG z -2.3"),
                *source.current.alerts,
            )
        )
        await until(pilot, lambda: panel(app, "log").splitlines()[1].startswith("! 00:00:00 ETH/BTC LONG"))
        log = app.monitor.query_one("#log", LineWidget)
        assert log._lines[1][0].role == "flash"
        await until(pilot, lambda: log._lines[1][0].role == "bad")
        assert panel(app, "log").splitlines()[1].startswith("!")
        assert panel(app, "log").splitlines()[2].startswith(" ")


async def test_with_reduced_motion_it_is_marked_and_does_not_flash() -> None:
    source = FakeSource()
    settings = ScreenSettings(fps=10, motion="reduced")
    assert settings.interval_s == 1.0
    async with running(source, settings=settings) as (app, pilot):
        row = AlertRow(id=4, time_ms=T0, severity="alert", pair="ETHUSDT/BTCUSDT", text="LONG z -2.3")
        source.put(alerts=(row, *source.current.alerts))
        log = app.monitor.query_one("#log", LineWidget)
        await until(pilot, lambda: panel(app, "log").splitlines()[1].startswith("!"))
        assert log._lines[1][0].role == "bad"


async def test_only_changed_rows_are_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        painted: list[tuple[str | None, int]] = []
        refresh = LineWidget.refresh

        def spy(
            widget: LineWidget, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
        ) -> LineWidget:
            painted.extend((widget.id, region.y) for region in regions)
            return refresh(widget, *regions, repaint=repaint, layout=layout, recompose=recompose)

        monkeypatch.setattr(LineWidget, "refresh", spy)
        source.put(y=replace(source.current.y, price=2700.5))
        await until(pilot, lambda: "2,700.50" in panel(app, "price"))
        assert sorted(painted) == [("price", 0), ("spark-values", 0)]


async def test_resizing_moves_between_the_layouts() -> None:
    async with running(FakeSource()) as (app, pilot):
        await pilot.resize_terminal(200, 50)
        await until(pilot, lambda: app.monitor.query_one("#pairs").region.x > 100)
        await until(pilot, lambda: "funding" in panel(app, "price"))
        await pilot.resize_terminal(59, 16)
        await until(pilot, lambda: "have 59x16, need 60x16" in panel(app, "too-small"))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.monitor.query_one("#pairs").region.y == 18)
        await until(pilot, lambda: "87/240" in panel(app, "pairs"))


async def test_a_click_on_a_pair_puts_it_in_focus() -> None:
    source = FakeSource()
    async with running(source) as (_, pilot):
        await pilot.click("#pairs", offset=(4, 3))
        await until(pilot, lambda: sessions(source) == [{"pair": 2}])


async def test_a_screen_that_does_not_draw_gets_no_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(FakeSource):
        asked = 0

        def screen(self, since: int, points: int) -> Snapshot | None:
            Counting.asked += 1
            self.put()
            return super().screen(since, points)

    async with running(Counting()) as (app, pilot):
        monkeypatch.setattr(app._puller, "taken", lambda: None)
        await pilot.pause(0.3)
        before = Counting.asked
        await pilot.pause(0.5)
        assert Counting.asked <= before + 1


async def test_copy_sends_the_text_of_what_is_in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(MonitorApp, "copy_to_clipboard", lambda _, text: copied.append(text))
    async with running(FakeSource()) as (app, pilot):
        await pilot.press("y")
        await until(pilot, lambda: bool(copied))
        assert "ETH" in copied[0]
        assert "87/240" in copied[0]
        assert "lines sent to the clipboard" in panel(app, "notice")
        await pilot.press("m")
        await until(pilot, lambda: app._pages.shown is not None and app._pages.shown.page is not None)
        await pilot.press("y")
        await until(pilot, lambda: len(copied) == 2)
        assert copied[1].startswith("Statistics")
        assert "87/240 bars" in copied[1]


async def test_a_screenshot_is_written_beside_the_log_and_its_failure_is_told(tmp_path: Path) -> None:
    source = FakeSource()
    for log, said in ((tmp_path / "screen.log", "screenshot written to"), (tmp_path / "none" / "x.log", "screenshot failed: ")):
        app = MonitorApp(lambda: source, ScreenSettings(fps=10, log_path=str(log)), environ=ENVIRON)
        async with app.run_test(size=(120, 24)) as pilot:
            await until(pilot, lambda: "87/240" in panel(app, "pairs"))  # noqa: B023 - within its own turn
            await pilot.press("S")
            await until(pilot, lambda: said in panel(app, "notice"), said)  # noqa: B023 - within its own turn
    assert await asyncio.to_thread(lambda: [path.suffix for path in tmp_path.iterdir()]) == [".svg"]


async def test_a_marked_panel_is_explained_first_and_fills_the_screen() -> None:
    async with running(FakeSource()) as (app, pilot):
        await pilot.press("tab", "tab", "tab")
        assert app.monitor.query_one("#stationarity").border_title == "▸ Stationarity"
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        block = app.screen.query_one("#about-stationarity")
        await until(pilot, lambda: app.screen.query_one("#help").scroll_y == block.virtual_region.y)
        await pilot.press("q", "f")
        await until(pilot, lambda: app.monitor.query_one("#stationarity").region.height == 22)
        await pilot.press("shift+tab")
        await until(pilot, lambda: app.monitor.query_one("#regression").region.height == 22)
        await pilot.press("f")
        await until(pilot, lambda: app.monitor.query_one("#regression").region.height == 5)


@pytest.mark.parametrize("name", ["spark", "z", "pairs", "log"])
async def test_every_marked_panel_shows_that_it_is(name: str) -> None:
    async with running(FakeSource()) as (app, pilot):
        while app.monitor.marked != name:
            await pilot.press("shift+tab")
        shown = {"spark": "spark-labels", "z": "z-labels"}.get(name, name)
        assert panel(app, shown).splitlines()[0].startswith("▸")
        await pilot.press("f")
        await until(pilot, lambda: panel(app, shown).splitlines()[0].startswith("▸") or name == "spark")
        assert app.monitor.only == name


async def test_a_digit_in_the_help_jumps_to_its_block() -> None:
    async with running(FakeSource()) as (app, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("5")
        block = app.screen.query_one("#about-stationarity")
        await until(pilot, lambda: app.screen.query_one("#help").scroll_y == block.virtual_region.y)


async def test_a_pair_is_found_by_a_part_of_its_name() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("slash", "s", "o", "l")
        assert [row.split()[1] for row in panel(app, "pairs").splitlines()[1:]] == ["SOL/ETH"]
        assert "/sol_" in panel(app, "footer")
        await pilot.press("enter")
        await until(pilot, lambda: sessions(source) == [{"pair": 1}])
        assert "87/240" in panel(app, "pairs")


async def test_a_search_that_finds_nothing_or_is_dropped_changes_nothing() -> None:
    source = FakeSource()
    async with running(source) as (app, pilot):
        await pilot.press("slash", "q", "x")
        assert "none" in panel(app, "pairs")
        await pilot.press("enter", "slash", "s", "escape", "e")
        await until(pilot, lambda: ("export", "analytics") in source.calls)
        assert sessions(source) == []
        assert "? help" in panel(app, "footer")


async def test_what_is_said_appears_though_its_panel_is_laid_out_late(monkeypatch: pytest.MonkeyPatch) -> None:
    refresh, asked = LineWidget.refresh, asyncio.Event()

    def now(widget: LineWidget) -> None:
        refresh(widget, layout=True)
        asked.set()

    def late(widget: LineWidget, *regions: Region, layout: bool = False, **more: bool) -> None:
        if layout and widget.id == "notice":
            asyncio.get_running_loop().call_later(0.1, now, widget)
        else:
            refresh(widget, *regions, layout=layout, **more)

    async with running(FakeSource()) as (app, pilot):
        monkeypatch.setattr(LineWidget, "refresh", late)
        app.monitor.message = "two lines\nare said"
        await asyncio.wait_for(asked.wait(), 10)
        await until(pilot, lambda: panel(app, "notice") == "two lines\nare said")
        assert app.monitor._panels["notice"].content_size.height == 2
        app.monitor.message = ""
        await until(pilot, lambda: app.monitor._panels["notice"].content_size.height == 0)
        assert panel(app, "footer")
