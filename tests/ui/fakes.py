"""A source of canned snapshots, and a program that shows them: what every test of the screen stands on."""

import itertools
import math
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from quantui.collector.alert_pages import AlertsPage, ChannelRow, GateTally, ProposedLeg, RuleView, StandingRow, ToldRow
from quantui.collector.client import CollectorGoneError
from quantui.collector.pages import (
    Candles,
    ChartPage,
    CorrelationPage,
    HealthPage,
    Mark,
    Page,
    PairPage,
    ScanPage,
    ScanRow,
    StatisticsPage,
    StreamRow,
    SymbolRow,
)
from quantui.collector.snapshot import (
    AlertRow,
    FeedView,
    GateView,
    LegView,
    Link,
    PairRow,
    SeriesView,
    Session,
    Snapshot,
    StatsView,
    TestView,
)

T0 = 1_723_161_600_000
"""9 Aug 2024 00:00 UTC."""

PAIRS = ("ETHUSDT/BTCUSDT", "SOLUSDT/ETHUSDT", "BNBUSDT/BTCUSDT", "LINKUSDT/ETHUSDT", "ADAUSDT/XRPUSDT", "DOTUSDT/ATOMUSDT")


def wave(index: float, phase: float = 0.0) -> float:
    return math.sin(index / 9 + phase) + 0.4 * math.sin(index / 3.1 + 2 * phase)


def series(bars: int, points: int) -> SeriesView:
    indices = range(max(0, bars - points), bars)
    return SeriesView(
        open_ms=tuple(T0 + 1000 * i for i in indices),
        y=tuple(2613 + 4 * wave(i) for i in indices),
        x=tuple(61_685 + 90 * wave(i, 0.6) for i in indices),
        spread=tuple(0.01 * wave(i, 1.2) for i in indices),
        zscore=tuple(1.8 * wave(i, 1.2) for i in indices),
        correlation=tuple(0.8 + 0.1 * wave(i, 2.0) for i in indices),
    )


def snapshot(bars: int = 400, *, tick: int = 0, points: int = 160, session: Session | None = None) -> Snapshot:
    session = session or Session(pair=0, timeframe="1s", window=240, z_window=240, entry=2.0, exit=0.5)
    z = 1.8 * wave(bars - 1, 1.2)
    y, x = PAIRS[session.pair].split("/")
    rows = [
        PairRow(
            label=label,
            zscore=1.7 * wave(bars, i),
            signal="SHORT_SPREAD" if i == 1 else "",
            eg_p=0.004 * (i + 1),
            cointegrated=i < 3,
            n=240,
            need=240,
        )
        for i, label in enumerate(PAIRS)
    ]
    rows[3] = PairRow(label=PAIRS[3], n=87, need=240, note="warming up")
    return Snapshot(
        version=bars * 1000 + tick + 1,
        mode="demo",
        time_ms=T0 + 1000 * bars + 250 * tick,
        feed=FeedView(
            link=Link.LIVE, venue="binance-usdm", age_s=0.2 * tick, lag_ms=41 + tick, skew_ms=3.0, certified=0.999, messages=bars
        ),
        session=session,
        y=LegView(
            symbol=y, price=2613.24 + 0.37 * tick + wave(bars), change=0.0123, volatility=0.62, spread_bps=0.04, funding=0.0001
        ),
        x=LegView(symbol=x, price=61_685.99 + 3.1 * tick, change=-0.0045, volatility=0.48, spread_bps=0.02, funding=0.00008),
        stats=StatsView(
            n=240,
            need=240,
            bar_ms=T0 + 1000 * (bars - 1),
            alpha=-2.19,
            beta=0.912,
            beta_se=0.014,
            r_squared=0.75,
            spread=0.0121,
            spread_std=0.0052,
            zscore=z,
            correlation=0.83,
            adf=TestView(-4.03, 0.0012, 2),
            engle_granger=TestView(-4.02, 0.0071, 1),
            half_life=14.2,
            half_life_low=9.1,
            half_life_high=31.0,
            signal="SHORT_SPREAD" if z >= session.entry else "",
            preview_zscore=z + 0.03 * (tick + 1),
            preview_spread=0.0122 + 0.0001 * tick,
            gates=(
                GateView("beta", True, 0.912, 3.0),
                GateView("correlation", True, 0.83, 0.7),
                GateView("engle_granger", True, 0.0071, 0.05),
            ),
            certified=238,
            provisional=2,
        ),
        series=series(bars, points),
        pairs=tuple(rows),
        alerts=(
            AlertRow(id=3, time_ms=T0 - 60_000, severity="alert", pair="ETHUSDT/BTCUSDT", text="SHORT z +2.04 corr .83"),
            AlertRow(id=2, time_ms=T0 - 900_000, severity="info", pair="SOLUSDT/ETHUSDT", text="EXIT z -0.01"),
            AlertRow(id=1, time_ms=T0 - 1_000_000, severity="warning", pair="", text="gap BNBUSDT 412 trades, filled 1.1s"),
        ),
        pid=4242,
        started_ms=T0,
    )


