import pytest
from msgspec.structs import replace

from quantui.collector.alert_pages import AlertsPage
from quantui.collector.snapshot import AlertRow
from quantui.ui.announcer import Announcer
from quantui.ui.settings import ScreenSettings
from quantui.ui.terminal_alerts import BELL, announcement, notification, protocol
from tests.ui.fakes import alerts_page, pages, snapshot


@pytest.mark.parametrize(
    ("setting", "environ", "expected"),
    [
        ("auto", {"TERM": "xterm-256color"}, "both"),
        ("auto", {"TERM": "xterm-kitty"}, "osc9"),
        ("auto", {"TERM": "rxvt-unicode-256color"}, "osc777"),
        ("auto", {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "osc9"),
        ("off", {"TERM": "xterm-kitty"}, "off"),
        ("osc777", {}, "osc777"),
    ],
)
def test_each_terminal_is_told_once_in_the_way_it_knows(setting: str, environ: dict[str, str], expected: str) -> None:
    assert protocol(setting, environ) == expected


def test_the_text_cannot_end_the_sequence() -> None:
    made = notification("quantui", "a\x07\x1b\\b;c\x9c", "both", tmux=False)
    assert made == "\x1b]9;quantui: a\\x07\\x1b\\b,c\\x9c\x07\x1b]777;notify;quantui;a\\x07\\x1b\\b,c\\x9c\x07"


def test_tmux_passes_it_through_with_doubled_escapes() -> None:
    assert notification("q", "x", "osc9", tmux=True) == "\x1bPtmux;\x1b\x1b]9;q: x\x07\x1b\\"


def test_off_is_off_and_long_text_is_cut() -> None:
    assert notification("q", "x", "off", tmux=True) == ""
    assert len(notification("q", "x" * 5000, "osc9", tmux=False)) < 250


def _row(number: int, *notify: str) -> AlertRow:
    return AlertRow(number, 0, "alert", "ETHUSDT/BTCUSDT", f"SHORT {number}", notify)


def test_an_alert_is_announced_only_in_the_ways_its_rule_names() -> None:
    def said(*rows: AlertRow, bell: bool = True) -> str:
        return announcement(rows, bell=bell, setting="osc9", environ={})

    assert said(_row(1)) == ""
    assert said(_row(1, "desktop")) == ""
    assert said(_row(1, "bell")) == BELL
    assert said(_row(1, "bell"), bell=False) == ""
    assert said(_row(1, "terminal")) == "\x1b]9;quantui: ETHUSDT/BTCUSDT SHORT 1\x07"
    assert said(_row(3, "bell"), _row(2, "terminal"), _row(1, "terminal")) == (
        f"{BELL}\x1b]9;quantui: ETHUSDT/BTCUSDT SHORT 2 and 1 more\x07"
    )


def test_what_was_told_and_what_was_held_back_is_counted() -> None:
    now = [10.0]
    announcer = Announcer(ScreenSettings(notify_terminal="osc9"), {}, lambda: now[0])

    def told(*rows: AlertRow) -> tuple[int | None, int | None, int | None]:
        announcer.sequences(replace(snapshot(), alerts=rows))
        page = announcer.completed(alerts_page())
        assert isinstance(page, AlertsPage)
        bell, terminal = page.channels[:2]
        assert (bell.name, bell.failed, terminal.name, terminal.failed, terminal.dropped) == ("bell", None, "terminal", None, None)
        return bell.sent, bell.dropped, terminal.sent

    assert told(_row(1, "bell")) == (0, 0, 0), "what was there before the screen looked is not told"
    assert told(_row(3, "bell", "terminal"), _row(2, "bell")) == (1, 0, 1), "two alerts, one ring"
    assert told(_row(4, "bell")) == (1, 1, 1), "at once again: held back"
    now[0] += 1.0
    assert told(_row(6, "terminal"), _row(5, "bell")) == (2, 1, 2)
    assert told(_row(7, "desktop")) == (2, 1, 2)


def test_channels_that_are_off_say_by_which_setting() -> None:
    announcer = Announcer(ScreenSettings(bell=False, notify_terminal="off"), {}, lambda: 0.0)
    page = announcer.completed(alerts_page())
    assert isinstance(page, AlertsPage)
    assert [(row.name, row.state, row.sent) for row in page.channels[:2]] == [("bell", "off", None), ("terminal", "off", None)]
    assert [row.detail for row in page.channels[:2]] == ["[ui] bell = false", "[ui] terminal_notification = false"]
    health = pages()["health"]
    assert announcer.completed(health) is health
