"""Six lines about the monitor, one at a time, each with the panel it is about marked."""

from typing import Final, NamedTuple


class Stop(NamedTuple):
    """One line of the tour."""

    panel: str
    """That is marked; empty for none."""
    text: str


STOPS: Final = (
    Stop("", "The top line tells whether to believe the rest: LIVE, gaps 0 and cert 100% are data to act on."),
    Stop("regression", "Regression: y is hedged with beta of x; s is the spread between them now, beside its usual size."),
    Stop("stationarity", "Stationarity: a tick says that the spread comes back by its tests; t1/2 in how many bars by half."),
    Stop("z", "z-score: how far the spread is from its mean. Beyond a dashed line an alert fires; + and - move the lines."),
    Stop("pairs", "Pairs: n, p or a digit put another in focus; s scans every pair; w, t and b change window, timeframe, beta."),
    Stop("", "? explains the panel that Tab marks, : finds every action by its name, [ goes back in time, q quits."),
)


class Tour:
    """Where the person is on it."""

    def __init__(self) -> None:
        self._at: int | None = None

    @property
    def is_on(self) -> bool:
        """Whether a line is shown."""
        return self._at is not None

    def on(self) -> Stop:
        """Begin, or go on; behind the last line it has ended."""
        self._at = 0 if self._at is None else self._at + 1
        if self._at == len(STOPS):
            self._at = None
        return Stop("", "") if self._at is None else STOPS[self._at]

    def end(self) -> None:
        """No line any more."""
        self._at = None

    def text(self) -> str:
        """The line with its place and what its keys are; empty where there is none."""
        if self._at is None:
            return ""
        keys = "Enter ends it" if self._at == len(STOPS) - 1 else "Enter next, Esc ends it"
        return f"Tour {self._at + 1}/{len(STOPS)}  {STOPS[self._at].text}  ({keys})"