BASES = ("BTC", "ETH", "SOL", "BNB", "LINK", "ADA", "XRP", "DOT", "ATOM", "DOGE", "1000PEPE", "AVAX", "LTC", "BCH", "UNI", "NEAR")


def scan_page(version: int = 1) -> ScanPage:
    """Every ordered pair of six symbols."""
    rows = []
    for place, (y, x) in enumerate(itertools.permutations(BASES[:6], 2)):
        p = 0.0004 * 1.31**place
        rows.append(
            ScanRow(
                f"{y}USDT",
                f"{x}USDT",
                beta=0.3 + 0.07 * place,
                r_squared=0.9 - 0.02 * place,
                correlation=0.95 - 0.025 * place,
                eg_stat=-5.1 + 0.12 * place,
                eg_p=min(p, 1.0),
                lags=place % 3,
                half_life=None if place == 4 else 4.2 + 3.1 * place,
                zscore=3.1 - 0.21 * place,
                q_bh=min(1.0, p * 30 / (place + 1)),
                q_by=min(1.0, p * 120 / (place + 1)),
                is_watched=(y, x) == ("ETH", "BTC"),
            )
        )
    return ScanPage(
        "1m", 240, T0, 6, 30, sum((row.eg_p or 1) <= 0.05 for row in rows), 1.5, 4, 41.3, "numpy", tuple(rows),
        {"TRXUSDT": "87/240 bars"}, version=version,
    )  # fmt: skip


