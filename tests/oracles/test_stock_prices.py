"""EEM on EWG, and five funds, 2,141 days: values that statsmodels, arch and arbitragelab gave for arbitragelab's file."""

from pathlib import Path

import numpy as np
import pytest

from quantui.analytics.cointegration import engle_granger
from quantui.analytics.dols import dols
from quantui.analytics.fmols import FullyModified, fmols
from quantui.analytics.half_life import half_life
from quantui.analytics.hedge import fit_line
from quantui.analytics.johansen import johansen
from quantui.analytics.ou import OrnsteinUhlenbeck, ornstein_uhlenbeck
from quantui.analytics.phillips_ouliaris import PhillipsOuliaris, phillips_ouliaris
from quantui.analytics.stationarity import Missing, UnitRoot
from quantui.analytics.variance_ratio import variance_ratios
from quantui.market.frames import Floats
from tests.oracles.oracle import load

FUNDS = ("EEM", "EWG", "TIP", "EWJ", "EFA")


@pytest.fixture(scope="module")
def prices(shared: Path) -> Floats:
    """(2141, 5)"""
    found = np.stack(load(shared, "hedge.arbitragelab.eem_ewg").floats("arbitragelab/stock_prices.csv.gz", *FUNDS), -1)
    assert found.shape == (2141, 5)
    return found


@pytest.fixture
def legs(prices: Floats) -> tuple[Floats, Floats]:
    return prices[:, 0].copy(), prices[:, 1].copy()


def test_line(legs: tuple[Floats, Floats]) -> None:
    line = fit_line(*legs)
    assert [float(line.alpha), float(line.beta), float(line.r_squared)] == pytest.approx(
        [20.39306816, 0.7771145, 0.334659], abs=6e-7
    )
    assert [float(line.alpha_se), float(line.beta_se)] == pytest.approx([0.59461171, 0.02369194], abs=6e-9)


def test_engle_granger_in_both_directions(legs: tuple[Floats, Floats]) -> None:
    for test, stat, p in (
        (engle_granger(*legs), -1.6257298, 0.7099),
        (engle_granger(*legs[::-1]), -2.0106256, 0.5231),
        (engle_granger(*legs, lags=2), -1.8338103, 0.6132),
    ):
        assert isinstance(test, UnitRoot)
        assert test.stat == pytest.approx(stat, abs=6e-8)
        assert test.p_value == pytest.approx(p, abs=6e-4)


def test_phillips_ouliaris(legs: tuple[Floats, Floats]) -> None:
    ours = phillips_ouliaris(*legs)
    assert isinstance(ours, PhillipsOuliaris)
    assert [ours.zt.stat, ours.za.stat] == pytest.approx([-1.8152214, -6.9210757], abs=6e-8)
    assert [ours.zt.p_value, ours.za.p_value] == pytest.approx([0.6239, 0.4856], abs=6e-5)


def test_johansen(prices: Floats) -> None:
    assert johansen(prices[None, :, :2]).trace[0].tolist() == pytest.approx([15.534219, 4.741021], abs=6e-7)
    five = johansen(prices[None]).trace[0].tolist()
    assert five == pytest.approx([64.0103, 41.4411, 22.3017, 9.9499, 3.5058], abs=6e-5)


def test_ratios_for_cointegrated_legs(legs: tuple[Floats, Floats]) -> None:
    """arch chose no lead and no lag here, by BIC."""
    modified = fmols(*legs)
    assert isinstance(modified, FullyModified)
    assert [float(dols(*legs, leads=0, lags=0).betas[0]), modified.beta] == pytest.approx([0.774645, 0.756056], abs=6e-7)


def test_spread(legs: tuple[Floats, Floats], prices: Floats) -> None:
    residual = fit_line(*legs).residuals
    slope = float(half_life(residual[None]).slope[0])
    process = ornstein_uhlenbeck(residual)
    assert isinstance(process, OrnsteinUhlenbeck)
    assert [-np.log(2) / slope, process.half_life] == pytest.approx([147.08, 146.74], abs=6e-3)
    ratios = variance_ratios(residual, (2,))
    assert not isinstance(ratios, Missing)
    assert [ratios[0].ratio, ratios[0].z] == pytest.approx([0.902683, -2.7105], abs=6e-5)
    portfolio = ornstein_uhlenbeck(prices @ johansen(prices[None]).vectors[0, 0])
    assert isinstance(portfolio, OrnsteinUhlenbeck)
    assert [np.log(2) / (1 - portfolio.phi), portfolio.half_life] == pytest.approx([31.232678, 30.884808], rel=1e-5)
