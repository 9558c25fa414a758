"""Everything a key can do, once: bindings, help screen, footer and palette are all made from this list."""

from collections.abc import Iterator
from typing import Final, NamedTuple


class Action(NamedTuple):
    """One thing the monitor can do."""

    id: str
    """Stable name, for keymaps."""
    keys: str
    """Textual key names, separated by commas."""
    shown: str
    """How the keys are written for people."""
    call: str
    """Textual action string."""
    title: str
    """Name in the palette."""
    tooltip: str
    """One sentence for help and palette."""
    footer: str = ""
    """Words in the footer; empty keeps it out."""
    priority: int = 0
    """The lowest leaves the footer first."""
    palette: bool = True


ACTIONS: Final = (
    Action(
        "help", "question_mark,f1", "? F1", "help", "Help", "Show how each panel is computed and read, and the keys.", "? help", 8
    ),
    Action(
        "next-pair",
        "n,down,j",
        "n ↓ j",
        "step_pair(1)",
        "Next pair",
        "Put the next pair of the watch list in focus.",
        "n/p pair",
        7,
    ),
    Action("previous-pair", "p,up,k", "p ↑ k", "step_pair(-1)", "Previous pair", "Put the previous pair in focus."),
    Action(
        "pick-pair",
        "1,2,3,4,5,6,7,8,9",
        "1-9",
        "pick_pair({})",
        "Pick pair",
        "Put the pair with this number in focus.",
        palette=False,
    ),
    Action("longer-timeframe", "t", "t", "step_timeframe(1)", "Longer timeframe", "1s, 1m, 5m, 15m, 1h.", "t frame", 5),
    Action("shorter-timeframe", "T", "T", "step_timeframe(-1)", "Shorter timeframe", "One timeframe back."),
    Action("larger-window", "w", "w", "step_window(1)", "Larger window", "Regression window: 60, 120, 240, 480 bars.", "w win", 4),
    Action("smaller-window", "W", "W", "step_window(-1)", "Smaller window", "One regression window back."),
    Action(
        "next-estimator",
        "b",
        "b",
        "step_estimator(1)",
        "Next estimator",
        "Hedge ratio by OLS, Huber, Theil-Sen, TLS, returns, DOLS, Johansen, Kalman.",
        "b beta",
        4,
    ),
    Action("previous-estimator", "B", "B", "step_estimator(-1)", "Previous estimator", "One estimator back."),
    Action(
        "raise-threshold",
        "plus,equals_sign",
        "+ =",
        "step_entry(1)",
        "Raise threshold",
        "Entry threshold of |z| up by 0.1.",
        "+/- z",
        3,
    ),
    Action("lower-threshold", "minus", "-", "step_entry(-1)", "Lower threshold", "Entry threshold of |z| down by 0.1."),
    Action(
        "pause",
        "space",
        "space",
        "pause",
        "Pause",
        "Freeze the picture; alerts still ring, the collector goes on.",
        "space pause",
        6,
    ),
    Action(
        "scanner",
        "s",
        "s",
        "open_page('scan')",
        "Scanner",
        "Every pair of the watched symbols: sort, filter, put on the watch list.",
        "s scan",
        6,
    ),
    Action(
        "chart-page",
        "v",
        "v",
        "open_page('chart')",
        "Chart",
        "Candles of the pair in focus with volume, z-score, spread and hedge ratio.",
        "v chart",
        5,
    ),
    Action(
        "pair-page",
        "i",
        "i",
        "open_page('pair')",
        "Pair in detail",
        "All tests of the pair in focus, in plain words, and its plots.",
        "i pair",
        5,
    ),
    Action(
        "correlation-page",
        "c",
        "c",
        "open_page('correlation')",
        "Correlations",
        "How all watched symbols move together.",
        "c corr",
        4,
    ),
    Action(
        "statistics-page",
        "m",
        "m",
        "open_page('statistics')",
        "Statistics",
        "Prices, volatility, turnover and cost of every watched symbol.",
        "m stats",
        4,
    ),
    Action(
        "alerts-page",
        "a",
        "a",
        "open_page('alerting')",
        "Alerts",
        "The rules, their gates and channels, where each watched pair stands, and what was said.",
        "a alerts",
        3,
    ),
    Action(
        "health-page",
        "H",
        "H",
        "open_page('health')",
        "Health",
        "Streams, delays, gaps, weights, memory, and the bytes sent to this terminal.",
        "H health",
        2,
    ),
    Action("copy", "y", "y", "copy", "Copy", "What is shown, as text, to the clipboard of your own machine (OSC 52).", "y copy", 1),
    Action("screenshot", "S", "S", "picture_file", "Screenshot", "Write the screen to an SVG file and say where."),
    Action("export", "e", "e", "export", "Export analytics", "Write the analytics to a file and say where.", "e export", 2),
    Action(
        "palette",
        "ctrl+p,colon",
        ": ctrl+p",
        "command_palette",
        "Palette",
        "Search all actions by name.",
        ": palette",
        1,
        palette=False,
    ),
    Action("suspend", "ctrl+z", "ctrl+z", "suspend_process", "Suspend", "Back to the shell; `fg` returns."),
    Action("detach", "Q", "Q", "detach", "Detach", "Leave the screen; the collector goes on.", "Q detach", 8),
    Action("quit", "q,ctrl+c", "q ctrl+c", "quit", "Quit", "Leave the screen and stop the collector it started.", "q quit", 9),
)


