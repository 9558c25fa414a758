import json
from typing import Any

import numpy as np
import pytest
from statsmodels.tsa.stattools import coint

from quantui.analytics.pair import pair_statistics
from quantui.analytics.report import ReportSettings, full_report
from quantui.market.frames import Floats
from quantui.market.instruments import Timeframe
from tests.analytics.series import pair

START = 1_700_000_000_000 // 60_000 * 60_000

FIELDS = {
    "pair", "venue", "timeframe", "space", "estimator", "window", "z_window", "n", "first_bar", "last_bar", "alpha", "beta",
    "beta_se", "r_squared", "spread", "spread_mean", "spread_std", "zscore", "correlation", "adf", "engle_granger",
    "engle_granger_reversed", "half_life", "half_life_interval", "hurst", "kpss", "johansen", "volatility", "gates", "signal",
    "quality", "missing",
}  # fmt: skip
"""contracts.md 3."""


def report(y: Floats, x: Floats, settings: ReportSettings | None = None) -> dict[str, Any]:
    """The report, as a reader of its JSON sees it; NaN and infinity would not pass."""
    made = full_report(
        START + 60_000 * np.arange(len(y)), y, x, pair="AUSDT/BUSDT", venue="binance-usdm", timeframe=Timeframe.M1,
        settings=settings or ReportSettings(), quality={"certified": 239, "provisional": 1}, turnover=5e6,
    )  # fmt: skip
    return dict(json.loads(json.dumps(made, allow_nan=False)))


@pytest.fixture(scope="module")
def legs() -> tuple[Floats, Floats]:
    return pair(np.random.default_rng(1), 400)


def test_every_field_of_the_contract_is_there(legs: tuple[Floats, Floats]) -> None:
    made = report(*legs)
    assert made.keys() >= FIELDS
    assert made["missing"] == {}
    assert made["n"] == 240
    assert made["first_bar"] == "2023-11-15T00:53:00.000Z"
    assert made["last_bar"] == "2023-11-15T04:52:00.000Z"
    assert made["quality"] == {"certified": 239, "provisional": 1, "gap": 0}
    assert made["gates"]["liquidity"] == {"ok": True, "value": 5e6, "limit": 1e6, "enabled": False}
    assert set(made["adf"]) == {"stat", "p_value", "lags", "nobs", "critical"}
    assert set(made["engle_granger"]) == set(made["engle_granger_reversed"]) == {"stat", "p_value", "lags", "critical"}


def test_numbers_are_those_of_the_monitor(legs: tuple[Floats, Floats]) -> None:
    made = report(*legs)
    monitor = pair_statistics(*legs, window=240, bar_ms=60_000)[0]
    for name in ("alpha", "beta", "beta_se", "r_squared", "spread", "spread_std", "zscore", "correlation", "half_life"):
        assert made[name] == getattr(monitor, name)
    assert made["half_life_interval"] == [monitor.half_life_low, monitor.half_life_high]


def test_reversed_engle_granger_swaps_the_legs(legs: tuple[Floats, Floats]) -> None:
    y, x = (np.log(leg[-240:]) for leg in legs)
    assert report(*legs)["engle_granger_reversed"]["stat"] == pytest.approx(coint(x, y).coint_t, rel=1e-8)


def test_signal_remembers_its_entry() -> None:
    y, x = pair(np.random.default_rng(2), 300, 0.5)
    y[-3] *= 1.2  # a spike, then back inside but not at the exit
    settings = ReportSettings(window=240, entry=3.0, exit=0.0)
    assert report(y[:-2], x[:-2], settings)["signal"] == "SHORT_SPREAD"
    y[-2:] *= 1.015
    made = report(y, x, settings)
    assert 0.0 < made["zscore"] < 3.0
    assert made["signal"] == "SHORT_SPREAD"


def test_too_few_bars_are_named(legs: tuple[Floats, Floats]) -> None:
    made = report(legs[0][:100], legs[1][:100])
    assert made["n"] == 100
    for name in (
        "alpha",
        "zscore",
        "adf",
        "engle_granger_reversed",
        "hurst",
        "kpss",
        "johansen",
        "half_life_interval",
        "volatility",
    ):
        assert made[name] is None
        assert made["missing"][name] == "100/240"
    assert made["signal"] == "NONE"


def test_short_window_names_what_hurst_needs(legs: tuple[Floats, Floats]) -> None:
    made = report(*legs, settings=ReportSettings(window=60))
    assert made["hurst"] is None
    assert made["missing"]["hurst"] == "59/128 increments"
    assert made["kpss"] is not None


@pytest.mark.parametrize("flat", [0, 1])
def test_a_constant_leg_is_a_reason(legs: tuple[Floats, Floats], flat: int) -> None:
    y, x = legs[0].copy(), legs[1].copy()
    (y, x)[flat][:] = 3.0
    made = report(y, x)
    for name in ("zscore", "engle_granger_reversed", "hurst", "kpss", "johansen"):
        assert made["missing"][name] == ("y is constant", "x is constant")[flat]


def test_collinear_legs_are_a_reason(legs: tuple[Floats, Floats]) -> None:
    made = report(legs[1] * 2, legs[1])
    assert made["johansen"] is None
    assert made["missing"]["johansen"] == "the legs are exactly collinear"


def test_kpss_at_the_edge_of_its_table_is_noted() -> None:
    made = report(*pair(np.random.default_rng(3), 240, 0.1))
    assert made["kpss"]["p_value"] == 0.10
    assert "p above 0.10" in made["notes"]["kpss"]


def test_no_bars_are_refused() -> None:
    with pytest.raises(ValueError, match="needs bars"):
        report(np.empty(0), np.empty(0))
