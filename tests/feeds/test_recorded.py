"""Replay: the same bars as Binance's own, whatever the speed; holes and silences named, never filled."""

import asyncio
import gzip
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from quantui.clock import Clock
from quantui.feeds.files import FileError
from quantui.feeds.recorded import RecordedFeed
from quantui.market.bars import COLUMNS, BarState
from quantui.market.instruments import Symbol, Timeframe

if TYPE_CHECKING:
    from quantui.feeds.feed import Feed
    from quantui.market.builder import BarEvent

START = 1_723_161_600_000
"""2024-08-09 00:00 UTC."""
BUILT = (Timeframe.S1, Timeframe.M1, Timeframe.M5)
"""The recordings are minutes long."""


def replayed(files: Sequence[Path], clock: Clock | None = None, speed: float | None = None) -> RecordedFeed:
    feed = RecordedFeed(files, clock=clock or Clock(), speed=speed)
    asyncio.run(feed.run())
    return feed


def ms_of(text: str) -> int:
    return int(pl.Series([text]).str.to_datetime(time_unit="ms", time_zone="UTC").dt.epoch("ms")[0])


def frame(event_ms: int, **fields: object) -> str:
    event = {"e": "depthUpdate", "E": event_ms, "s": "BTCUSDT", **fields}
    return f"{event_ms * 1_000_000} {json.dumps({'stream': 'x', 'data': event})}"


def trade(number: int, time_ms: int, **fields: object) -> str:
    return frame(time_ms, **{"e": "trade", "t": number, "p": "100.10", "q": "1.0", "T": time_ms, "m": False, "M": True, **fields})


def capture(tmp_path: Path, lines: Iterable[str], name: str = "capture.gz") -> Path:
    path = tmp_path / name
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode()))
    return path


