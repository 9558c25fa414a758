"""Faults on order, by method and by HTTP, and the counters (E20 in part, E22)."""

import asyncio
import time
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from quantui.exchange.listings import Market
from quantui.exchange.truth import tape_bars
from tests.exchange.conftest import Start, Venue

STREAM = "btcusdt@trade"


async def order(venue: Venue, action: str, **body: object) -> tuple[int, Any]:
    async with venue.session.post(f"{venue.exchange.addresses.control}/control/{action}", json=body) as answer:
        return answer.status, await answer.json()


async def counters(venue: Venue) -> dict[str, Any]:
    async with venue.session.get(f"{venue.exchange.addresses.control}/control/counters") as answer:
        found: dict[str, Any] = await answer.json()
        return found


@pytest.mark.parametrize(("how", "code"), [("rst", 1006), ("fin", 1006), ("torn", 1006), ("1001", 1001), ("1013", 1013)])
async def test_sockets_end_as_ordered(venue: Venue, how: str, code: int) -> None:
    spot = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
    futures = await venue.socket(f"{venue.exchange.addresses.usdm_ws_public}/ws/{STREAM}")
    assert await order(venue, "disconnect", how=how, market="spot") == (200, {"ok": True})
    assert await spot.end() == code
    assert (await futures.frame())["s"] == "BTCUSDT"


async def test_in_an_outage_nothing_is_accepted_and_the_tape_goes_on(started: Start) -> None:
    async with started(speed=10.0) as venue:
        socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
        last = (await socket.frame())["t"]
        await order(venue, "outage", seconds=8, market="spot", rest=True)
        assert await socket.end() == 1006
        with pytest.raises(aiohttp.ClientError):
            await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
        with pytest.raises(aiohttp.ClientError):
            await venue.get(Market.SPOT, "time")
        assert (await venue.get(Market.USDM, "time"))[0] == 200
        deadline = time.monotonic() + 5
        again = None
        while again is None:
            assert time.monotonic() < deadline
            try:
                again = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
        assert (await again.frame())["t"] > last + 1


async def test_a_half_open_socket_neither_speaks_nor_listens_and_stays(venue: Venue) -> None:
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
    await socket.frame()
    await order(venue, "half_open", market="spot")
    await socket.frames_for(0.1)
    await socket.inner.ping()
    assert await socket.frames_for(0.5) == []
    assert len(venue.exchange.connections(Market.SPOT)) == 1
    fresh = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
    assert await fresh.frame() is not None


async def test_a_stalled_socket_says_everything_afterwards(venue: Venue) -> None:
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
    before = (await socket.frame())["t"]
    await order(venue, "stall", seconds=1.0, market="spot")
    began = time.monotonic()
    early = [frame["t"] for frame in await socket.frames_for(0.7)]  # what was under way when the order came
    first = (await socket.frame())["t"]
    assert time.monotonic() - began > 0.9
    assert [*early, first] == list(range(before + 1, first + 1))


async def test_one_stream_can_be_silenced_and_speaks_again(venue: Venue) -> None:
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/stream?streams={STREAM}/ethusdt@trade")
    await order(venue, "silence", stream=STREAM)
    await asyncio.sleep(0.05)
    await socket.ask("LIST_SUBSCRIPTIONS")
    assert {frame["stream"] for frame in await socket.frames_for(0.6)} == {"ethusdt@trade"}
    await order(venue, "silence", stream=STREAM, on=False)
    await socket.until(lambda frame: frame["stream"] == STREAM)


async def test_exactly_so_many_frames_are_dropped(venue: Venue) -> None:
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
    before = (await socket.frame())["t"]
    venue.control.drop(STREAM, 3, Market.SPOT)
    ids = [before] + [(await socket.frame())["t"] for _ in range(20)]
    steps = [later - earlier for earlier, later in pairwise(ids)]
    assert sorted(steps) == [1] * 19 + [4]
    assert (await counters(venue))["dropped"] == {f"spot:{STREAM}": 3}


async def test_frames_come_after_the_one_that_follows_them(venue: Venue) -> None:
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
    first = (await socket.frame())["t"]
    await order(venue, "late", stream=STREAM, count=3, market="spot")
    ids = [first] + [(await socket.frame())["t"] for _ in range(19)]
    assert sorted(ids) == list(range(min(ids), min(ids) + 20))
    assert sorted(later - earlier for earlier, later in pairwise(ids)) == [-3, *[1] * 16, 2, 4]


async def test_a_leap_takes_the_exchange_on_and_sends_nothing_of_what_was_between(venue: Venue) -> None:
    before = venue.exchange.now_ms()
    await order(venue, "leap", seconds=600)
    assert venue.exchange.now_ms() - before >= 600_000
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
    assert (await socket.frame())["T"] > before + 600_000 - 5_000


async def test_rest_can_be_slow_and_refuse_for_good_sockets_included(venue: Venue) -> None:
    await order(venue, "rest", market="usdm", delay=0.3)
    started_at = time.monotonic()
    await venue.get(Market.USDM, "ping")
    assert time.monotonic() - started_at > 0.29
    await order(venue, "rest", market="usdm", delay=0, status=451)
    assert (await venue.get(Market.USDM, "ping"))[0] == 451
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await venue.socket(venue.exchange.addresses.usdm_ws_market + "/ws")
    assert refused.value.status == 451
    await order(venue, "rest", market="usdm", status=0, next=[500])
    assert [(await venue.get(Market.USDM, "ping"))[0] for _ in range(2)] == [500, 200]


async def test_counters_tell_what_was_handed_to_the_sockets(venue: Venue) -> None:
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/{STREAM}")
    await venue.get(Market.SPOT, "exchangeInfo")
    received = [await socket.frame() for _ in range(10)]
    await socket.inner.send_str(f'{{"method":"UNSUBSCRIBE","params":["{STREAM}"],"id":2}}')
    while "t" in (frame := await socket.frame()):
        received.append(frame)
    found = await counters(venue)
    assert found["frames"] == {f"spot:{STREAM}": len(received)}
    assert found["unsent_bytes"] == 0
    assert (found["weight"]["spot"], found["requests"]["spot"], found["violations"]["spot"]) == (20, 1, 0)
    assert found["connections"]["spot"]["total"] == 1


async def test_the_ground_truth_can_be_asked_for(venue: Venue) -> None:
    tape = venue.exchange.tapes[Market.USDM, "ETHUSDT"]
    start = tape.first_ms + 60_000
    query = f"market=usdm&symbol=ETHUSDT&interval=1s&from={start}&to={start + 20_000}"
    async with venue.session.get(f"{venue.exchange.addresses.control}/control/bars?{query}") as answer:
        rows = await answer.json()
    assert [tuple(row) for row in rows] == tape_bars(tape, 1_000, start, start + 20_000)
    assert len(rows) == 20


async def test_an_order_that_makes_no_sense_is_refused_with_a_reason(venue: Venue) -> None:
    assert (await order(venue, "outage"))[0] == 400
    status, body = await order(venue, "disconnect", market="moon")
    assert status == 400
    assert "moon" in body["error"]


async def test_a_reader_that_stops_reading_is_cut_off_and_costs_bounded_memory(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantui.exchange.connection.UNSENT_LIMIT", 1 << 20)
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws")
    (connection,) = venue.exchange.connections()
    for _ in range(200):
        connection.text("x" * 60_000)
        if not connection.is_open:
            break
    assert not connection.is_open
    assert connection.unsent == 0
    assert await socket.end() == 1006
