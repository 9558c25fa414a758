"""Which bars no kline has proven."""

import pytest

from quantui.market.bars import Bar, BarState
from quantui.market.certify import first_unproven
from quantui.market.frames import BarRing
from quantui.market.instruments import Timeframe

S1, M1 = Timeframe.S1, Timeframe.M1
CERTIFIED, PROVISIONAL, GAP = BarState.CERTIFIED, BarState.PROVISIONAL, BarState.GAP


def _ring(timeframe: Timeframe, states: dict[int, BarState]) -> BarRing:
    ring = BarRing(100)
    for number, state in states.items():
        ring.put(Bar(number * timeframe.ms, 1, 1, 1, 1, 0, 0, 0, 0, 0, -1, -1, -1, state, 0))
    return ring


@pytest.mark.parametrize(
    ("timeframe", "states", "found"),
    [
        (M1, {2: CERTIFIED, 3: CERTIFIED, 4: CERTIFIED}, None),
        (M1, {2: CERTIFIED, 3: PROVISIONAL, 4: CERTIFIED}, 3),
        (M1, {2: CERTIFIED, 3: GAP, 4: CERTIFIED}, 3),
        (M1, {2: CERTIFIED, 4: CERTIFIED}, 3),
        (M1, {2: CERTIFIED, 3: CERTIFIED}, 4),
        (M1, {3: CERTIFIED, 4: CERTIFIED}, None),
        (M1, {}, None),
        (S1, {2: CERTIFIED, 3: GAP}, None),
        (S1, {2: CERTIFIED, 3: PROVISIONAL, 4: PROVISIONAL}, 3),
    ],
)
def test_the_oldest_bar_without_a_kline(timeframe: Timeframe, states: dict[int, BarState], found: int | None) -> None:
    at = first_unproven(_ring(timeframe, states), timeframe, timeframe.ms + 1, 5 * timeframe.ms)
    assert at == (None if found is None else found * timeframe.ms)
