import math

import numpy as np
import pytest

from quantui.analytics.pair import QUANTITIES, PairStatistics, pair_statistics, preview
from quantui.analytics.spread import Space, pair_history
from quantui.market.frames import Floats
from tests.analytics.series import pair, walk

HOUR = 3_600_000


def one(y: Floats, x: Floats, window: int = 120, z_window: int | None = None, space: Space = Space.LOG) -> PairStatistics:
    return pair_statistics(y, x, window=window, bar_ms=HOUR, z_window=z_window, space=space)[0]


@pytest.fixture
def legs() -> tuple[Floats, Floats]:
    return pair(np.random.default_rng(1), 300)


def test_definitions(legs: tuple[Floats, Floats]) -> None:
    """Each quantity written out once more, from contracts.md 2."""
    s = one(*legs, window=120, z_window=50)
    y, x = (np.log(leg[-120:]) for leg in legs)
    beta, alpha = np.polyfit(x, y, 1)
    spread = y - alpha - beta * x
    recent = spread[-50:]
    assert [s.alpha, s.beta] == pytest.approx([alpha, beta], rel=1e-9)
    assert s.spread == pytest.approx(spread[-1], abs=1e-12)
    assert s.zscore == pytest.approx((spread[-1] - recent.mean()) / recent.std(ddof=1), rel=1e-9)
    assert s.correlation == pytest.approx(np.corrcoef(np.diff(y), np.diff(x))[0, 1], rel=1e-9)
    b = np.polyfit(spread[:-1], np.diff(spread), 1)[0]
    assert s.half_life == pytest.approx(-math.log(2) / math.log1p(b), rel=1e-9)
    assert s.volatility_y == pytest.approx(np.diff(y).std(ddof=1) * math.sqrt(365 * 24), rel=1e-9)
    assert s.volatility_x == pytest.approx(np.diff(x).std(ddof=1) * math.sqrt(365 * 24), rel=1e-9)
    assert s.missing == {}
    assert s.n == 120


def test_price_space_regresses_prices(legs: tuple[Floats, Floats]) -> None:
    s = one(*legs, space=Space.PRICE)
    beta, alpha = np.polyfit(legs[1][-120:], legs[0][-120:], 1)
    assert [s.alpha, s.beta] == pytest.approx([alpha, beta], rel=1e-9)
    assert s.correlation == one(*legs).correlation


def test_a_pair_says_the_same_alone_and_among_others() -> None:
    random = np.random.default_rng(2)
    legs = [pair(random, 240, phi) for phi in np.linspace(0.5, 1.0, 30)]
    y, x = np.array([leg[0] for leg in legs]), np.array([leg[1] for leg in legs])
    y[3] = 100.0
    x[7, 100] = np.nan
    together = pair_statistics(y, x, window=240, bar_ms=HOUR)
    assert together == [one(*leg, window=240) for leg in zip(y, x, strict=True)]


def test_scaling_prices_leaves_z_and_tests_unchanged(legs: tuple[Floats, Floats]) -> None:
    y, x = legs
    plain, scaled = one(y, x), one(1e-4 * y, 3e5 * x)
    for name in ("zscore", "beta", "r_squared", "correlation", "half_life", "spread_std"):
        assert getattr(scaled, name) == pytest.approx(getattr(plain, name), rel=1e-7)
    assert plain.adf is not None
    assert scaled.adf is not None
    assert scaled.adf.stat == pytest.approx(plain.adf.stat, rel=1e-7)
    assert scaled.adf.lags == plain.adf.lags


def test_only_the_window_counts(legs: tuple[Floats, Floats]) -> None:
    y, x = legs
    assert one(y, x) == one(y[-120:], x[-120:])


def test_too_few_bars_are_named_for_every_quantity(legs: tuple[Floats, Floats]) -> None:
    s = one(legs[0][:37], legs[1][:37])
    assert s.n == 37
    assert s.missing == dict.fromkeys(QUANTITIES, "37/120")
    assert all(getattr(s, name) is None for name in QUANTITIES)


def test_no_bars_at_all() -> None:
    assert one(np.empty(0), np.empty(0)).missing["zscore"] == "0/120"


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0])
def test_a_close_that_is_no_price_is_a_reason(legs: tuple[Floats, Floats], bad: float) -> None:
    y, x = legs[0].copy(), legs[1]
    y[-60] = bad
    assert one(y, x).missing == dict.fromkeys(QUANTITIES, "a close is missing or is no price")


@pytest.mark.parametrize(("flat", "reason"), [("y", "y is constant"), ("x", "x is constant")])
@pytest.mark.parametrize("level", [1.0, 0.1, 12345.678])
def test_a_constant_leg_is_a_reason(legs: tuple[Floats, Floats], flat: str, reason: str, level: float) -> None:
    constant = np.full(300, level)
    s = one(constant, legs[1]) if flat == "y" else one(legs[0], constant)
    for name in ("alpha", "beta", "beta_se", "r_squared", "spread", "zscore", "adf", "engle_granger", "half_life"):
        assert getattr(s, name) is None
        assert s.missing[name] == reason
    assert s.correlation is None
    assert s.missing["correlation"] == "a leg does not move"


