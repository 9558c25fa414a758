import pytest

from quantui.collector.snapshot import AlertRow
from quantui.ui.terminal_alerts import BELL, announcement, notification, protocol


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
