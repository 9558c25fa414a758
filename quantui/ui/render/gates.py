"""Gates in words: where a pair stands and what the limit is."""

from typing import TYPE_CHECKING

from quantui.ui.render import numbers

if TYPE_CHECKING:
    from quantui.collector.snapshot import GateView


def name(gate: str) -> str:
    """`beta se` for beta_se."""
    return gate.replace("_", " ")


def value(gate: "GateView") -> str:
    """Where the pair stands: `0.610`, `.310` for a p value, `1.20M`."""
    if gate.name == "cointegration":
        return numbers.probability(gate.value)
    return numbers.compact(gate.value) if gate.value is not None and abs(gate.value) >= 1000 else numbers.number(gate.value, 3)


def limit(wanted: float | None) -> str:
    """`0.7`, `1.00M`."""
    if wanted is None:
        return "-"
    return numbers.compact(wanted) if wanted >= 1000 else f"{wanted:.3g}"


def objection(gate: "GateView") -> str:
    """Why a gate does not pass: `correlation 0.610<0.7`, `beta not known`."""
    if gate.value is None or gate.limit is None:
        return f"{name(gate.name)} not known"
    return f"{name(gate.name)} {value(gate)}{'<' if gate.value < gate.limit else '>'}{limit(gate.limit)}"
