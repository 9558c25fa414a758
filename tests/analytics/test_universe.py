"""Every pair at once, beside statsmodels pair by pair."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from statsmodels.tsa.stattools import adfuller, coint

from quantui.analytics import sweep_numba, sweep_numpy
from quantui.analytics.blocks import Block, assemble, blocks, solve_here
from quantui.analytics.cointegration import residual_tests
from quantui.analytics.engines import best_engine, compile_engine
from quantui.analytics.half_life import half_life
from quantui.analytics.hedge import fit_line
from quantui.analytics.moments import Moments, Update
from quantui.analytics.pair import pair_statistics
from quantui.analytics.stationarity import UnitRoot
from quantui.analytics.sweep import COLLINEAR, Engine
from quantui.analytics.universe import RECOMPUTE_BARS, Table, Universe, all_pairs, usable
from quantui.market.frames import Floats
from tests.analytics.series import reverting, walk

ENGINES = [sweep_numpy.residual_sweep, sweep_numba.residual_sweep]


def market(count: int, n: int, seed: int = 1) -> Floats:
    """Log closes (count, n): walks, of which every third follows the one before it."""
    random = np.random.default_rng(seed)
    levels = np.array([3.0 * number + walk(random, n) for number in range(count)])
    for number in range(2, count, 3):
        levels[number] = 0.7 * levels[number - 1] + reverting(random, n, 0.9, 0.004)
    return levels


def by_statsmodels(y: Floats, x: Floats) -> tuple[float, float, int]:
    """(statistic, p-value, lag)."""
    residuals = fit_line(y, x).residuals
    lag = adfuller(residuals, regression="n", autolag="AIC", result_object=True).lags
    stat, chance, _ = coint(y, x)
    return float(stat), float(chance), int(lag)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", [40, 120, 240, 500])
def test_each_pair_is_as_statsmodels_has_it(engine: Engine, n: int) -> None:
    levels = market(7, n)
    table = Universe.of("ABCDEFG", levels, engine).table()
    assert (table.tests, len(table.y), table.reasons) == (42, 42, {})
    for place, (y, x) in enumerate(zip(table.y, table.x, strict=True)):
        stat, chance, lag = by_statsmodels(levels[y], levels[x])
        assert table.lags[place] == lag
        assert table.eg_stat[place] == pytest.approx(stat, rel=1e-8)
        assert table.eg_p[place] == pytest.approx(chance, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_each_pair_is_as_the_monitor_has_it(engine: Engine) -> None:
    levels = market(5, 240)
    table = Universe.of("ABCDE", levels, engine).table()
    closes = np.exp(levels)
    pairs = pair_statistics(closes[table.y], closes[table.x], window=240, bar_ms=60_000)
    for name, ours in (("alpha", table.alpha), ("beta", table.beta), ("r_squared", table.r_squared), ("zscore", table.zscore),
                       ("correlation", table.correlation), ("spread_std", table.spread_std)):  # fmt: skip
        np.testing.assert_allclose(ours, [getattr(pair, name) for pair in pairs], rtol=1e-8, err_msg=name)
    lives = [np.nan if pair.half_life is None else pair.half_life for pair in pairs]
    np.testing.assert_allclose(table.half_life, lives, rtol=1e-8)
    residuals = fit_line(levels[table.y], levels[table.x]).residuals
    np.testing.assert_allclose(table.half_life, half_life(residuals, fitted=1).value, rtol=1e-8)


def test_the_compiled_engine_is_the_other_one() -> None:
    compile_engine()
    assert best_engine()[0] is sweep_numba.residual_sweep
    moments, (y, x) = Moments.of(market(40, 240)), all_pairs(40)
    ours, theirs = (engine(moments, y, x) for engine in ENGINES)
    for name in ("alpha", "beta", "r_squared", "stat", "lags", "last", "sd", "slope", "correlation", "doubtful"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_moments_cannot_tell_comes_from_the_residual_and_what_nothing_tells_has_a_reason(engine: Engine) -> None:
    levels = market(4, 240)
    random = np.random.default_rng(9)
    near = 0.5 * levels[0] + random.normal(scale=0.002 * 0.5 * levels[0].std(), size=240)
    same = 2.0 * levels[0] - 1.0
    table = Universe.of("ABCDNS", np.vstack([levels, near, same]), engine).table()
    names = ["ABCDNS"[y] + "ABCDNS"[x] for y, x in zip(table.y, table.x, strict=True)]
    stat, chance, lag = by_statsmodels(near, levels[0])
    place = names.index("NA")
    assert 1 - COLLINEAR < table.r_squared[place] < 1 - 2e-6
    assert (table.eg_stat[place], table.eg_p[place]) == pytest.approx((stat, chance), rel=1e-6, abs=1e-12)
    assert table.lags[place] == lag
    twins = {names[place]: why for place, why in table.reasons.items()}
    assert twins == dict.fromkeys(("AS", "SA"), "legs are almost perfectly collinear")
    assert np.isnan(table.eg_stat[names.index("AS")])
    assert np.isnan(table.zscore[names.index("AS")])
    assert table.tests == len(names) - 2
    assert table.expected_by_chance == pytest.approx(0.05 * table.tests)


@pytest.mark.parametrize("update", [None, sweep_numba.update])
def test_a_window_that_slid_is_the_window_computed_anew(update: Update | None) -> None:
    levels = market(9, 120 + RECOMPUTE_BARS + 20)
    universe = Universe.of("ABCDEFGHI", levels[:, :120], sweep_numpy.residual_sweep, update)
    bars_since = []
    for bar in range(120, levels.shape[1]):
        universe.slide(levels[:, bar])
        bars_since.append(universe.moments.bars_since)
        if bar in (120, 300, levels.shape[1] - 1):
            _same(universe.table(), Universe.of("ABCDEFGHI", levels[:, bar - 119 : bar + 1]).table())
    assert (max(bars_since), bars_since[-1]) == (RECOMPUTE_BARS - 1, 20)


def _same(ours: Table, theirs: Table) -> None:
    np.testing.assert_array_equal(ours.lags, theirs.lags)
    for name in ("alpha", "beta", "eg_stat", "eg_p", "zscore", "half_life", "correlation", "q_bh", "q_by"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-8, atol=1e-12, err_msg=name)


def test_symbols_that_cannot_be_used_are_named_with_the_reason() -> None:
    good = np.exp(market(1, 60)[0])
    holed = good.copy()
    holed[30] = np.nan
    symbols, levels, left_out = usable(
        {"AUSDT": good, "BUSDT": good[:59], "CUSDT": holed, "DUSDT": np.full(60, 1.0), "EUSDT": -good}, 60
    )
    assert (symbols, levels.shape) == (["AUSDT"], (1, 60))
    assert left_out == {
        "BUSDT": "59/60 bars",
        "CUSDT": "a close is missing or is no price",
        "DUSDT": "its price does not move",
        "EUSDT": "a close is missing or is no price",
    }
    with pytest.raises(ValueError, match="too few"):
        Universe.of("AB", np.zeros((2, 4)))


def test_the_most_remarkable_come_first_and_what_was_not_tested_last() -> None:
    levels = market(8, 240)
    levels = np.vstack([levels, levels[0] * 2.0])
    table = Universe.of("ABCDEFGHI", levels).table()
    order = table.order()
    tested = order[: table.tests]
    assert (np.diff(table.q_bh[tested]) >= 0).all()
    assert np.isnan(table.q_bh[order[table.tests :]]).all()


@pytest.mark.parametrize(("count", "group"), [(7, 3), (6, 3), (5, 8), (1, 4), (0, 4)])
def test_blocks_hold_every_ordered_pair_once(count: int, group: int) -> None:
    found = []
    for block in blocks(count, group):
        places, (y, x) = block.places(), block.pairs()
        found += list(zip(places[y].tolist(), places[x].tolist(), strict=True))
    assert sorted(found) == [(y, x) for y in range(count) for x in range(count) if y != x]


def test_blocks_in_any_order_make_the_same_table() -> None:
    levels = market(11, 120)
    levels[10] = levels[4] * 3.0
    universe = Universe.of("ABCDEFGHIJK", levels)
    whole = universe.table()
    order_of = np.lexsort((whole.x, whole.y))
    sorted_whole = universe.table(whole.y[order_of], whole.x[order_of])
    parts = list(solve_here(levels, blocks(11, 4)))
    for order in (parts, parts[::-1]):
        table = assemble("ABCDEFGHIJK", 120, order)
        assert list(zip(table.y, table.x, strict=True)) == sorted(zip(whole.y, whole.x, strict=True))
        _same(table, sorted_whole)
        assert table.reasons == sorted_whole.reasons
    assert Block((0, 2)).places().tolist() == [0, 1]
    assert assemble("", 120, []).tests == 0


def _daily(shared: Path, window: int) -> Floats:
    closes = {}
    for file in sorted((shared / "data/klines/genetrader_1d").glob("*.feather")):
        frame = pl.read_ipc(file)[:-1]  # the last bar is half
        closes[file.stem] = frame["close"].to_numpy()
    return usable(closes, window)[1]


@pytest.mark.parametrize("window", [120, 240])
def test_five_hundred_pairs_of_real_daily_closes_are_as_statsmodels_has_them(shared: Path, window: int) -> None:
    levels = _daily(shared, window)
    assert len(levels) > 100
    y, x = all_pairs(len(levels))
    chosen = np.random.default_rng(window).choice(len(y), 250, replace=False)
    table = Universe.of([""] * len(levels), levels, *best_engine()).table(y[chosen], x[chosen])
    for place in range(250):
        stat, chance, lag = by_statsmodels(levels[table.y[place]], levels[table.x[place]])
        assert table.lags[place] == lag
        assert table.eg_stat[place] == pytest.approx(stat, rel=1e-6)
        assert table.eg_p[place] == pytest.approx(chance, rel=1e-6, abs=1e-12)


@pytest.fixture(scope="module")
def hours(shared: Path) -> tuple[list[str], Floats]:
    """Twenty symbols and their (20, 5856) log closes."""
    oracle = pl.read_csv(shared / "oracles/reference/eg_scan_genetrader_1h_20sym.csv.gz")
    symbols = sorted(set(oracle["y"]))
    rows = []
    for symbol in symbols:
        frame = pl.read_ipc(shared / f"data/klines/genetrader_1h/{symbol.removesuffix('USDT')}_USDT-1h.feather")
        rows.append(frame["close"].to_numpy()[:5856])
    return symbols, np.log(rows)


@pytest.mark.parametrize("step", [38, pytest.param(1, marks=pytest.mark.soak)])
def test_twenty_symbols_of_real_hours_are_as_the_oracle_has_them(shared: Path, hours: tuple[list[str], Floats], step: int) -> None:
    oracle = pl.read_csv(shared / "oracles/reference/eg_scan_genetrader_1h_20sym.csv.gz")
    symbols, levels = hours
    table, other = (Universe.of(symbols, levels, engine).table() for engine in ENGINES)
    np.testing.assert_array_equal(table.lags, other.lags)
    np.testing.assert_allclose(table.eg_stat, other.eg_stat, rtol=1e-9)
    ours = {(symbols[y], symbols[x]): place for place, (y, x) in enumerate(zip(table.y, table.x, strict=True))}
    assert len(oracle) == len(ours) == 380
    residuals = fit_line(levels[table.y], levels[table.x])
    for row in oracle.iter_rows(named=True):
        place = ours[row["y"], row["x"]]
        found = (table.beta[place], table.alpha[place], table.zscore[place], table.correlation[place], table.spread_std[place])
        assert found == pytest.approx([row[name] for name in ("beta", "alpha", "z_last", "ret_corr", "spread_sd")], rel=1e-6)
        fixed = residual_tests(residuals.residuals[place][None], residuals.r_squared[place][None], lags=1)[0]
        assert isinstance(fixed, UnitRoot)  # the oracle's tests have one lag
        assert (fixed.stat, fixed.p_value) == pytest.approx((row["eg_t"], row["eg_p"]), rel=1e-6, abs=1e-12)
    for place in range(0, 380, step):  # beside statsmodels itself
        stat, chance, lag = by_statsmodels(levels[table.y[place]], levels[table.x[place]])
        assert (table.eg_stat[place], table.eg_p[place]) == pytest.approx((stat, chance), rel=1e-6, abs=1e-12)
        assert table.lags[place] == lag
    for start in range(0, 380, 20):
        places = slice(start, start + 20)
        tests = residual_tests(residuals.residuals[places], residuals.r_squared[places])
        assert table.lags[places].tolist() == [test.lags for test in tests if isinstance(test, UnitRoot)]
        np.testing.assert_allclose(table.eg_stat[places], [test.stat for test in tests if isinstance(test, UnitRoot)], rtol=1e-6)
