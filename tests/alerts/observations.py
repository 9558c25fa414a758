"""Observations and rules for the tests of this folder."""

from quantui.alerts.records import GateResult, Observation
from quantui.alerts.rules import Rule

MINUTE = 60_000

RULE = Rule(
    name="zscore",
    threshold=2.0,
    rearm=1.25,
    exit=0.5,
    cooldown_ms=0,
    silencing=("correlation",),
    notify=("bell", "desktop"),
)


def seen(
    bar: int,
    z: float | None,
    *,
    usable: bool = True,
    correlation: float | None = 0.83,
    ok: bool | None = True,
    pair: str = "ETHUSDT/BTCUSDT",
    beta: float | None = 1.5,
) -> Observation:
    """Bar number `bar` of a pair, with a correlation gate that stands at `ok`."""
    y, _, x = pair.partition("/")
    return Observation(
        pair=pair,
        y=y,
        x=x,
        timeframe="1m",
        bar_ms=bar * MINUTE,
        now_ms=(bar + 1) * MINUTE + 250,
        usable=usable,
        zscore=z,
        spread=0.01,
        alpha=0.2,
        beta=beta,
        correlation=correlation,
        eg_p=0.007,
        half_life=12.0,
        n=240,
        price_y=2_000.0,
        price_x=50_000.0,
        gates=(GateResult("correlation", ok, correlation, 0.7), GateResult("liquidity", None, None, 1e6, enabled=False)),
    )
