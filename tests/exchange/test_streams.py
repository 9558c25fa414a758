"""E10-E15 of binance.md A9: what the streams say and when."""

import itertools
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from quantui.exchange import payloads
from quantui.exchange.events import Source
from quantui.exchange.generated import generated_tapes
from quantui.exchange.listings import Market
from quantui.exchange.streams import Route, flows, parse
from quantui.exchange.tape import Tape
from tests.exchange.conftest import Start, Venue, hand_made

T = 1_700_000_000_000 // 60_000 * 60_000
START = 1_795_246_944_769


def events(tape: Tape, name: str, start: int, end: int, step: int = 40) -> list[tuple[float, Any]]:
    """(due, payload) of a stream, asked for in small steps as the loop does."""
    stream = parse(name, tape.listing.market)
    assert stream is not None
    source = Source(tape, stream)
    found: list[tuple[float, Any]] = []
    for at in range(start, end, step):
        found.extend((due, json.loads(text)) for due, text in source.between(at, min(at + step, end)))
    return found


ROWS = [
    (1, T + 1_000, 100, 5, False),
    (2, T + 1_000, 100, 6, False),
    (3, T + 1_000, 101, 7, False),
    (4, T + 1_050, 101, 1, False),
    (5, T + 1_099, 101, 2, True),
    (6, T + 1_150, 101, 3, True),
]


def test_e10_spot_aggregates_fills_of_one_time_price_and_side_without_holes() -> None:
    found = [data for _, data in events(hand_made(Market.SPOT, ROWS), "btcusdt@aggTrade", T, T + 3_000)]
    assert [(row["f"], row["l"], row["q"]) for row in found] == [
        (1, 2, "0.01100000"),
        (3, 3, "0.00700000"),
        (4, 4, "0.00100000"),
        (5, 5, "0.00200000"),
        (6, 6, "0.00300000"),
    ]
    assert [row["a"] for row in found] == list(range(found[0]["a"], found[0]["a"] + 5))
    assert list(found[0]) == ["e", "E", "s", "a", "p", "q", "f", "l", "T", "m", "M"]


def test_e10_futures_aggregate_within_100_ms_and_release_late() -> None:
    found = events(hand_made(Market.USDM, ROWS), "btcusdt@aggTrade", T, T + 3_000)
    assert [(row["f"], row["l"], row["q"]) for _, row in found] == [
        (1, 2, "0.011"),
        (3, 4, "0.008"),
        (5, 5, "0.002"),
        (6, 6, "0.003"),
    ]
    assert all(due == row["E"] == row["T"] + 155 for due, row in found)
    assert list(found[0][1]) == ["e", "E", "a", "s", "p", "q", "nq", "f", "l", "T", "m", "st"]
    many = hand_made(Market.USDM, [(number, T + 1_000 * number, 100, 5, True) for number in range(8)])
    assert {row["nq"] for _, row in events(many, "btcusdt@aggTrade", T, T + 10_000)} == {"0.005", "0.002"}


def test_e10_futures_ids_have_holes_where_placeholders_used_them() -> None:
    tape = next(one for one in generated_tapes(1, START, placeholders=0.05) if one.listing.market is Market.USDM)
    rows = tape.aggregates(until_ms=START, limit=1000)
    assert any(later.first_id > earlier.last_id + 1 for earlier, later in itertools.pairwise(rows))
    assert [row.id for row in rows] == list(range(rows[0].id, rows[0].id + 1000))


def test_e11_an_open_minute_is_pushed_every_2_s_on_spot_and_every_250_ms_on_futures_when_changed() -> None:
    rows = [(1, T + 100, 100, 1, False), (2, T + 4_100, 110, 1, True), (3, T + 4_600, 120, 1, True)]
    for market, dues in ((Market.SPOT, [2_000, 6_000]), (Market.USDM, [250, 4_250, 4_750])):
        found = events(hand_made(market, rows), "btcusdt@kline_1m", T, T + 20_000)
        assert [due - T for due, _ in found] == dues
        assert not any(data["k"]["x"] for _, data in found)
        assert found[-1][1]["k"]["n"] == 3


