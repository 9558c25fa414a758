"""The settings, with their defaults. config.toml at the root says the same with more words; a test holds both together.

A check of a value raises ValueError with the key's path first, so that the reader can name the line it stands on.
"""

import math
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from quantui.config import checks
from quantui.config.checks import seconds

TimeframeName: TypeAlias = Literal["1s", "1m", "5m", "15m", "1h"]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]


class _Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Market(_Table, frozen=True):
    """`[market]`: where prices come from."""

    venue: Literal["binance-usdm", "binance-spot", "binance-us"] = "binance-usdm"
    symbols: tuple[str, ...] = ()
    """Watched besides the legs of the pairs."""
    history: Annotated[int, Meta(ge=0, le=5000)] = 500
    """Bars of each timeframe read at start."""
    book: bool = True
    """Follow the best bid and ask of the pair in focus."""

    def __post_init__(self) -> None:
        for index, name in enumerate(self.symbols):
            checks.symbol(f"symbols[{index}]", name)


class PairNames(_Table, frozen=True):
    """`[[pairs]]`: two symbols; the spread is y minus beta times x."""

    y: str
    x: str

    def __post_init__(self) -> None:
        checks.symbol("y", self.y)
        checks.symbol("x", self.x)
        if self.y.upper() == self.x.upper():
            raise ValueError(f"x: {self.x!r} is paired with itself")

    @property
    def text(self) -> str:
        """`Y/X`, as `market.instruments.Pair` reads it."""
        return f"{self.y}/{self.x}"


class Gate(_Table, frozen=True):
    """One gate: its value, whether it is on, and whether its failure silences alerts."""

    limit: float
    enabled: bool = True
    silences: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.limit < math.inf:
            raise ValueError(f"limit: must be a number from 0 up, not {self.limit}")


class Gates(_Table, frozen=True):
    """`[analysis.gates]` (contracts.md 2)."""

    beta: Gate = Gate(limit=3.0)
    """Largest |beta|."""
    r_squared: Gate = Gate(limit=0.3)
    """Smallest R²."""
    beta_se: Gate = Gate(limit=1.0)
    """Largest standard error of beta, in |beta|."""
    correlation: Gate = Gate(limit=0.7, silences=True)
    """Smallest correlation of log returns."""
    cointegration: Gate = Gate(limit=0.05)
    """Largest Engle-Granger p-value."""
    liquidity: Gate = Gate(limit=1_000_000.0, enabled=False)
    """Smallest quote turnover a day of the thinner leg."""


SLOPES_WINDOW = 1000
"""Largest window of Theil-Sen: half a million slopes, 10 ms."""


class Analysis(_Table, frozen=True):
    """`[analysis]`: what is computed on each closed bar, and when it is a signal."""

    timeframe: TimeframeName = "1m"
    window: Annotated[int, Meta(ge=30, le=5000)] = 240
    """W, bars of the regression."""
    z_window: _Count = 0
    """Z, bars of the z-score; 0 is the window."""
    entry: float = 2.0
    exit: float = 0.5
    stop: float = 4.0
    space: Literal["log", "price"] = "log"
    estimator: Literal["ols", "huber", "theil-sen", "tls", "returns", "dols", "johansen", "kalman"] = "ols"
    """Of the hedge ratio."""
    gates: Gates = Gates()

    def __post_init__(self) -> None:
        if self.z_window and not 3 <= self.z_window <= self.window:
            raise ValueError(f"z_window: must be 0 (the window) or 3 to window = {self.window}, not {self.z_window}")
        if not 0 <= self.exit < self.entry:
            raise ValueError(f"exit: must be 0 or more and below entry = {self.entry}, not {self.exit}")
        self.check_threshold("entry", self.entry)
        if not self.stop > self.entry:
            raise ValueError(f"stop: must be above entry = {self.entry}, not {self.stop}")
        self.check_threshold("stop", self.stop)
        if self.estimator == "returns" and self.space != "log":
            raise ValueError(f'estimator: returns regresses log returns: it needs space = "log", not {self.space}')
        if self.estimator == "theil-sen" and self.window > SLOPES_WINDOW:
            raise ValueError(f"estimator: theil-sen takes the slope between any two bars: window must be {SLOPES_WINDOW} or less")

    @property
    def z_bars(self) -> int:
        """Z in bars."""
        return self.z_window or self.window

    def check_threshold(self, key: str, z: float) -> None:
        """A z-score over Z bars is bounded by (Z-1)/sqrt(Z): a threshold above it never fires."""
        bound = (self.z_bars - 1) / math.sqrt(self.z_bars)
        if not 0 < z <= bound:
            raise ValueError(f"{key}: {z} is never reached: |z| over {self.z_bars} bars is at most (Z-1)/sqrt(Z) = {bound:.2f}")


