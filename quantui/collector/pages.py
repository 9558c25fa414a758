"""What the screens beside the monitor show: documents the screen asks for while it shows them, and at no other time.

Light on purpose, as `snapshot`: the screen imports this module.
"""

import msgspec

from quantui.collector.alert_pages import AlertsPage
from quantui.collector.snapshot import GateView


class _Part(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class ScanRow(_Part, frozen=True):
    """A pair of the scan; None where it cannot be had."""

    y: str
    x: str
    beta: float | None = None
    r_squared: float | None = None
    correlation: float | None = None
    """Of log returns."""
    eg_stat: float | None = None
    eg_p: float | None = None
    lags: int = 0
    half_life: float | None = None
    """Bars."""
    zscore: float | None = None
    q_bh: float | None = None
    """False discovery rate at which the pair is still a discovery (Benjamini & Hochberg)."""
    q_by: float | None = None
    """The same under any dependence (Benjamini & Yekutieli)."""
    is_watched: bool = False
    huber_beta: float | None = None
    """Of the first rows only, as are the next three."""
    theil_sen_beta: float | None = None
    kalman_beta: float | None = None
    kalman_zscore: float | None = None


class ScanPage(_Part, frozen=True):
    """Every ordered pair of the symbols that are watched, at the newest closed bar."""

    timeframe: str
    window: int
    bar_ms: int = 0
    """Open time of that bar; 0 before the first scan."""
    symbols: int = 0
    tests: int = 0
    low: int = 0
    """Tests with p <= 0.05."""
    expected_by_chance: float = 0.0
    """How many of them chance alone would give."""
    discoveries: int = 0
    """Tests with q_bh <= 0.05."""
    took_ms: float = 0.0
    engine: str = ""
    """`compiled`, or `numpy` where there is no compiler or it is still compiling."""
    rows: tuple[ScanRow, ...] = ()
    """The most remarkable first: by q, then |z|."""
    left_out: dict[str, str] = {}
    note: str = ""
    """Why there is nothing yet."""
    version: int = 0


class CorrelationPage(_Part, frozen=True):
    """Pearson correlations of the log returns of every watched symbol, those that move together side by side."""

    timeframe: str
    window: int
    bar_ms: int = 0
    symbols: tuple[str, ...] = ()
    rows: tuple[tuple[float | None, ...], ...] = ()
    """A row and a column for each symbol, in their order; None where a symbol does not move."""
    left_out: dict[str, str] = {}
    note: str = ""
    version: int = 0


class SymbolRow(_Part, frozen=True):
    """What the closes and bars of one symbol say over the window; None where it cannot be had."""

    symbol: str
    n: int = 0
    """Closed bars there are of the window."""
    decimals: int = 2
    last: float | None = None
    change: float | None = None
    """Last close over the first, less 1."""
    mean: float | None = None
    median: float | None = None
    std: float | None = None
    low: float | None = None
    high: float | None = None
    skew: float | None = None
    """Of log returns, as is kurtosis."""
    kurtosis: float | None = None
    """In excess of the normal distribution's."""
    volatility: float | None = None
    """Of closes, annualised."""
    parkinson: float | None = None
    """Of the bars' ranges, annualised."""
    turnover: float | None = None
    """A day, in the quote asset."""
    variation: float | None = None
    """Coefficient of variation of the bars' turnover."""
    volume_state: str = ""
    """`rising`, `steady`, `falling`: the newest bars' turnover against the window's."""
    spread_bps: float | None = None
    """Known of the pair in focus, whose book is followed."""
    funding: float | None = None
    note: str = ""
    """Why there are no numbers."""


class StatisticsPage(_Part, frozen=True):
    """Every watched symbol."""

    timeframe: str
    window: int
    bar_ms: int = 0
    rows: tuple[SymbolRow, ...] = ()
    note: str = ""
    version: int = 0


class PairPage(_Part, frozen=True):
    """Everything the analysis says of the pair in focus at its newest closed bar: the report of `quantui analyze`."""

    pair: str
    timeframe: str
    window: int
    estimator: str = "ols"
    space: str = "log"
    bar_ms: int = 0
    n: int = 0
    signal: str = ""
    numbers: dict[str, float | None] = {}
    """Every number of the report by its path: `engle_granger.p_value`."""
    verdicts: dict[str, str] = {}
    """A line for each test: what it says and what it does not say."""
    missing: dict[str, str] = {}
    notes: dict[str, str] = {}
    gates: tuple[GateView, ...] = ()
    beta: tuple[float | None, ...] = ()
    """At each of the newest bars, oldest first; `beta_error` is its standard error there."""
    beta_error: tuple[float | None, ...] = ()
    eg_p: tuple[float | None, ...] = ()
    residuals: tuple[float, ...] = ()
    """Of the window, in their own standard deviations, in ascending order."""
    note: str = ""
    version: int = 0


class Candles(_Part, frozen=True):
    """Bars of one leg, oldest first."""

    symbol: str
    decimals: int = 2
    open: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    close: tuple[float, ...] = ()
    volume: tuple[float, ...] = ()
    """In the base asset."""


class Mark(_Part, frozen=True):
    """An alert on a chart."""

    time_ms: int
    text: str


class ChartPage(_Part, frozen=True):
    """The pair in focus over its newest closed bars that both legs have."""

    pair: str
    timeframe: str
    window: int
    estimator: str = "ols"
    space: str = "log"
    entry: float = 2.0
    bar_ms: int = 0
    times: tuple[int, ...] = ()
    """Open times in ms; every line below has a value for each."""
    y: Candles = Candles("")
    x: Candles = Candles("")
    spread: tuple[float | None, ...] = ()
    zscore: tuple[float | None, ...] = ()
    beta: tuple[float | None, ...] = ()
    marks: tuple[Mark, ...] = ()
    """Alerts of the pair, newest first."""
    note: str = ""
    version: int = 0


class StreamRow(_Part, frozen=True):
    """How the trades of one symbol are."""

    symbol: str
    age_s: float | None = None
    """Of its last trade, by exchange time."""
    trades: int = 0
    is_complete: bool = False
    """No hole is open."""
    holes_filled: int = 0
    trades_filled: int = 0
    trades_lost: int = 0
    duplicates: int = 0
    rejected: int = 0
    certified: int = 0
    """Bars found equal to the exchange's own."""
    mismatched: int = 0
    note: str = ""


class HealthPage(_Part, frozen=True):
    """How the feed and the collector are."""

    venue: str
    link: str
    detail: str = ""
    lag_ms: float | None = None
    skew_ms: float | None = None
    delays: tuple[int, ...] = ()
    """Batches of messages by how late they came: up to each of `bounds`, and later."""
    bounds: tuple[int, ...] = ()
    """In ms."""
    sockets: int = 0
    messages: int = 0
    reconnects: int = 0
    weight_used: int = 0
    """Of this UTC minute."""
    weight_limit: int = 0
    certified: float | None = None
    store: str = ""
    """What is wrong with the store; empty when all is well."""
    unwritten: int = 0
    memory_mb: float = 0.0
    up_s: int = 0
    rows: tuple[StreamRow, ...] = ()
    terminal: str = ""
    """What this screen costs its terminal; filled in by the screen."""
    note: str = ""
    bar_ms: int = 0
    version: int = 0


Page = ScanPage | CorrelationPage | StatisticsPage | PairPage | ChartPage | HealthPage | AlertsPage

PAGES: dict[str, type[Page]] = {
    "scan": ScanPage,
    "correlation": CorrelationPage,
    "statistics": StatisticsPage,
    "pair": PairPage,
    "chart": ChartPage,
    "health": HealthPage,
    "alerting": AlertsPage,
}
"""The documents by the name they are asked for by."""
