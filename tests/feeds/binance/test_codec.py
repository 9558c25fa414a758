"""Frames and rows from the wire: typed, or refused with the id they used up."""

import json

import msgspec
import pytest

from quantui.feeds.binance import codec
from quantui.feeds.binance.info import decode_exchange_info
from quantui.market.bars import Bar, BarState
from quantui.market.instruments import Instrument
from tests.feeds.binance.emulator import BTC, kline_row, row

NOW = 1_723_161_600_000


def _data(**changes: object) -> codec.Data:
    event = {"e": "aggTrade", "E": NOW, "s": "BTCUSDT", "a": 7, "p": "100.25000000", "q": "0.50000000", "f": 3, "l": 5, "T": NOW}
    data = codec.decode_frame(json.dumps({"stream": "x", "data": event | {"m": True, "M": True} | changes}).encode()).data
    assert isinstance(data, codec.Data)
    return data


def test_a_trade_is_read_exactly_whatever_else_the_frame_holds() -> None:
    trade = codec.trade_of(_data(nq="0.1", st=1, novel={"deep": []}), BTC)
    assert (trade.id, trade.time_ms, trade.price, trade.quantity) == (7, NOW, 10025, 50_000)
    assert (trade.first_id, trade.last_id, trade.buyer_is_maker, trade.count) == (3, 5, True, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"p": "0"}, {"q": "0.00000000"}, {"f": -1, "l": -1}, {"p": "NaN"}, {"p": "1e5"}, {"p": "-1"}, {"p": ""}, {"q": "1_000"},
        {"p": "１"}, {"l": 2}, {"T": 0}, {"T": NOW * 1000}, {"p": "9" * 19}, {"q": "9" * 38}, {"l": 1 << 62}, {"l": "5"},
        {"p": "0.0000000000001"},
    ],
)  # fmt: skip
def test_what_must_not_enter_a_bar_is_refused_and_names_its_id(changes: dict[str, object]) -> None:
    with pytest.raises(codec.RefusedError) as caught:
        codec.trade_of(_data(**changes), BTC)
    assert caught.value.trade_id == 7
    assert not isinstance(caught.value, codec.TooFineError)


@pytest.mark.parametrize("wrong", [-1, "7", 1 << 62])
def test_without_a_usable_id_there_is_none_to_name(wrong: int | str) -> None:
    with pytest.raises(codec.RefusedError) as caught:
        codec.trade_of(_data(a=wrong), BTC)
    assert caught.value.trade_id is None


def test_a_number_finer_than_the_tick_says_in_which_decimals_it_can_be_had() -> None:
    with pytest.raises(codec.TooFineError) as caught:
        codec.trade_of(_data(p="100.12345000", q="0.0000010"), BTC)
    assert caught.value.trade_id == 7
    assert caught.value.instrument == Instrument(BTC.symbol, 5, 6)
    assert codec.trade_of(_data(p="100.12345000", q="0.0000010"), caught.value.instrument).price == 10_012_345


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (b'{"stream":"x","data":{"e":"aggTrade","s":"BTCUSDT","a":7,"p":100.2}}', "BTCUSDT"),
        (b'{"stream":"x","data":{"e":"aggTrade","s":"BTCUSDT","a":true}}', "BTCUSDT"),
        (b'{"stream":"x","data":{"e":"aggTrade","s":5,"a":7}}', None),
        (b'{"stream":"x","data":{"e":"kline","s":"BTCUSDT","a":7}}', None),
        (b'{"data":[1]}', None),
        (b"[1]", None),
        (b'{"data"', None),
        (b'{"data":' + b"[" * 100_000, None),
    ],
)
def test_the_symbol_of_a_frame_that_does_not_fit_is_salvaged_where_it_can_be_read(frame: bytes, found: str | None) -> None:
    assert codec.salvage(frame) == found


@pytest.mark.parametrize("text", [b'{"error":{"code":2,"msg":"no"},"id":1}', b'{"code":2,"msg":"no"}'])
def test_errors_are_read_nested_as_on_the_wire_and_flat_as_in_the_document(text: bytes) -> None:
    frame = codec.decode_frame(text)
    assert (frame.error.code if frame.error else frame.code) == 2