@pytest.mark.parametrize(
    ("market", "following", "due"),
    [
        (Market.SPOT, 700, 701),
        (Market.SPOT, 5_000, 2_003),
        (Market.USDM, 20, 200),
        (Market.USDM, 700, 701),
        (Market.USDM, 5_000, 2_003),
    ],
)
def test_e11_a_minute_closes_with_the_next_trade_or_after_2_s(market: Market, following: int, due: int) -> None:
    end = T + 60_000
    rows = [(1, T + 100, 100, 1, False), (2, T + 200, 90, 2, True), (3, end + following, 120, 1, True)]
    found = events(hand_made(market, rows), "btcusdt@kline_1m", end - 50, end + 4_000)
    closing = [(at - end, data["k"]) for at, data in found if data["k"]["x"]]
    assert [at for at, _ in closing] == [due]
    assert {key: closing[0][1][key] for key in ("t", "T", "f", "L", "n")} == {"t": T, "T": end - 1, "f": 1, "L": 2, "n": 2}


def test_e11_every_closed_minute_is_pushed_once_and_before_the_next_one_opens() -> None:
    tape = next(one for one in generated_tapes(1, START) if one.listing.market is Market.USDM)
    found = events(tape, "btcusdt@kline_1m", START, START + 200_000)
    opens = [data["k"]["t"] for _, data in found]
    assert opens == sorted(opens)
    closed = [data["k"]["t"] for _, data in found if data["k"]["x"]]
    assert len(closed) == len(set(closed)) >= 3
    last = {data["k"]["t"]: data["k"]["x"] for _, data in found}
    assert all(last[at] for at in opens if at < opens[-1])


def test_e11_a_second_closes_2_ms_after_its_end_and_is_flat_without_trades() -> None:
    rows = [(1, T + 100, 100, 1, False), (2, T + 2_999, 90, 2, True)]
    found = events(hand_made(Market.SPOT, rows), "btcusdt@kline_1s", T, T + 6_000)
    assert [due - T for due, _ in found] == [1_002, 2_002, 3_002]  # the recording, and so the market, ends with its last second
    flat = found[1][1]["k"]
    assert (flat["f"], flat["L"], flat["n"], flat["x"]) == (-1, -1, 0, True)
    assert {flat[key] for key in "ohlc"} == {"1.00000000"}
    assert {flat[key] for key in "vqVQ"} == {"0.00000000"}


def test_e11_kline_fields_are_those_of_the_wire() -> None:
    rows = [(1, T + 100, 100, 1_500, False), (2, T + 200, 90, 500, True)]
    spot = events(hand_made(Market.SPOT, rows), "btcusdt@kline_1m", T, T + 3_000)[0][1]["k"]
    assert list(spot) == ["t", "T", "s", "i", "f", "L", "o", "c", "h", "l", "v", "n", "x", "q", "V", "Q", "B"]
    assert (spot["o"], spot["c"], spot["v"], spot["q"]) == ("1.00000000", "0.90000000", "2.00000000", "1.95000000")
    assert (spot["V"], spot["Q"], spot["n"]) == ("1.50000000", "1.50000000", 2)
    futures = events(hand_made(Market.USDM, rows), "btcusdt@kline_1m", T, T + 3_000)[0][1]["k"]
    assert (futures["o"], futures["v"], futures["q"]) == ("1.00", "2.000", "1.95000")


