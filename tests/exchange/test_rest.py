"""E16-E19 of binance.md A9: weights, refusals, rows."""

import asyncio
import time
from itertools import pairwise

import numpy as np
import pytest

from quantui.exchange.limits import IN_FLIGHT_S
from quantui.exchange.listings import Market
from tests.exchange.conftest import Start, Venue, hand_made

MINUTE = 60_000


@pytest.mark.parametrize(
    ("market", "path", "weight"),
    [
        (Market.SPOT, "ping", 1),
        (Market.SPOT, "exchangeInfo", 20),
        (Market.SPOT, "klines?symbol=BTCUSDT&interval=1m&limit=1000", 2),
        (Market.SPOT, "aggTrades?symbol=BTCUSDT", 4),
        (Market.SPOT, "ticker/24hr?symbol=BTCUSDT", 2),
        (Market.USDM, "exchangeInfo", 1),
        (Market.USDM, "klines?symbol=BTCUSDT&interval=1m&limit=100", 1),
        (Market.USDM, "klines?symbol=BTCUSDT&interval=1m&limit=500", 2),
        (Market.USDM, "klines?symbol=BTCUSDT&interval=1m&limit=1000", 5),
        (Market.USDM, "klines?symbol=BTCUSDT&interval=1m&limit=1500", 10),
        (Market.USDM, "klines?symbol=BTCUSDT&interval=1m", 5),
        (Market.USDM, "aggTrades?symbol=BTCUSDT", 20),
        (Market.USDM, "premiumIndex", 10),
    ],
)
async def test_e16_every_request_has_its_weight(venue: Venue, market: Market, path: str, weight: int) -> None:
    status, _, headers = await venue.get(market, path)
    assert (status, headers["X-MBX-USED-WEIGHT-1M"]) == (200, str(weight))


async def test_e16_a_refused_request_costs_weight_too_and_has_a_flat_error(venue: Venue) -> None:
    status, body, headers = await venue.get(Market.SPOT, "klines?symbol=NOPE&interval=1m")
    assert (status, body, headers["X-MBX-USED-WEIGHT-1M"]) == (400, {"code": -1121, "msg": "Invalid symbol."}, "2")
    assert (await venue.get(Market.SPOT, "klines?interval=1m"))[1]["code"] == -1102
    assert (await venue.get(Market.SPOT, "klines?symbol=BTCUSDT&interval=1m&limit=-3"))[1]["code"] == -1100


async def test_e16_beyond_the_weight_429_and_for_the_stubborn_418(started: Start) -> None:
    async with started(weight_limits={Market.SPOT: 60}) as venue:
        if time.time() % 60 > 55:
            await asyncio.sleep(60 - time.time() % 60)  # the weight is counted by the UTC minute
        for _ in range(3):
            assert (await venue.get(Market.SPOT, "exchangeInfo"))[0] == 200
        status, body, headers = await venue.get(Market.SPOT, "ping")
        assert status == 429
        assert body["msg"].startswith("Too much request weight used; current limit is 60 request weight per 1 MINUTE.")
        assert 0 < int(headers["Retry-After"]) <= 60
        for _ in range(10):
            status, body, headers = await venue.get(Market.SPOT, "ping")
        assert status == 418
        assert body["msg"].startswith("Way too much request weight used; IP banned until ")
        assert int(headers["Retry-After"]) == 120
        assert (await venue.get(Market.USDM, "ping"))[0] == 200


async def test_e16_the_weight_starts_anew_with_the_utc_minute(started: Start) -> None:
    async with started(speed=60.0) as venue:
        first = int((await venue.get(Market.SPOT, "exchangeInfo"))[2]["X-MBX-USED-WEIGHT-1M"])
        await venue.exchange.clock.sleep(60.0)
        assert (first, (await venue.get(Market.SPOT, "ping"))[2]["X-MBX-USED-WEIGHT-1M"]) == (20, "1")


async def test_e16_whoever_asks_although_told_to_wait_is_counted(venue: Venue) -> None:
    account = venue.exchange.accounts[Market.USDM]
    venue.control.rest(Market.USDM, next_statuses=(429,))
    assert (await venue.get(Market.USDM, "time"))[0] == 429
    assert (await venue.get(Market.USDM, "time"))[0] == 200  # it may have been on its way
    assert account.violations == 0
    await asyncio.sleep(IN_FLIGHT_S)
    await venue.get(Market.USDM, "time")
    assert account.violations == 1
    assert venue.exchange.accounts[Market.SPOT].violations == 0


