"""`verify`: one altered bar is found among a hundred thousand; everything else is left in peace."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from quantui.clock import Clock
from quantui.market.bars import Bar, BarState
from quantui.market.builder import BarEvent
from quantui.market.instruments import Instrument, Symbol, Timeframe
from quantui.store.writer import Store
from tests.faults.exchange import Exchange, running_exchange

COIN = Instrument(Symbol("binance-spot", "LINKUSDT"), 3, 2)
PART_S = 10_000


@dataclass(slots=True)
class Made:
    """A data directory, and an exchange whose market has been open for long."""

    folder: Path
    exchange: Exchange
    config: Path
    begin_ms: int

    async def store(self, bars: Sequence[Bar], timeframe: Timeframe = Timeframe.S1) -> None:
        """Store closed bars."""
        async with await Store.open(self.folder / "quantui.db", clock=Clock()) as store:
            store.put_bars(COIN, [BarEvent(timeframe, bar) for bar in bars])
            await store.flush()

    async def truth(self, seconds: int, timeframe: Timeframe = Timeframe.S1) -> list[Bar]:
        """The exchange's bars of the first `seconds`, from its ground truth, not from its klines."""
        bars: list[Bar] = []
        for start in range(0, seconds, PART_S):
            begin, end = (self.begin_ms + 1000 * second for second in (start, min(start + PART_S, seconds)))
            rows = await self.exchange.bars("spot", COIN.symbol.name, timeframe, begin, end)
            bars += [msgspec.convert([*row, -1, BarState.PROVISIONAL], Bar) for row in rows]
        return bars

    async def verify(self, *arguments: str) -> tuple[int, list[str], str]:
        """Exit code, lines of stdout, and stderr."""
        words = ("--config", str(self.config), "--data-dir", str(self.folder), "verify", *arguments)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "quantui", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode().splitlines(), err.decode()


@asynccontextmanager
async def _made(tmp_path: Path, hours: float, *more: str) -> AsyncIterator[Made]:
    begin_ms = (Clock().now_ms() - int(hours * 3_600_000)) // 3_600_000 * 3_600_000
    arguments = ("--seed", "5", "--rate", "0.05", "--symbols", "LINKUSDT", "--start", str(begin_ms), *more)
    async with running_exchange(*arguments) as exchange:
        config = tmp_path / "config.toml"
        rest, socket = exchange.addresses["spot_rest"], exchange.addresses["spot_ws"]
        config.write_text(f'[market]\nvenue = "binance-spot"\n[endpoints.binance-spot]\nws = "{socket}"\nrest = "{rest}"\n')
        yield Made(tmp_path, exchange, config, begin_ms)


async def test_one_altered_bar_among_a_hundred_thousand_is_found(tmp_path: Path) -> None:
    async with _made(tmp_path, 30) as made:
        bars = await made.truth(100_000)
        at = next(index for index in range(54_321, len(bars)) if bars[index].trade_count)
        honest = bars[at]
        bars[at] = replace(honest, taker_volume=honest.taker_volume + 1)
        await made.store(bars)
        code, lines, said = await made.verify()
    assert code == 1
    assert len(lines) == 1
    assert "binance-spot:LINKUSDT 1s" in lines[0]
    assert "taker_volume" in lines[0]
    assert f"{honest.taker_volume / 100:.2f}" in lines[0]
    assert "100,000 bars compared, 1 different" in said


async def test_true_bars_are_equal_in_every_timeframe_and_gaps_are_counted_apart(tmp_path: Path) -> None:
    async with _made(tmp_path, 3) as made:
        for timeframe in Timeframe:
            bars = await made.truth(7200, timeframe)
            bars[1] = replace(bars[1], state=BarState.GAP, high=bars[1].high + 1)
            await made.store(bars, timeframe)
        code, lines, said = await made.verify()
        assert (code, lines) == (0, []), said
        assert said.count("all equal the exchange's") == len(Timeframe)
        assert said.count("1 marked as gap") == len(Timeframe)
        code, lines, said = await made.verify("--timeframe", "5m", "--json")
        assert (code, json.loads(lines[-1])) == (0, {"compared": 23, "different": 0, "gaps": 1, "missing": 0, "damaged": 0})


async def test_a_bar_of_a_halt_that_the_exchange_does_not_have(tmp_path: Path) -> None:
    async with _made(tmp_path, 3, "--halts", "1") as made:
        bars = await made.truth(10_000)
        at = next(index for index, (bar, following) in enumerate(pairwise(bars)) if following.open_ms - bar.open_ms > 1000)
        invented = replace(bars[at], open_ms=bars[at].open_ms + 1000)
        await made.store([*bars[: at + 1], invented, *bars[at + 1 :]])
        code, lines, _ = await made.verify("--json")
    assert code == 1
    found: dict[str, Any] = json.loads(lines[0])
    assert found["fields"] == {}
    assert json.loads(lines[-1])["different"] == 1
    assert json.loads(lines[-1])["missing"] == 0


@pytest.mark.parametrize("hole", [500, 970, 1000])
async def test_bars_that_are_not_stored_are_counted_wherever_a_page_ends(tmp_path: Path, hole: int) -> None:
    async with _made(tmp_path, 3) as made:
        bars = await made.truth(5000)
        await made.store([*bars[:hole], *bars[hole + 50 :]])
        code, lines, said = await made.verify("--json")
    assert code == 0
    assert json.loads(lines[-1]) == {"compared": 4950, "different": 0, "gaps": 0, "missing": 50, "damaged": 0}, said


@pytest.mark.parametrize(("arguments", "expected"), [(("--symbol", "LINKUSDT", "--to", "2001-01-01"), 4), (("--from", "soon"), 2)])
async def test_nothing_to_compare_and_wrong_words(tmp_path: Path, arguments: tuple[str, ...], expected: int) -> None:
    async with _made(tmp_path, 3) as made:
        await made.store(await made.truth(60))
        code, lines, said = await made.verify(*arguments)
    assert (code, lines) == (expected, []), said
    assert said.startswith("quantui: ")


async def test_an_exchange_out_of_reach_or_a_ban_is_one_line(tmp_path: Path) -> None:
    async with _made(tmp_path, 3) as made:
        await made.store(await made.truth(60))
        await made.exchange.order("rest", market="spot", status=418)
        code, _, said = await made.verify()
        assert code == 1
        assert "banned (418)" in said
    code, _, said = await made.verify()
    assert code == 1
    assert len(said.splitlines()) == 1


async def test_a_ban_that_is_remembered_is_kept(tmp_path: Path) -> None:
    async with _made(tmp_path, 3) as made:
        await made.store(await made.truth(60))
        async with await Store.open(tmp_path / "quantui.db", clock=Clock()) as store:
            store.put_state("ban:binance-spot", (Clock().now_ms() + 60_000, "banned for another minute"))
        asked = (await made.exchange.counters())["requests"]["spot"]
        code, _, said = await made.verify()
        assert (code, (await made.exchange.counters())["requests"]["spot"]) == (1, asked)
        assert "banned for another minute" in said
