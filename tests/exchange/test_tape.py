import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from quantui.exchange.events import Source
from quantui.exchange.generated import GeneratedTape, Halt, generated_tapes
from quantui.exchange.listings import INTERVALS, Listing, Market, decimal
from quantui.exchange.streams import parse
from quantui.exchange.tape import Tape
from quantui.exchange.trades import RELEASE_MS
from quantui.exchange.truth import tape_bars

START = 1_795_246_944_769
MINUTE = 60_000


def tape_of(
    symbol: str = "ETHUSDT",
    market: Market = Market.SPOT,
    *,
    halts: Sequence[Halt] = (),
    placeholders: float = 0.0,
    dummy_every: int = 0,
) -> GeneratedTape:
    tapes = generated_tapes(3, START, halts=halts, placeholders=placeholders, dummy_every=dummy_every)
    return next(tape for tape in tapes if tape.listing.market is market and tape.listing.symbol == symbol)


def columns(tape: Tape, start: int, end: int) -> list[list[int]]:
    trades = tape.trades(start, end)
    return [getattr(trades, name).tolist() for name in ("id", "time", "price", "quantity", "maker", "kind")]


def test_the_same_seed_and_start_give_the_same_tape_in_whatever_order_it_is_read() -> None:
    one, other = tape_of(), tape_of()
    late = columns(one, START + 5 * MINUTE, START + 6 * MINUTE)
    assert columns(other, START, START + 7 * MINUTE)[0][-1] > late[0][0]
    assert columns(other, START + 5 * MINUTE, START + 6 * MINUTE) == late
    for minute in range(60):  # far enough to push the first minutes out of memory
        one.minute(START + minute * MINUTE)
    assert columns(one, START, START + MINUTE) == columns(other, START, START + MINUTE)


def test_another_seed_gives_another_tape() -> None:
    tapes = [next(iter(generated_tapes(seed, START))) for seed in (1, 2)]
    assert columns(tapes[0], START, START + MINUTE) != columns(tapes[1], START, START + MINUTE)


def test_ids_have_no_holes_and_time_never_goes_back() -> None:
    for market in Market:
        trades = tape_of(market=market, placeholders=0.05).trades(START - 5 * MINUTE, START + 5 * MINUTE)
        assert set(np.diff(trades.id).tolist()) == {1}
        assert np.diff(trades.time).min() >= 0
        rows = tape_of(market=market, placeholders=0.05).aggregates(until_ms=START, limit=1000)
        assert [row.id for row in rows] == list(range(rows[0].id, rows[0].id + 1000))