MONITOR_ACTIONS: Final = (
    Action(
        "bar-back",
        "left_square_bracket",
        "[",
        "app.travel(-1)",
        "One bar back",
        "The whole screen as it was a bar before, made anew from the bars that are kept.",
        "[ ] past",
        3,
    ),
    Action("bar-on", "right_square_bracket", "]", "app.travel(1)", "One bar on", "A bar on; behind the newest it moves again."),
    Action("bars-back", "left_curly_bracket", "{", "app.travel(-20)", "20 bars back", "The same, 20 bars at once."),
    Action("bars-on", "right_curly_bracket", "}", "app.travel(20)", "20 bars on", "20 bars on."),
    Action("now", "escape", "esc", "app.now", "Back to now", "From the past, or from a pause, back to the moving picture."),
    Action("tour", "enter", "Enter", "app.tour", "Tour", "Six lines about this screen, Enter for the next; Esc ends it."),
    Action(
        "next-panel",
        "tab",
        "Tab",
        "mark(1)",
        "Next panel",
        "Mark the next panel: ? explains it, f lets it fill the screen.",
        "Tab panel",
        2,
    ),
    Action("previous-panel", "shift+tab", "Shift+Tab", "mark(-1)", "Previous panel", "Mark the panel before."),
    Action(
        "maximise",
        "f",
        "f",
        "maximise",
        "Fill the screen",
        "The marked panel, else the z-score, fills the screen; again: all panels.",
        "f full",
        3,
    ),
    Action(
        "search",
        "slash",
        "/",
        "search",
        "Find a pair",
        "Type a part of its name; Enter puts the first that is shown in focus.",
        "/ find",
        4,
    ),
)
"""What a key does on the monitor only, to its own panels."""


PAGE_ACTIONS: Final = (
    Action("page-back", "q,escape", "q esc", "back", "Back", "Back to the monitor.", "q back", 9),
    Action("page-down", "j,down", "j ↓", "step(1)", "Down", "One row down.", "j/k row", 5),
    Action("page-up", "k,up", "k ↑", "step(-1)", "Up", "One row up."),
    Action("page-next", "pagedown", "PgDn", "leap(1)", "Next rows", "A screen of rows down.", "PgUp/Dn", 3),
    Action("page-previous", "pageup", "PgUp", "leap(-1)", "Previous rows", "A screen of rows up."),
    Action("page-first", "home,g", "g Home", "edge(-1)", "First row", "To the first row."),
    Action("page-last", "end,G", "G End", "edge(1)", "Last row", "To the last row."),
    Action(
        "page-left",
        "h,left",
        "h ←",
        "aside(-1)",
        "Left",
        "Columns further left, where a page is wider than the screen; on the chart the crosshair, back in time.",
        "h/l cols",
        4,
    ),
    Action("page-right", "l,right", "l →", "aside(1)", "Right", "Columns further right."),
    Action("page-sort", "greater_than_sign", ">", "sort(1)", "Next column", "Scanner: sort by the next column.", "</> sort", 6),
    Action("page-sort-back", "less_than_sign", "<", "sort(-1)", "Previous column", "Scanner: sort by the column before."),
    Action("page-reverse", "r", "r", "turn", "Reverse", "Scanner: the other way round.", "r rev", 4),
    Action(
        "page-filter",
        "slash",
        "/",
        "filter",
        "Filter",
        "Scanner: show only some, such as q<0.05 and abs(z)>2 and y=BTC*; Enter keeps it, Esc drops it.",
        "/ filter",
        7,
    ),
    Action(
        "page-choose",
        "enter",
        "Enter",
        "choose",
        "Watch",
        "Scanner: put the pair on the watch list and in focus; one that is there is shown on the monitor.",
        "Enter watch",
        8,
    ),
    Action("page-zoom", "z", "z", "zoom(1)", "Zoom out", "Chart: more bars a column: 1, 2, 4, 8.", "z/Z zoom", 6),
    Action("page-zoom-in", "Z", "Z", "zoom(-1)", "Zoom in", "Chart: fewer bars a column."),
    Action(
        "page-picture", "x", "x", "picture", "Next picture", "Chart: candles of y, candles of x, both legs in percent.", "x leg", 5
    ),
    Action("page-drop", "d", "d", "drop", "Drop", "Scanner: take a pair that was put on the watch list off it again.", "d drop", 3),
)
"""What the keys of a page do, beside those of the monitor."""


def bound() -> Iterator[tuple[str, str, str, Action]]:
    """Each binding: its id, its keys, its action string. Digits are one each, since an action is not told which key was pressed."""
    for action in ACTIONS:
        if "{" not in action.call:
            yield action.id, action.keys, action.call, action
            continue
        for digit in action.keys.split(","):
            yield f"{action.id}-{digit}", digit, f"pick_pair({int(digit) - 1})", action
