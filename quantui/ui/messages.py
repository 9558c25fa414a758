"""What the puller's thread tells the app, as messages."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from quantui.ui.puller import Listener

if TYPE_CHECKING:
    from quantui.collector.pages import Page
    from quantui.collector.snapshot import Snapshot


class SnapshotFetched(Message):
    """The puller has a snapshot, or knows that a change is in force."""

    def __init__(self, snapshot: "Snapshot | None", applied: int) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.applied = applied


class LookedBack(Message):
    """The puller has the snapshot of a bar before."""

    def __init__(self, asked_ms: int, snapshot: "Snapshot") -> None:
        super().__init__()
        self.asked_ms = asked_ms
        self.snapshot = snapshot


class PageFetched(Message):
    """The puller has the document of a screen."""

    def __init__(self, name: str, page: "Page") -> None:
        super().__init__()
        self.name = name
        self.page = page


class CollectorLost(Message):
    """The collector does not answer."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Told(Message):
    """An answer to a key."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class PullerEnded(Message):
    """The puller has said goodbye, or failed."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error


class Postman(Listener):
    """Brings what the puller's thread tells into the app's loop."""

    def __init__(self, post: Callable[[Message], bool]) -> None:
        self._post = post

    def fetched(self, snapshot: "Snapshot | None", applied: int) -> None:
        """Post a snapshot."""
        self._post(SnapshotFetched(snapshot, applied))

    def looked_back(self, asked_ms: int, snapshot: "Snapshot") -> None:
        """Post a snapshot of a bar before."""
        self._post(LookedBack(asked_ms, snapshot))

    def paged(self, name: str, page: "Page") -> None:
        """Post a page."""
        self._post(PageFetched(name, page))

    def lost(self, reason: str) -> None:
        """Post that the collector is gone."""
        self._post(CollectorLost(reason))

    def told(self, text: str) -> None:
        """Post an answer."""
        self._post(Told(text))

    def left(self) -> None:
        """Post that the collector knows."""
        self._post(PullerEnded(None))

    def failed(self, error: Exception) -> None:
        """Post the failure."""
        self._post(PullerEnded(error))