@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize("interval", list(INTERVALS))
def test_klines_equal_the_ground_truth(market: Market, interval: str) -> None:
    halts = [Halt(START + 100_000, START + 230_000, "SOLUSDT"), Halt(START + 300_000, START + 317_000)]
    length = INTERVALS[interval]
    for symbol in ("SOLUSDT", "LTCUSDT"):
        tape = tape_of(symbol, market, halts=halts, placeholders=0.02, dummy_every=30)
        start = tape.first_ms + -tape.first_ms % length
        end = start + max(25 * MINUTE // length * length, length)
        assert [tuple(kline) for kline in tape.klines(interval, start, end, end)] == tape_bars(tape, length, start, end)


def test_history_reaches_back_90_days_and_joins_the_live_prices() -> None:
    tape = tape_of("BTCUSDT", Market.USDM)
    hours = list(tape.klines("1h", START - 90 * 86_400_000, START, START))
    assert len(hours) == 90 * 24
    assert {later.open_ms - earlier.open_ms for earlier, later in pairwise(hours)} == {3_600_000}
    minutes = list(tape.klines("1m", START - 200 * MINUTE, START, START))
    jumps = [abs(math.log(later.open / earlier.close)) for earlier, later in pairwise(minutes)]
    assert max(jumps) < 20e-4
    assert all(kline.low <= min(kline.open, kline.close) <= max(kline.open, kline.close) <= kline.high for kline in hours + minutes)


@pytest.mark.parametrize("interval", ["5m", "15m", "1h"])
def test_longer_history_is_rolled_up_from_its_minutes(interval: str) -> None:
    tape, length = tape_of("SOLUSDT"), INTERVALS[interval]
    end = START // 3_600_000 * 3_600_000 - 3_600_000
    for whole in tape.klines(interval, end - 3 * length, end, START):
        parts = list(tape.klines("1m", whole.open_ms, whole.open_ms + length, START))
        assert len(parts) == length // MINUTE
        assert whole.open == parts[0].open
        assert whole.close == parts[-1].close
        assert whole.high == max(part.high for part in parts)
        assert whole.low == min(part.low for part in parts)
        assert whole.volume == sum(part.volume for part in parts)
        assert whole.taker_quote == sum(part.taker_quote for part in parts)


def test_a_kline_across_the_border_of_history_counts_its_ids_back() -> None:
    tape = tape_of("BTCUSDT")
    hour = START // 3_600_000 * 3_600_000
    kline = tape.kline(3_600_000, hour, START)
    assert kline is not None
    assert kline.last_id - kline.first_id + 1 == kline.trade_count


def test_trades_are_there_some_minutes_before_the_start() -> None:
    rows = tape_of("ETHUSDT", Market.USDM).aggregates(start_ms=START - 10 * MINUTE, until_ms=START, limit=1)
    assert rows[0].time < START - 9 * MINUTE


def test_a_halt_has_neither_trades_nor_klines_nor_frames() -> None:
    halt = Halt(START // 1000 * 1000 + 60_000, START // 1000 * 1000 + 90_000, "ETHUSDT")
    tape = tape_of(halts=[halt])
    assert len(tape.trades(halt.start_ms, halt.end_ms)) == 0
    assert list(tape.klines("1s", halt.start_ms, halt.end_ms, halt.end_ms)) == []
    stream = parse("ethusdt@kline_1s", Market.SPOT)
    assert stream is not None
    assert list(Source(tape, stream).between(halt.start_ms + 1_000, halt.end_ms)) == []
    assert len(list(tape.klines("1s", halt.end_ms, halt.end_ms + 10_000, halt.end_ms + 10_000))) == 10


def test_eth_and_btc_move_together_and_doge_does_not() -> None:
    def log_closes(symbol: str) -> list[float]:
        return [math.log(kline.close) for kline in tape_of(symbol).klines("1m", START - 600 * MINUTE, START, START)]

    returns = {symbol: np.diff(log_closes(symbol)) for symbol in ("BTCUSDT", "ETHUSDT", "DOGEUSDT")}
    assert np.corrcoef(returns["ETHUSDT"], returns["BTCUSDT"])[0, 1] > 0.9
    assert abs(np.corrcoef(returns["DOGEUSDT"], returns["BTCUSDT"])[0, 1]) < 0.3


def test_quiet_coins_are_silent_for_many_seconds_and_busy_ones_burst() -> None:
    quiet = tape_of("币安人生USDT").trades(START, START + 20 * MINUTE).time
    assert np.diff(quiet).max() > 20_000
    busy = tape_of("BTCUSDT").trades(START, START + 10 * MINUTE).time
    seconds = np.bincount((busy - START) // 1000)
    assert seconds.max() > 4 * seconds.mean()


def test_futures_are_released_after_the_last_trade_of_their_window() -> None:
    tape = tape_of("BTCUSDT", Market.USDM)
    for row in tape.aggregates(until_ms=START, limit=500):
        assert row.event_ms == row.time + RELEASE_MS


@pytest.mark.parametrize(
    ("value", "scale", "digits", "text"),
    [
        (6180030, 2, 2, "61800.30"),
        (5, 5, 8, "0.00005000"),
        (58, 0, 8, "58.00000000"),
        (3917, 0, 0, "3917"),
        (123456789, 9, 8, "0.12345678"),
    ],
)
def test_decimals_are_printed_exactly(value: int, scale: int, digits: int, text: str) -> None:
    assert decimal(value, scale, digits) == text


def test_spot_prints_eight_decimals_and_futures_their_own() -> None:
    assert Listing(Market.SPOT, "X", 2, 3).price(6180030) == "61800.30000000"
    assert Listing(Market.USDM, "X", 2, 3).quote(123456) == "1.23456"