async def test_e12_futures_klines_run_ahead_of_aggtrades_and_streams_are_out_of_step(venue: Venue) -> None:
    market = f"{venue.exchange.addresses.usdm_ws_market}/stream?streams="
    socket = await venue.socket(f"{market}btcusdt@aggTrade/btcusdt@kline_1m/btcusdt@markPrice@1s/ethusdt@aggTrade")
    newest = ahead = 0
    last: dict[str, int] = {}
    for frame in await socket.frames_for(2.5):
        data = frame["data"]
        assert data["E"] >= last.get(frame["stream"], 0), "order inside a stream is kept"
        assert data["E"] >= max(last.values(), default=0) - 36
        last[frame["stream"]] = data["E"]
        if frame["stream"] == "btcusdt@aggTrade":
            newest = data["l"]
        elif "k" in data and newest and data["k"]["L"] > newest:
            ahead += 1
    assert ahead > 0


def test_e12_streams_are_delivered_with_a_lag_of_their_own() -> None:
    tape = hand_made(Market.USDM, ROWS)
    stream = parse("btcusdt@bookTicker", Market.USDM)
    assert stream is not None
    (due, text), *_ = Source(tape, stream, lag_ms=11).between(T, T + 3_000)
    assert due == json.loads(text)["E"] + 11


async def test_e13_spot_quotes_have_no_event_fields_and_depth_no_symbol(venue: Venue) -> None:
    socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/stream?streams=btcusdt@bookTicker/btcusdt@depth5")
    quote = await socket.until(lambda frame: frame["stream"].endswith("bookTicker"))
    assert list(quote["data"]) == ["u", "s", "b", "B", "a", "A"]
    assert float(quote["data"]["b"]) < float(quote["data"]["a"])
    depth = await socket.until(lambda frame: frame["stream"].endswith("depth5"))
    assert list(depth["data"]) == ["lastUpdateId", "bids", "asks"]
    assert len(depth["data"]["bids"]) == 5


async def test_e13_futures_quotes_have_event_fields(venue: Venue) -> None:
    socket = await venue.socket(f"{venue.exchange.addresses.usdm_ws_public}/ws/btcusdt@bookTicker")
    assert list(await socket.frame()) == ["e", "u", "s", "b", "B", "a", "A", "T", "E", "ps", "st"]


async def test_e13_arrays_hold_a_part_of_the_market_and_coin_m_rows(started: Start) -> None:
    async with started(speed=10.0) as venue:
        marks = await venue.socket(f"{venue.exchange.addresses.usdm_ws_market}/ws/!markPrice@arr@1s")
        first, second = await marks.frame(), await marks.frame()
        assert {row["s"] for row in first} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
        assert first[0]["E"] == second[0]["E"]
        assert [(row["st"], row["T"]) for row in second] == [(2, 0)]
        tickers = await venue.socket(f"{venue.exchange.addresses.spot_ws}/ws/!miniTicker@arr")
        sizes = {len(await tickers.frame()) for _ in range(12)}
        assert min(sizes) < 4


async def test_e13_mark_prices_come_each_second_with_the_fields_of_the_wire(started: Start) -> None:
    async with started(speed=10.0) as venue:
        socket = await venue.socket(f"{venue.exchange.addresses.usdm_ws_market}/ws/btcusdt@markPrice@1s")
        one, two = await socket.frame(), await socket.frame()
        assert list(one) == ["e", "E", "s", "p", "ap", "P", "i", "r", "T", "st"]
        assert two["E"] - one["E"] == 1_000
        assert len(one["p"].partition(".")[2]) == 8
        assert one["T"] % 28_800_000 == 0


