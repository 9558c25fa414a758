"""What the engine is told of a closed bar, and what it says."""

import math
from typing import Literal

import msgspec
from msgspec.structs import astuple, replace

from quantui.text import safe

ALERT = "alert"
WARNING = "warning"
INFO = "info"

SHORT_SPREAD = "SHORT_SPREAD"
LONG_SPREAD = "LONG_SPREAD"
EXIT = "EXIT"

DATA = "data:"
"""What stands for a rule in a warning about the data, before its kind."""


class GateResult(msgspec.Struct, frozen=True):
    """One gate at one bar."""

    name: str
    ok: bool | None
    """None: its value cannot be had."""
    value: float | None
    limit: float | None
    enabled: bool = True


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One pair at one closed bar. None is a value that cannot be had; not a number counts as None."""

    pair: str
    """Its label, `ETHUSDT/BTCUSDT`."""
    y: str
    x: str
    """Symbols of the legs, as orders name them."""
    timeframe: str
    bar_ms: int
    """Open time of the bar."""
    now_ms: int
    """Exchange time."""
    usable: bool
    """Both legs' windows are whole and fresh: no gap, no partial bar, no stale feed."""
    zscore: float | None = None
    spread: float | None = None
    alpha: float | None = None
    beta: float | None = None
    correlation: float | None = None
    eg_p: float | None = None
    half_life: float | None = None
    n: int | None = None
    price_y: float | None = None
    price_x: float | None = None
    space: Literal["log", "price"] = "log"
    gates: tuple[GateResult, ...] = ()


def cleaned(seen: Observation) -> Observation:
    """`seen` with None for what is not a finite number."""
    values = zip(seen.__struct_fields__, astuple(seen), strict=True)
    wrong = dict.fromkeys(name for name, value in values if isinstance(value, float) and not math.isfinite(value))
    return replace(seen, **wrong) if wrong else seen


class Leg(msgspec.Struct, frozen=True):
    """One order of the trade that an alert proposes."""

    symbol: str
    side: Literal["buy", "sell"]
    quantity: float
    """Units of the symbol for each unit of quote capital: quantity times price of both legs adds up to 1."""
    price: float


class GateRecord(msgspec.Struct, frozen=True):
    """A gate as it stood when the alert fired."""

    ok: bool | None
    value: float | None
    limit: float | None


class AlertRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An alert (contracts.md 8), field by field what the store keeps; the store gives the id."""

    time_ms: int
    """Exchange time at which it fired."""
    bar_ms: int
    """Open time of the bar; of a data alert, when the trouble began. With rule, pair and timeframe it names the alert."""
    pair: str
    timeframe: str
    rule: str
    severity: str
    """`alert`, `warning` (data) or `info`."""
    direction: str = ""
    zscore: float | None = None
    spread: float | None = None
    alpha: float | None = None
    beta: float | None = None
    correlation: float | None = None
    eg_p: float | None = None
    half_life: float | None = None
    n: int | None = None
    legs: tuple[Leg, ...] = ()
    gates: dict[str, GateRecord] = {}
    message: str = ""


def data_alert(
    kind: Literal["gap", "stale", "fault", "healed"],
    text: str,
    *,
    now_ms: int,
    since_ms: int,
    pair: str = "",
    timeframe: str = "",
    severity: str = WARNING,
) -> AlertRecord:
    """A warning about the data itself: a gap that could not be filled, a feed that went silent, what a demo suffers.

    Args:
        kind: what is wrong.
        text: one sentence: what, where, what to do. May hold external text.
        now_ms: exchange time.
        since_ms: when it began. One trouble is one alert, also across restarts, since this names it.
        pair: the pair concerned; empty: all.
        timeframe: the timeframe concerned; empty: all.
        severity: `warning`, or `info`, which is announced nowhere.
    """
    return AlertRecord(
        time_ms=now_ms,
        bar_ms=since_ms,
        pair=pair,
        timeframe=timeframe,
        rule=DATA + kind,
        severity=severity,
        message=safe(text),
    )


def fired(seen: Observation, *, rule: str, severity: str, direction: str) -> AlertRecord:
    """The record of `rule` at what was `seen`."""
    return AlertRecord(
        time_ms=seen.now_ms,
        bar_ms=seen.bar_ms,
        pair=seen.pair,
        timeframe=seen.timeframe,
        rule=rule,
        severity=severity,
        direction=direction,
        zscore=seen.zscore,
        spread=seen.spread,
        alpha=seen.alpha,
        beta=seen.beta,
        correlation=seen.correlation,
        eg_p=seen.eg_p,
        half_life=seen.half_life,
        n=seen.n,
        legs=() if direction == EXIT else legs(seen, direction),
        gates={gate.name: GateRecord(gate.ok, gate.value, gate.limit) for gate in seen.gates if gate.enabled},
        message=message(seen, direction),
    )


def legs(seen: Observation, direction: str) -> tuple[Leg, ...]:
    """The orders that trade the spread: 1/(1+|beta|) of the capital on y, the rest on x, against it where beta is positive.

    In price space beta counts units, not capital, so it is weighted with the prices. None where a number is missing.
    """
    if seen.beta is None or not seen.price_y or not seen.price_x:
        return ()
    weight = abs(seen.beta) * (seen.price_x / seen.price_y if seen.space == "price" else 1.0)
    short_y = direction == SHORT_SPREAD
    short_x = short_y == (seen.beta < 0)
    return (
        Leg(seen.y, "sell" if short_y else "buy", 1 / (1 + weight) / seen.price_y, seen.price_y),
        Leg(seen.x, "sell" if short_x else "buy", weight / (1 + weight) / seen.price_x, seen.price_x),
    )


def message(seen: Observation, direction: str) -> str:
    """`ETHUSDT/BTCUSDT SHORT z +2.04 corr .83 p .007`; what is missing is left out."""
    parts = [seen.pair, direction.removesuffix("_SPREAD")]
    if seen.zscore is not None:
        parts.append(f"z {seen.zscore:+.2f}")
    if direction != EXIT and seen.correlation is not None:
        parts.append(f"corr {_fraction(seen.correlation, 2)}")
    if direction != EXIT and seen.eg_p is not None:
        parts.append("p <.001" if seen.eg_p < 0.001 else f"p {_fraction(seen.eg_p, 3)}")
    return safe(" ".join(parts))


def _fraction(value: float, decimals: int) -> str:
    """A number within -1..1 without its leading zero."""
    return f"{value:.{decimals}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{decimals}f}"
