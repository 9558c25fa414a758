"""E1-E9 of binance.md A9: routes, answers, errors, framing, pings, limits, ends."""

import asyncio
import json

import aiohttp
import pytest

from quantui.exchange.connection import SPOT_TIMERS, USDM_TIMERS, Timers
from quantui.exchange.listings import Market
from tests.exchange.conftest import Start, Venue


async def addresses_of(venue: Venue, market: Market) -> str:
    return venue.exchange.addresses.spot_ws if market is Market.SPOT else venue.exchange.addresses.usdm_ws_market


async def test_e01_one_tape_is_behind_streams_rest_and_klines_of_both_markets(venue: Venue) -> None:
    for market in Market:
        socket = await venue.socket(f"{await addresses_of(venue, market)}/ws/btcusdt@aggTrade")
        frame = await socket.frame()
        status, rows, _ = await venue.get(market, f"aggTrades?symbol=BTCUSDT&fromId={frame['a']}&limit=1")
        assert status == 200
        assert {key: rows[0][key] for key in "apqflTm"} == {key: frame[key] for key in "apqflTm"}
        minute = frame["T"] // 60_000 * 60_000
        _, klines, _ = await venue.get(market, f"klines?symbol=BTCUSDT&interval=1m&startTime={minute}&limit=1")
        assert float(klines[0][3]) <= float(frame["p"]) <= float(klines[0][2])


async def test_e02_legacy_path_acknowledges_and_stays_silent(venue: Venue) -> None:
    legacy = await venue.socket(venue.exchange.addresses.usdm_ws + "/stream")
    names = ["btcusdt@aggTrade", "btcusdt@kline_1m", "btcusdt@markPrice@1s"]
    assert await legacy.ask("SUBSCRIBE", [*names, "btcusdt@bookTicker"]) == {"result": None, "id": 1}
    routed = await venue.socket(f"{venue.exchange.addresses.usdm_ws_market}/stream?streams={'/'.join(names)}")
    waiting = set(names)
    while waiting:
        waiting.discard((await routed.frame())["stream"])
    seen = {frame["stream"] for frame in await legacy.frames_for(0.3)}
    assert seen == {"btcusdt@bookTicker"}


@pytest.mark.parametrize(
    "name", ["nosuchsym@aggTrade", "BTCUSDT@aggTrade", "btcusdt@foo", "btcusdt@kline_1s", "btcusdt@bookTicker", "x"]
)
async def test_e03_unknown_names_are_acknowledged_and_stay_silent(venue: Venue, name: str) -> None:
    socket = await venue.socket(venue.exchange.addresses.usdm_ws_market + "/ws")
    assert await socket.ask("SUBSCRIBE", [name], 5) == {"result": None, "id": 5}
    assert await socket.frames_for(0.4) == []
    assert await socket.ask("LIST_SUBSCRIPTIONS", request_id=6) == {"result": [name], "id": 6}
    assert await socket.ask("UNSUBSCRIBE", ["never@subscribed"], 7) == {"result": None, "id": 7}


VARIANTS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"


@pytest.mark.parametrize(
    ("request_text", "code", "message", "request_id"),
    [
        ('{"method":"SUBSCRIBE","params":[],"id":"a"}', 2, "Invalid request: request ID must be an unsigned integer", None),
        ("hello", 3, "Invalid JSON: expected value at line 1 column 1", None),
        ('{"method":"GET_PROPERTY","params":["colour"],"id":1}', 0, "Unknown property", 1),
        ('{"method":"SET_PROPERTY","params":["combined","x"],"id":1}', 1, "Invalid value type: expected Boolean", 1),
        ('{"method":"GET_PROPERTY","params":[7],"id":1}', 2, "Invalid request: property name must be a string", 1),
        ('{"method":"GET_PROPERTY","params":["a","b"],"id":2}', 2, "Invalid request: too many parameters", 2),
        ('{"id":3}', 2, "Invalid request: missing field `method` at line 1 column 8", 3),
        (
            '{"method":"SUBSCRIBEX","id":4}',
            2,
            f'Invalid request: unknown variant "SUBSCRIBEX", expected one of {VARIANTS} at line 1 column 22',
            4,
        ),
    ],
)
async def test_e04_errors_are_nested_with_the_exact_texts(
    venue: Venue, request_text: str, code: int, message: str, request_id: int | None
) -> None:
    socket = await venue.socket(venue.exchange.addresses.usdm_ws_market + "/ws")
    await socket.inner.send_str(request_text)
    assert await socket.frame() == {"error": {"code": code, "msg": message}, "id": request_id}