async def test_e16_refusals_on_order_have_the_bodies_of_the_wire(venue: Venue) -> None:
    venue.control.rest(Market.USDM, next_statuses=(403, 451, 503, 503, 503, 500))
    answers = [await venue.get(Market.USDM, "time") for _ in range(7)]
    assert [status for status, _, _ in answers] == [403, 451, 503, 503, 503, 500, 200]
    assert "<html>" in answers[0][1]
    assert answers[1][1]["code"] == 0
    assert len({answer[1]["msg"] for answer in answers[2:5]}) == 3


async def test_e17_aggtrades_begin_at_an_id_or_a_time_oldest_first(venue: Venue) -> None:
    for market in Market:
        _, newest, _ = await venue.get(market, "aggTrades?symbol=BTCUSDT&limit=50")
        assert len(newest) == 50
        first = newest[0]["a"]
        _, rows, _ = await venue.get(market, f"aggTrades?symbol=BTCUSDT&fromId={first}&limit=20")
        assert rows == newest[:20]
        start, end = newest[10]["T"], newest[30]["T"]
        _, rows, _ = await venue.get(market, f"aggTrades?symbol=BTCUSDT&startTime={start}&endTime={end}&limit=1000")
        assert rows == [row for row in newest if start <= row["T"] <= end]
        assert (await venue.get(market, f"aggTrades?symbol=BTCUSDT&fromId={first + 10**9}"))[1] == []
        assert list(newest[0])[:3] == ["a", "p", "q"]
        assert ("nq" in newest[0], "M" in newest[0]) == (market is Market.USDM, market is Market.SPOT)


async def test_e17_futures_keep_two_days_and_have_no_klines_of_a_second(venue: Venue) -> None:
    old = venue.exchange.now_ms() - 49 * 3_600_000
    status, body, _ = await venue.get(Market.USDM, f"aggTrades?symbol=BTCUSDT&startTime={old}")
    assert (status, body) == (400, {"code": -4166, "msg": "Search window is restricted to recent 2 days only."})
    status, body, _ = await venue.get(Market.USDM, "klines?symbol=BTCUSDT&interval=1s")
    assert (status, body) == (400, {"code": -1120, "msg": "Invalid interval."})
    assert len((await venue.get(Market.SPOT, "klines?symbol=BTCUSDT&interval=1s&limit=600"))[1]) == 600


async def test_e17_rest_may_lag_behind_the_stream(venue: Venue) -> None:
    venue.control.rest(Market.SPOT, lag=5.0)
    before = venue.exchange.now_ms()
    _, rows, _ = await venue.get(Market.SPOT, "aggTrades?symbol=BTCUSDT&limit=1")
    assert rows[0]["T"] <= before - 4_500
    venue.control.rest(Market.SPOT, lag=0.0)
    _, rows, _ = await venue.get(Market.SPOT, "aggTrades?symbol=BTCUSDT&limit=1")
    assert rows[0]["T"] > before - 4_500


async def test_e18_the_last_kline_is_still_open_and_ui_klines_differ(venue: Venue) -> None:
    _, klines, _ = await venue.get(Market.SPOT, "klines?symbol=BTCUSDT&interval=1m&limit=5")
    now = venue.exchange.now_ms()
    assert [len(row) for row in klines] == [12] * 5
    assert [type(cell) for cell in klines[0]] == [int, str, str, str, str, str, int, str, int, str, str, str]
    assert klines[-1][0] <= now <= klines[-1][6] == klines[-1][0] + MINUTE - 1
    _, altered, _ = await venue.get(Market.SPOT, "uiKlines?symbol=BTCUSDT&interval=1m&limit=5")
    assert [row[4] for row in altered[:-1]] == [row[4] for row in klines[:-1]]
    assert [row[1] for row in altered[:-1]] != [row[1] for row in klines[:-1]]


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "1h"])
async def test_e18_klines_reach_back_and_their_range_is_inclusive(venue: Venue, interval: str) -> None:
    _, klines, _ = await venue.get(Market.USDM, f"klines?symbol=ETHUSDT&interval={interval}&limit=1500")
    assert len(klines) == 1500
    first, last = klines[100][0], klines[110][0]
    _, some, _ = await venue.get(Market.USDM, f"klines?symbol=ETHUSDT&interval={interval}&startTime={first}&endTime={last}")
    assert some == klines[100:111]
    _, some, _ = await venue.get(Market.USDM, f"klines?symbol=ETHUSDT&interval={interval}&startTime={first}&limit=3")
    assert some == klines[100:103]