def test_e14_futures_trades_hold_placeholders_and_the_insurance_fund() -> None:
    tape = next(one for one in generated_tapes(1, START, placeholders=0.05) if one.listing.market is Market.USDM)
    found = [data for _, data in events(tape, "btcusdt@trade", START, START + 120_000)]
    kinds = {data["X"] for data in found}
    assert kinds == {"MARKET", "NA", "INSURANCE_FUND"}
    assert {(data["p"], data["q"]) for data in found if data["X"] == "NA"} == {("0", "0")}
    assert [data["t"] for data in found] == list(range(found[0]["t"], found[0]["t"] + len(found)))
    kline = tape.kline(60_000, START // 60_000 * 60_000, START + 60_000)
    assert kline is not None
    assert kline.low > 5_000_00, "neither enters a kline"


def test_e15_symbols_beyond_ascii_have_eight_decimals_and_microseconds() -> None:
    tape = next(one for one in generated_tapes(1, START) if one.listing.symbol == "币安人生USDT")
    stream = parse("币安人生usdt@aggTrade", Market.SPOT)
    assert stream is not None
    rows = [json.loads(text) for _, text in Source(tape, stream, unit=1000).between(START - 500_000, START)]
    assert {row["s"] for row in rows} == {"币安人生USDT"}
    assert {len(str(row["T"])) for row in rows} == {16}
    assert {len(row["p"].partition(".")[2]) for row in rows} == {8}
    bar = tape.kline(60_000, START // 60_000 * 60_000 - 60_000, START)
    assert bar is not None
    data = json.loads(payloads.kline(tape.listing, bar, "1m", 60_000, START, closed=True, unit=1000))
    assert str(data["k"]["T"]).endswith("999999")


async def test_e15_the_time_unit_is_chosen_in_the_address(venue: Venue) -> None:
    base = f"{venue.exchange.addresses.spot_ws}/stream?streams=btcusdt@trade"
    micro, plain = await venue.socket(f"{base}&timeUnit=MICROSECOND"), await venue.socket(base)
    one, other = (await micro.frame())["data"], (await plain.frame())["data"]
    assert (len(str(one["T"])), len(str(other["T"]))) == (16, 13)
    quiet = await venue.socket(
        f"{venue.exchange.addresses.spot_ws}/stream?streams=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@kline_1s"
    )
    assert (await quiet.frame())["data"]["s"] == "币安人生USDT"


@pytest.mark.parametrize(
    ("name", "routes"),
    [
        ("btcusdt@aggTrade", {Route.MARKET}),
        ("btcusdt@kline_1m", {Route.MARKET}),
        ("btcusdt@markPrice", {Route.MARKET}),
        ("btcusdt@bookTicker", {Route.PUBLIC, Route.LEGACY}),
        ("btcusdt@trade", {Route.PUBLIC, Route.LEGACY}),
    ],
)
def test_the_path_decides_what_flows_on_futures(name: str, routes: set[Route]) -> None:
    stream = parse(name, Market.USDM)
    assert stream is not None
    assert {route for route in Route if flows(stream, Market.USDM, route)} == routes


def test_quotes_never_cross_and_move_while_nobody_trades() -> None:
    tape = next(one for one in generated_tapes(1, START) if one.listing.symbol == "LTCUSDT")
    times, bids, asks = tape.quotes(tape.minute(START))
    assert (bids < asks).all()
    assert np.diff(times).min() >= 0
    assert len(set(bids.tolist())) > len(set(tape.minute(START).trades.price.tolist()))


async def test_at_500_trades_a_second_every_aggregate_arrives_once_and_in_order(started: Start) -> None:
    async with started(rate=20.0) as venue:
        names = [f"{symbol}@aggTrade" for symbol in ("btcusdt", "ethusdt", "solusdt")]
        socket = await venue.socket(f"{venue.exchange.addresses.spot_ws}/stream?streams={'/'.join(names)}")
        frames = await socket.frames_for(2.0)
        assert sum(frame["data"]["l"] - frame["data"]["f"] + 1 for frame in frames) > 500
        for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
            rows = [frame["data"] for frame in frames if frame["data"]["s"] == symbol]
            assert [row["a"] for row in rows] == list(range(rows[0]["a"], rows[0]["a"] + len(rows)))
            tape = venue.exchange.tapes[Market.SPOT, symbol]
            taken = tape.trades(rows[0]["T"], rows[-1]["T"] + 1)
            inside = (taken.id >= rows[0]["f"]) & (taken.id <= rows[-1]["l"])
            assert sum(Decimal(row["q"]) for row in rows) == Decimal(int(taken.quantity[inside].sum())).scaleb(
                -tape.listing.quantity_decimals
            )
