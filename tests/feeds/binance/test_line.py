"""Frames of one socket to the streams they belong to."""

import json

import pytest

from quantui.feeds.binance.line import Line
from quantui.feeds.feed import FeedStatus
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Symbol, Timeframe
from quantui.market.rescaling import finest
from quantui.market.stream import SymbolStream
from tests.feeds.binance.emulator import BTC, StillClock

NOW = 1_723_161_600_000
CAPACITY = dict.fromkeys(Timeframe, 2_000)


class Wire:
    """A line with one symbol, and what it was told."""

    def __init__(self, *, widens: bool = True) -> None:
        self.stream = SymbolStream(SymbolFrames(BTC, CAPACITY))
        self.clock, self.status = StillClock(NOW), FeedStatus()
        self.problems: list[str] = []
        self._widens = widens
        self.line = Line({"BTCUSDT": self.stream}, self.status, self.clock, 250, self.problems.append, self._widen)

    def _widen(self, stream: SymbolStream, finer: Instrument) -> bool:
        return self._widens and stream.rescale(finest(stream.frames.instrument, finer))

    def take(self, *frames: object) -> None:
        """Frames as they arrive: bytes as they are, the rest as JSON."""
        self.line.take([frame if isinstance(frame, bytes) else json.dumps(frame).encode() for frame in frames])

    def trade(self, number: int, time_ms: int = NOW, **changes: object) -> dict[str, object]:
        event = {"e": "aggTrade", "E": time_ms, "s": "BTCUSDT", "a": number, "p": "100.00", "q": "1", "f": number, "l": number}
        return {"stream": "btcusdt@aggTrade", "data": event | {"T": time_ms, "m": False} | changes}

    def kline(self, open_ms: int, *, closed: bool = True, interval: str = "1s", event_ms: int = 0, **changes: object) -> object:
        inner = {"t": open_ms, "i": interval, "f": 1, "L": 1, "o": "100", "c": "100", "h": "100", "l": "100", "v": "1", "n": 1}
        inner |= {"x": closed, "q": "100", "V": "1", "Q": "100"} | changes
        data = {"e": "kline", "E": event_ms or open_ms + 1000, "s": "BTCUSDT", "k": inner}
        return {"stream": f"btcusdt@kline_{interval}", "data": data}


def test_trades_are_applied_and_bars_close_behind_the_newest_event_time_and_its_grace() -> None:
    wire = Wire()
    wire.take(wire.trade(1), wire.trade(2, NOW + 1000), wire.trade(3, NOW + 2249))
    wire.line.settle()
    assert wire.stream.builder.closed_until == NOW + 2000  # a trade of the next second closed it
    wire.take(wire.kline(NOW + 2000, closed=False, event_ms=NOW + 3250))
    wire.line.settle()
    assert wire.stream.builder.closed_until == NOW + 3000
    assert [bar[0] for bar in wire.stream.frames[Timeframe.S1].rows.tolist()] == [NOW + 1000, NOW + 2000]
    assert wire.status.messages == 4
    assert wire.line.seen == {"btcusdt@aggTrade", "btcusdt@kline_1s"}


def test_a_closing_kline_proves_the_bar_and_an_open_one_does_not() -> None:
    wire = Wire()
    wire.take(wire.trade(0, NOW - 500), wire.trade(1), wire.trade(2, NOW + 1000))
    wire.take(wire.kline(NOW, closed=False))
    assert wire.stream.tally.certified == 0
    wire.take(wire.kline(NOW))
    assert wire.stream.tally.certified == 1