async def test_e19_spot_dummies_use_up_an_id(started: Start) -> None:
    async with started(dummy_every=10) as venue:
        _, rows, _ = await venue.get(Market.SPOT, "aggTrades?symbol=BTCUSDT&limit=500")
        dummies = [row for row in rows if row["f"] == -1]
        assert dummies
        assert {(row["p"], row["q"], row["l"]) for row in dummies} == {("0", "0", -1)}
        assert [row["a"] for row in rows] == list(range(rows[0]["a"], rows[0]["a"] + 500))
        whole = [row for row in rows if row["f"] >= 0]
        assert all(later["f"] == earlier["l"] + 1 for earlier, later in pairwise(whole))


async def test_e19_a_rest_row_may_go_back_in_time_within_its_second(venue: Venue) -> None:
    path = "aggTrades?symbol=BTCUSDT&limit=1000"
    _, plain, _ = await venue.get(Market.SPOT, path)
    venue.control.rest(Market.SPOT, time_goes_back=True)
    _, rows, _ = await venue.get(Market.SPOT, f"{path}&fromId={plain[0]['a']}")
    assert np.diff([row["T"] for row in rows]).min() < 0
    assert [row["T"] // 1000 for row in rows] == [row["T"] // 1000 for row in plain]


async def test_symbols_have_the_shape_of_exchange_info(venue: Venue) -> None:
    _, info, _ = await venue.get(Market.SPOT, "exchangeInfo")
    assert [symbol["symbol"] for symbol in info["symbols"]] == ["BTCUSDT", "ETHUSDT", "SOLUSDT", "币安人生USDT"]
    filters = {rule["filterType"]: rule for rule in info["symbols"][0]["filters"]}
    assert (filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]) == ("0.01000000", "0.00001000")
    assert {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000} in info["rateLimits"]
    _, info, _ = await venue.get(Market.USDM, "exchangeInfo")
    assert info["futuresType"] == "U_MARGINED"
    assert {symbol["status"] for symbol in info["symbols"]} == {"TRADING"}
    filters = {rule["filterType"]: rule for rule in info["symbols"][0]["filters"]}
    assert (filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]) == ("0.1", "0.001")


async def test_a_halted_spot_symbol_says_so(started: Start) -> None:
    tape = hand_made(Market.SPOT, [(1, 1_700_000_000_500, 100, 1, False)])
    async with started(tapes=[tape], start_ms=1_700_000_002_000) as venue:  # after the end of the recording
        _, info, _ = await venue.get(Market.SPOT, "exchangeInfo")
        assert info["symbols"][0]["status"] == "HALT"
        _, klines, _ = await venue.get(Market.SPOT, "klines?symbol=BTCUSDT&interval=1s")
        assert [row[0] for row in klines] == [1_700_000_000_000]


async def test_time_can_be_had_in_microseconds_on_spot(venue: Venue) -> None:
    _, body, _ = await venue.get(Market.SPOT, "time", **{"X-MBX-TIME-UNIT": "MICROSECOND"})
    assert len(str(body["serverTime"])) == 16
    _, rows, _ = await venue.get(Market.SPOT, "aggTrades?symbol=BTCUSDT&limit=1", **{"X-MBX-TIME-UNIT": "MICROSECOND"})
    assert len(str(rows[0]["T"])) == 16


async def test_tickers_tell_the_last_day(venue: Venue) -> None:
    _, one, _ = await venue.get(Market.SPOT, "ticker/24hr?symbol=BTCUSDT")
    assert float(one["lowPrice"]) <= float(one["lastPrice"]) <= float(one["highPrice"])
    assert float(one["quoteVolume"]) > 1e6
    assert len((await venue.get(Market.USDM, "ticker/24hr"))[1]) == 3
    _, book, _ = await venue.get(Market.USDM, "ticker/bookTicker?symbol=BTCUSDT")
    assert float(book["bidPrice"]) < float(book["askPrice"])
    _, premium, _ = await venue.get(Market.USDM, "premiumIndex?symbol=BTCUSDT")
    assert premium["nextFundingTime"] > premium["time"]
