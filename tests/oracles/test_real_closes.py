"""Eight pairs of real 1h closes against values that statsmodels gave once, on the machine of whoever made the oracle."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from quantui.analytics.cointegration import engle_granger
from quantui.analytics.half_life import half_life
from quantui.analytics.hedge import fit_line
from quantui.analytics.kpss import Kpss, kpss
from quantui.analytics.pair import pair_statistics
from quantui.analytics.spread import correlation
from quantui.analytics.stationarity import UnitRoot, adf
from quantui.market.frames import Floats

PAIRS = ["ETH/BTC", "BCH/DOGE", "DOGE/BCH", "APT/AVAX", "OP/MATIC", "OP/ARB", "LTC/BTC", "SOL/AVAX"]


def closes(shared: Path, symbol: str, start: str, end: str) -> Floats:
    name = symbol.removesuffix("USDT")
    frame = pl.read_ipc(shared / f"data/klines/genetrader_1h/{name}_USDT-1h.feather")
    first, after = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (start, end))
    return frame.filter((pl.col("date") >= first) & (pl.col("date") < after))["close"].to_numpy()


@pytest.fixture(params=PAIRS)
def detail(request: pytest.FixtureRequest, shared: Path) -> Mapping[str, Any]:
    y, x = (f"{name}USDT" for name in request.param.split("/"))
    pairs = json.loads((shared / "oracles/reference/pairs_detail_visible.json").read_text())["pairs"]
    return next(pair for pair in pairs if (pair["y"], pair["x"]) == (y, x))


@pytest.fixture
def legs(detail: Mapping[str, Any], shared: Path) -> tuple[Floats, Floats]:
    y, x = (closes(shared, detail[leg], detail["start"], detail["end_exclusive"]) for leg in ("y", "x"))
    assert len(y) == len(x) == detail["n"]
    assert [y[0], x[0]] == detail["first_close"]
    return y, x


def check_test(test: object, expected: Mapping[str, Any], p_name: str) -> None:
    assert isinstance(test, UnitRoot)
    assert test.stat == pytest.approx(expected["stat"], rel=1e-8)
    assert test.p_value == pytest.approx(expected[p_name], rel=1e-8)
    assert test.lags == expected.get("lags", test.lags)
    assert test.nobs == expected.get("nobs", test.nobs)


def test_whole_sample(detail: Mapping[str, Any], legs: tuple[Floats, Floats]) -> None:
    y, x = np.log(legs[0]), np.log(legs[1])
    line = fit_line(y, x)
    expected = detail["ols"]
    ours = [float(line.alpha), float(line.beta), float(line.alpha_se), float(line.beta_se), float(line.r_squared)]
    assert ours == pytest.approx([expected["alpha"], expected["beta"], *expected["se"], expected["r2"]], rel=1e-8)
    check_test(adf(line.residuals), detail["adf_resid_aic"], "p_plain_adf")
    check_test(adf(line.residuals, lags=1), detail["adf_resid_1lag"], "p_plain_adf")
    check_test(engle_granger(y, x), detail["engle_granger_aic"], "p")
    check_test(engle_granger(y, x, lags=1), detail["engle_granger_1lag"], "p")
    stationary = kpss(line.residuals)
    assert isinstance(stationary, Kpss)
    assert stationary.stat == pytest.approx(detail["kpss_resid_auto"]["stat"], rel=1e-8)
    assert stationary.lags == detail["kpss_resid_auto"]["lags"]
    # The oracle's half-life is the Euler form, -ln 2 / b; quantui's is -ln 2 / ln(1 + b), from the same b.
    assert -math.log(2.0) / float(half_life(line.residuals[None]).slope[0]) == pytest.approx(detail["half_life_bars"], rel=1e-8)
    assert float(correlation(np.diff(y), np.diff(x))) == pytest.approx(detail["return_corr"], rel=1e-8)


def test_per_bar_set_over_the_whole_sample(detail: Mapping[str, Any], legs: tuple[Floats, Floats]) -> None:
    statistics = pair_statistics(*legs, window=detail["n"], bar_ms=3_600_000)[0]
    check_test(statistics.engle_granger, detail["engle_granger_aic"], "p")
    check_test(statistics.adf, detail["adf_resid_aic"], "p_plain_adf")
    spread = detail["spread"]
    assert [statistics.spread, statistics.spread_std, statistics.zscore] == pytest.approx(
        [spread["last"], spread["sd_ddof1"], spread["z_last_full"]], rel=1e-8
    )


def test_rolling_window(detail: Mapping[str, Any], legs: tuple[Floats, Floats]) -> None:
    for point in detail["rolling_ols_240"]:
        y, x = (leg[: point["i"] + 1] for leg in legs)
        statistics = pair_statistics(y, x, window=240, bar_ms=3_600_000)[0]
        assert [statistics.alpha, statistics.beta] == pytest.approx([point["alpha"], point["beta"]], rel=1e-8)


def test_critical_values_differ_only_by_the_misprint(detail: Mapping[str, Any], legs: tuple[Floats, Floats]) -> None:
    test = engle_granger(np.log(legs[0]), np.log(legs[1]))
    assert isinstance(test, UnitRoot)
    one, five, ten = detail["engle_granger_aic"]["cv_1_5_10"]
    assert list(test.critical.values()) == pytest.approx([one + 11.0 / (detail["n"] - 1) ** 2, five, ten], abs=1e-12)
