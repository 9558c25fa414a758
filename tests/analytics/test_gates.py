from dataclasses import replace

import numpy as np
import pytest

from quantui.analytics.gates import GateSetting, GateSettings, all_pass, gates
from quantui.analytics.pair import PairStatistics, pair_statistics
from quantui.analytics.stationarity import UnitRoot
from tests.analytics.series import pair


@pytest.fixture
def statistics() -> PairStatistics:
    found = pair_statistics(*pair(np.random.default_rng(1), 240, 0.5), window=240, bar_ms=60_000)[0]
    return replace(
        found, beta=-2.0, beta_se=0.5, r_squared=0.9, correlation=0.8, engle_granger=UnitRoot(-4.0, 0.01, 1, 238, {}, -0.2)
    )


def outcome(
    statistics: PairStatistics, turnover: float | None = 2e6, settings: GateSettings | None = None
) -> dict[str, bool | None]:
    return {gate.name: gate.ok for gate in gates(statistics, settings or GateSettings(), turnover)}


def test_a_good_pair_passes_every_gate(statistics: PairStatistics) -> None:
    assert outcome(statistics) == dict.fromkeys(("beta", "r_squared", "beta_se", "correlation", "cointegration", "liquidity"), True)


def test_each_gate_fails_alone(statistics: PairStatistics) -> None:
    for gate, changed in (
        ("beta", replace(statistics, beta=-3.1)),
        ("r_squared", replace(statistics, r_squared=0.29)),
        ("beta_se", replace(statistics, beta_se=2.1)),
        ("correlation", replace(statistics, correlation=0.69)),
    ):
        assert [name for name, ok in outcome(changed).items() if not ok] == [gate]


def test_cointegration_and_liquidity_fail(statistics: PairStatistics) -> None:
    weak = replace(statistics, engle_granger=UnitRoot(-2.0, 0.3, 1, 238, {}, -0.1))
    assert outcome(weak)["cointegration"] is False
    assert outcome(statistics, turnover=10.0)["liquidity"] is False


def test_what_is_not_known_neither_passes_nor_fails(statistics: PairStatistics) -> None:
    unknown = replace(statistics, beta=None, beta_se=None, r_squared=None, correlation=None, engle_granger=None)
    found = gates(unknown, GateSettings())
    assert [(gate.ok, gate.value) for gate in found] == [(None, None)] * 6
    assert not all_pass(found)


def test_a_gate_that_is_switched_off_is_shown_but_does_not_count(statistics: PairStatistics) -> None:
    weak = replace(statistics, correlation=0.1)
    settings = GateSettings(correlation=GateSetting(0.7, enabled=False))
    assert outcome(weak, settings=settings)["correlation"] is False
    assert all_pass(gates(weak, settings))
    assert not all_pass(gates(weak, GateSettings()))


def test_values_and_limits_are_given(statistics: PairStatistics) -> None:
    found = {gate.name: (gate.value, gate.limit) for gate in gates(statistics, GateSettings())}
    assert found["beta"] == (2.0, 3.0)
    assert found["beta_se"] == (0.5, 2.0)
    assert found["cointegration"] == (0.01, 0.05)
    assert found["liquidity"] == (None, 1_000_000.0)
