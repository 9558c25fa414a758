"""A bar that is not the exchange's is a question to REST; only its answer makes a mismatch of it."""

from msgspec.structs import replace

from quantui.feeds.binance.backfill import Backfill
from quantui.market.bars import COLUMNS, BarState
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Timeframe
from quantui.market.stream import SymbolStream
from quantui.market.trades import Trade
from tests.feeds.binance.emulator import BTC, SPOT, Emulator, StillClock, kline_row, row, running_emulator, running_rest

NOW = 1_723_161_600_000


def _keep(stream: SymbolStream, finer: Instrument) -> bool:
    return False


def _doubtful() -> SymbolStream:
    """A stream that lacks the trade 3 of its closed second, and has been told so by a kline."""
    stream = SymbolStream(SymbolFrames(BTC))
    stream.questioned = {}
    for number, time in ((1, NOW - 500), (2, NOW + 100)):
        stream.trade(Trade(number, time, 10_000, 50_000, number, number, buyer_is_maker=False))
    stream.advance(NOW + 1000)
    bar = stream.frames[Timeframe.S1].bar(0)
    twice = {name: 2 * getattr(bar, name) for name in ("volume", "quote_volume", "taker_volume", "taker_quote", "trade_count")}
    stream.kline(Timeframe.S1, replace(bar, **twice, first_id=-1, last_id=-1, state=BarState.CERTIFIED))
    assert len(stream.questioned) == 1
    return stream


async def _asked(emulator: Emulator, stream: SymbolStream) -> bool:
    clock = StillClock(NOW)
    async with running_rest(emulator, clock) as rest:
        return await Backfill(rest, SPOT, clock, clock.now_ms, 5, 60, _keep).ask(stream)


async def test_the_trade_that_was_lacking_is_read_and_the_bar_is_certified() -> None:
    stream = _doubtful()
    async with running_emulator() as emulator:
        emulator.tell("aggTrades", [row(3, NOW + 200)])
        assert await _asked(emulator, stream)
    assert (stream.tally.certified, stream.questioned) == (1, {})


async def test_an_exchange_that_has_nothing_more_leaves_the_question_to_be_concluded() -> None:
    stream = _doubtful()
    async with running_emulator() as emulator:
        emulator.tell("aggTrades", [])
        assert await _asked(emulator, stream)
    assert len(stream.questioned or ()) == 1
    stream.conclude()
    assert stream.tally.mismatched == 1


async def test_without_an_answer_nothing_is_concluded() -> None:
    stream = _doubtful()
    async with running_emulator() as emulator:
        emulator.tell("aggTrades", "down", 500)
        assert not await _asked(emulator, stream)
    assert (stream.tally.mismatched, len(stream.questioned or ())) == (0, 1)


def _with_minutes(*proven: int) -> SymbolStream:
    """Five closed minutes, of which some are proven and the others are not there."""
    stream = SymbolStream(SymbolFrames(BTC))
    stream.trade(Trade(1, NOW - 500, 10_000, 50_000, 1, 1, buyer_is_maker=False))
    stream.proven_until = NOW + 5 * 60_000
    stream.builder.advance(NOW + 5 * 60_000)
    ring = stream.frames[Timeframe.M1]
    bars = [ring.bar(number) for number in range(len(ring))]
    ring.load(ring.rows[:0])
    for number in proven:
        ring.put(replace(bars[number], state=BarState.CERTIFIED))
    for row_ in stream.frames[Timeframe.S1].rows:
        row_[COLUMNS.index("state")] = BarState.CERTIFIED
    return stream


async def test_the_kline_of_a_minute_that_is_not_there_is_asked_for_once() -> None:
    stream, clock = _with_minutes(0, 1, 3), StillClock(NOW + 5 * 60_000 + 9_000)
    async with running_emulator() as emulator, running_rest(emulator, clock) as rest:
        emulator.tell("klines", [kline_row(NOW + 2 * 60_000, 60_000)])
        backfill = Backfill(rest, SPOT, clock, clock.now_ms, 5, 60, _keep)
        assert backfill.unproven(stream) == [(Timeframe.M1, NOW + 2 * 60_000, NOW + 4 * 60_000)]  # the fifth may still come
        clock.ms += 2_000
        await backfill.certify(stream)
        ring = stream.frames[Timeframe.M1]
        assert (ring.times - NOW).tolist() == [0, 60_000, 120_000, 180_000]
        assert emulator.requests[-1][1]["limit"] == "3"
        assert backfill.unproven(stream) == []  # the exchange has no kline of the fifth
        clock.ms += 60_000
        assert backfill.unproven(stream) == []
        assert emulator.count("klines") == 1


async def test_nothing_is_asked_for_while_trades_are_missing() -> None:
    stream, clock = _with_minutes(0, 1, 3), StillClock(NOW + 6 * 60_000)
    stream.trade(Trade(4, NOW + 5 * 60_000, 10_000, 50_000, 4, 4, buyer_is_maker=False))
    async with running_emulator() as emulator, running_rest(emulator, clock) as rest:
        assert Backfill(rest, SPOT, clock, clock.now_ms, 5, 60, _keep).unproven(stream) == []
