"""Where a rule stands with a pair: what `rules.step` has made of its bars, in words, and nothing it would not do."""

from enum import StrEnum

from quantui.alerts.records import GateResult, Observation
from quantui.alerts.rules import Rule, RuleState, is_warm, silencers


class Standing(StrEnum):
    """What keeps a rule from firing at the next bar, the first reason that holds; `armed` where nothing does."""

    NO_VALUE = "no value"
    """There is no z."""
    UNUSABLE = "unusable"
    """A leg's window is not whole: such bars are not judged."""
    UNKNOWN = "unknown"
    """A gate that silences the rule has no value."""
    WAITING = "waiting"
    """The newest bar was not judged: it closed before the rule looked, or came too late to call anyone for."""
    FIRED = "fired"
    """It has spoken on this side and waits for |z| to come back to the re-arm level; the other side may fire."""
    BLOCKED = "blocked"
    """A gate that silences the rule fails."""
    COOLING = "cooling"
    """Its last alert is too young for another."""
    ARMED = "armed"


def standing(rule: Rule, state: RuleState, seen: Observation) -> Standing:
    """Where the rule stands after the newest closed bar, which is what was `seen`."""
    gates = silencers(rule, seen)
    if seen.zscore is None:
        return Standing.NO_VALUE
    if not seen.usable:
        return Standing.UNUSABLE
    if any(gate.ok is None for gate in gates):
        return Standing.UNKNOWN
    if seen.bar_ms > state.bar_ms:
        return Standing.WAITING
    if state.side:
        return Standing.FIRED
    if not all(gate.ok for gate in gates):
        return Standing.BLOCKED
    return Standing.ARMED if is_warm(rule, state, seen.bar_ms) else Standing.COOLING


def objections(rule: Rule, seen: Observation) -> tuple[GateResult, ...]:
    """The gates that silence the rule now, and those of them that cannot be known."""
    return tuple(gate for gate in silencers(rule, seen) if not gate.ok)
