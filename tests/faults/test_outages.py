"""R-19: the exchange is out of reach for minutes, hours, two days; what it still tells is read, nothing is invented."""

import numpy as np
import pytest

from quantui.clock import Clock
from quantui.market.bars import COLUMNS, BarState
from quantui.market.instruments import Timeframe
from tests.faults.exchange import TRUTH_COLUMNS, Exchange, running_exchange, running_feed, until, wrong_bars

SPEED = 10.0
COINS = ("LINKUSDT", "LTCUSDT")
HOUR_S = 3600
_STATE = COLUMNS.index("state")
_LONG = [timeframe for timeframe in Timeframe if timeframe is not Timeframe.S1]


class Leaping(Clock):
    """The client's clock: while the exchange leaps, its wall time does too."""

    leapt_ms = 0

    def now_ms(self) -> int:
        """As ever, and so much further on."""
        return super().now_ms() + self.leapt_ms


async def _leap(exchange: Exchange, clock: Leaping, seconds: int) -> None:
    clock.leapt_ms += seconds * 1000
    await exchange.order("leap", seconds=seconds)


@pytest.mark.parametrize(
    ("market", "seconds"),
    [("spot", 600), ("usdm", HOUR_S), *(pytest.param(m, 47 * HOUR_S, marks=pytest.mark.soak) for m in ("spot", "usdm"))],
)
async def test_every_trade_of_an_outage_is_read_back(market: str, seconds: int) -> None:
    clock, patience = Leaping(SPEED), 300 if seconds > HOUR_S else 60
    arguments = ("--seed", "63", "--speed", str(SPEED), "--rate", "0.3", "--symbols", *COINS)
    async with (
        running_exchange(*arguments) as exchange,
        running_feed(exchange, market, COINS, clock, seconds + 4000) as feed,
    ):
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        await _leap(exchange, clock, seconds)
        left, back_ms = clock.monotonic(), clock.now_ms()
        await until(
            lambda: all(s.is_complete and s.builder.closed_until >= back_ms for s in feed.streams.values()),
            patience,
        )
        print(f"{market}, {seconds} s: read back after {clock.monotonic() - left:.0f} s")  # noqa: T201 - what a long run shows
        await clock.sleep(70)
        await until(
            lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()),
            patience,
        )
        for stream in feed.streams.values():
            assert stream.builder.closed_until - stream.builder.covered_from > seconds * 1000
            assert not await wrong_bars(exchange, market, stream)
            assert (stream.tally.holes_lost, stream.tally.mismatched) == (0, 0)
        assert (await exchange.counters())["violations"][market] == 0


async def test_beyond_the_reach_of_trades_minutes_come_from_klines_and_seconds_stay_a_gap() -> None:
    """Futures tell no trades older than 48 hours."""
    clock, seconds = Leaping(SPEED), 49 * HOUR_S
    arguments = ("--seed", "64", "--speed", str(SPEED), "--rate", "0.02", "--symbols", "LINKUSDT")
    async with (
        running_exchange(*arguments) as exchange,
        running_feed(exchange, "usdm", ["LINKUSDT"], clock, seconds + 4000, history_bars=1500) as feed,
    ):
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        (stream,) = feed.streams.values()
        await clock.sleep(70)
        await until(lambda: stream.builder.last_aggregate >= 0, 60)  # without a trade before there is no hole behind it
        lost_ms = stream.builder.closed_until
        await _leap(exchange, clock, seconds)
        await until(lambda: stream.tally.holes_lost > 0, 120, lambda: (clock.now_ms(), lost_ms, feed.status, stream))
        await clock.sleep(140)
        await until(lambda: feed.status.link == "live" and stream.is_complete, 60)
        back_ms = lost_ms + seconds * 1000
        seconds_kept = stream.frames[Timeframe.S1].between(lost_ms + 60_000, back_ms)
        assert not (seconds_kept[:, _STATE] != BarState.GAP).any()
        for timeframe in _LONG:
            start, stop = timeframe.floor(lost_ms) + timeframe.ms, timeframe.floor(back_ms + 60_000)
            rows = stream.frames[timeframe].between(start, stop)
            truth = await exchange.bars("usdm", "LINKUSDT", timeframe, max(start, int(rows[0, 0])), stop)
            values = slice(0, 9)
            assert [row[values] for row in rows[:, :TRUTH_COLUMNS].tolist()] == [row[values] for row in truth], timeframe
            assert not np.any(rows[:, _STATE] == BarState.GAP)
