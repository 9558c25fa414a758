import math

import numpy as np

from quantui.analytics.gates import GateSettings
from quantui.analytics.pair import pair_statistics
from quantui.analytics.signal import Signal
from quantui.analytics.spread import Space
from quantui.collector.desk import Desk, DeskSettings, Reading
from quantui.market.bars import Bar, BarState
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Pair, Symbol, Timeframe

Y, X = Symbol("v", "YUSDT"), Symbol("v", "XUSDT")
PAIR = Pair(Y, X)
SETTINGS = DeskSettings(window=60, z_window=60, entry=2.0, exit=0.5, stop=9.0, space=Space.LOG, gates=GateSettings())


def _prices(n: int, seed: int = 1) -> tuple[list[int], list[int]]:
    rng = np.random.default_rng(seed)
    x = 10.0 + np.cumsum(rng.normal(0, 1e-3, n))
    spread = np.zeros(n)
    for i in range(1, n):
        spread[i] = 0.9 * spread[i - 1] + rng.normal(0, 1e-3)
    return [round(math.exp(v) * 100) for v in 0.5 + 0.8 * x + spread], [round(math.exp(v) * 100) for v in x]


def _bar(open_ms: int, close: int, state: BarState = BarState.PROVISIONAL) -> Bar:
    return Bar(open_ms, close, close, close, close, 1, close, 0, 0, 1, 1, 1, 1, state)


def _desk() -> tuple[Desk, SymbolFrames, SymbolFrames]:
    y, x = SymbolFrames(Instrument(Y, 2, 3)), SymbolFrames(Instrument(X, 2, 3))
    return Desk([PAIR], SETTINGS, {Y: y, X: x}), y, x


async def _settled(desk: Desk) -> list[Reading]:
    return [reading async for readings in desk.settle() for reading in readings]


async def _feed(
    desk: Desk, y: SymbolFrames, x: SymbolFrames, chunks: list[range], prices: tuple[list[int], list[int]]
) -> list[Reading]:
    out: list[Reading] = []
    for chunk in chunks:
        for i in chunk:
            y[Timeframe.S1].put(_bar(i * 1000, prices[0][i]))
            x[Timeframe.S1].put(_bar(i * 1000, prices[1][i]))
        desk.mark(Y, Timeframe.S1)
        desk.mark(X, Timeframe.S1)
        out += await _settled(desk)
    return out


async def test_every_closed_bar_is_published_once_and_equals_the_direct_computation() -> None:
    prices = _prices(120)
    desk, y, x = _desk()
    readings = await _feed(desk, y, x, [range(1), range(1, 70), range(70, 120)], prices)
    assert [reading.bar_ms for reading in readings] == [i * 1000 for i in range(120)]
    last = readings[-1].statistics
    direct = pair_statistics(np.array(prices[0][60:]) / 100, np.array(prices[1][60:]) / 100, window=60, bar_ms=1000)[0]
    assert last == direct
    assert readings[10].statistics.zscore is None
    assert readings[10].statistics.missing["zscore"] == "11/60"


async def test_bars_in_bursts_give_the_same_readings_as_bars_one_by_one() -> None:
    prices = _prices(150, seed=3)
    slow_desk, slow_y, slow_x = _desk()
    slow = await _feed(slow_desk, slow_y, slow_x, [range(i, i + 1) for i in range(150)], prices)
    fast_desk, fast_y, fast_x = _desk()
    fast = await _feed(fast_desk, fast_y, fast_x, [range(1), range(1, 149), range(149, 150)], prices)
    assert slow == fast
    assert {reading.signal for reading in slow} > {Signal.NONE}


async def test_a_bar_one_leg_lacks_is_not_published() -> None:
    desk, y, x = _desk()
    await _feed(desk, y, x, [range(70)], _prices(71))
    y[Timeframe.S1].put(_bar(70_000, 500))
    desk.mark(Y, Timeframe.S1)
    assert [reading.bar_ms for reading in await _settled(desk)] == [69_000]


async def test_a_gap_bar_is_left_out_of_the_statistics() -> None:
    desk, y, x = _desk()
    prices = _prices(80)
    await _feed(desk, y, x, [range(80)], prices)
    y[Timeframe.S1].put(_bar(79_000, prices[0][79], BarState.GAP))
    desk.mark(Y, Timeframe.S1)
    (reading,) = await _settled(desk)
    assert reading.bar_ms == 78_000


async def test_another_window_recomputes_at_once() -> None:
    desk, y, x = _desk()
    await _feed(desk, y, x, [range(100)], _prices(100))
    desk.change(DeskSettings(30, 30, 2.0, 0.5, 9.0, Space.LOG, GateSettings()))
    (reading,) = await _settled(desk)
    assert (reading.statistics.n, reading.bar_ms) == (30, 99_000)
