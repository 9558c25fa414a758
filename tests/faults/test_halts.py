"""R-20: a market that stands still has no klines and no bars; a quiet one has both. The other coin goes on."""

from typing import Any

import pytest

from quantui.clock import Clock
from quantui.market.instruments import Timeframe
from tests.faults.exchange import Exchange, running_exchange, running_feed, until, wrong_bars

SPEED = 20.0
COINS = ("LINKUSDT", "LTCUSDT")
AFTER_S = 40


async def _within_traded_minutes(exchange: Exchange, wrong: list[str], span: tuple[int, int]) -> list[str]:
    """Without the silent seconds of minutes that were traded in part: futures have no klines of seconds to tell them by."""
    minutes = {row[0] for row in await exchange.bars("usdm", "LINKUSDT", Timeframe.M1, *span)}
    return [line for line in wrong if "1s " not in line or Timeframe.M1.floor(int(line.split()[2].rstrip(":"))) not in minutes]


@pytest.mark.parametrize(("market", "halt_s"), [("spot", 90), ("usdm", 150)])
async def test_no_bar_stays_that_was_made_while_a_market_stood_still(market: str, halt_s: int) -> None:
    clock = Clock(SPEED)
    halt = ("--halt", "LINKUSDT", str(AFTER_S), str(halt_s))
    arguments = ("--seed", "62", "--speed", str(SPEED), "--rate", "0.5", *halt, "--symbols", *COINS)
    async with running_exchange(*arguments) as exchange, running_feed(exchange, market, COINS, clock) as feed:
        await until(lambda: feed.status.link == "live", 20)
        by_name: dict[str, Any] = {symbol.name: stream for symbol, stream in feed.streams.items()}
        halted = by_name["LINKUSDT"]
        await until(lambda: halted.halted_from is not None, 30)
        await until(lambda: [note for note in feed.status.notes.values() if note.startswith("halted: LINKUSDT")] != [], 5)
        await until(lambda: halted.halted_from is None, 30)
        await clock.sleep(70)
        await until(lambda: feed.status.link == "live" and all(s.is_complete for s in feed.streams.values()), 20)
        assert not feed.status.notes
        for name, stream in by_name.items():
            wrong = await wrong_bars(exchange, market, stream)
            if market == "usdm" and name == "LINKUSDT":
                span = Timeframe.M1.floor(stream.builder.covered_from), stream.builder.closed_until
                wrong = await _within_traded_minutes(exchange, wrong, span)
            assert not wrong, wrong[:10]
            assert (stream.tally.holes_lost, stream.tally.mismatched) == (0, 0)
        assert feed.status.reconnects == 0
        assert (await exchange.counters())["requests"][market] < 100