class Scan(_Table, frozen=True):
    """`[scan]`: which pairs are tested at each closed bar."""

    top: Annotated[int, Meta(ge=0, le=1000)] = 0
    """So many of the most traded symbols of the venue, beside the watched ones; 0: only the watched."""


class RetentionDays(_Table, frozen=True):
    """`[store.retention_days]`: how long each kind of data is kept; 0 is for ever."""

    ticks: _Count = 2
    s1: _Count = field(name="1s", default=7)
    m1: _Count = field(name="1m", default=90)
    m5: _Count = field(name="5m", default=0)
    m15: _Count = field(name="15m", default=0)
    h1: _Count = field(name="1h", default=0)

    def of(self, kind: str) -> int | None:
        """Days for `ticks` or a timeframe such as `1m`; None is for ever."""
        names = dict(zip(self.__struct_encode_fields__, self.__struct_fields__, strict=True))
        days: int = getattr(self, names[kind])
        return days or None


class Store(_Table, frozen=True):
    """`[store]`: what is kept on disk."""

    ticks: bool = False
    """Keep every trade, not only the bars."""
    checkpoint_seconds: float = 1.0
    """Longest time that new bars wait before they are on disk."""
    max_megabytes: _Count = 0
    """Above it the oldest ticks go first, then the oldest 1s bars; 0 is no limit."""
    retention_days: RetentionDays = RetentionDays()

    def __post_init__(self) -> None:
        if not 0.05 <= self.checkpoint_seconds <= 60:
            raise ValueError(f"checkpoint_seconds: must be 0.05 to 60, not {self.checkpoint_seconds}")


class Collector(_Table, frozen=True):
    """`[collector]`: the process that gathers."""

    linger: str = "15m"
    """How long it stays after the last screen was lost."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def __post_init__(self) -> None:
        checks.duration("linger", self.linger)

    @property
    def linger_s(self) -> float:
        """Seconds of `linger`."""
        return seconds(self.linger)


class AlertRule(_Table, frozen=True):
    """`[[alerts]]`: a rule on |z| at a closed bar. Without any, one rule with these defaults is in force."""

    name: str = "zscore"
    threshold: float | None = None
    """|z| that fires; absent: [analysis] entry."""
    correlation: float | None = None
    """Smallest correlation; absent: the correlation gate, where it is on and silences."""
    rearm: float | None = None
    """|z| at which the rule may fire again; absent: halfway between exit and threshold."""
    cooldown: str = "5m"
    """Least exchange time between two alerts of one pair and timeframe."""
    notify: tuple[Literal["bell", "terminal", "desktop"], ...] = ("bell", "terminal", "desktop")

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 40 or not self.name.isprintable():
            raise ValueError(f"name: must be 1 to 40 printable characters, not {self.name!r}")
        if self.correlation is not None and not -1 <= self.correlation <= 1:
            raise ValueError(f"correlation: must be -1 to 1, not {self.correlation}")
        checks.duration("cooldown", self.cooldown)

    @property
    def cooldown_ms(self) -> int:
        """Milliseconds of `cooldown`."""
        return round(seconds(self.cooldown) * 1000)


class Ui(_Table, frozen=True):
    """`[ui]`: the screen."""

    fps: float = 4.0
    """Snapshots asked for a second."""
    bell: bool = True
    terminal_notification: bool | Literal["auto", "osc9", "osc777", "both"] = True
    """Escape sequences that reach the local machine over SSH; true is auto."""
    desktop_notification: bool = True
    """notify-send, where the collector's machine has a desktop."""
    glyphs: Literal["auto", "braille", "block", "ascii"] = "auto"
    theme: Literal["auto", "dark", "light", "contrast", "safe", "ansi", "mono"] = "auto"
    """auto: mono where NO_COLOR is set, else dark; safe: for colour-blind eyes; ansi: the terminal's own sixteen colours."""
    driver: Literal["diff", "stock"] = "diff"
    """What writes to the terminal: only the cells that differ, or Textual's own."""
    mouse: bool | Literal["auto"] = "auto"
    """auto: on, except over SSH."""
    time_zone: str = "UTC"
    """Of the times on the screen: UTC, local (the machine's), or an IANA name. Files are UTC always."""
    digits: Literal["comma", "space", "apostrophe", "plain"] = "comma"
    """What stands between thousands on the screen."""
    motion: Literal["full", "reduced"] = "full"
    """reduced: one picture a second, and a new alert does not flash."""

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 10:
            raise ValueError(f"fps: must be 1 to 10, not {self.fps}")
        checks.zone("time_zone", self.time_zone)

    @property
    def notify_terminal(self) -> str:
        """`auto`, `osc9`, `osc777`, `both` or `off`."""
        if isinstance(self.terminal_notification, bool):
            return "auto" if self.terminal_notification else "off"
        return self.terminal_notification

    @property
    def mouse_on(self) -> bool | None:
        """None leaves it to the screen."""
        return self.mouse if isinstance(self.mouse, bool) else None