async def test_e04_a_malformed_name_is_an_error_and_ends_the_socket(venue: Venue) -> None:
    socket = await venue.socket(venue.exchange.addresses.usdm_ws_market + "/ws")
    await socket.inner.send_str('{"method":"SUBSCRIBE","params":["btc usdt@aggTrade"],"id":1}')
    assert await socket.frame() == {"error": {"code": 2, "msg": "Invalid request: invalid stream"}, "id": 1}
    assert await socket.end() == 1008


async def test_e04_the_flat_form_of_the_document_is_a_switch(started: Start) -> None:
    async with started(flat_errors=True) as venue:
        socket = await venue.socket(venue.exchange.addresses.spot_ws + "/ws")
        await socket.inner.send_str("{")
        assert set(await socket.frame()) == {"code", "msg"}


async def test_e04_spot_takes_text_and_null_as_request_id(venue: Venue) -> None:
    socket = await venue.socket(venue.exchange.addresses.spot_ws + "/ws")
    for request_id in ("abc9", None, -5):
        assert await socket.ask("LIST_SUBSCRIPTIONS", request_id=request_id) == {"result": [], "id": request_id}


async def test_e05_framing_follows_the_path_and_can_be_changed_live(venue: Venue) -> None:
    spot = venue.exchange.addresses.spot_ws
    raw = await venue.socket(f"{spot}/ws/btcusdt@trade/ethusdt@trade")
    assert "e" in await raw.frame()
    assert await raw.ask("GET_PROPERTY", ["combined"], 2) == {"result": False, "id": 2}
    assert await raw.ask("SET_PROPERTY", ["combined", True], 3) == {"result": None, "id": 3}
    frame = await raw.frame()
    assert set(frame) == {"stream", "data"}
    assert frame["stream"] == frame["data"]["s"].lower() + "@trade"
    combined = await venue.socket(f"{spot}/stream?streams=btcusdt@trade")
    assert set(await combined.frame()) == {"stream", "data"}
    assert await combined.ask("GET_PROPERTY", ["combined"], 2) == {"result": True, "id": 2}


async def test_e05_unsubscribed_streams_stop_and_duplicates_come_once(venue: Venue) -> None:
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/btcusdt@trade")
    await socket.ask("SUBSCRIBE", ["btcusdt@trade"], 2)
    ids = [(await socket.frame())["t"] for _ in range(20)]
    assert ids == list(range(ids[0], ids[0] + 20))
    await socket.ask("UNSUBSCRIBE", ["btcusdt@trade"], 3)
    assert await socket.frames_for(0.4) == []


async def test_e06_pings_carry_a_time_and_a_pong_with_another_payload_does_not_count(started: Start) -> None:
    timers = dict.fromkeys(Market, Timers(ping=20.0, pong=60.0))
    async with started(speed=100.0, timers=timers) as venue:
        deaf = await venue.socket(venue.exchange.addresses.spot_ws + "/ws", autoping=False)
        good = await venue.socket(venue.exchange.addresses.spot_ws + "/ws")
        serving = asyncio.create_task(good.inner.receive())
        first = await deaf.inner.receive(timeout=5)
        assert first.type is aiohttp.WSMsgType.PING
        assert abs(int(first.data) - venue.exchange.clock.now_ms()) < 20_000
        await deaf.inner.pong(b"something else")
        while (message := await deaf.inner.receive(timeout=5)).type is aiohttp.WSMsgType.PING:
            pass
        assert (message.data, message.extra) == (1008, "Pong timeout")
        assert not serving.done()
        serving.cancel()


async def test_e06_a_pong_with_the_payload_keeps_the_socket(started: Start) -> None:
    async with started(speed=200.0) as venue:
        socket = await venue.socket(venue.exchange.addresses.spot_ws + "/ws")
        receiving = asyncio.create_task(socket.inner.receive())
        await asyncio.wait([receiving], timeout=0.8)  # 160 s of exchange time: eight pings
        assert not receiving.done()
        assert len(venue.exchange.connections()) == 1
        receiving.cancel()