def _kline(*cells: object) -> Bar:
    return codec.bar_of_row(codec.decode_klines(json.dumps([cells]).encode())[0], BTC)


def test_a_kline_row_is_a_bar_without_ids() -> None:
    bar = _kline(*kline_row(NOW, 60_000, price="100.5", volume="2.5", count=3))
    assert (bar.open_ms, bar.open, bar.volume, bar.quote_volume, bar.trade_count) == (NOW, 10050, 250_000, 1_000_000_000, 3)
    assert (bar.first_id, bar.last_id, bar.last_aggregate, bar.state) == (-1, -1, -1, BarState.CERTIFIED)


@pytest.mark.parametrize(("at", "cell"), [(1, "0"), (1, "x"), (5, "1" + "0" * 20), (0, -60_000), (0, NOW * 1000), (8, 1 << 63)])
def test_an_impossible_kline_is_refused(at: int, cell: object) -> None:
    cells = kline_row(NOW, 60_000)
    cells[at] = cell
    with pytest.raises(codec.RefusedError):
        _kline(*cells)


def test_a_kline_finer_than_the_tick_says_so() -> None:
    with pytest.raises(codec.TooFineError) as caught:
        _kline(*kline_row(NOW, 60_000, price="100.123"))
    assert caught.value.instrument.price_decimals == 3


def test_a_row_of_rest_is_read_like_a_frame() -> None:
    found = codec.decode_agg_trades(json.dumps([row(9, NOW) | {"nq": "1"}]).encode())
    assert codec.trade_of_row(found[0], BTC).id == 9
    with pytest.raises(msgspec.DecodeError):
        codec.decode_agg_trades(b'{"code":-1}')


def test_the_decimals_are_those_of_tick_and_step_not_the_precisions() -> None:
    filters = [{"filterType": "PRICE_FILTER", "tickSize": "0.10"}, {"filterType": "LOT_SIZE", "stepSize": "0.001"}, {"odd": 1}]
    info = decode_exchange_info(
        json.dumps({"symbols": [{"symbol": "A", "pricePrecision": 5, "quantityPrecision": 5, "filters": filters}]}).encode()
    )
    instrument = info.instruments("v")["A"]
    assert (instrument.price_decimals, instrument.quantity_decimals) == (1, 3)
    assert info.statuses() == {"A": "TRADING"}
    assert info.weight_limit() is None


@pytest.mark.parametrize(
    ("symbol", "decimals"),
    [
        ({}, (2, 2)),
        ({"pricePrecision": 4, "quantityPrecision": 3}, (4, 3)),
        ({"pricePrecision": -4, "quantityPrecision": 3}, (0, 3)),
        ({"filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.0"}], "pricePrecision": 1, "quantityPrecision": 0}, (1, 0)),
        ({"filters": [{"filterType": "PRICE_FILTER", "tickSize": "1e-8"}], "pricePrecision": 1, "quantityPrecision": 0}, (1, 0)),
        ({"filters": None, "status": 5}, (2, 2)),
        ({"pricePrecision": "8"}, (2, 2)),
    ],
)
def test_a_symbol_told_in_few_or_odd_fields_is_still_one(symbol: dict[str, object], decimals: tuple[int, int]) -> None:
    body = {"symbols": [{"symbol": "A"} | symbol, {"nameless": 1}, 5], "rateLimits": [3, {"rateLimitType": "REQUEST_WEIGHT"}]}
    info = decode_exchange_info(json.dumps(body).encode())
    instrument = info.instruments("v")["A"]
    assert (instrument.price_decimals, instrument.quantity_decimals) == decimals
    assert len(info.symbols) == 1
    assert info.weight_limit() is None


def test_the_weight_limit_is_that_of_one_minute() -> None:
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "SECOND", "intervalNum": 1, "limit": 5},
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
    ]
    assert decode_exchange_info(json.dumps({"symbols": [], "rateLimits": limits}).encode()).weight_limit() == 2400
