"""Trades out of every format of the documentation."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from quantui.feeds.files import FileError
from quantui.feeds.files.reader import Given, read, read_trades
from quantui.feeds.files.tape import MARK, Row, Tape
from tests.feeds.files.conftest import Write

T = 1_723_161_600_000


def trades(tape: Tape) -> list[tuple[str, int, float, float]]:
    """(symbol, time, price, size) of the trades, in order."""
    rows = [Row(*values) for values in zip(*(tape.columns[name].tolist() for name in Row._fields), strict=True)]
    return [
        (tape.symbols[row.symbol], row.time_ms, row.price / 10**row.price_decimals, row.quantity / 10**row.quantity_decimals)
        for row in rows
        if row.symbol != MARK and row.quantity
    ]


EXPECTED = [("BTCUSDT", T, 61837.63, 0.02), ("ETHUSDT", T + 1000, 2683.8, 3.0)]


@pytest.mark.parametrize(
    "lines",
    [
        [
            '{"symbol":"btcusdt","ts":1723161600,"price":61837.63,"size":0.02}',
            '{"symbol":"ETHUSDT","ts":1723161601.0,"price":"2683.80","size":3}',
        ],
        [
            '{"price":61837.63,"SIZE":2e-2,"Timestamp":"2024-08-09T00:00:00Z","symbol":"BTCUSDT","x":[]}',
            '{"symbol":"ETHUSDT","timestamp":"2024-08-09T00:00:01","price":2683.8,"size":3.0}',
        ],
        ["timestamp,symbol,price,size", "1723161600000,BTCUSDT,61837.63,0.02", "1723161601000000,ethusdt,2683.80,3"],
        ["Qty,TICKER,Close,DateTime", "0.02,BTCUSDT,61837.63,2024-08-09 00:00:00", '"3",ETHUSDT,2683.8,2024-08-09T00:00:01Z'],
        ["ts,ticker,price,amount,side", "1723161600,BTCUSDT,61837.630,0.020,BUY", "1723161601000000000,ETHUSDT,2683.8,3,sell"],
    ],
)
@pytest.mark.parametrize("name", ["ticks.csv", "ticks.gz", "ticks.zip", "anything.xyz"])
def test_ticks_of_any_source(write: Write, lines: Sequence[str], name: str) -> None:
    tape = read_trades(write(name, "\r\n".join(lines) + "\r\n"))
    assert trades(tape) == EXPECTED
    assert tape.venue == "external"
    assert tape.decimals() == {"BTCUSDT": (2, 2), "ETHUSDT": (1, 0)}
    assert set(tape.columns["id"].tolist()) == {-1}


def test_ticks_without_a_symbol_take_it_from_the_caller_or_the_name(write: Write) -> None:
    content = "time,price,quantity\n1723161600,100.5,1\n"
    assert read_trades(write("BTC_USDT-ticks.csv", content)).symbols == ("BTCUSDT",)
    assert read_trades(write("a_b_c_d.csv", content), Given(symbol="ethusdt")).symbols == ("ETHUSDT",)
    with pytest.raises(FileError, match="line 2: no symbol"):
        read_trades(write("a_b_c_d.csv", content))


def test_equal_rows_without_an_id_are_two_trades_and_with_an_id_one(write: Write) -> None:
    row = "1723161600,BTCUSDT,100,1"
    assert read_trades(write("a.csv", f"ts,symbol,price,size\n{row}\n{row}\n")).trades == 2
    assert read_trades(write("b.csv", f"ts,symbol,price,size,id\n{row},7\n{row},7\n{row},8\n")).trades == 2


@pytest.mark.parametrize(
    "bad",
    [
        "1723161601,BTCUSDT,0,1",
        "1723161601,BTCUSDT,-5,1",
        "1723161601,BTCUSDT,100,0",
        "1723161601,BTCUSDT,NaN,1",
        "1723161601,BTCUSDT,inf,1",
        "yesterday,BTCUSDT,100,1",
        "1723161601,BTCUSDT,100",
        "timestamp,symbol,price,size",
        '1723161601,"BTCUSDT,100,1',
        "1723161601,BTC USDT,100,1",
        "1723161601,BTCUSDT,1e3,1",
    ],
)
def test_the_first_bad_row_is_named_and_may_be_skipped(write: Write, bad: str) -> None:
    path = write("ticks.csv", f"timestamp,symbol,price,size\n1723161600,BTCUSDT,100,1\n{bad}\n1723161602,BTCUSDT,101,1\n")
    with pytest.raises(FileError, match=r"ticks\.csv, line 3: ") as caught:
        read_trades(path)
    assert caught.value.line == 3
    assert "\n" not in str(caught.value)
    tape = read_trades(path, Given(skip_bad=True))
    assert (tape.trades, tape.rejected) == (2, 1)


@pytest.mark.parametrize(
    "bad",
    [
        '{"symbol":"BTCUSDT","ts":1723161600,"price":100}',
        "{",
        '{"a":NaN}',
        '{"ts":1723161600,"price":true,"size":1,"symbol":"A"}',
        "[" * 10_000,
        '{"a":' * 10_000,
    ],
)
def test_the_first_bad_line_of_json_is_named(write: Write, bad: str) -> None:
    good = '{"symbol":"BTCUSDT","ts":1723161600,"price":100,"size":1}'
    path = write("ticks.ndjson", f"{good}\n{bad}\n{good}\n")
    with pytest.raises(FileError, match="line 2"):
        read_trades(path)
    assert read_trades(path, Given(skip_bad=True)).trades == 2


SPOT_AGG = "15683430,61837.63000000,0.02000000,19862790,19862791,{t},False,True"
SPOT_TRADE = "3735683259,61837.63000000,0.02000000,1236.75260000,{t},False,True"
UM_AGG = "15683430,61837.63,0.02,19862790,19862791,{t},false"
UM_TRADE = "3735683259,61837.63,0.02,1236.7526,{t},false"
AGG_HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
TRADE_HEADER = "id,price,qty,quote_qty,time,is_buyer_maker\n"


@pytest.mark.parametrize(
    ("header", "row", "venue", "ids"),
    [
        ("", SPOT_AGG, "binance-spot", (15683430, 19862790, 19862791)),
        ("", SPOT_TRADE, "binance-spot", (3735683259, 3735683259, 3735683259)),
        (AGG_HEADER, UM_AGG, "binance-usdm", (15683430, 19862790, 19862791)),
        ("", UM_AGG, "binance-usdm", (15683430, 19862790, 19862791)),
        (TRADE_HEADER, UM_TRADE, "binance-usdm", (3735683259, 3735683259, 3735683259)),
        ("", UM_TRADE, "binance-usdm", (3735683259, 3735683259, 3735683259)),
    ],
)
@pytest.mark.parametrize("time", [str(T), f"{T}123"])
def test_binance_bulk_trades(write: Write, header: str, row: str, venue: str, ids: tuple[int, int, int], time: str) -> None:
    tape = read_trades(write("BTCUSDT-trades-2024-08-09.zip", header + row.format(t=time) + "\n"))
    assert trades(tape) == [("BTCUSDT", T, 61837.63, 0.02)]
    assert tape.venue == venue
    assert tuple(int(tape.columns[name][0]) for name in ("id", "first_id", "last_id")) == ids
    assert tape.columns["maker"].tolist() == [0]


def test_bulk_rows_out_of_order_are_put_into_the_order_of_their_ids(write: Write) -> None:
    rows = [f"{number},100,1,{number},{number},{T + number},true" for number in (3, 1, 2)]
    tape = read_trades(write("BTCUSDT-aggTrades.csv", "\n".join(rows)))
    assert tape.columns["id"].tolist() == [1, 2, 3]


def test_a_bulk_row_of_nothing_uses_up_its_id(write: Write) -> None:
    rows = [f"{number},100,{size},{number},{number},{T + number},true" for number, size in ((1, 1), (2, 0), (3, 1))]
    tape = read_trades(write("BTCUSDT-aggTrades.csv", "\n".join(rows)))
    assert (tape.trades, tape.rejected, tape.columns["id"].tolist()) == (2, 1, [1, 2, 3])


def test_a_header_in_the_middle_of_a_bulk_file_is_a_bad_row(write: Write) -> None:
    row = UM_AGG.format(t=T) + "\n"
    with pytest.raises(FileError, match="line 3"):
        read_trades(write("BTCUSDT-aggTrades.csv", AGG_HEADER + row + AGG_HEADER + row))


def event(**fields: object) -> str:
    return json.dumps({"e": "trade", "E": T + 1, "s": "BTCUSDT", "t": 5, "p": "61837.63", "q": "0.02", "T": T, "m": True, **fields})


@pytest.mark.parametrize(
    ("line", "venue"),
    [
        (f"1723161598728000000 {event(M=True)}", "binance-spot"),
        (f'1723161598.728: {{"stream":"btcusdt@trade","data":{event(M=True)}}}', "binance-spot"),
        (f"1723161598.728: {event(X='MARKET')}", "binance-usdm"),
        (f"1723161598.728: {event(e='aggTrade', a=9, f=5, l=7, nq='0.02', st=1)}", "binance-usdm"),
        (f"1723161598.728: {event(e='aggTrade', a=9, f=5, l=7, st=2)}", "external"),
        (f"1723161598.728: {event(e='aggTrade', a=9, f=5, l=7)}", "external"),
        (
            f"wss://fstream.binance.com/stream?streams=x <-> 1.0\n1723161598.728: {event(e='aggTrade', a=9, f=5, l=7)}",
            "binance-usdm",
        ),
        (f"wss://stream.binance.us:9443/ws <-> 1.0\n1723161598.728: {event(M=True)}", "binance-us"),
        (f"1723161598.728: {event(M=True, E=(T + 1) * 1000, T=T * 1000)}", "binance-spot"),
    ],
)
def test_captures_of_both_shapes_tell_their_venue(write: Write, line: str, venue: str) -> None:
    tape = read_trades(write("capture.gz", line + "\n"))
    assert trades(tape) == [("BTCUSDT", T, 61837.63, 0.02)]
    assert tape.venue == venue
    assert tape.columns["event_ms"].tolist() == [T + 1]
    assert tape.columns["key_ns"].tolist() == [1_723_161_598_728_000_000]


def test_answers_and_other_events_of_a_capture_are_no_trades(write: Write) -> None:
    others = [
        '{"result":null,"id":1}',
        '{"error":{"code":2,"msg":"x"},"id":1}',
        '[{"e":"24hrMiniTicker","E":1}]',
        '{"e":7,"E":"x"}',
        '{"u":1,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}',
        '{"stream":"s","data":{"lastUpdateId":160,"bids":[],"asks":[]}}',
        '{"stream":"!m@arr","data":[{"e":"24hrMiniTicker","E":1}]}',
        '{"e":"kline","E":1,"k":{"t":1}}',
    ]
    lines = [f"1723161598.0: {other}" for other in others] + [f"1723161598.1: {event(M=True)}"]
    assert read_trades(write("capture.txt", "\n".join(lines))).trades == 1


@pytest.mark.parametrize(
    "bad",
    [
        "1723161598.0: {",
        "oops",
        f"x {event()}",
        f"1723161598.0: {event(p='NaN')}",
        f"1723161598.0: {event(t=None)}",
        f"1723161598.0: {event(p=5)}",
        f"1723161598.0: {event(T=-1)}",
        f"1723161598.0: {event(s='A B')}",
    ],
)
def test_a_bad_line_of_a_capture_is_named(write: Write, bad: str) -> None:
    path = write("capture.gz", f"1723161598.0: {event(M=True)}\n{bad}\n1723161598.1: {event(M=True, t=6)}\n")
    with pytest.raises(FileError, match=r"capture\.gz, line 2"):
        read_trades(path)
    tape = read_trades(path, Given(skip_bad=True))
    assert (tape.trades, tape.rejected) == (2, 1)


def test_a_capture_of_two_venues_must_be_split_or_named(write: Write) -> None:
    path = write("capture.gz", f"1723161598.0: {event(M=True)}\n1723161598.1: {event(X='MARKET')}\n")
    with pytest.raises(FileError, match=r"binance-spot and of binance-usdm"):
        read_trades(path)
    assert read_trades(path, Given(venue="binance-spot")).venue == "binance-spot"


def test_every_real_capture_is_read(shared: Path) -> None:
    found = {path.name: read(path) for path in (shared / "data/protocol/cryptofeed").glob("*.ws.*.gz")}
    tapes = {name: tape for name, tape in found.items() if isinstance(tape, Tape)}
    assert {name: (tape.venue, tape.trades) for name, tape in tapes.items()} == {
        "BINANCE.ws.1.0.gz": ("binance-spot", 2),
        "BINANCE_DELIVERY.ws.1.0.gz": ("external", 51),
        "BINANCE_FUTURES.ws.1.0.gz": ("binance-usdm", 91),
        "BINANCE_TR.ws.1.0.gz": ("external", 0),
        "BINANCE_US.ws.1.0.gz": ("binance-us", 11),
    }
    assert all(tape.rejected == 0 for tape in tapes.values())


def test_bars_are_no_trades_to_replay(write: Write) -> None:
    path = write("BTCUSDT-1h.json", json.dumps([[T, 1, 1, 1, 1, 1], [T + 3_600_000, 1, 1, 1, 1, 1]]))
    with pytest.raises(FileError, match="holds bars, not trades"):
        read_trades(path)


def test_numbers_beyond_64_bits_are_refused_when_scaled(write: Write) -> None:
    path = write("a.csv", f"ts,symbol,price,size\n{T},A,1000000000000,1\n{T},A,0.00000001,1\n")
    tape = read_trades(path)
    with pytest.raises(FileError, match="too large"):
        tape.scaled(tape.decimals())