@pytest.mark.parametrize(
    "frame",
    [
        b"{", b"\xff\xfe", b"[" * 100_000, b'{"stream":"x","data":{"e":5}}', b'{"stream":"x","data":"text"}', b"null",
        b'{"stream":"x","data":{"e":"aggTrade","s":"NOPEUSDT","a":7,"p":1}}', b'{"e":"aggTrade","s":"BTCUSDT"}',
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_counted_and_the_rest_goes_on(frame: bytes) -> None:
    wire = Wire()
    wire.take(wire.trade(1), frame, wire.trade(2))
    assert wire.status.rejected == 1
    assert wire.stream.tally.trades == 2
    assert wire.stream.is_complete


def test_a_placeholder_uses_up_its_id() -> None:
    wire = Wire()
    wire.take(wire.trade(1), wire.trade(2, NOW, p="0", q="0", f=-1, l=-1), wire.trade(3))
    assert wire.stream.tally.rejected == 1
    assert wire.stream.tally.trades == 2
    assert wire.stream.hole is None


@pytest.mark.parametrize(
    "changes", [{"p": 5}, {"p": "NaN"}, {"p": "-1"}, {"q": "0"}, {"l": 0, "f": 9}, {"T": NOW * 1000}, {"T": NOW + 10**9}]
)
def test_a_trade_that_cannot_be_true_is_missing_until_rest_is_asked(changes: dict[str, object]) -> None:
    wire = Wire()
    wire.status.exchange_ms, wire.status.exchange_at = NOW, wire.clock.monotonic()
    wire.take(wire.trade(1), wire.trade(2, NOW, **changes), wire.trade(3))
    assert wire.stream.tally.rejected == 1
    assert wire.stream.tally.trades == 1
    assert wire.stream.hole == (2, 3)


def test_a_record_without_an_id_is_counted() -> None:
    wire = Wire()
    wire.take(wire.trade(1), wire.trade(2, a="x"), wire.trade(3, a=-1), wire.kline(NOW, v="x"))
    assert wire.stream.tally.rejected == 3


def test_one_wild_event_time_closes_nothing_that_is_still_to_come() -> None:
    wire = Wire()
    wire.take(wire.trade(1), wire.trade(2, NOW + 1000))
    wire.take(wire.kline(NOW, closed=False, event_ms=NOW + 10**10), wire.kline(NOW, closed=False, event_ms=NOW * 1000))
    wire.line.settle()
    assert wire.line.watermark_ms == NOW + 1000
    assert wire.stream.doubt is None


def test_after_the_machine_has_slept_the_local_clock_vouches_for_the_new_time() -> None:
    wire = Wire()
    wire.take(wire.trade(1))
    wire.status.exchange_at += 8 * 3600  # the monotonic clock stood still for eight hours
    wire.clock.ms += 8 * 3_600_000
    wire.take(wire.trade(2, wire.clock.ms))
    assert wire.line.watermark_ms == wire.clock.ms
    assert wire.stream.tally.rejected == 0


def test_a_clock_that_is_years_wrong_is_set_by_the_exchange_before_it_is_trusted() -> None:
    wire = Wire()
    wire.clock.ms -= 10**11
    wire.take(wire.trade(1))
    wire.take(wire.trade(2, NOW + 500))
    assert wire.line.watermark_ms == NOW + 500
    assert wire.stream.tally.trades == 2


def test_a_trade_finer_than_the_tick_widens_the_decimals_and_is_not_lost() -> None:
    wire = Wire()
    wire.take(
        wire.trade(0, NOW - 500), wire.trade(1), wire.trade(2, NOW + 400, p="100.005", q="0.0000005"), wire.trade(3, NOW + 1000)
    )
    instrument = wire.stream.frames.instrument
    assert (instrument.price_decimals, instrument.quantity_decimals) == (3, 7)
    bar = wire.stream.frames[Timeframe.S1].bar(0)
    assert (bar.open, bar.high, bar.close, bar.volume) == (100_000, 100_005, 100_005, 10_000_005)
    assert bar.quote_volume == 100_000 * 10_000_000 + 100_005 * 5
    assert wire.stream.tally.rejected == 0


def test_a_trade_whose_decimals_cannot_be_had_is_counted_and_leaves_no_hole() -> None:
    wire = Wire(widens=False)
    wire.take(wire.trade(1), wire.trade(2, p="100.005"), wire.trade(3), wire.kline(NOW, c="100.005"))
    assert wire.stream.tally.rejected == 2
    assert wire.stream.hole is None


def test_klines_that_do_not_open_on_their_interval_or_have_a_strange_one_are_left_alone() -> None:
    wire = Wire()
    wire.take(wire.trade(1), wire.kline(NOW - 60_001, interval="1m"), wire.kline(NOW, interval="3m"))
    wire.take({"stream": "btcusdt@kline_1m", "data": {"e": "kline", "E": NOW, "s": "BTCUSDT"}})
    assert wire.stream.tally.adopted == 0


def test_quotes_are_kept_where_they_make_sense() -> None:
    wire, symbol = Wire(), Symbol("binance-spot", "BTCUSDT")

    def quote(bid: object, ask: object) -> object:
        return {"stream": "btcusdt@bookTicker", "data": {"u": 1, "s": "BTCUSDT", "b": bid, "B": "1", "a": ask, "A": "1"}}

    wire.take(quote("100.00", "100.01"))
    assert (wire.status.quotes[symbol].bid, wire.status.quotes[symbol].ask) == (10_000, 10_001)
    wire.take(quote("100.02", "100.01"), quote("0", "1"), quote("x", "1"))
    assert wire.status.quotes[symbol].bid == 10_000
    assert wire.stream.tally.rejected == 1


def test_funding_is_kept_where_it_is_a_rate() -> None:
    wire = Wire()
    for rate in ("0.0001", "nan", "", "x", None, "5"):
        wire.take(
            {"stream": "btcusdt@markPrice@1s", "data": {"e": "markPriceUpdate", "E": NOW, "s": "BTCUSDT", "p": "1", "r": rate}}
        )
    assert wire.status.funding == {Symbol("binance-spot", "BTCUSDT"): 0.0001}


def test_errors_are_told_and_answers_and_other_events_are_not_rejects() -> None:
    wire = Wire()
    wire.take({"error": {"code": 2, "msg": "bad stream"}, "id": 1}, {"code": 4, "msg": "too many"}, {"result": None, "id": 2})
    wire.take({"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": NOW}}, {"stream": "!x@arr", "data": [1, 2]})
    assert wire.problems == ["bad stream", "too many"]
    assert wire.status.rejected == 0


def test_the_exchange_clock_and_the_delay_follow_the_event_times() -> None:
    wire = Wire()
    wire.status.skew_ms = 1000.0
    wire.clock.ms = NOW + 1150
    wire.take(wire.trade(1))
    assert (wire.status.exchange_ms, wire.status.lag_ms) == (NOW, 150.0)
    wire.clock.ms += 1000
    wire.take(wire.trade(2, NOW + 1000), wire.trade(3, NOW + 900))
    assert wire.status.exchange_ms == NOW + 1000
    assert wire.status.lag_ms == 150.0


def test_a_new_connection_has_heard_no_stream_yet() -> None:
    wire = Wire()
    wire.take(wire.trade(1), wire.kline(NOW - 60_000, interval="1m"))
    assert wire.line.exchange_ids
    wire.line.begin()
    assert not wire.line.seen
    assert not wire.line.exchange_ids
