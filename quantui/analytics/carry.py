"""What holding a pair of perpetual contracts pays: longs pay the funding rate where it is positive, shorts receive it."""

from dataclasses import dataclass

_YEAR_HOURS = 365 * 24


@dataclass(frozen=True, slots=True)
class Carry:
    """Of a position long 1 of y and short beta of x; its opposite has the opposite sign."""

    hourly: float
    """Share of y's notional received an hour; negative where it is paid."""
    annual: float
    """The same for a year of 365 days, not compounded."""


def funding_carry(rate_y: float, rate_x: float, beta: float, *, hours_y: float = 8.0, hours_x: float = 8.0) -> Carry:
    """Carry at the funding rates of now.

    Args:
        rate_y: rate of y, a share of notional each interval.
        rate_x: rate of x.
        beta: notional of x against 1 of y.
        hours_y: length of y's funding interval: 8, 4 or 1 hours, by contract.
        hours_x: length of x's.
    """
    hourly = -rate_y / hours_y + beta * rate_x / hours_x
    return Carry(hourly, hourly * _YEAR_HOURS)
