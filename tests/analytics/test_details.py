"""The sections of the full report: numbers are those of the tests themselves, reasons stand where there is none."""

import json
import math
import time
from typing import Any

import numpy as np
import pytest

from quantui.analytics.details import SECTIONS, details, plain, window_of
from quantui.analytics.dols import dols
from quantui.analytics.estimators import Estimator
from quantui.analytics.pair import pair_statistics
from quantui.analytics.phillips_ouliaris import PhillipsOuliaris, phillips_ouliaris
from quantui.analytics.report import LegBars, ReportSettings, full_report
from quantui.analytics.spread import Space
from quantui.analytics.verdicts import LINES
from quantui.market.frames import Floats
from quantui.market.instruments import Timeframe
from tests.analytics.series import pair, walk

Report = dict[str, Any]


def made(y: Floats, x: Floats, settings: ReportSettings | None = None, **more: Any) -> Report:  # noqa: ANN401 - passed on to `full_report`
    report = full_report(
        60_000 * np.arange(len(y)), y, x, pair="A/B", venue="external", timeframe=Timeframe.M1,
        settings=settings or ReportSettings(), quality={}, **more,
    )  # fmt: skip
    return dict(json.loads(json.dumps(report, allow_nan=False)))


@pytest.fixture(scope="module")
def legs() -> tuple[Floats, Floats]:
    return pair(np.random.default_rng(1), 240)


@pytest.fixture(scope="module")
def report(legs: tuple[Floats, Floats]) -> Report:
    return made(*legs)


def test_every_section_has_its_numbers(legs: tuple[Floats, Floats], report: Report) -> None:
    assert report["missing"] == {}
    assert all(report[name] is not None for name in SECTIONS)
    y, x = (np.log(leg) for leg in legs)
    zt = phillips_ouliaris(y, x)
    assert isinstance(zt, PhillipsOuliaris)
    assert report["phillips_ouliaris"]["zt"]["stat"] == pytest.approx(zt.zt.stat)
    assert report["dols"]["beta"] == pytest.approx(float(dols(y, x).betas[0]))
    assert report["zscores"]["rolling"] == pytest.approx(report["zscore"], rel=1e-6)
    assert set(report["zscores"]) == {"rolling", "ewma", "robust", "ou"}
    assert report["correlations"]["returns"] == pytest.approx(report["correlation"])
    assert [one["horizon"] for one in report["variance_ratio"]] == [2, 4, 8, 16]
    assert report["johansen"]["trace"] == pytest.approx(np.cumsum(report["johansen"]["max_eig"][::-1])[::-1])
    assert report["half_life_corrected"] > report["half_life"]
    low, high = report["hurst_band"]
    assert low < 0.5 < high
    assert report["crossings"]["count"] > 10
    assert report["kalman"]["recent_size"]["low"] < 1 < report["kalman"]["recent_size"]["high"]


@pytest.mark.parametrize("estimator", Estimator)
def test_every_estimator_has_a_full_report(legs: tuple[Floats, Floats], estimator: Estimator) -> None:
    report = made(*legs, settings=ReportSettings(estimator=estimator))
    assert set(report["missing"]) <= {"beta_se"}
    assert set(report["verdicts"]) == set(LINES)


def test_price_space(legs: tuple[Floats, Floats]) -> None:
    report = made(*legs, settings=ReportSettings(space=Space.PRICE))
    assert report["missing"] == {}
    assert report["correlations"]["returns"] == pytest.approx(report["correlation"])


def test_a_kalman_report_says_what_its_numbers_are_of(legs: tuple[Floats, Floats]) -> None:
    report = made(*legs, settings=ReportSettings(estimator=Estimator.KALMAN))
    assert report["zscore"] == report["kalman"]["zscore"]
    assert report["spread"] == report["kalman"]["innovation"]
    assert report["beta_se"] == report["kalman"]["beta_sd"]
    assert {"spread", "adf", "half_life"} <= report["notes"].keys()


def test_too_few_bars_are_a_reason_for_every_section(legs: tuple[Floats, Floats]) -> None:
    report = made(legs[0][:100], legs[1][:100])
    assert all(report[name] is None and report["missing"][name] == "100/240" for name in SECTIONS)
    assert report["verdicts"] == {}


@pytest.mark.parametrize("flat", [0, 1])
def test_a_constant_leg_is_a_reason_for_every_section(legs: tuple[Floats, Floats], flat: int) -> None:
    y, x = legs[0].copy(), legs[1].copy()
    (y, x)[flat][:] = 3.0
    report = made(y, x)
    assert all(report["missing"][name] == ("y is constant", "x is constant")[flat] for name in SECTIONS)


