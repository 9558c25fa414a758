"""Where the screen gets its snapshots from: a port, so that tests and the web can bring their own."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from quantui.collector.pages import Page
    from quantui.collector.snapshot import Snapshot


class SnapshotSource(Protocol):
    """A collector as the screen sees it. Every call may block; all but `export` are made from one thread."""

    def screen(self, since: int, points: int) -> "Snapshot | None":
        """The snapshot newer than version `since` with up to `points` values a line; None when nothing changed.

        Raises:
            CollectorGoneError: The collector does not answer.
        """
        ...

    def past(self, bar_ms: int, points: int) -> "Snapshot":
        """What was shown when the bar that opens at `bar_ms`, or the last before it, had closed. Raises as `session` does."""
        ...

    def newest_alert(self) -> int:
        """Id of the newest alert, 0 where there is none: all that a frozen picture asks for. Raises as `screen` does."""
        ...

    def session(self, **changes: float | str) -> None:
        """Change what is shown: `pair`, `timeframe`, `window`, `entry`, `estimator`.

        Raises:
            CollectorGoneError: The collector does not answer.
            CollectorRefusedError: It answers that this cannot be.
        """
        ...

    def page(self, name: str, since: int) -> "Page | None":
        """The document of the screen `name` newer than version `since`; None when nothing changed. Raises as `screen` does."""
        ...

    def watch(self, pair: str, *, drop: bool = False) -> None:
        """Put a pair (Y/X) on the watch list and in focus, or drop it. Raises as `session` does."""
        ...

    def stop(self) -> None:
        """The person quits: the collector may end."""
        ...

    def detach(self) -> None:
        """The person leaves; the collector goes on."""
        ...

    def export(self, kind: str) -> str:
        """Write `kind` (`analytics`, ...) to a file and return its path.

        Raises:
            CollectorGoneError: The collector does not answer.
            CollectorRefusedError: It has nothing to export, or cannot.
            OSError: The file cannot be written.
        """
        ...
