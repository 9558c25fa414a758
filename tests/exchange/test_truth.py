import asyncio
import csv
import json
import sys
from asyncio.subprocess import PIPE
from decimal import Decimal
from pathlib import Path

import aiohttp

from quantui.exchange.truth import bars

T = 1_700_000_000_000 // 3_600_000 * 3_600_000


def test_bars_of_a_hand_made_tape_are_exact() -> None:
    trades = [
        (10, T + 5, 100, 3, False),
        (11, T + 500, 90, 2, True),
        (12, T + 999, 120, 1, False),
        (13, T + 2_000, 110, 4, True),
    ]
    assert bars(trades, 1_000, T, T + 3_000) == [
        (T, 100, 120, 90, 120, 6, 600, 4, 420, 3, 10, 12),
        (T + 1_000, 120, 120, 120, 120, 0, 0, 0, 0, 0, -1, -1),
        (T + 2_000, 110, 110, 110, 110, 4, 440, 0, 0, 1, 13, 13),
    ]
    assert bars(trades, 60_000, T, T + 60_000) == [(T, 100, 120, 90, 110, 10, 1_040, 4, 420, 4, 10, 13)]


def test_a_flat_bar_repeats_the_price_from_before_the_range() -> None:
    assert bars([(1, T - 5_000, 77, 1, False)], 1_000, T, T + 1_000) == [(T, 77, 77, 77, 77, 0, 0, 0, 0, 0, -1, -1)]
    assert bars([], 1_000, T, T + 1_000, close_before=55)[0][1:5] == (55, 55, 55, 55)


def test_nothing_is_known_before_the_first_price() -> None:
    assert bars([(1, T + 1_500, 77, 1, False)], 1_000, T, T + 2_000) == [(T + 1_000, 77, 77, 77, 77, 1, 77, 1, 77, 1, 1, 1)]


def test_a_halt_has_no_bars_and_a_minute_lives_while_one_second_does() -> None:
    trades = [(1, T + 100, 10, 1, False)]
    halts = [(T + 1_000, T + 60_000), (T + 60_000, T + 120_000)]
    assert [row[0] for row in bars(trades, 1_000, T, T + 122_000, halts)] == [T, T + 120_000, T + 121_000]
    assert [row[0] for row in bars(trades, 60_000, T, T + 180_000, halts)] == [T, T + 120_000]


def test_a_bar_opens_at_its_own_first_trade_however_ids_share_a_time() -> None:
    trades = [(5, T, 10, 1, False), (4, T, 30, 1, True), (6, T, 20, 1, False)]
    assert bars(trades, 1_000, T, T + 1_000) == [(T, 30, 30, 10, 20, 3, 60, 2, 30, 3, 4, 6)]


async def test_the_ground_truth_file_holds_what_the_exchange_s_own_klines_say(tmp_path: Path) -> None:
    target = tmp_path / "truth.csv"
    arguments = ("-m", "quantui.exchange", "--seed", "5", "--symbols", "ETHUSDT", "--truth", str(target))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    addresses = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    asked = {"symbol": "ETHUSDT", "interval": "1m", "limit": "5"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(addresses["spot_rest"] + "/api/v3/klines", params=asked) as answer,
    ):
        served = (await answer.json())[:-1]
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 20) == 0
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    series = {(row["market"], row["symbol"]) for row in rows if row["interval"] == "1s"}
    assert series == {("spot", "BTCUSDT"), ("spot", "ETHUSDT"), ("usdm", "BTCUSDT"), ("usdm", "ETHUSDT")}
    wanted = ("spot", "ETHUSDT", "1m")
    found = {row["open_ms"]: row for row in rows if (row["market"], row["symbol"], row["interval"]) == wanted}
    names = ("open", "high", "low", "close", "volume", "quote_volume", "trade_count", "taker_buy_volume", "taker_buy_quote_volume")
    assert len(served) == 4
    for kline in served:
        row = found[str(kline[0])]
        theirs = [kline[index] for index in (1, 2, 3, 4, 5, 7, 8, 9, 10)]
        assert [Decimal(row[name]) for name in names] == [Decimal(value) for value in theirs]
