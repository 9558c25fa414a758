"""Gates: conditions a pair should meet before its signal is trusted. Shown whether they pass or not."""

from dataclasses import dataclass

from quantui.analytics.pair import PairStatistics

AT_LEAST = frozenset({"r_squared", "correlation", "liquidity"})
"""Gates that ask for no less than their limit; the others for no more."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate and where the pair stands."""

    name: str
    ok: bool | None
    """None: the value cannot be had."""
    value: float | None
    limit: float | None
    """None where the limit itself rests on a value that cannot be had."""
    enabled: bool


@dataclass(frozen=True, slots=True)
class GateSetting:
    """The switch and the value of one gate."""

    limit: float
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class GateSettings:
    """The switches and values of all gates."""

    beta: GateSetting = GateSetting(3.0)
    """Largest |beta|."""
    r_squared: GateSetting = GateSetting(0.3)
    """Smallest R²."""
    beta_se: GateSetting = GateSetting(1.0)
    """Largest standard error of beta, in |beta|."""
    correlation: GateSetting = GateSetting(0.7)
    """Smallest correlation of log returns."""
    cointegration: GateSetting = GateSetting(0.05)
    """Largest Engle-Granger p-value."""
    liquidity: GateSetting = GateSetting(1_000_000.0, enabled=False)
    """Smallest quote turnover a day of the thinner leg."""


def gates(statistics: PairStatistics, settings: GateSettings, turnover: float | None = None) -> tuple[Gate, ...]:
    """Every gate of a pair, in the order of `GateSettings`; `turnover` is the quote turnover a day of the thinner leg."""
    s = statistics
    beta = None if s.beta is None else abs(s.beta)
    p_value = None if s.engle_granger is None else s.engle_granger.p_value
    relative = None if beta is None else settings.beta_se.limit * beta
    return (
        _at_most("beta", beta, settings.beta.limit, settings.beta),
        _at_least("r_squared", s.r_squared, settings.r_squared),
        _at_most("beta_se", s.beta_se, relative, settings.beta_se),
        _at_least("correlation", s.correlation, settings.correlation),
        _at_most("cointegration", p_value, settings.cointegration.limit, settings.cointegration),
        _at_least("liquidity", turnover, settings.liquidity),
    )


def all_pass(results: tuple[Gate, ...]) -> bool:
    """Whether every enabled gate is known to pass."""
    return all(gate.ok is True for gate in results if gate.enabled)


def _at_most(name: str, value: float | None, limit: float | None, setting: GateSetting) -> Gate:
    ok = None if value is None or limit is None else value <= limit
    return Gate(name, ok, value, limit, setting.enabled)


def _at_least(name: str, value: float | None, setting: GateSetting) -> Gate:
    ok = None if value is None else value >= setting.limit
    return Gate(name, ok, value, setting.limit, setting.enabled)
