"""Acknowledged and silent: wrong route, unknown symbol, upper-case name, a connection that says nothing."""

import pytest

from quantui.clock import Clock
from quantui.feeds.binance import feed as feed_module
from quantui.market.instruments import Symbol
from tests.faults.exchange import running_exchange, running_feed, until, wrong_bars

SPEED = 10.0


async def test_the_legacy_futures_path_is_named_within_30_seconds() -> None:
    clock = Clock(SPEED)
    async with running_exchange("--speed", str(SPEED), "--symbols", "BTCUSDT", "ETHUSDT") as exchange:
        exchange.addresses["usdm_ws_market"] = exchange.addresses["usdm_ws_market"].removesuffix("/market")
        async with running_feed(exchange, "usdm", ["BTCUSDT", "ETHUSDT"], clock) as feed:
            begin = clock.monotonic()
            await until(lambda: "/market" in feed.status.detail and feed.status.link != "live", 30 / SPEED + 1)
            assert clock.monotonic() - begin < 30
            assert "April 2026" in feed.status.detail


async def test_an_unknown_symbol_is_named_with_the_nearest_one_and_the_others_live() -> None:
    clock = Clock(SPEED)
    async with (
        running_exchange("--speed", str(SPEED), "--symbols", "BTCUSDT", "ETHUSDT") as exchange,
        running_feed(exchange, "usdm", ["BTCUSDT", "ETHUSDTT"], clock) as feed,
    ):
        await until(lambda: feed.status.link == "live", 10)
        note = feed.status.notes[Symbol("binance-usdm", "ETHUSDTT")]
        assert note == "unknown symbol ETHUSDTT on binance-usdm; did you mean ETHUSDT?"
        assert note in feed.status.detail
        assert [symbol.name for symbol in feed.streams] == ["BTCUSDT"]


async def test_an_upper_case_stream_name_is_named_and_the_others_live(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(SPEED)
    monkeypatch.setattr(feed_module, "stream_name", lambda name, kind: f"{name if name == 'ETHUSDT' else name.lower()}@{kind}")
    async with (
        running_exchange("--speed", str(SPEED), "--symbols", "BTCUSDT", "ETHUSDT") as exchange,
        running_feed(exchange, "usdm", ["BTCUSDT", "ETHUSDT"], clock) as feed,
    ):
        begin = clock.monotonic()
        await until(lambda: "silent" in feed.status.notes.get(Symbol("binance-usdm", "ETHUSDT"), ""), 30 / SPEED + 2)
        assert clock.monotonic() - begin < 30
        assert feed.status.link == "stale"
        assert "ETHUSDT@aggTrade" in feed.status.detail
        assert Symbol("binance-usdm", "BTCUSDT") not in feed.status.notes


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_one_dead_stream_of_many_is_asked_for_again_and_read_from_rest_meanwhile(market: str) -> None:
    """R-07: the others do not notice, and no bar is built on what is not there."""
    clock = Clock(SPEED)
    async with (
        running_exchange("--speed", str(SPEED), "--rate", "3", "--symbols", "BTCUSDT", "ETHUSDT", "LTCUSDT") as exchange,
        running_feed(exchange, market, ["BTCUSDT", "ETHUSDT", "LTCUSDT"], clock) as feed,
    ):
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        dead = feed.streams[Symbol(f"binance-{market}", "ETHUSDT")]
        await exchange.order("silence", market=market, stream="ethusdt@aggTrade")
        newest, begin = dead.builder.known_id, clock.monotonic()
        await until(lambda: dead.builder.known_id > newest, 60 / SPEED)
        assert clock.monotonic() - begin < 45, "read back although the stream is still dead"
        await exchange.order("silence", market=market, stream="ethusdt@aggTrade", on=False)
        await clock.sleep(65)
        await until(lambda: all(stream.is_complete and not stream.suspended for stream in feed.streams.values()), 20)
        wrong = [line for stream in feed.streams.values() for line in await wrong_bars(exchange, market, stream)]
        assert not wrong, wrong[:10]
        assert feed.status.reconnects == 0
        assert dead.tally.mismatched == 0


async def test_a_half_open_connection_is_given_up_within_15_seconds() -> None:
    clock = Clock(SPEED)
    async with (
        running_exchange("--speed", str(SPEED), "--symbols", "BTCUSDT") as exchange,
        running_feed(exchange, "usdm", ["BTCUSDT"], clock) as feed,
    ):
        await until(lambda: feed.status.link == "live", 10)
        await exchange.order("half_open", market="usdm")
        begin = clock.monotonic()
        await until(lambda: feed.status.link != "live", 20 / SPEED)
        assert clock.monotonic() - begin < 16.5
        await until(lambda: feed.status.link == "live", 10)


@pytest.mark.parametrize(
    ("status", "words"), [(418, "banned (418)"), (451, "location (451)"), (403, "firewall (403)"), (429, "429")]
)
async def test_a_refusal_of_the_exchange_stops_every_request(status: int, words: str) -> None:
    clock = Clock(SPEED)
    async with running_exchange("--speed", str(SPEED), "--symbols", "BTCUSDT") as exchange:
        await exchange.order("rest", market="usdm", next=[status])
        async with running_feed(exchange, "usdm", ["BTCUSDT"], clock) as feed:
            await until(lambda: words in feed.status.detail, 10)
            assert feed.status.link == "blocked"
            before = (await exchange.counters())["requests"]["usdm"]
            if status != 429:
                await clock.sleep(6)
                assert (await exchange.counters())["requests"]["usdm"] == before
