"""What crosses the border between collector and screen: one immutable snapshot, pulled by the screen on its own tick.

Light on purpose: the screen imports this module and must not pay for numpy or aiohttp.
"""

from enum import StrEnum

import msgspec


class Link(StrEnum):
    """State of the connection to the exchange, as the status line names it."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    """Connected, but a stream that should speak is silent; `detail` says which and why."""
    FILLING = "filling"
    """Connected; missed trades are being read back."""
    RECONNECTING = "reconnecting"
    OFFLINE = "offline"
    """Never reached, or lost for longer than a few tries; `detail` says what to do."""
    BLOCKED = "blocked"
    """The exchange refused us (403, 418, 429, 451); `detail` says until when."""
    REPLAY = "replay"
    ENDED = "ended"
    """The recording is over."""


class _View(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class FeedView(_View, frozen=True):
    """The feed, for the status line."""

    link: Link
    detail: str = ""
    """One sentence: what is wrong and what to do; empty when all is well."""
    venue: str = ""
    age_s: float | None = None
    """Age of the last trade of the pair in focus, by exchange time."""
    lag_ms: float | None = None
    """Median delay from the exchange's event time to our receive time, skew taken out."""
    skew_ms: float | None = None
    """Local clock minus exchange clock."""
    gaps_open: int = 0
    gaps_filled: int = 0
    gaps_lost: int = 0
    certified: float | None = None
    """Share of closed bars found equal to the exchange's own, 0..1."""
    mismatched: int = 0
    rejected: int = 0
    duplicates: int = 0
    revisions: int = 0
    reconnects: int = 0
    messages: int = 0


class LegView(_View, frozen=True):
    """One leg of the pair in focus."""

    symbol: str
    price: float | None = None
    """Latest trade."""
    change: float | None = None
    """Relative change over the window."""
    decimals: int = 2
    volatility: float | None = None
    """Annualised."""
    spread_bps: float | None = None
    """Best ask over best bid, in basis points of the middle."""
    funding: float | None = None
    """Last funding rate of a perpetual."""


class TestView(_View, frozen=True):
    """A unit-root test's result."""

    stat: float
    p_value: float
    lags: int


class GateView(_View, frozen=True):
    """One gate of the pair: shown whether it passes or not."""

    name: str
    ok: bool | None
    """None: not known yet."""
    value: float | None
    limit: float | None
    enabled: bool = True


class StatsView(_View, frozen=True):
    """Statistics of the pair in focus on its closed bars (contracts.md 2). None where it cannot be had; `missing` says why."""

    n: int
    need: int
    bar_ms: int | None = None
    """Open time of the newest closed bar."""
    alpha: float | None = None
    beta: float | None = None
    beta_se: float | None = None
    r_squared: float | None = None
    spread: float | None = None
    spread_std: float | None = None
    zscore: float | None = None
    correlation: float | None = None
    adf: TestView | None = None
    engle_granger: TestView | None = None
    half_life: float | None = None
    half_life_low: float | None = None
    half_life_high: float | None = None
    """None with a known `half_life` means: no upper end."""
    signal: str = ""
    false_alarms: float | None = None
    """Alerts a day at the session's entry that two unrelated walks would give, before gates."""
    z_bound: float | None = None
    """The largest |z| that its window can show."""
    preview_zscore: float | None = None
    """z with the forming bar's prices and the coefficients of the last closed bar."""
    preview_spread: float | None = None
    gates: tuple[GateView, ...] = ()
    missing: dict[str, str] = {}
    certified: int = 0
    provisional: int = 0


class SeriesView(_View, frozen=True):
    """The lines of the sparkline panels, oldest first, all of one length; None is a bar without a value."""

    open_ms: tuple[int, ...] = ()
    y: tuple[float, ...] = ()
    x: tuple[float, ...] = ()
    spread: tuple[float | None, ...] = ()
    zscore: tuple[float | None, ...] = ()
    correlation: tuple[float | None, ...] = ()


class PairRow(_View, frozen=True):
    """A row of the watch list."""

    label: str
    zscore: float | None = None
    signal: str = ""
    eg_p: float | None = None
    cointegrated: bool | None = None
    n: int = 0
    need: int = 0
    note: str = ""
    """Why there is no number: `warming up`, `gap`, `halted`, `unknown symbol`."""


class AlertRow(_View, frozen=True):
    """A row of the alert log: newest first."""

    id: int
    time_ms: int
    severity: str
    """`alert`, `warning` (data) or `info`."""
    pair: str
    text: str
    notify: tuple[str, ...] = ()
    """Channels that announce it: `bell` and `terminal` are the screen's part."""


class Session(_View, frozen=True):
    """What the keys change; kept by the collector, so that the next screen finds it."""

    pair: int
    """Index of the pair in focus."""
    timeframe: str
    window: int
    z_window: int
    entry: float
    exit: float
    estimator: str = "ols"
    space: str = "log"


class Snapshot(_View, frozen=True):
    """Everything the monitor shows."""

    version: int
    mode: str
    """`live`, `demo` or `replay`."""
    time_ms: int
    """Exchange time."""
    feed: FeedView
    session: Session
    y: LegView
    x: LegView
    stats: StatsView
    series: SeriesView
    pairs: tuple[PairRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    pid: int = 0
    started_ms: int = 0