def pages() -> dict[str, Page]:
    """Each page as a collector would tell it."""
    names = tuple(f"{base}USDT" for base in BASES)
    matrix = tuple(
        tuple(1.0 if i == j else None if 9 in (i, j) else round(math.cos((i - j) / 5), 4) for j in range(len(names)))
        for i in range(len(names))
    )
    symbols = tuple(
        SymbolRow(
            name, 240, 2, 61_685.99 / (place + 1) ** 2, 0.012 - 0.003 * place, 61_000 / (place + 1) ** 2, 61_100 / (place + 1) ** 2,
            120.5, 60_000 / (place + 1) ** 2, 62_000 / (place + 1) ** 2, -0.4, 2.3, 0.62, 0.55, 1.2e10 / 3**place, 0.83,
            ("rising", "steady", "falling")[place % 3], 0.02 if place < 2 else None, 0.0001,
        )
        for place, name in enumerate(names[:-1])
    )  # fmt: skip
    symbols = (*symbols, SymbolRow(names[-1], 87, 2, 5.31, note="87/240 bars"))
    pair = PairPage(
        "ETHUSDT/BTCUSDT", "1m", 240, bar_ms=T0, n=240, signal="SHORT_SPREAD",
        numbers={
            "zscore": 2.31, "zscores.ewma": 1.9, "zscores.robust": 2.5, "zscores.ou": 2.2, "false_alarms.share": 0.15,
            "false_alarms.per_day": 15.3, "engle_granger.stat": -4.02, "engle_granger.p_value": 0.0071, "engle_granger.lags": 1,
            "half_life": 14.2, "half_life_interval.0": 9.1, "half_life_interval.1": None, "beta": 0.912, "beta_se": 0.014,
            "r_squared": 0.75, "kpss.stat": None, "correlations.returns": 0.83, "volatility.y": 0.62, "volatility.x": 0.48,
        },
        verdicts={
            "engle_granger": "Cointegrated in this window: unrelated walks look like this in 0.7 % of cases. "
            "Not said: that it lasts, nor that it survives a search over many pairs."
        },
        missing={"kpss": "the spread does not vary"},
        gates=(
            GateView("beta", True, 0.912, 3.0), GateView("correlation", False, 0.61, 0.7),
            GateView("liquidity", None, None, 1e6, False),
        ),
        beta=tuple(0.9 + 0.02 * wave(i) for i in range(160)), beta_error=(0.014,) * 160,
        eg_p=tuple(abs(0.3 * wave(i)) for i in range(160)), residuals=tuple((i - 119.5) / 69 for i in range(240)), version=1,
    )  # fmt: skip
    return {
        "scan": scan_page(),
        "correlation": CorrelationPage("1m", 240, T0, names, matrix, {"TRXUSDT": "87/240 bars"}, version=1),
        "statistics": StatisticsPage("1m", 240, T0, symbols, version=1),
        "pair": pair,
        "chart": chart_page(),
        "alerting": alerts_page(),
        "health": HealthPage(
            "binance-usdm",
            "live",
            lag_ms=41,
            skew_ms=3,
            delays=(5, 120, 900, 300, 40, 9, 2, 1, 0, 3),
            bounds=(10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
            sockets=2,
            messages=182_000,
            reconnects=1,
            weight_used=120,
            weight_limit=2400,
            certified=0.999,
            unwritten=12,
            memory_mb=158,
            up_s=4000,
            rows=(
                StreamRow("BTCUSDT", 0, 120_345, True, 2, 412, 0, 3, 0, 1400),
                StreamRow("ETHUSDT", 1, 98_210, False, 1, 12, 4, 0, 2, 1399, 1),
                StreamRow("NOSUCHUSDT", note="unknown symbol NOSUCHUSDT on binance-usdm"),
            ),
            version=1,
        ),
    }


def alerts_page() -> AlertsPage:
    """A rule in each of its states, and a history that is longer than a screen."""
    gates = (
        GateTally("beta", 3.0, passing=5, unknown=1), GateTally("r_squared", 0.3, True, passing=5, unknown=1),
        GateTally("beta_se", 1.0, passing=5, unknown=1), GateTally("correlation", 0.7, True, True, 4, 1, 1),
        GateTally("cointegration", 0.05, False, True, 3, 2, 1), GateTally("liquidity", 1e6, True, False, 0, 0, 6),
    )  # fmt: skip
    weak, foreign = GateView("correlation", False, 0.61, 0.7), GateView("cointegration", False, 0.31, 0.05)
    rows = (
        StandingRow(PAIRS[0], "zscore", "armed", 1.34, 0.66, 240, 240, failing=(foreign,)),
        StandingRow(
            PAIRS[1], "zscore", "fired", 2.41, -0.41, 240, 240, "SHORT_SPREAD", "SHORT_SPREAD", T0 - 180_000, failing=(foreign,)
        ),
        StandingRow(PAIRS[2], "zscore", "blocked", -2.02, -0.02, 240, 240, blocking=(weak,)),
        StandingRow(PAIRS[3], "zscore", "warming up", n=87, need=240, note="warming up"),
        StandingRow(PAIRS[4], "zscore", "cooling", -0.9, 1.1, 240, 240, "", "LONG_SPREAD", T0 - 120_000, T0 + 180_000),
        StandingRow(PAIRS[5], "zscore", "unusable", 1.999, 0.001, 240, 240, note="filling ATOMUSDT"),
    )
    legs = (ProposedLeg("ETHUSDT", "sell", 0.523, 2613.24), ProposedLeg("BTCUSDT", "buy", 0.477, 61_685.99))
    told = [
        ToldRow(44, T0 - 180_000, "alert", "SHORT_SPREAD", PAIRS[1], "1m", "zscore", 2.04, "SHORT z +2.04 corr .83 p .007", legs),
        ToldRow(43, T0 - 900_000, "info", "EXIT", PAIRS[0], "1m", "zscore", -0.01, "EXIT z -0.01"),
        ToldRow(42, T0 - 1_000_000, "warning", "gap", rule="data:gap", text="BNBUSDT: 412 trades lost, 23:41:02 to 23:41:07"),
        ToldRow(41, T0 - 1_100_000, "info", "healed", rule="data:healed", text="the sockets are back"),
    ]
    told += [
        ToldRow(40 - i, T0 - 2_000_000 - 600_000 * i, "alert", "LONG_SPREAD", PAIRS[i % 3], "1m", "zscore", -2.1, "LONG z -2.10")
        for i in range(40)
    ]
    return AlertsPage(
        "1m", 240, "ols", T0, 6, 4.0, 15.43,
        (RuleView("zscore", 2.0, 1.25, 0.5, 300.0, ("correlation",), None, ("bell", "terminal", "desktop"), 15.0),),
        gates, (ChannelRow("desktop", "failing", 3, 1, 0, "notify-send ended with 1: is a notification service running?"),
                ChannelRow("log", "on", 44)), rows, tuple(told), 200, version=1,
    )  # fmt: skip


def candles(symbol: str, price: float, size: float, bars: int, phase: float) -> Candles:
    close = [price + size * wave(i, phase) for i in range(bars)]
    opens = [close[0], *close[:-1]]
    return Candles(
        symbol,
        2,
        tuple(opens),
        tuple(max(o, c) + size * 0.1 * (1 + i % 3) for i, (o, c) in enumerate(zip(opens, close, strict=True))),
        tuple(min(o, c) - size * 0.1 * (1 + i % 2) for i, (o, c) in enumerate(zip(opens, close, strict=True))),
        tuple(close),
        tuple(10 + 5 * wave(i, phase) for i in range(bars)),
    )


def chart_page(bars: int = 300) -> ChartPage:
    lines = series(bars, bars)
    return ChartPage(
        "ETHUSDT/BTCUSDT",
        "1m",
        240,
        bar_ms=T0,
        times=tuple(T0 - 60_000 * (bars - 1 - i) for i in range(bars)),
        y=candles("ETHUSDT", 2613.0, 4.0, bars, 0.0),
        x=candles("BTCUSDT", 61_685.0, 90.0, bars, 0.6),
        spread=lines.spread,
        zscore=lines.zscore,
        beta=tuple(None if i < 5 else 0.9 + 0.02 * wave(i) for i in range(bars)),
        marks=(Mark(T0 - 60_000 * 9, "SHORT z +2.04 corr .83"),),
        version=1,
    )


@dataclass
class FakeSource:
    """Answers like a collector whose market stands still until a test moves it."""

    current: Snapshot = field(default_factory=snapshot)
    gone: str = ""
    pages: dict[str, Page] = field(default_factory=pages)
    calls: list[tuple[str, object]] = field(default_factory=list)

    def screen(self, since: int, points: int) -> Snapshot | None:
        if self.gone:
            raise CollectorGoneError(self.gone)
        return self.current if self.current.version > since else None

    def past(self, bar_ms: int, points: int) -> Snapshot:
        if self.gone:
            raise CollectorGoneError(self.gone)
        self.calls.append(("past", bar_ms))
        found = snapshot(
            max(1, 400 + (bar_ms - (snapshot().stats.bar_ms or 0)) // 1000), points=points, session=self.current.session
        )
        return replace(found, version=0, stats=replace(found.stats, bar_ms=bar_ms))

    def newest_alert(self) -> int:
        if self.gone:
            raise CollectorGoneError(self.gone)
        return max((row.id for row in self.current.alerts), default=0)

    def session(self, **changes: float | str) -> None:
        self.calls.append(("session", changes))
        self.current = replace(self.current, version=self.current.version + 1, session=replace(self.current.session, **changes))

    def page(self, name: str, since: int) -> Page | None:
        if self.gone:
            raise CollectorGoneError(self.gone)
        self.calls.append(("page", name))
        page = self.pages[name]
        return page if page.version > since else None

    def watch(self, pair: str, *, drop: bool = False) -> None:
        self.calls.append(("watch", (pair, drop)))

    def stop(self) -> None:
        self.calls.append(("stop", None))

    def detach(self) -> None:
        self.calls.append(("detach", None))

    def export(self, kind: str) -> str:
        self.calls.append(("export", kind))
        return f"/tmp/quantui-{kind}.csv"

    def put(self, **changes: object) -> None:
        self.current = replace(self.current, version=self.current.version + 1, **changes)


class MovingSource(FakeSource):
    """A live market: prices change with each call, a bar closes each second."""

    def screen(self, since: int, points: int) -> Snapshot | None:
        now = time.monotonic()
        bars, tick = 400 + int(now) % 100_000, int(now % 1 * 10)
        self.current = snapshot(bars, tick=tick, points=points, session=self.current.session)
        return self.current


class LostSource(FakeSource):
    """Gone after the first answer, for a while."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = 0

    def screen(self, since: int, points: int) -> Snapshot | None:
        self._calls += 1
        if 2 <= self._calls <= 3:
            raise CollectorGoneError("the collector at /run/x.sock cannot be reached: Connection refused")
        return super().screen(since, points)


class AlertingSource(FakeSource):
    """One new alert a little after the screen has come up."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = 0

    def screen(self, since: int, points: int) -> Snapshot | None:
        self._calls += 1
        if self._calls == 3:
            text, ways = "LONG z -2.31;\x1b]0;x\x07", ("bell", "terminal")
            row = AlertRow(id=9, time_ms=T0, severity="alert", pair="ETHUSDT/BTCUSDT", text=text, notify=ways)
            self.put(alerts=(row, *self.current.alerts))
        return super().screen(since, points)


class BrokenSource(FakeSource):
    """Fails in a way nobody thought of."""

    def screen(self, since: int, points: int) -> Snapshot | None:
        raise ZeroDivisionError("[/] a bug")


SOURCES = {
    "moving": MovingSource,
    "still": FakeSource,
    "lost": LostSource,
    "alerting": AlertingSource,
    "broken": BrokenSource,
}


def main() -> int:
    """Show a fake source on this terminal: `python -m tests.ui.fakes KIND [SETTING=VALUE ...]`."""
    from quantui.ui.run import run_screen
    from quantui.ui.settings import ScreenSettings

    changes: dict[str, Any] = dict(word.split("=", 1) for word in sys.argv[2:])
    if sys.argv[1] == "hostile":
        from tests.ui.hostile_source import TurningSource

        return run_screen(TurningSource, ScreenSettings(**changes))
    return run_screen(SOURCES[sys.argv[1]], ScreenSettings(**changes))


if __name__ == "__main__":
    sys.exit(main())
