"""What is said of a rule must be what its next step does."""

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from quantui.alerts.records import Observation
from quantui.alerts.rules import Event, RuleState, step
from quantui.alerts.standing import Standing, objections, standing
from tests.alerts.observations import MINUTE, RULE, seen

COOLING = replace(RULE, cooldown_ms=3 * MINUTE)
SILENT = {Standing.FIRED, Standing.BLOCKED, Standing.COOLING}


def after(*bars: Observation) -> tuple[RuleState, Standing]:
    """The memory after those bars and the standing at the last."""
    state = RuleState()
    for bar in bars:
        state, _ = step(COOLING, state, bar)
    return state, standing(COOLING, state, bars[-1])


def test_each_standing_has_its_cause() -> None:
    assert after(seen(0, 1.0))[1] is Standing.ARMED
    assert after(seen(0, None))[1] is Standing.NO_VALUE
    assert after(seen(0, 1.0, usable=False))[1] is Standing.UNUSABLE
    assert after(seen(0, 1.0, ok=None))[1] is Standing.UNKNOWN
    assert after(seen(0, 2.5, ok=False))[1] is Standing.BLOCKED
    assert after(seen(0, 2.5))[1] is Standing.FIRED
    assert after(seen(0, 2.5), seen(1, 1.3))[1] is Standing.FIRED, "above the re-arm level"
    assert after(seen(0, 2.5), seen(1, 1.25))[1] is Standing.COOLING
    assert after(seen(0, 2.5), seen(1, 1.25), seen(3, 1.0))[1] is Standing.ARMED
    assert standing(COOLING, RuleState(bar_ms=0), seen(1, 1.0)) is Standing.WAITING, "the newest bar was not judged"


def test_the_gates_that_silence_are_named_and_the_rule_s_own_correlation_goes_first() -> None:
    assert objections(RULE, seen(0, 1.0)) == ()
    (gate,) = objections(RULE, seen(0, 1.0, correlation=0.6, ok=False))
    assert (gate.name, gate.value, gate.limit) == ("correlation", 0.6, 0.7)
    own = replace(RULE, correlation=0.9, silencing=("cointegration",))
    assert [(gate.name, gate.ok, gate.limit) for gate in objections(own, seen(0, 1.0))] == [
        ("correlation", False, 0.9),
        ("cointegration", None, None),
    ]


Z = st.sampled_from([-3.0, -2.0, -1.3, -1.25, -0.4, 0.0, 0.5, 1.2, 1.9, 2.0, 2.5, None])
BAR = st.tuples(Z, st.booleans(), st.sampled_from([True, True, False, None]))


@given(st.lists(BAR, min_size=1, max_size=12), st.sampled_from([-2.0, 2.0, 4.0]))
@example([(2.0, True, True), (0.0, True, True)], 2.0)
def test_an_armed_rule_fires_at_the_next_crossing_and_one_that_is_not_does_not(
    bars: list[tuple[float | None, bool, bool | None]], crossing: float
) -> None:
    state, now = after(*(seen(place, z, usable=usable, ok=ok) for place, (z, usable, ok) in enumerate(bars)))
    last = len(bars) - 1
    gate = bars[-1][2]
    at = (state.fired_ms or 0) // MINUTE + 2 if now is Standing.COOLING else last + 1  # the last bar of the cool-down
    if now is Standing.COOLING and at <= last:
        return
    _, event = step(COOLING, state, seen(at, crossing, ok=gate))
    if now is Standing.ARMED:
        assert event is (Event.SHORT if crossing > 0 else Event.LONG)
    elif now in SILENT and (now is not Standing.FIRED or (crossing > 0) == (state.side > 0)):
        assert event not in (Event.SHORT, Event.LONG)