def test_short_windows_name_what_each_test_needs(legs: tuple[Floats, Floats]) -> None:
    report = made(*legs, settings=ReportSettings(window=24))
    assert report["missing"]["phillips_ouliaris"] == "24/25 bars"
    assert report["missing"]["variance_ratio"] == "24/34 bars"
    assert report["missing"]["cusum"] == report["missing"]["error_correction"] == "24/30 bars"
    assert report["missing"]["unit_roots"] == "y: 24/30 bars"
    assert report["missing"]["hurst_band"] == "23/128 increments"


def test_halts_and_jumps_break_nothing() -> None:
    """A leg that stands still at first, at the end, or moves once; a wild bar; legs of a second's bars with few ticks."""
    random = np.random.default_rng(2)
    y, x = pair(random, 240)
    still_first, still_last, jump, wild = (y.copy() for _ in range(4))
    still_first[:100], still_last[100:], wild[120] = y[100], y[100], 1e6
    jump[:] = np.where(np.arange(240) < 200, 1.0, 1.1)
    ticks = np.round(100 + np.cumsum(random.choice([0, 0, 0, 0, 0.01, -0.01], 240)), 2)
    for leg in (still_first, still_last, jump, wild, ticks):
        for a, b in ((leg, x), (x, leg)):
            report = made(a, b)
            assert {name for name in SECTIONS if report[name] is None} <= report["missing"].keys()


def test_scaling_prices_changes_no_test(legs: tuple[Floats, Floats], report: Report) -> None:
    scaled = made(1e-4 * legs[0], 3e5 * legs[1])
    assert scaled["phillips_ouliaris"]["zt"]["stat"] == pytest.approx(report["phillips_ouliaris"]["zt"]["stat"], rel=1e-6)
    assert scaled["johansen"]["trace"] == pytest.approx(report["johansen"]["trace"], rel=1e-6)
    assert scaled["kalman"]["zscore"] == pytest.approx(report["kalman"]["zscore"], rel=1e-5)
    assert scaled["cusum"]["stat"] == pytest.approx(report["cusum"]["stat"], rel=1e-6)
    assert scaled["zscores"] == pytest.approx(report["zscores"], rel=1e-6)
    assert [one["z"] for one in scaled["variance_ratio"]] == pytest.approx([one["z"] for one in report["variance_ratio"]], rel=1e-6)


def test_only_the_window_counts(legs: tuple[Floats, Floats], report: Report) -> None:
    """Bars before the window, and bars after it, change nothing that was said of it."""
    before_y, before_x = pair(np.random.default_rng(3), 100)
    longer = made(np.concatenate((before_y, legs[0])), np.concatenate((before_x, legs[1])))
    assert all(longer[name] == report[name] for name in SECTIONS)


def test_turnover_and_carry_where_they_are_known(legs: tuple[Floats, Floats], report: Report) -> None:
    assert not {"parkinson", "liquidity", "carry"} & report.keys()
    bars = LegBars(1.01 * legs[0], 0.99 * legs[0], np.full(240, 1e6))
    more = made(*legs, bars=(bars, bars), funding=(0.0001, 0.0001))
    assert more["liquidity"]["y"]["state"] == "steady"
    assert more["parkinson"]["y"] == pytest.approx(math.log(1.01 / 0.99) / math.sqrt(4 * math.log(2)) * math.sqrt(365 * 1440))
    unknown = made(*legs, bars=(bars, LegBars(bars.high, bars.low, np.full(240, np.nan))))
    assert unknown["liquidity"]["x"] is None
    assert unknown["missing"] == {"liquidity_x": "a turnover is missing"}
    assert more["carry"]["annual"] == pytest.approx(0.0001 * (more["beta"] - 1) * 3 * 365)


def test_every_line_says_something_of_pairs_and_of_walks() -> None:
    random = np.random.default_rng(4)
    said: dict[str, set[str]] = {name: set() for name in LINES}
    for n in range(12):
        phi = (0.5, 0.95, 1.0)[n % 3]
        report = made(*(pair(random, 240, phi) if n < 6 else (np.exp(walk(random, 240)), np.exp(walk(random, 240)))))
        for name, line in report["verdicts"].items():
            assert line.endswith(".")
            assert len(line) < 320
            assert "nan" not in line
            assert "None" not in line
            said[name].add(line)
    assert all(said.values())


def test_plain_leaves_nothing_that_json_does_not_know() -> None:
    assert plain({"a": (1.0, math.inf), "b": [math.nan]}) == {"a": [1.0, None], "b": [None]}


def test_a_warm_report_takes_its_budget(legs: tuple[Floats, Floats]) -> None:
    """Thirty milliseconds at 240 bars; ten times that here, for machines under load."""
    s = pair_statistics(*legs, window=240, bar_ms=60_000)[0]
    details(window_of(*legs, s, z_window=240, threshold=2.0, bar_ms=60_000), {})
    started = time.perf_counter()
    made(*legs)
    assert time.perf_counter() - started < 0.3
