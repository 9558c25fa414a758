"""Real captures through the embedded exchange, over WebSocket and REST, give the bars that `replay` gives."""

from pathlib import Path

import pytest

from quantui.clock import Clock
from quantui.feeds.recorded import RecordedFeed
from quantui.market.instruments import Timeframe
from tests.faults.exchange import TRUTH_COLUMNS, running_exchange, running_feed, until

SPEED = 20.0


@pytest.mark.parametrize(("market", "last_ms"), [("spot", 1_723_161_890_000), ("usdm", 1_723_161_590_000)])
async def test_a_recording_over_the_wire_equals_its_replay(market: str, last_ms: int, shared: Path) -> None:
    files = sorted((shared / "data/ticks/hftbacktest" / market).glob("*.gz"))
    replayed = RecordedFeed(files, clock=Clock())
    await replayed.run()
    clock = Clock(SPEED)
    arguments = ("--speed", str(SPEED), "--recording", *map(str, files))
    async with running_exchange(*arguments) as exchange, running_feed(exchange, market, ["BTCUSDT", "ETHUSDT"], clock) as feed:
        await until(lambda: bool(feed.streams), 20)
        await until(lambda: min(stream.builder.closed_until for stream in feed.streams.values()) >= last_ms, 120)
        compared = 0
        for symbol, stream in feed.streams.items():
            theirs = replayed.streams[symbol].frames
            begin = max(stream.builder.covered_from, replayed.streams[symbol].builder.covered_from)
            for timeframe in Timeframe:
                start, stop = timeframe.floor(begin + timeframe.ms - 1), timeframe.floor(last_ms)
                wired = stream.frames[timeframe].between(start, stop)[:, :TRUTH_COLUMNS].tolist()
                assert wired == theirs[timeframe].between(start, stop)[:, :TRUTH_COLUMNS].tolist(), (symbol, timeframe)
                compared += len(wired)
        assert compared > 600
        assert sum(stream.tally.mismatched for stream in feed.streams.values()) == 0