def seconds(feed: RecordedFeed, name: str = "BTCUSDT", venue: str = "binance-spot") -> dict[int, tuple[int, BarState]]:
    """Open second after START -> (close, state)."""
    ring = feed.streams[Symbol(venue, name)].frames[Timeframe.S1]
    bars = [ring.bar(index) for index in range(len(ring))]
    return {(bar.open_ms - START) // 1000: (bar.close, bar.state) for bar in bars}


def test_five_minute_bars_of_a_spot_capture_equal_binances_own(shared: Path) -> None:
    feed = replayed(sorted((shared / "data/ticks/hftbacktest/spot").glob("btcusdt*.gz")))
    oracles = json.loads((shared / "oracles/oracles.json").read_text())["oracles"]
    expected = next(oracle for oracle in oracles if oracle["name"] == "resample.ticks_to_5m.BTCUSDT")["expected"]["bars"]

    bars = feed.streams[Symbol("binance-spot", "BTCUSDT")].frames.frame(Timeframe.M5)

    assert bars["open_ms"].to_list() == [ms_of(bar["open_time"]) for bar in expected]  # neither 23:50 nor 00:05
    for name in ("open", "high", "low", "close"):
        assert bars[name].to_list() == [bar[name] for bar in expected]
    assert bars["volume"].to_list() == pytest.approx([bar["volume"] for bar in expected], rel=1e-9)


@pytest.mark.parametrize("name", ["BTCUSDT", "ETHUSDT"])
def test_futures_bars_equal_a_group_by_over_the_raw_trades(shared: Path, name: str) -> None:
    folder = shared / "data/ticks/hftbacktest/usdm"
    feed = replayed(sorted(folder.glob("*.gz")))
    frames = feed.streams[Symbol("binance-usdm", name)].frames
    lines = gzip.decompress((folder / f"{name.lower()}_20240808.gz").read_bytes()).decode().splitlines()
    events = [event for line in lines if (event := json.loads(line.partition(" ")[2]).get("data", {})).get("e") == "trade"]
    trades = pl.DataFrame(
        {
            "time": [event["T"] for event in events],
            "id": [event["t"] for event in events],
            "price": [round(float(event["p"]) * 10**frames.instrument.price_decimals) for event in events],
            "quantity": [round(float(event["q"]) * 10**frames.instrument.quantity_decimals) for event in events],
            "taker": [not event["m"] for event in events],
        }
    ).sort("id")
    first_whole = int(trades["time"][0]) // 1000 * 1000 + 1000
    for timeframe in BUILT:
        taken = pl.col("quantity") * pl.col("taker")
        expected = (
            trades.group_by((pl.col("time") // timeframe.ms * timeframe.ms).alias("open_ms"))
            .agg(
                open=pl.col("price").first(),
                high=pl.col("price").max(),
                low=pl.col("price").min(),
                close=pl.col("price").last(),
                volume=pl.col("quantity").sum(),
                quote_volume=(pl.col("price") * pl.col("quantity")).sum(),
                taker_volume=taken.sum(),
                taker_quote=(pl.col("price") * taken).sum(),
                trade_count=pl.len().cast(pl.Int64),
                first_id=pl.col("id").first(),
                last_id=pl.col("id").last(),
            )
            .filter((pl.col("open_ms") >= first_whole) & (pl.col("open_ms") + timeframe.ms <= feed.status.exchange_ms - 500))
            .sort("open_ms")
        )
        columns = {column: COLUMNS.index(column) for column in expected.columns}
        rows = frames[timeframe].rows
        traded = rows[rows[:, columns["trade_count"]] > 0]
        assert len(expected) > 0
        for column, index in columns.items():
            assert traded[:, index].tolist() == expected[column].to_list(), (timeframe, column)
        flat = rows[rows[:, columns["trade_count"]] == 0]
        assert not flat[:, columns["volume"]].any()
        assert (rows[1:, 0] - rows[:-1, 0] == timeframe.ms).all()


def test_bars_do_not_depend_on_the_speed(shared: Path) -> None:
    files = sorted((shared / "data/ticks/hftbacktest/spot").glob("ethusdt*.gz"))
    fast, paced = replayed(files), replayed(files, speed=3_000.0)
    for timeframe in Timeframe:
        one, two = (feed.streams[Symbol("binance-spot", "ETHUSDT")].frames[timeframe].rows for feed in (fast, paced))
        assert one.tolist() == two.tolist()


def test_speed_paces_by_event_time(tmp_path: Path) -> None:
    clock = Clock(speed=1.0)
    path = capture(tmp_path, [trade(1, START), trade(2, START + 2_000), trade(3, START + 4_000)])
    began = clock.monotonic()
    replayed([path], clock=clock, speed=20.0)
    assert 0.18 <= clock.monotonic() - began < 2.0


def test_a_hole_of_days_between_recordings_is_not_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    path = capture(tmp_path, [trade(1, START), trade(2, START + 1_000), trade(9, START + 5 * 86_400_000)])
    began = clock.monotonic()
    replayed([path], clock=clock, speed=20.0)
    assert clock.monotonic() - began < 2.0


def test_other_frames_make_quiet_seconds_flat(tmp_path: Path) -> None:
    lines = [
        trade(1, START - 500),
        trade(2, START + 100),
        *(frame(START + 200 * step) for step in range(1, 60)),
        trade(3, START + 11_900),
    ]
    feed = replayed([capture(tmp_path, lines)])
    assert seconds(feed) == dict.fromkeys(range(11), (1001, BarState.PROVISIONAL))


def test_a_silence_of_everything_has_no_bars(tmp_path: Path) -> None:
    lines = [trade(1, START - 500), trade(2, START + 100), trade(3, START + 11_900, p="100.30"), trade(4, START + 13_000)]
    feed = replayed([capture(tmp_path, lines)])
    assert seconds(feed) == {0: (1001, BarState.PROVISIONAL), 11: (1003, BarState.PROVISIONAL), 12: (1003, BarState.PROVISIONAL)}


def test_a_missing_id_is_a_gap_and_never_a_whole_bar(tmp_path: Path) -> None:
    lines = [trade(number, START - 500 + 500 * number) for number in range(60) if number != 21]
    feed = replayed([capture(tmp_path, lines)])
    stream = feed.streams[Symbol("binance-spot", "BTCUSDT")]
    assert (stream.tally.holes_lost, stream.tally.trades_lost) == (1, 1)
    states = {second: state for second, (_, state) in seconds(feed).items()}
    assert states[10] is BarState.GAP  # trade 21 is missing at 10.0 s; 22 comes at 10.5 s
    assert states[8] is BarState.PROVISIONAL
    assert states[12] is BarState.PROVISIONAL


def test_an_overlapping_capture_fills_the_hole(tmp_path: Path) -> None:
    every = [trade(number, START - 500 + 500 * number) for number in range(60)]
    one = capture(tmp_path, every[:20] + every[25:], "one.gz")
    two = capture(tmp_path, every[15:30], "two.gz")
    whole = replayed([capture(tmp_path, every, "whole.gz")])
    both = replayed([one, two])
    assert seconds(both) == seconds(whole)
    assert both.streams[Symbol("binance-spot", "BTCUSDT")].sequencer.duplicates > 0


def test_placeholders_use_up_their_id_and_never_reach_a_bar(tmp_path: Path) -> None:
    market = {"X": "MARKET", "M": None}
    lines = [
        trade(1, START - 500, **market),
        trade(2, START + 100, p="0", q="0", X="NA", M=None),
        trade(3, START + 200, **market),
        trade(4, START + 300, p="9.0", X="INSURANCE_FUND", M=None),
        trade(5, START + 400, **market),
        trade(6, START + 2_000, **market),
    ]
    feed = replayed([capture(tmp_path, lines)])
    stream = feed.streams[Symbol("binance-usdm", "BTCUSDT")]
    assert stream.tally.rejected == 2
    assert stream.tally.holes_lost == 0
    bar = stream.frames[Timeframe.S1].bar(0)
    assert (bar.low, bar.trade_count) == (1001, 2)


def test_aggregate_trades_are_preferred_and_raw_ones_ignored(tmp_path: Path) -> None:
    lines = []
    for number in range(10):
        at = START - 500 + 400 * number
        lines.append(trade(100 + number, at))
        lines.append(trade(0, at, e="aggTrade", a=7 + number, f=100 + number, l=100 + number))
    stream = replayed([capture(tmp_path, lines)]).streams[Symbol("binance-spot", "BTCUSDT")]
    assert stream.tally.trades == 10
    assert stream.builder.last_aggregate == 16


def test_raw_trades_of_one_file_give_way_to_aggregates_of_another(tmp_path: Path) -> None:
    raw = capture(tmp_path, [trade(100 + number, START + 400 * number) for number in range(10)], "raw.gz")
    aggregated = [trade(0, START + 400 * number, e="aggTrade", a=number, f=100 + number, l=100 + number) for number in range(10)]
    feed = replayed([raw, capture(tmp_path, aggregated, "aggregated.gz")])
    assert feed.streams[Symbol("binance-spot", "BTCUSDT")].tally.trades == 10
    assert feed.counts.trades == 10


def test_it_is_a_feed_and_says_when_it_has_ended(tmp_path: Path) -> None:
    updates: list[str] = []
    feed = RecordedFeed([capture(tmp_path, [trade(1, START), trade(2, START + 3_000)])], clock=Clock())
    feed.on_update = lambda: updates.append(feed.status.link)
    as_feed: Feed = feed
    asyncio.run(as_feed.run())
    assert updates[0] == "replay"
    assert updates[-1] == feed.status.link == "ended"
    assert feed.status.exchange_ms == START + 3_000
    assert (feed.counts.trades, feed.counts.rejected, feed.counts.played) == (2, 0, 2)


def test_every_bar_passes_through_the_events(tmp_path: Path) -> None:
    feed = RecordedFeed([capture(tmp_path, [trade(number, START + 700 * number) for number in range(50)])], clock=Clock())
    events: list[BarEvent] = []

    def collect() -> None:
        for stream in feed.streams.values():
            events.extend(stream.builder.events)
            stream.builder.events.clear()

    feed.on_update = collect
    asyncio.run(feed.run())
    ring = feed.streams[Symbol("binance-spot", "BTCUSDT")].frames[Timeframe.S1]
    assert [event.bar for event in events if event.timeframe is Timeframe.S1] == [ring.bar(index) for index in range(len(ring))]


def test_max_speed_leaves_the_event_loop_free(shared: Path) -> None:
    files = sorted((shared / "data/ticks/hftbacktest/usdm").glob("*.gz"))

    async def run() -> list[float]:
        feed = RecordedFeed(files, clock=Clock())
        await feed.load()
        late: list[float] = []
        playing = asyncio.create_task(feed.run())
        while not playing.done():
            before = time.thread_time()  # without what other programs took meanwhile
            await asyncio.sleep(0)
            late.append(time.thread_time() - before)
        await playing
        return late

    late = sorted(asyncio.run(run()))
    assert len(late) > 10
    assert late[len(late) // 2] < 0.006


def test_no_trades_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"quiet\.gz: no trades"):
        replayed([capture(tmp_path, [frame(START)], "quiet.gz")])


def test_speed_must_be_positive() -> None:
    with pytest.raises(ValueError, match="speed"):
        RecordedFeed([], clock=Clock(), speed=0.0)
