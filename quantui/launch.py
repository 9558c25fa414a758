"""Starts or joins the collector that a screen looks at, and starts another when it has died. Light: runs beside the first paint."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from quantui.collector.client import Client, CollectorError, CollectorGoneError
from quantui.paths import Paths

if TYPE_CHECKING:
    from quantui.collector.snapshot import Snapshot

_START_S: Final = 20.0
_LOG_LIMIT: Final = 10 << 20
_AWAY_S: Final = 30.0
"""A screen that has not asked for so long was frozen or suspended: the collector may have ended because nobody looked."""
_JUST_COME_S: Final = 1.0
"""A collector that ends so soon after this screen has come was ending already, by the screen before."""
_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 30.0
"""Between two tries to start a collector that does not start."""


class ScreenClient(Client):
    """A screen's connection: quitting ends a collector that was made for a screen, and one that has died is replaced."""

    def __init__(self, launcher: "Launcher") -> None:
        super().__init__(launcher.paths.socket)
        self._launcher = launcher
        self._answered = time.monotonic()

    def screen(self, since: int, points: int) -> "Snapshot | None":
        """The snapshot newer than version `since`.

        Raises:
            CollectorGoneError: Nobody answers; where the collector has died another one is on its way.
        """
        with self._watched():
            return super().screen(since, points)

    def newest_alert(self) -> int:
        """Id of the newest alert. Raises as `screen` does."""
        with self._watched():
            return super().newest_alert()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """A collector that has died meanwhile is replaced."""
        try:
            yield
        except CollectorGoneError as error:
            self._launcher.replace(error, is_away=time.monotonic() - self._answered > _AWAY_S)
            raise
        self._answered = time.monotonic()
        self._launcher.answered()

    def stop(self) -> None:
        """The person quits."""
        self.leave()


@dataclass(slots=True)
class Launcher:
    """Knows how to start the collector of one data directory."""

    paths: Paths
    arguments: Sequence[str]
    """Of the `quantui` command that collects, without the program's name."""
    fresh: bool = False
    """What an earlier, ended session left in the data directory is removed first (demo, replay)."""
    _child: "subprocess.Popen[bytes] | None" = None
    _log_begin: int = 0
    _started: float = 0.0
    _is_replacing: bool = False
    _came: float = 0.0
    _was_ending: bool = False
    """The collector that this screen found was left by the screen before."""
    _wait: float = _WAIT_S
    _is_given_up: bool = False

    def connect(self) -> ScreenClient:
        """A client of the running collector, or of one that is started now.

        Raises:
            CollectorGoneError: It did not start; says why and where its log is.
        """
        self.paths.create()
        self._came = time.monotonic()
        if not self._is_running():
            if self.fresh:
                self._clear()
                self.fresh = False
            self._start()
            self._await_answer()
        return ScreenClient(self)

    def abandon(self) -> None:
        """The person quits before there was a connection: the collector that it would have been with ends all the same.

        May be called from another thread while `connect` waits, which then gives up.
        """
        self._is_given_up = True
        with contextlib.suppress(CollectorError, OSError):
            if self._is_running():
                ScreenClient(self).stop()
                return
        if self._child is not None:  # which does not answer yet
            self._child.terminate()

    def replace(self, error: CollectorGoneError, *, is_away: bool) -> None:
        """Start another collector in place of one that has died; does not wait for it.

        Args:
            error: What the screen knows; raised by the caller where there is nothing to add.
            is_away: The screen has not asked for long, so that the collector may have ended by itself.

        Raises:
            CollectorGoneError: With what is being done about it.
        """
        from quantui.collector.lock import find, is_abandoned

        self._was_ending |= time.monotonic() - self._came < _JUST_COME_S
        if find(self.paths.lock) is not None:
            return
        if self._child is not None and self._child.poll() is None:
            raise CollectorGoneError("the collector has died; another one is starting") from error
        if not (self._is_replacing or is_away or self._was_ending or is_abandoned(self.paths.lock)):
            raise CollectorGoneError("the collector was stopped; leave, then `quantui` starts another one") from error
        if self._is_replacing:
            if time.monotonic() - self._started < self._wait:
                raise CollectorGoneError(f"the collector has died and another did not start: {self._last_words()}") from error
            self._wait = min(2 * self._wait, _LONGEST_WAIT_S)
        if self.fresh:
            self._clear()
            self.fresh = False
        self._is_replacing = True
        self._start()
        raise CollectorGoneError("the collector has died; another one is starting") from error

    def answered(self) -> None:
        """There is a collector and it answers."""
        self._is_replacing, self._was_ending, self._wait = False, False, _WAIT_S

    def _is_running(self) -> bool:
        from quantui.collector.lock import find

        return find(self.paths.lock) is not None

    def _start(self) -> None:
        log_path = self.paths.collector_log
        if log_path.exists() and log_path.stat().st_size > _LOG_LIMIT:
            log_path.replace(log_path.with_suffix(".log.1"))
        self._started = time.monotonic()
        with log_path.open("ab") as log:
            self._log_begin = log.tell()
            self._child = subprocess.Popen(
                [sys.executable, "-m", "quantui", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                close_fds=True,
                cwd="/",
            )

    def _await_answer(self) -> None:
        assert self._child is not None
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(CollectorGoneError):
                client = Client(self.paths.socket)
                client.health()
                client.close()
                return
            if self._is_given_up:
                self._child.terminate()
                raise CollectorGoneError("left before the collector had started")
            if self._child.poll() is not None:
                raise CollectorGoneError(f"the collector did not start: {self._last_words()}")
            time.sleep(0.03)
        raise CollectorGoneError(f"the collector did not answer within {_START_S:.0f} s; its log: {self.paths.collector_log}")

    def _last_words(self) -> str:
        path = self.paths.collector_log
        return f"{_last_line(path, self._log_begin)} (log: {path})"

    def _clear(self) -> None:
        for path in self.paths.data_dir.glob("quantui.db*"):
            path.unlink()


def _last_line(path: Path, begin: int) -> str:
    with path.open("rb") as log:
        log.seek(begin)
        lines = log.read(1 << 20).decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


def absolute(files: Sequence[str]) -> list[str]:
    """Paths that still hold in a process with another working directory."""
    return [name if name == "-" else str(Path(name).resolve()) for name in files]