class FuturesEndpoint(_Table, frozen=True):
    """`[endpoints.binance-usdm]`: since April 2026 the path decides what is delivered (binance.md A1.2)."""

    ws_public: str = "wss://fstream.binance.com/public"
    ws_market: str = "wss://fstream.binance.com/market"
    rest: str = "https://fapi.binance.com"
    allow_legacy_paths: bool = False
    """Accept addresses without their route: for tests of what then happens."""

    def __post_init__(self) -> None:
        for key, url, name in (("ws_public", self.ws_public, "public"), ("ws_market", self.ws_market, "market")):
            checks.address(key, url, ("wss", "ws"))
            if not self.allow_legacy_paths:
                checks.route(key, url, name)
        checks.address("rest", self.rest, ("https", "http"))


class SpotEndpoint(_Table, frozen=True):
    """`[endpoints.binance-spot]` and `[endpoints.binance-us]`; the defaults are Binance's own."""

    ws: str = "wss://stream.binance.com:9443"
    rest: str = "https://api.binance.com"

    def __post_init__(self) -> None:
        checks.address("ws", self.ws, ("wss", "ws"))
        checks.address("rest", self.rest, ("https", "http"))

    @property
    def ws_market(self) -> str:
        """Spot has one socket for everything."""
        return self.ws

    @property
    def ws_public(self) -> str:
        """Spot has one socket for everything."""
        return self.ws


class Endpoints(_Table, frozen=True):
    """`[endpoints.<venue>]`: base addresses."""

    usdm: FuturesEndpoint = field(name="binance-usdm", default=FuturesEndpoint())
    spot: SpotEndpoint = field(name="binance-spot", default=SpotEndpoint())
    us: SpotEndpoint = field(
        name="binance-us", default=SpotEndpoint(ws="wss://stream.binance.us:9443", rest="https://api.binance.us")
    )

    def of(self, venue: str) -> FuturesEndpoint | SpotEndpoint:
        """Both kinds have `ws_market`, `ws_public` and `rest`. KeyError: no such venue."""
        known: dict[str, FuturesEndpoint | SpotEndpoint] = {
            "binance-usdm": self.usdm,
            "binance-spot": self.spot,
            "binance-us": self.us,
        }
        return known[venue]


DEFAULT_PAIRS = (
    PairNames(y="ETHUSDT", x="BTCUSDT"),
    PairNames(y="SOLUSDT", x="ETHUSDT"),
    PairNames(y="BNBUSDT", x="BTCUSDT"),
    PairNames(y="LINKUSDT", x="ETHUSDT"),
)


class Settings(_Table, frozen=True):
    """Everything config.toml says."""

    market: Market = Market()
    pairs: tuple[PairNames, ...] = DEFAULT_PAIRS
    analysis: Analysis = Analysis()
    scan: Scan = Scan()
    store: Store = Store()
    collector: Collector = Collector()
    alerts: tuple[AlertRule, ...] = ()
    ui: Ui = Ui()
    keys: dict[str, str] = {}
    """Keys by the id of their action, separated by commas; `quantui.ui.keys` knows the ids."""
    endpoints: Endpoints = Endpoints()

    def __post_init__(self) -> None:
        _no_duplicates("pairs", [pair.text.upper() for pair in self.pairs])
        _no_duplicates("alerts", [rule.name for rule in self.alerts])
        for index, rule in enumerate(self.alerts):
            threshold = self.analysis.entry if rule.threshold is None else rule.threshold
            self.analysis.check_threshold(f"alerts[{index}].threshold", threshold)
            if not threshold > self.analysis.exit:
                raise ValueError(f"alerts[{index}].threshold: must be above exit = {self.analysis.exit}, not {threshold}")
            if rule.rearm is not None and not 0 <= rule.rearm < threshold:
                raise ValueError(f"alerts[{index}].rearm: must be 0 or more and below {threshold}, not {rule.rearm}")


def _no_duplicates(key: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ValueError(f"{key}[{index}]: {name!r} is there twice")
