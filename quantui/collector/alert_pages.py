"""What the page of alerts shows. Light on purpose, as `snapshot`: the screen imports this module."""

import msgspec

from quantui.collector.snapshot import GateView


class _Part(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class RuleView(_Part, frozen=True):
    """A rule in force; levels are of |z|."""

    name: str
    threshold: float
    rearm: float
    exit: float
    cooldown_s: float
    silencing: tuple[str, ...] = ()
    """Gates whose failure silences it."""
    correlation: float | None = None
    """Smallest correlation of its own, in place of the gate's."""
    notify: tuple[str, ...] = ()
    false_alarms: float | None = None
    """Alerts a day that one pair of unrelated walks would give, before gates and cool-down; None where that is not known."""


class GateTally(_Part, frozen=True):
    """A gate and how many of the watched pairs pass it."""

    name: str
    limit: float
    is_least: bool = False
    """The limit is the smallest value that passes, else the largest."""
    enabled: bool = True
    passing: int = 0
    failing: int = 0
    unknown: int = 0


class ChannelRow(_Part, frozen=True):
    """A way in which alerts are told, since its process began; None is a number that cannot be known."""

    name: str
    state: str
    """`on`, `failing` (its last delivery did), `off` (by a setting) or `none` (this machine has no such thing)."""
    sent: int | None = None
    failed: int | None = None
    dropped: int | None = None
    """Alerts it was given and did not tell: too many at once."""
    detail: str = ""
    """Why it is not on, or in which way it tells."""


class StandingRow(_Part, frozen=True):
    """A rule and a watched pair, at the pair's newest closed bar."""

    pair: str
    rule: str
    standing: str
    """As `quantui.alerts.standing` has it; `warming up` before the window is full."""
    zscore: float | None = None
    distance: float | None = None
    """Threshold less |z|: below 0 it is beyond."""
    n: int = 0
    need: int = 0
    side: str = ""
    """`SHORT_SPREAD` or `LONG_SPREAD`, where the rule has fired and is not armed again."""
    trade: str = ""
    """The same of the last alert, until its exit."""
    since_ms: int | None = None
    """Open time of the bar of that alert."""
    until_ms: int | None = None
    """Open time of the first bar that may fire, while it cools down."""
    blocking: tuple[GateView, ...] = ()
    """Gates that silence the rule, or cannot be known."""
    failing: tuple[GateView, ...] = ()
    """Gates that fail and do not silence it."""
    note: str = ""
    """What is wrong with the pair's data."""


class ProposedLeg(_Part, frozen=True):
    """One order of the trade that an alert proposed."""

    symbol: str
    side: str
    """`buy` or `sell`."""
    share: float
    """Of the capital of both legs."""
    price: float


class ToldRow(_Part, frozen=True):
    """An alert, or an event of the data, as it was kept."""

    id: int
    time_ms: int
    """Exchange time."""
    severity: str
    kind: str
    """`SHORT_SPREAD`, `LONG_SPREAD`, `EXIT`; of the data `gap`, `stale`, `fault`, `healed`."""
    pair: str = ""
    timeframe: str = ""
    rule: str = ""
    zscore: float | None = None
    text: str = ""
    """What it said, but for the pair."""
    legs: tuple[ProposedLeg, ...] = ()


class AlertsPage(_Part, frozen=True):
    """The rules, the ways to tell, where every watched pair stands, and what was said."""

    timeframe: str
    window: int
    estimator: str = "ols"
    bar_ms: int = 0
    pairs: int = 0
    stop: float | None = None
    """|z| at which the signal is STOP; no rule speaks of it."""
    z_bound: float | None = None
    """The largest |z| that its window can show; None where there is no bound."""
    rules: tuple[RuleView, ...] = ()
    gates: tuple[GateTally, ...] = ()
    channels: tuple[ChannelRow, ...] = ()
    """Those of the collector; those of a terminal are filled in by the screen, before them."""
    rows: tuple[StandingRow, ...] = ()
    history: tuple[ToldRow, ...] = ()
    """Newest first."""
    kept: int = 0
    """Most rows of it."""
    note: str = ""
    version: int = 0