@pytest.mark.parametrize(("market", "answered"), [(Market.SPOT, 5), (Market.USDM, 15)])
async def test_e07_too_many_messages_in_a_rolling_second_end_the_socket(venue: Venue, market: Market, answered: int) -> None:
    socket = await venue.socket(f"{await addresses_of(venue, market)}/ws")
    for number in range(40):
        await socket.inner.send_str(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
    for number in range(answered):
        assert await socket.frame() == {"result": [], "id": number}
    assert await socket.end() == 1008


async def test_e07_what_futures_tolerate_beyond_their_document_is_counted(venue: Venue) -> None:
    socket = await venue.socket(venue.exchange.addresses.usdm_ws_market + "/ws")
    for number in range(12):
        await socket.inner.send_str(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
    for number in range(12):
        assert await socket.frame() == {"result": [], "id": number}
    assert venue.exchange.accounts[Market.USDM].violations == 2


async def test_e06_an_endless_number_is_refused_like_any_nonsense(venue: Venue) -> None:
    socket = await venue.socket(venue.exchange.addresses.spot_ws + "/ws")
    await socket.inner.send_str('{"id":' + "9" * 5000 + "}")
    assert (await socket.frame())["error"]["code"] == 3


async def test_e07_client_pings_count_as_messages_and_are_answered(venue: Venue) -> None:
    socket = await venue.socket(venue.exchange.addresses.spot_ws + "/ws", autoping=False)
    for _ in range(6):
        await socket.inner.ping(b"x")
    seen = [await socket.inner.receive(timeout=5) for _ in range(6)]
    assert [message.type for message in seen] == [aiohttp.WSMsgType.PONG] * 5 + [aiohttp.WSMsgType.CLOSE]
    assert seen[-1].extra == "Too many requests"


async def test_e07_repeated_offence_bans_the_address(venue: Venue) -> None:
    for _ in range(3):
        socket = await venue.socket(venue.exchange.addresses.spot_ws + "/ws")
        for number in range(6):
            await socket.inner.send_str(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        assert await socket.end() == 1008
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await venue.socket(venue.exchange.addresses.spot_ws + "/ws")
    assert refused.value.status == 418
    assert (await venue.get(Market.SPOT, "time"))[0] == 418
    assert (await venue.get(Market.USDM, "time"))[0] == 200


async def test_e08_stream_1025_loses_all(venue: Venue) -> None:
    socket = await venue.socket(venue.exchange.addresses.usdm_ws_market + "/ws")
    for part in range(4):
        await socket.ask("SUBSCRIBE", [f"coin{part}x{n}usdt@aggTrade" for n in range(256)], part)
    await socket.inner.send_str('{"method":"SUBSCRIBE","params":["one@more"],"id":9}')
    assert await socket.frame() == {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 9}
    assert await socket.end() == 1008


async def test_e08_connection_301_within_five_minutes_is_refused(venue: Venue) -> None:
    account = venue.exchange.accounts[Market.USDM]
    for _ in range(299):
        account.connections.take(venue.exchange.clock.now_ms())
    await venue.socket(venue.exchange.addresses.usdm_ws_market + "/ws")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await venue.socket(venue.exchange.addresses.usdm_ws_market + "/ws")
    assert refused.value.status == 429


@pytest.mark.parametrize(("cut", "code"), [("1001", 1001), ("1000", 1000), ("rst", 1006)])
async def test_e09_sockets_are_cut_after_their_life(started: Start, cut: str, code: int) -> None:
    assert SPOT_TIMERS.life == USDM_TIMERS.life == 24 * 3600
    timers = {Market.SPOT: Timers(ping=20.0, pong=60.0, life=50.0, cut=cut)}
    async with started(speed=100.0, timers=timers) as venue:
        socket = await venue.socket(venue.exchange.addresses.spot_ws + "/ws")
        assert await socket.end() == code


async def test_e09_spot_may_announce_its_shutdown(started: Start) -> None:
    timers = {Market.SPOT: Timers(ping=20.0, pong=60.0, life=40.0, shutdown_notice=30.0)}
    async with started(speed=50.0, timers=timers) as venue:
        raw = await venue.socket(venue.exchange.addresses.spot_ws + "/ws")
        combined = await venue.socket(venue.exchange.addresses.spot_ws + "/stream")
        assert (await raw.frame())["e"] == "serverShutdown"
        notice = await combined.frame()
        assert (notice["stream"], notice["data"]["e"]) == ("!serverShutdown", "serverShutdown")
        assert await raw.end() == 1001


async def test_e01_a_bad_name_in_the_address_ends_the_socket(venue: Venue) -> None:
    socket = await venue.socket(venue.exchange.addresses.spot_ws + "/stream?streams=btc*usdt@trade")
    assert (await socket.frame())["error"]["code"] == 2
    assert await socket.end() == 1008
