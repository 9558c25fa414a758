import pytest

from quantui.alerts.rules import Rule, rules_of
from quantui.config import AlertRule, Analysis, Gate, Gates, Settings


def test_without_a_rule_of_ones_own_one_is_in_force() -> None:
    (rule,) = rules_of(Settings())
    assert rule == Rule(
        name="zscore",
        threshold=2.0,
        rearm=1.25,
        exit=0.5,
        cooldown_ms=300_000,
        silencing=("correlation",),
        notify=("bell", "terminal", "desktop"),
    )


def test_a_rule_takes_from_the_analysis_what_it_does_not_say() -> None:
    rule = Rule.of(AlertRule(threshold=3.0), Analysis(entry=2.5, exit=1.0))
    assert (rule.threshold, rule.rearm, rule.exit) == (3.0, 2.0, 1.0)
    assert Rule.of(AlertRule(rearm=0.0, cooldown="90s"), Analysis()).cooldown_ms == 90_000
    assert Rule.of(AlertRule(rearm=0.0), Analysis()).rearm == 0.0


def test_a_correlation_of_its_own_stands_in_for_the_gate() -> None:
    rule = Rule.of(AlertRule(correlation=0.9), Analysis())
    assert (rule.correlation, rule.silencing) == (0.9, ())


@pytest.mark.parametrize(
    ("gate", "silencing"),
    [
        (Gate(limit=0.05, silences=True), ("correlation", "cointegration")),
        (Gate(limit=0.05, silences=True, enabled=False), ("correlation",)),
        (Gate(limit=0.05), ("correlation",)),
    ],
)
def test_only_gates_that_are_on_and_said_to_silence_do(gate: Gate, silencing: tuple[str, ...]) -> None:
    assert Rule.of(AlertRule(), Analysis(gates=Gates(cointegration=gate))).silencing == silencing
