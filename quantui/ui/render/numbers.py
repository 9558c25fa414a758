"""How numbers are written: fixed places, so that columns stand still; too little data is `n/N` or `-`, never 0."""

import math
from typing import Final

from quantui.ui.render import local

SIGNALS: Final = {"SHORT_SPREAD": "SHORT", "LONG_SPREAD": "LONG", "NONE": ""}
"""Short names of signals for narrow columns."""

_BASIS_POINT: Final = 1e-4
_MOST_DECIMALS: Final = 8


def price(value: float | None, decimals: int) -> str:
    """A price with thousands separators: `61,685.99`."""
    return "-" if value is None else local.grouped(f"{value:,.{decimals}f}")


def number(value: float | None, decimals: int = 2) -> str:
    """A plain number: `0.912`; very small and very large ones in scientific notation."""
    if value is None:
        return "-"
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{decimals}e}"
    return f"{value:.{decimals}f}"


def signed(value: float | None, decimals: int = 2) -> str:
    """With its sign: `+2.31`."""
    if value is None:
        return "-"
    if abs(value) >= 1e7:
        return f"{value:+.{decimals}e}"
    return f"{value:+.{decimals}f}"


def spread(value: float | None, deviation: float | None, space: str, *, sign: bool = True) -> str:
    """A spread, or its deviation, with two significant digits of the deviation: `-3.2`.

    Args:
        value: In units of the space.
        deviation: Standard deviation of the spread in the same units: what decides how many places say something.
        space: `log` is written in basis points, `price` as it is.
        sign: Write the plus sign too.
    """
    if value is None:
        return "-"
    unit = _BASIS_POINT if space == "log" else 1.0
    size = abs(deviation or value) / unit
    decimals = min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(size)))) if size else 1
    return f"{value / unit:{'+' if sign else ''}.{decimals}f}"


def spread_unit(space: str) -> str:
    """What stands behind a spread: ` bp`, or nothing for prices."""
    return " bp" if space == "log" else ""


def bars(count: float, *, fine: bool) -> str:
    """A length in bars: `14`; `fine` keeps a place where whole bars would say too little: `0.4`."""
    return f"{count:.1f}" if fine and count < 99.95 else f"{count:.0f}"


def share(value: float | None, decimals: int = 1) -> str:
    """A share of 1 as a percentage: `99.9%`; never rounded up to 100 when it is less."""
    if value is None:
        return "-"
    percent = value * 100
    text = f"{percent:.{decimals}f}"
    if percent < 100 and text == f"{100:.{decimals}f}":
        text = f"{100 - 10**-decimals:.{decimals}f}"
    return text.removesuffix(".0") + "%" if text.startswith("100") else text + "%"


def probability(value: float | None) -> str:
    """A p value: `.007`, `<.001`."""
    if value is None:
        return "-"
    if value < 0.001:
        return "<.001"
    return f"{value:.3f}".removeprefix("0") if value < 0.9995 else "1.00"


def age(seconds: float | None) -> str:
    """A coarse age, so that it changes at most once a second: `<1s`, `12s`, `3m`, `2h`, `5d`."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return "<1s"
    for limit, unit, size in ((120, "s", 1), (7200, "m", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds // 86_400)}d"


def delay(milliseconds: float | None) -> str:
    """A delay: `41ms`, `2.3s`, `-15s`."""
    if milliseconds is None:
        return "-"
    if abs(milliseconds) < 1000:
        return f"{milliseconds:.0f}ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f}s" if abs(seconds) < 100 else f"{seconds:.0f}s"


def clock(time_ms: int) -> str:
    """Time of day in the zone of the person: `12:03:00`."""
    return local.at(time_ms).strftime("%H:%M:%S")


def signal(name: str) -> str:
    """A signal in at most five letters; empty where nothing is to be done."""
    return SIGNALS.get(name, name)


def compact(value: float | None) -> str:
    """A large amount in at most five cells: `1.24B`, `340M`, `18.2k`."""
    if value is None:
        return "-"
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            scaled = value / size
            return f"{scaled:.{2 if abs(scaled) < 9.995 else 1 if abs(scaled) < 99.95 else 0}f}{unit}"
    return f"{value:.0f}"


def percent(value: float | None) -> str:
    """A share of 1, two digits of it: `4.2%`, `35%`, `<0.1%`."""
    if value is None:
        return "-"
    if 0 < value < 0.001:
        return "<0.1%"
    return f"{value * 100:.1f}%" if value < 0.0995 else f"{value * 100:.0f}%"
