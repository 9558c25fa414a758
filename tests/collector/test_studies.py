"""The pages: what they hold, when they are made, and what a restart finds of the watch list."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from quantui.analytics.pair import pair_statistics
from quantui.clock import Clock
from quantui.collector.core import Collector
from quantui.collector.pages import ChartPage, CorrelationPage, HealthPage, Page, PairPage, ScanPage, ScanRow, StatisticsPage
from quantui.collector.session import SessionChange
from quantui.config import Market
from quantui.market.bars import BarState
from quantui.market.instruments import Symbol, Timeframe
from tests.collector.market import T0, TapeFeed, X, Y, collecting, price, settings

Z = Symbol("binance-usdm", "SOLUSDT")
USING = replace(settings(), market=Market(symbols=("SOLUSDT",)))


@asynccontextmanager
async def studied(folder: Path, bars: int = 90, third: int | None = None) -> AsyncIterator[tuple[Collector, TapeFeed]]:
    """A collector on three symbols whose studies run."""
    clock = Clock()
    feed = TapeFeed(clock, (Y, X, Z))
    async with collecting(folder, [feed], clock, USING) as collector:
        feed.bars(0, bars)
        for i in range(third if third is not None else bars):
            feed.put(Z, T0 + i * 1000, 50 + math.sin(i))
        await collector.settle()
        running = asyncio.create_task(collector.studies.run())
        try:
            yield collector, feed
        finally:
            running.cancel()


async def made(collector: Collector, name: str) -> Page:
    """The page once it has been computed."""
    for _ in range(500):
        page = collector.page(name)
        if page.note != "computing":
            return page
        await asyncio.sleep(0.01)
    raise AssertionError("never made")


async def test_the_statistics_of_a_symbol_are_those_of_its_window(tmp_path: Path) -> None:
    async with studied(tmp_path, third=40) as (collector, _feed):
        page = await made(collector, "statistics")
        assert isinstance(page, StatisticsPage)
        assert (page.timeframe, page.window, page.bar_ms) == ("1s", 60, T0 + 89_000)
        assert [row.symbol for row in page.rows] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
        closes = np.array([round(price(i)[1] * 10_000) / 10_000 for i in range(30, 90)])
        row = page.rows[0]
        assert row.last == pytest.approx(closes[-1])
        assert row.median == pytest.approx(np.median(closes))
        assert row.std == pytest.approx(closes.std(ddof=1))
        assert row.change == pytest.approx(closes[-1] / closes[0] - 1)
        assert row.parkinson == 0.0, "these bars have no range"
        assert page.rows[2].note == "40/60 bars"
        assert page.rows[2].mean is None


async def test_the_correlations_are_those_of_the_returns_and_name_who_is_left_out(tmp_path: Path) -> None:
    async with studied(tmp_path, third=40) as (collector, _feed):
        page = await made(collector, "correlation")
        assert isinstance(page, CorrelationPage)
        assert set(page.symbols) == {"ETHUSDT", "BTCUSDT"}
        assert page.left_out == {"SOLUSDT": "10/60 bars"}
        legs = np.log([[round(price(i)[leg] * 10_000) / 10_000 for i in range(30, 90)] for leg in (0, 1)])
        assert page.rows[0][1] == pytest.approx(np.corrcoef(np.diff(legs))[0, 1], abs=1e-4)
        assert page.rows[0][0] == 1.0


async def test_correlations_wait_for_the_slowest_symbol_but_not_for_one_that_is_gone(tmp_path: Path) -> None:
    async with studied(tmp_path) as (collector, feed):
        feed.bars(90, 92)
        await collector.settle()
        page = await made(collector, "correlation")
        assert isinstance(page, CorrelationPage)
        assert page.bar_ms == T0 + 89_000
        assert len(page.symbols) == 3
        feed.bars(92, 100)
        await collector.settle()
        for _ in range(500):
            page = collector.page("correlation")
            if page.bar_ms == T0 + 99_000:
                break
            await asyncio.sleep(0.01)
        assert isinstance(page, CorrelationPage)
        assert page.left_out == {"SOLUSDT": "50/60 bars"}


async def test_the_pair_page_is_the_report_of_its_newest_bar(tmp_path: Path) -> None:
    async with studied(tmp_path) as (collector, _feed):
        page = await made(collector, "pair")
        assert isinstance(page, PairPage)
        reading = collector.desk.readings[collector.pairs[0], Timeframe.S1]
        assert (page.pair, page.bar_ms, page.n) == ("ETHUSDT/BTCUSDT", T0 + 89_000, 60)
        assert page.numbers["zscore"] == pytest.approx(reading.statistics.zscore)
        assert page.numbers["engle_granger.p_value"] == page.eg_p[-1]
        assert page.beta[-1] == pytest.approx(reading.statistics.beta)
        assert len(page.beta) == len(page.beta_error) == len(page.eg_p) == 31
        closes = collector.desk.closes(collector.pairs[0], Timeframe.S1, 99)
        assert closes is not None
        before = pair_statistics(closes.y[:-1], closes.x[:-1], window=60, bar_ms=1000)
        assert page.beta[-2] == pytest.approx(before[0].beta)
        assert list(page.residuals) == sorted(page.residuals)
        assert {"engle_granger", "half_life"} <= set(page.verdicts) | set(page.missing)
        assert {gate.name for gate in page.gates} == {gate.name for gate in reading.gates}


async def test_a_pair_that_warms_up_has_n_of_n_and_one_without_data_says_so(tmp_path: Path) -> None:
    async with studied(tmp_path, bars=20) as (collector, _feed):
        page = await made(collector, "pair")
        assert isinstance(page, PairPage)
        assert (page.n, page.numbers, page.missing["zscore"]) == (20, {}, "20/60")
    clock = Clock()
    async with collecting(tmp_path, [TapeFeed(clock)], clock) as collector:
        running = asyncio.create_task(collector.studies.run())
        assert (await made(collector, "pair")).note == "waiting for data"
        assert (await made(collector, "statistics")).note == "waiting for data"
        assert (await made(collector, "correlation")).note == "0/2 symbols have 60 bars of 1s"
        running.cancel()


async def test_a_page_is_made_once_a_bar_and_only_when_asked_for(tmp_path: Path) -> None:
    async with studied(tmp_path) as (collector, feed):
        await asyncio.sleep(0.05)
        assert collector.studies._made == {}
        first = await made(collector, "pair")
        assert collector.page("pair") is first
        feed.bars(90, 91)
        await collector.settle()
        assert collector.page("pair") is first, "the answer does not wait for the new one"
        for _ in range(500):
            if collector.page("pair") is not first:
                break
            await asyncio.sleep(0.01)
        assert isinstance(newer := collector.page("pair"), PairPage)
        assert newer.bar_ms == T0 + 90_000
        collector.change(SessionChange(window=30))
        assert collector.page("pair").note == "computing", "what was about another window is not shown"
        await collector.settle()
        page = await made(collector, "pair")
        assert isinstance(page, PairPage)
        assert (page.window, page.n) == (30, 30)
        with pytest.raises(KeyError):
            collector.page("nothing")


@pytest.mark.parametrize("estimator", ["kalman", "theil-sen", "returns", "tls"])
async def test_every_page_holds_for_another_estimator(estimator: str, tmp_path: Path) -> None:
    async with studied(tmp_path, bars=62) as (collector, _feed):
        collector.change(SessionChange(estimator=estimator))
        await collector.settle()
        page = await made(collector, "pair")
        assert isinstance(page, PairPage)
        reading = collector.desk.readings[collector.pairs[0], Timeframe.S1]
        assert page.estimator == estimator
        assert page.numbers["beta"] == page.beta[-1] == pytest.approx(reading.statistics.beta)


async def test_a_gap_is_no_bar_of_a_symbol(tmp_path: Path) -> None:
    async with studied(tmp_path, bars=60) as (collector, feed):
        feed.put(Z, T0 + 30_000, 1.0, state=BarState.GAP)
        await collector.settle()
        page = await made(collector, "statistics")
        assert isinstance(page, StatisticsPage)
        assert page.rows[2].note == "59/60 bars"


async def test_a_pair_put_on_the_watch_list_is_computed_focused_marked_and_found_by_a_restart(tmp_path: Path) -> None:
    async with studied(tmp_path) as (collector, _):
        rows = (ScanRow("SOLUSDT", "BTCUSDT"), ScanRow("ETHUSDT", "BTCUSDT", is_watched=True))
        collector.screening.page = ScanPage("1m", 60, T0, rows=rows)
        assert isinstance(page := collector.page("scan"), ScanPage)
        assert [row.is_watched for row in page.rows] == [False, True]
        collector.watch("solusdt/BTCUSDT", drop=False)
        await collector.settle()
        shown = collector.snapshot(5)
        assert [row.label for row in shown.pairs] == ["ETHUSDT/BTCUSDT", "SOLUSDT/BTCUSDT"]
        assert shown.session.pair == 1
        assert shown.stats.n == 60
        assert isinstance(page := collector.page("scan"), ScanPage)
        assert [row.is_watched for row in page.rows] == [True, True]
        collector.watch("SOLUSDT/BTCUSDT", drop=False)
        assert len(collector.pairs) == 2
        collector.watch("ETHUSDT/BTCUSDT", drop=False)
        assert (len(collector.pairs), collector.session.pair) == (2, 0)
        collector.watch("SOLUSDT/BTCUSDT", drop=False)
    async with studied(tmp_path) as (collector, _):
        assert [pair.label for pair in collector.pairs] == ["ETHUSDT/BTCUSDT", "SOLUSDT/BTCUSDT"]
        assert collector.session.pair == 1
        await collector.settle()
        assert collector.snapshot(5).stats.n == 60
        collector.watch("SOLUSDT/BTCUSDT", drop=True)
        assert [pair.label for pair in collector.pairs] == ["ETHUSDT/BTCUSDT"]
        assert collector.snapshot(5).session.pair == 0
    async with studied(tmp_path) as (collector, _feed):
        assert len(collector.pairs) == 1
    clock = Clock()
    async with collecting(tmp_path, [TapeFeed(clock)], clock) as collector:
        assert len(collector.pairs) == 1, "without the symbol in the configuration there is no such pair"


@pytest.mark.parametrize(
    ("pair", "drop", "said"),
    [
        ("DOGEUSDT/BTCUSDT", False, "DOGEUSDT not streamed: add to \\[market\\] symbols"),
        ("BTCUSDT", False, "is not a pair"),
        ("BTCUSDT/BTCUSDT", False, "with itself"),
        ("", False, "is not a pair"),
        ("ETHUSDT/BTCUSDT", True, "is in the configuration: remove it there"),
        ("SOLUSDT/ETHUSDT", True, "is not watched"),
    ],
)
async def test_what_cannot_be_watched_is_refused_with_the_reason(pair: str, drop: bool, said: str, tmp_path: Path) -> None:
    async with studied(tmp_path, bars=3) as (collector, _feed):
        with pytest.raises(ValueError, match=said):
            collector.watch(pair, drop=drop)
        assert len(collector.pairs) == 1


async def test_the_chart_holds_the_bars_and_what_was_published_at_each(tmp_path: Path) -> None:
    async with studied(tmp_path) as (collector, feed):
        page = await made(collector, "chart")
        assert isinstance(page, ChartPage)
        assert page.times == tuple(T0 + i * 1000 for i in range(90))
        assert page.y.close == pytest.approx([round(price(i)[0] * 10_000) / 10_000 for i in range(90)])
        assert len(page.y.volume) == len(page.x.high) == 90
        assert page.zscore[:58] == (None,) * 58
        closes = np.array([(page.y.close[i], page.x.close[i]) for i in range(30, 90)])
        wanted = pair_statistics(closes[:, 0], closes[:, 1], window=60, bar_ms=1000)[0]
        assert page.beta[-1] == pytest.approx(wanted.beta, rel=1e-12)
        assert page.zscore[-1] == pytest.approx(wanted.zscore, rel=1e-12)
        feed.bars(90, 91)
        await collector.settle()
        for _ in range(500):
            after = collector.page("chart")
            if after.bar_ms > page.bar_ms:
                break
            await asyncio.sleep(0.01)
        assert isinstance(after, ChartPage)
        assert after.beta[:90] == page.beta, "nothing that was published changes"


async def test_the_health_page_has_a_row_for_each_symbol(tmp_path: Path) -> None:
    async with studied(tmp_path, bars=20) as (collector, _feed):
        page = collector.page("health")
        assert isinstance(page, HealthPage)
        assert [row.symbol for row in page.rows] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
        assert all(not row.mismatched and not row.trades_lost and not row.note for row in page.rows)
        assert max(row.age_s or 0 for row in page.rows) < 60
        assert page.memory_mb > 20
        assert len(page.delays) == len(page.bounds) + 1
