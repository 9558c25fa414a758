"""REST within its weights, and what it makes of odd answers."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from quantui.clock import Clock
from quantui.feeds.binance import rest as module
from quantui.feeds.binance.barrier import Barrier, BlockedError
from quantui.feeds.binance.codec import TooFineError
from quantui.feeds.binance.network import make_session
from quantui.feeds.binance.rest import Rest, RestError, UnreachableError
from quantui.feeds.binance.venues import VENUES
from quantui.market.instruments import Timeframe
from tests.feeds.binance.emulator import BTC, INFO, SPOT, StillClock, kline_row, row, running_emulator, running_rest

MINUTE = 1_723_161_600_000
"""A whole UTC minute."""


async def test_requests_wait_for_the_next_utc_minute_when_the_weight_is_used_up() -> None:
    clock = StillClock(MINUTE + 10_000)
    async with running_emulator() as emulator, running_rest(emulator, clock) as rest:
        emulator.tell("aggTrades", [])
        rest.weight_limit = 40  # nine tenths: nine requests of weight four
        for _ in range(9):
            await rest.agg_trades("BTCUSDT")
        assert clock.slept == []
        await rest.agg_trades("BTCUSDT")
        assert clock.ms >= MINUTE + 60_000
        assert emulator.count("aggTrades") == 10


async def test_the_minute_is_that_of_the_exchange_not_of_this_machine() -> None:
    clock = StillClock(MINUTE + 50_000)
    async with running_emulator() as emulator, running_rest(emulator, clock) as rest:
        emulator.tell("time", {"serverTime": clock.ms + 9_000})
        emulator.tell("aggTrades", [])
        assert await rest.server_time() == (MINUTE + 59_000, MINUTE + 50_000)
        rest.weight_limit = 6
        await rest.agg_trades("BTCUSDT")
        await rest.agg_trades("BTCUSDT")
        assert sum(clock.slept) < 2


async def test_the_weight_the_exchange_counts_decides_where_it_is_higher_than_ours() -> None:
    clock = StillClock(MINUTE + 10_000)
    async with running_emulator() as emulator, running_rest(emulator, clock) as rest:
        emulator.tell("aggTrades", [], headers={"X-MBX-USED-WEIGHT-1M": "5399"})
        await rest.agg_trades("BTCUSDT")
        assert not clock.slept
        await rest.agg_trades("BTCUSDT")
        assert sum(clock.slept) == pytest.approx(50, abs=1)


@pytest.mark.parametrize("header", ["", "-5", "9" * 12, "many", "５"])
async def test_an_absurd_weight_header_is_ignored(header: str) -> None:
    clock = StillClock(MINUTE)
    async with running_emulator() as emulator, running_rest(emulator, clock) as rest:
        emulator.tell("aggTrades", [], headers={"X-MBX-USED-WEIGHT-1M": header})
        for _ in range(3):
            await rest.agg_trades("BTCUSDT")
        assert not clock.slept


async def test_the_limit_of_exchange_info_replaces_the_usual_one() -> None:
    async with running_emulator() as emulator, running_rest(emulator) as rest:
        limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 100}]
        emulator.tell("exchangeInfo", INFO | {"rateLimits": limits})
        await rest.exchange_info()
        assert rest.weight_limit == 100


@pytest.mark.parametrize("status", [429, 418, 403, 451])
async def test_a_refusal_closes_the_barrier_and_nothing_more_is_sent(status: int) -> None:
    async with running_emulator() as emulator, running_rest(emulator) as rest:
        emulator.tell("aggTrades", "<html>no</html>", status, {"Retry-After": "30"})
        for _ in range(3):
            with pytest.raises(BlockedError, match=str(status)):
                await rest.agg_trades("BTCUSDT")
        assert emulator.count("aggTrades") == 1


async def test_a_ban_that_comes_while_a_request_waits_for_its_minute_stops_it() -> None:
    class Banning(StillClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            barrier.until_ms = self.ms + 600_000

    clock = Banning(MINUTE + 10_000)
    barrier = Barrier("spot", clock)
    async with running_emulator() as emulator, make_session(emulator.url) as session:
        emulator.tell("aggTrades", [], headers={"X-MBX-USED-WEIGHT-1M": "6000"})
        rest = Rest(session, SPOT, emulator.url, clock, barrier)
        await rest.agg_trades("BTCUSDT")
        with pytest.raises(BlockedError):
            await rest.agg_trades("BTCUSDT")
        assert emulator.count("aggTrades") == 1


@pytest.mark.parametrize(
    ("status", "body", "code", "is_final"),
    [
        (400, '{"code":-1121,"msg":"Invalid symbol."}', -1121, True),
        (404, "<html>", 0, True),
        (301, "", 0, True),
        (408, "late", 0, False),
        (500, '{"code":-1000,"msg":"x"}', -1000, False),
        (503, "Service Unavailable.", 0, False),
        (200, '{"code":-1000}', 0, False),
        (200, '[{"a":1,', 0, False),
        (200, "", 0, False),
        (200, "[" * 200_000, 0, False),
    ],
)
async def test_an_error_tells_its_status_and_code_and_whether_it_will_last(
    status: int, body: str, code: int, *, is_final: bool
) -> None:
    async with running_emulator() as emulator, running_rest(emulator) as rest:
        emulator.tell("aggTrades", body, status)
        with pytest.raises(RestError) as caught:
            await rest.agg_trades("BTCUSDT")
        assert (caught.value.status, caught.value.code, caught.value.is_final) == (status, code, is_final)
        assert len(str(caught.value)) < 300


async def test_a_body_without_end_is_cut_off_and_refused() -> None:
    async with running_emulator() as emulator, running_rest(emulator) as rest:
        emulator.tell("aggTrades", "[" + " " * (33 << 20) + "]")
        with pytest.raises(RestError, match="unreadable"):
            await rest.agg_trades("BTCUSDT")


async def test_no_answer_is_told_apart_from_a_bad_one() -> None:
    async with running_emulator() as emulator, running_rest(emulator) as rest:
        port = emulator.url

        def hang_up(_: object) -> web.Response:
            raise ConnectionResetError

        emulator.answers["aggTrades"] = hang_up
        with pytest.raises((UnreachableError, RestError)):
            await rest.agg_trades("BTCUSDT")
    async with make_session(port) as session:
        clock = Clock()
        with pytest.raises(UnreachableError, match="exchangeInfo"):
            await Rest(session, SPOT, port, clock, Barrier("spot", clock)).exchange_info()


async def test_trades_are_asked_for_by_id_or_by_time() -> None:
    async with running_emulator() as emulator, running_rest(emulator) as rest:
        emulator.tell("aggTrades", [row(5, MINUTE), row(6, MINUTE)])
        assert [trade.id for trade in await rest.agg_trades("BTCUSDT", from_id=5, limit=2)] == [5, 6]
        await rest.agg_trades("币安人生USDT", start_ms=MINUTE)
        assert emulator.requests[-2][1] == {"symbol": "BTCUSDT", "limit": "2", "fromId": "5"}
        assert emulator.requests[-1][1] == {"symbol": "币安人生USDT", "limit": "1000", "startTime": str(MINUTE)}


async def test_klines_that_do_not_open_on_their_interval_are_left_out() -> None:
    async with running_emulator() as emulator, running_rest(emulator) as rest:
        emulator.tell("klines", [kline_row(MINUTE, 60_000), kline_row(MINUTE + 7, 60_000)])
        bars = await rest.klines(BTC, Timeframe.M1, limit=5, start_ms=1, end_ms=2)
        assert [bar.open_ms for bar in bars] == [MINUTE]
        assert emulator.requests[-1][1] == {"symbol": "BTCUSDT", "interval": "1m", "limit": "5", "startTime": "1", "endTime": "2"}


async def test_a_bad_number_in_a_kline_is_an_error_and_a_finer_one_is_told() -> None:
    async with running_emulator() as emulator, running_rest(emulator) as rest:
        emulator.tell("klines", [kline_row(MINUTE, 60_000, price="NaN")])
        with pytest.raises(RestError, match="not a plain decimal"):
            await rest.klines(BTC, Timeframe.M1, limit=5)
        emulator.tell("klines", [kline_row(MINUTE, 60_000, price="1.234")])
        with pytest.raises(TooFineError):
            await rest.klines(BTC, Timeframe.M1, limit=5)


def test_weights_are_those_of_the_venue() -> None:
    usdm = VENUES["binance-usdm"]
    assert [usdm.klines_weight(limit) for limit in (100, 500, 1000, 1500)] == [1, 2, 5, 10]
    assert SPOT.klines_weight(1000) == 2


async def test_a_slow_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    ended = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()
        await writer.wait_closed()

    async with asyncio.timeout(5), await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        clock = Clock()
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with make_session(base) as session:
            with pytest.raises(UnreachableError):
                await Rest(session, SPOT, base, clock, Barrier("spot", clock)).server_time()
        ended.set()
        await asyncio.sleep(0.01)
