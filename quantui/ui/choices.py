"""What keys ask of the session: the next pair, timeframe, window, estimator, threshold."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from quantui.collector.snapshot import Session, Snapshot

TIMEFRAMES: Final = ("1s", "1m", "5m", "15m", "1h")
WINDOWS: Final = (60, 120, 240, 480)
ESTIMATORS: Final = ("ols", "huber", "theil-sen", "tls", "returns", "dols", "johansen", "kalman")
SLOPES_WINDOW: Final = 1000
"""Largest window of theil-sen, as the collector has it."""
ENTRY_STEP: Final = 0.1
ENTRY_LOWEST: Final = 0.1

Change = dict[str, float | str]
"""Fields of the session with their new values; empty where a key has nothing to change."""


class Choices:
    """Counts from what was asked for last, so that quick keys add up before the collector has answered."""

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        """The newest snapshot; without one no key changes anything."""
        self._wanted: Change = {}
        self._number = 0

    def ask(self, change: Change, number: int) -> None:
        """A change is on its way to the collector under this number."""
        self._wanted |= change
        self._number = number

    def answered(self, number: int) -> None:
        """What was asked for up to this number is in force."""
        if number >= self._number:
            self._wanted.clear()

    @property
    def session(self) -> "Session | None":
        """The session as it will be; None where nothing is on its way."""
        if not self._wanted or self.latest is None:
            return None
        from msgspec.structs import replace

        return replace(self.latest.session, **self._wanted)

    def pair(self, step: int) -> Change:
        """The next or previous pair; the list is a ring."""
        count = len(self.latest.pairs) if self.latest else 0
        return {"pair": (int(self._current("pair")) + step) % count} if count else {}

    def picked(self, index: int) -> Change:
        """The pair with this index, where there is one."""
        return {"pair": index} if self.latest and index < len(self.latest.pairs) else {}

    def timeframe(self, step: int) -> Change:
        """The next longer or shorter timeframe."""
        return {"timeframe": stepped(TIMEFRAMES, str(self._current("timeframe")), step)} if self.latest else {}

    def window(self, step: int) -> Change:
        """The next larger or smaller window."""
        return {"window": stepped(WINDOWS, int(self._current("window")), step)} if self.latest else {}

    def estimator(self, step: int) -> Change:
        """The next or previous way to find the hedge ratio."""
        if self.latest is None:
            return {}
        current, window = str(self._current("estimator")), int(self._current("window"))
        return {"estimator": next_estimator(current, step, self.latest.session.space, window)}

    def entry(self, step: int) -> Change:
        """The threshold, a step up or down."""
        return {"entry": moved_entry(float(self._current("entry")), step)} if self.latest else {}

    def _current(self, name: str) -> float | str:
        if name in self._wanted:
            return self._wanted[name]
        assert self.latest is not None
        value: float | str = getattr(self.latest.session, name)
        return value


def stepped(choices: tuple[str, ...] | tuple[int, ...], current: str | int, step: int) -> str | int:
    """The next or previous choice; the ends hold. A current value that is none of them counts as its place in order."""
    if current in choices:
        index = list(choices).index(current) + step
    elif isinstance(current, int):
        below = sum(1 for choice in choices if isinstance(choice, int) and choice < current)
        index = below if step > 0 else below - 1
    else:
        index = 0
    return choices[min(len(choices) - 1, max(0, index))]


def moved_entry(entry: float, step: int) -> float:
    """The threshold moved by a step of a tenth, never below a tenth."""
    return max(ENTRY_LOWEST, round(entry + step * ENTRY_STEP, 1))


def next_estimator(current: str, step: int, space: str, window: int) -> str:
    """The next or previous estimator that can be with this space and window; the list is a ring."""
    place = ESTIMATORS.index(current) if current in ESTIMATORS else 0
    while True:
        place = (place + step) % len(ESTIMATORS)
        found = ESTIMATORS[place]
        if not (found == "returns" and space != "log") and not (found == "theil-sen" and window > SLOPES_WINDOW):
            return found
