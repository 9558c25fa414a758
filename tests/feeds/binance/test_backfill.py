"""A bar that is not the exchange's is a question to REST; only its answer makes a mismatch of it."""

from msgspec.structs import replace

from quantui.feeds.binance.backfill import Backfill
from quantui.market.bars import BarState
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Instrument, Timeframe
from quantui.market.stream import SymbolStream
from quantui.market.trades import Trade
from tests.feeds.binance.emulator import BTC, SPOT, Emulator, StillClock, row, running_emulator, running_rest

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
