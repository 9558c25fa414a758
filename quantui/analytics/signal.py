"""What a z-score says to do. Pure: the state goes in and comes out."""

from collections.abc import Iterable
from enum import StrEnum


class Signal(StrEnum):
    """The state of a pair's signal after a closed bar."""

    NONE = "NONE"
    SHORT_SPREAD = "SHORT_SPREAD"
    """The spread is high: sell y, buy beta of x."""
    LONG_SPREAD = "LONG_SPREAD"
    EXIT = "EXIT"
    """The spread came back; held for one bar, then NONE."""
    STOP = "STOP"
    """|z| is at or beyond the stop; held while it is."""


def next_signal(previous: Signal, z: float | None, entry: float, exit: float, stop: float) -> Signal:
    """The signal after a bar with z-score `z`.

    Beyond the stop it is STOP; else beyond the entry it is that side; else an entered side holds until z reaches the exit band
    or has crossed it (|z| <= exit, or the other sign: a bar may jump the band, and with exit = 0 it always does).

    Args:
        previous: the signal of the bar before.
        z: None where it cannot be had: an entered side holds, everything else is NONE.
        entry: |z| to enter at.
        exit: |z| to leave at, below `entry`.
        stop: |z| to give up at, above `entry`; infinite for none.
    """
    held = previous in (Signal.SHORT_SPREAD, Signal.LONG_SPREAD)
    if z is None or z != z:
        return previous if held else Signal.NONE
    if abs(z) >= stop:
        return Signal.STOP
    if z >= entry:
        return Signal.SHORT_SPREAD
    if z <= -entry:
        return Signal.LONG_SPREAD
    if not held:
        return Signal.NONE
    distance = z if previous is Signal.SHORT_SPREAD else -z
    return Signal.EXIT if distance <= exit else previous


def signal_history(zscores: Iterable[float | None], entry: float, exit: float, stop: float) -> list[Signal]:
    """The signal of every bar, beginning with none before the first."""
    state = Signal.NONE
    states: list[Signal] = []
    for z in zscores:
        state = next_signal(state, z, entry, exit, stop)
        states.append(state)
    return states