@pytest.mark.parametrize("factor", [1.0, 3.0, 1e-5])
def test_exactly_collinear_legs_have_no_tests_and_no_z(legs: tuple[Floats, Floats], factor: float) -> None:
    s = one(factor * legs[1], legs[1])
    assert s.beta == pytest.approx(1.0)
    for name in ("zscore", "spread_std", "adf", "engle_granger", "half_life"):
        assert getattr(s, name) is None
        assert s.missing[name] == "the legs are exactly collinear"


def test_almost_collinear_legs_keep_their_z_but_not_the_cointegration_test(legs: tuple[Floats, Floats]) -> None:
    noise = np.exp(np.random.default_rng(3).normal(scale=1e-6, size=300))
    s = one(legs[1] * noise, legs[1])
    assert s.zscore is not None
    assert s.engle_granger is None
    assert s.missing["engle_granger"] == "legs are almost perfectly collinear"


def test_a_spread_that_stands_still_has_no_z(legs: tuple[Floats, Floats]) -> None:
    y, x = legs[0].copy(), legs[1].copy()
    y[-20:], x[-20:] = y[-20], x[-20]
    s = one(y, x, z_window=20)
    assert s.zscore is None
    assert s.missing["zscore"] == "the spread does not vary over the z-score window"
    assert s.engle_granger is not None


def test_an_alternating_spread_reverts_within_a_bar(legs: tuple[Floats, Floats]) -> None:
    y = legs[1] * np.exp(0.01 * (-1.0) ** np.arange(300) + np.random.default_rng(4).normal(scale=1e-4, size=300))
    s = one(y, legs[1])
    assert s.half_life is None
    assert s.missing["half_life"] == "the spread reverts within a bar"


def test_a_half_life_without_an_upper_end() -> None:
    random = np.random.default_rng(5)
    s = one(np.exp(walk(random, 60)), np.exp(walk(random, 60)), window=60)
    assert s.half_life is not None
    assert s.half_life_low is not None
    assert s.half_life_low <= s.half_life
    assert s.half_life_high is None
    assert "half_life" not in s.missing


def test_short_windows_name_the_test_that_needs_more() -> None:
    s = one(*pair(np.random.default_rng(6), 10), window=10)
    assert s.zscore is not None
    assert s.engle_granger is None
    assert s.missing["engle_granger"] == "10 bars are too few for the test's lags"


@pytest.mark.parametrize(("window", "z_window"), [(9, 9), (120, 121), (120, 2)])
def test_windows_out_of_range_are_refused(legs: tuple[Floats, Floats], window: int, z_window: int) -> None:
    with pytest.raises(ValueError, match="window"):
        one(*legs, window=window, z_window=z_window)


def test_legs_of_different_length_are_refused(legs: tuple[Floats, Floats]) -> None:
    with pytest.raises(ValueError, match="one shape"):
        one(legs[0][:50], legs[1][:60])


@pytest.mark.parametrize("space", Space)
def test_preview_is_z_with_the_coefficients_of_the_last_closed_bar(legs: tuple[Floats, Floats], space: Space) -> None:
    s = one(*legs, z_window=50, space=space)
    ahead = preview(s, 31.0, 55.0)
    assert ahead is not None
    y, x = (np.append(leg, price)[-50:] for leg, price in zip(legs, (31.0, 55.0), strict=True))
    if space is Space.LOG:
        y, x = np.log(y), np.log(x)
    assert s.alpha is not None
    assert s.beta is not None
    spread = y - s.alpha - s.beta * x
    assert ahead.spread == pytest.approx(spread[-1], rel=1e-9)
    assert ahead.zscore == pytest.approx((spread[-1] - spread.mean()) / spread.std(ddof=1), rel=1e-9)


def test_no_preview_without_statistics_or_price(legs: tuple[Floats, Floats]) -> None:
    s = one(*legs)
    assert preview(one(legs[0][:50], legs[1][:50]), 30.0, 50.0) is None
    for price in (0.0, -1.0, math.nan, math.inf):
        assert preview(s, price, 50.0) is None
        assert preview(s, 30.0, price) is None


def test_history_is_what_was_published_at_each_bar(legs: tuple[Floats, Floats]) -> None:
    y, x = legs
    history = pair_history(y, x, window=120, z_window=60, last=30)
    for back in range(30):
        end = 300 - 29 + back
        published = one(y[:end], x[:end], z_window=60)
        assert published.zscore == history.zscore[back]
        assert published.spread == history.spread[back]
        assert published.correlation == history.correlation[back]
