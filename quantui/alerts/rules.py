"""A rule and its memory: armed, fired, re-armed. One step of it is a pure function."""

from enum import Enum

import msgspec
from msgspec.structs import replace

from quantui.alerts.records import GateResult, Observation
from quantui.config import AlertRule, Analysis, Settings


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Fires when |z| reaches `threshold` and nothing that silences it fails."""

    name: str
    threshold: float
    rearm: float
    """|z| at which it may fire again; below the threshold, so that a z that trembles about it fires once."""
    exit: float
    """|z| at which the trade of the last alert is over."""
    cooldown_ms: int
    """Least exchange time between two alerts of one pair and timeframe. A crossing inside it waits, and fires if it lasts."""
    correlation: float | None = None
    """Smallest correlation, whatever the gate says."""
    silencing: tuple[str, ...] = ()
    """Gates whose failure silences the rule."""
    notify: tuple[str, ...] = ()
    """Channels."""

    @classmethod
    def of(cls, rule: AlertRule, analysis: Analysis) -> "Rule":
        """The rule as configured, its gaps filled from `[analysis]`."""
        threshold = analysis.entry if rule.threshold is None else rule.threshold
        gates = analysis.gates
        silencing = {name: getattr(gates, name) for name in gates.__struct_fields__}
        if rule.correlation is not None:
            del silencing["correlation"]
        return cls(
            name=rule.name,
            threshold=threshold,
            rearm=(analysis.exit + threshold) / 2 if rule.rearm is None else rule.rearm,
            exit=analysis.exit,
            cooldown_ms=rule.cooldown_ms,
            correlation=rule.correlation,
            silencing=tuple(name for name, gate in silencing.items() if gate.enabled and gate.silences),
            notify=rule.notify,
        )


def rules_of(settings: Settings) -> tuple[Rule, ...]:
    """Every rule in force: those of `[[alerts]]`, else the default one."""
    return tuple(Rule.of(rule, settings.analysis) for rule in settings.alerts or (AlertRule(),))


class RuleState(msgspec.Struct, frozen=True):
    """What a rule remembers of one pair and timeframe."""

    bar_ms: int = -1
    """The last bar it judged: that one and older ones are never judged again."""
    side: int = 0
    """0 is armed; 1 or -1 has fired on this side of zero and waits for |z| to come back."""
    open: int = 0
    """Side of the last alert whose exit was not seen yet; 0 without one."""
    fired_ms: int | None = None
    """The bar of the last alert."""


class Event(Enum):
    """What a step makes known."""

    SHORT = 1
    LONG = -1
    EXIT = 0


def step(rule: Rule, state: RuleState, seen: Observation) -> tuple[RuleState, Event | None]:
    """The next state, and what there is to say. Bars come in order; an older or a repeated one changes nothing.

    Where a value that the rule rests on is missing the answer is UNKNOWN: nothing fires, nothing is re-armed. Values are finite
    or None (`records.cleaned`).
    """
    passes = passed(rule, seen)
    z = seen.zscore
    if seen.bar_ms <= state.bar_ms or not seen.usable or z is None or passes is None:
        return state, None
    state = replace(state, bar_ms=seen.bar_ms)
    side = 0 if abs(z) < rule.threshold else 1 if z > 0 else -1
    if side not in (0, state.side) and passes and is_warm(rule, state, seen.bar_ms):
        return replace(state, side=side, open=side, fired_ms=seen.bar_ms), Event(side)
    if abs(z) <= rule.rearm:
        state = replace(state, side=0)
    if abs(z) <= rule.exit and state.open:
        return replace(state, open=0), Event.EXIT
    return state, None


def passed(rule: Rule, seen: Observation) -> bool | None:
    """Whether nothing silences the rule; None where that cannot be known."""
    results = [gate.ok for gate in silencers(rule, seen)]
    return None if None in results else all(results)


def silencers(rule: Rule, seen: Observation) -> tuple[GateResult, ...]:
    """What may silence the rule, as it stands at this bar: its own correlation, then the gates."""
    gates = {gate.name: gate for gate in seen.gates}
    found = [gates.get(name) or GateResult(name, None, None, None) for name in rule.silencing]
    if rule.correlation is not None:
        ok = None if seen.correlation is None else seen.correlation >= rule.correlation
        found.insert(0, GateResult("correlation", ok, seen.correlation, rule.correlation))
    return tuple(found)


def is_warm(rule: Rule, state: RuleState, bar_ms: int) -> bool:
    """Whether the cool-down after the last alert is over at this bar."""
    return state.fired_ms is None or bar_ms - state.fired_ms >= rule.cooldown_ms
