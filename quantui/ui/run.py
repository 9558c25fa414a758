"""Runs the screen, or writes lines where there can be none. Textual is imported only inside, after its environment is set."""

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from quantui import splash

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantui.ui.app import MonitorApp
    from quantui.ui.settings import ScreenSettings
    from quantui.ui.source import SnapshotSource

FRAMES: Final = "1000"
"""Textual waits one frame before it paints. Ours are few (one a tick, one a key): a short wait costs nothing, keys show at once."""

GIL_SWITCH_S: Final = 0.0005
"""The thread that fetches snapshots gives a key its turn after this long; Python's own 5 ms would be felt."""

_NO_SCREEN: Final = ("", "dumb")
"""Values of `TERM` that mean: no cursor to move, lines only."""

NO_TERMINAL: Final = 2
"""Exit code where there is no terminal to draw on."""


def run_screen(
    connect: "Callable[[], SnapshotSource]",
    settings: "ScreenSettings | None" = None,
    *,
    abandon: "Callable[[], None]" = lambda: None,
) -> int:
    """Show the monitor until the person leaves; as lines of text where `TERM` is dumb or unset, or where that was chosen.

    Args:
        connect: Makes the source of snapshots; called in a thread of its own, after the first paint. It may take its time
            and raise `CollectorGoneError` or `OSError`: the screen then shows the sentence and tries again by itself.
        settings: What the person chose; the defaults where not given.
        abandon: Stops what `connect` would join, for a person who quits before that; called from any thread, perhaps twice.

    Returns:
        0 left by key, 1 crashed (lines: or their reader has ended), 2 no terminal, 129 terminal closed, 130 SIGINT, 131 SIGQUIT,
        143 SIGTERM.
    """
    problem = terminal_problem()
    if problem:
        sys.stderr.write(problem + "\n")
        return NO_TERMINAL
    if os.environ.get("TERM", "") in _NO_SCREEN or (settings is not None and settings.plain):
        return _run_plain(connect, settings, abandon)
    sys.setswitchinterval(GIL_SWITCH_S)
    gc.disable()  # nothing imported is garbage: collecting during the imports delays the first paint by a tenth
    for name in ("COLUMNS", "LINES"):  # exported once, they hold for ever: the terminal itself knows its size
        os.environ.pop(name, None)
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    # Every colour of ours is in the 256-colour palette: the same picture for a third fewer bytes.
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")

    from quantui.ui.app import MonitorApp
    from quantui.ui.guard import Guard
    from quantui.ui.render import local
    from quantui.ui.settings import ScreenSettings

    settings = settings or ScreenSettings()
    local.use(settings.time_zone, settings.digits)
    environ = dict(os.environ)
    # Textual turns NO_COLOR into dark grey on black; our own mono theme does what it asks for.
    os.environ.pop("NO_COLOR", None)
    app = MonitorApp(connect, settings, environ=environ, on_painted=_collect_garbage_again, abandon=abandon)
    guard = Guard(lambda code: _leave(app, code))
    guard.start()
    mouse = settings.mouse if settings.mouse is not None else "SSH_CONNECTION" not in environ
    if settings.driver != "diff":  # which alone draws over the picture of the last session
        splash.end()
    try:
        result = app.run(mouse=mouse)
    finally:
        guard.stop()
    if app.last_picture is not None:
        splash.keep(*app.last_picture, sys.argv[1:], environ)
    if guard.code is not None:
        return guard.code
    if app.crash is not None:
        sys.stderr.write(crash_line(app.crash, settings.log_path) + "\n")
        return 1
    return result or 0


def _run_plain(connect: "Callable[[], SnapshotSource]", settings: "ScreenSettings | None", abandon: "Callable[[], None]") -> int:
    from quantui.ui.plain import PlainMonitor
    from quantui.ui.render import local
    from quantui.ui.settings import ScreenSettings

    splash.end()
    settings = settings or ScreenSettings()
    local.use(settings.time_zone, settings.digits)
    try:
        return PlainMonitor(connect, settings, os.environ, abandon=abandon).run()
    except Exception as error:  # the same end as the screen's: one line for the person, the rest in the log
        sys.stderr.write(crash_line(error, settings.log_path) + "\n")
        return 1


def _collect_garbage_again() -> None:
    gc.freeze()
    gc.enable()


def terminal_problem() -> str:
    """Why nothing can be shown here, with what to do; empty when it can."""
    streams = (sys.__stdin__, sys.__stderr__)
    if not all(stream is not None and stream.isatty() for stream in streams):
        return (
            "quantui: no terminal on standard input and error; run it in a terminal, or use `quantui collect` and `quantui status`"
        )
    return ""


def _leave(app: "MonitorApp", code: int) -> None:
    loop = app._loop
    if loop is not None:
        loop.call_soon_threadsafe(app.exit, code)


def crash_line(error: BaseException, log_path: str) -> str:
    """Write the traceback to the log; return the one line for the person."""
    import traceback

    from quantui.text import safe

    what = f"quantui: the screen failed: {safe(f'{type(error).__name__}: {error}')}"
    if not log_path:
        return what
    try:
        with Path(log_path).open("a", encoding="utf-8") as log:
            told = "".join(traceback.format_exception(error))
            log.writelines(safe(line) + "\n" for line in told.split("\n"))
    except OSError as failure:
        return f"{what}; and the log {safe(log_path)} cannot be written: {failure.strerror}"
    return f"{what}; details in {safe(log_path)}"
