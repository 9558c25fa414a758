import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from quantui.clock import Clock
from quantui.market.bars import BarState
from quantui.market.frames import Ints
from quantui.market.instruments import Instrument, Pair, Symbol, Timeframe
from quantui.store import pending
from quantui.store.reader import tick_parts
from quantui.store.records import DAY_MS, AlertRecord, AnalyticsRow, Retention, StoreError
from quantui.store.schema import open_readonly
from quantui.store.ticks import BLOCK
from quantui.store.writer import CHECKPOINT_BARS, Store
from tests.store.bars import BTC, HOUR_0, bars, events, rows
from tests.store.conftest import until

ETH = Instrument(Symbol("binance-usdm", "ETHUSDT"), 2, 3)
ALL = dict.fromkeys(Timeframe, 1_000_000)
PAIR = Pair(Symbol("binance-usdm", "ETHUSDT"), BTC.symbol)


async def seconds(store: Store, count: int = 1_000_000) -> Ints:
    return (await store.load_frames(BTC.symbol, {Timeframe.S1: count})).frames[Timeframe.S1]


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.mark.parametrize("timeframe", list(Timeframe))
async def test_every_field_of_every_timeframe_survives_a_restart(path: Path, timeframe: Timeframe) -> None:
    made = bars(3_000 if timeframe is not Timeframe.S1 else 8_000, timeframe=timeframe)
    async with await Store.open(path, clock=Clock()) as store:
        store.put_bars(BTC, events(made, timeframe))
        await store.upkeep()
    assert count(path, "segments") > 0
    async with await Store.open(path, clock=Clock()) as store:
        restored = await store.load_frames(BTC.symbol, ALL)
    assert np.array_equal(restored.frames[timeframe], rows(made))
    assert restored.instrument == BTC
    assert restored.cursor == (made[-1].last_aggregate if timeframe is Timeframe.S1 else -1)


@pytest.mark.parametrize("wanted", [1, 99, 3_600, 3_601, 8_000, 9_000])
async def test_only_the_newest_bars_asked_for_come_back(store: Store, wanted: int) -> None:
    made = bars(8_000)
    store.put_bars(BTC, events(made))
    await store.upkeep()
    assert np.array_equal(await seconds(store, wanted), rows(made)[-wanted:])


async def test_a_revision_inside_a_segment_wins_before_and_after_compaction(store: Store, path: Path) -> None:
    made = bars(8_000)
    store.put_bars(BTC, events(made))
    await store.upkeep()
    made[10] = bars(1, first=10, state=BarState.PROVISIONAL, revision=1)[0]
    store.put_bars(BTC, events(made[10:11]))
    store.withdraw_bars(BTC.symbol, Timeframe.S1, [made[20].open_ms, made[-1].open_ms])
    expected = rows(made[:20] + made[21:-1])
    await store.flush()
    assert np.array_equal(await seconds(store), expected)
    await store.upkeep()
    assert np.array_equal(await seconds(store), expected)
    assert count(path, "segments") == 2


async def test_the_same_bars_again_add_nothing(store: Store, path: Path) -> None:
    for _ in range(2):
        store.put_bars(BTC, events(bars(8_000)))
        await store.upkeep()
        assert np.array_equal(await seconds(store), rows(bars(8_000)))
    assert count(path, "segments") == 2


async def test_a_finer_tick_size_keeps_old_bars_readable(store: Store) -> None:
    finer = Instrument(BTC.symbol, 3, 4)
    made = bars(4_000)
    store.put_bars(BTC, events(made))
    await store.upkeep()
    store.put_bars(finer, events(bars(10, first=4_000)))
    await store.flush()
    restored = await store.load_frames(BTC.symbol, ALL)
    assert restored.instrument == finer
    table = restored.frames[Timeframe.S1]
    assert table[0, 1] == made[0].open * 10
    assert table[0, 6] == made[0].quote_volume * 100
    assert table[-1, 1] == bars(1, first=4_009)[0].open


async def test_a_coarser_tick_size_of_today_is_read_in_the_finer_one(store: Store) -> None:
    store.put_bars(BTC, events(bars(10)))
    await store.flush()
    restored = await store.load_frames(BTC.symbol, ALL, Instrument(BTC.symbol, 1, 5))
    assert (restored.instrument.price_decimals, restored.instrument.quantity_decimals) == (2, 5)


async def test_a_number_beyond_64_bits_is_refused_and_named(store: Store) -> None:
    (bar,) = bars(1)
    wide = type(bar)(*(*[getattr(bar, name) for name in bar.__struct_fields__[:6]], 1 << 63, 1, 1, 1, 1, 1, 1, BarState.CERTIFIED))
    with pytest.raises(StoreError, match="quote_volume does not fit 64 bits"):
        store.put_bars(BTC, events([wide]))


async def test_a_forming_bar_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="still forming"):
        store.put_bars(BTC, events(bars(1, state=BarState.OPEN)))


async def test_a_thousand_bars_are_written_without_waiting_for_the_second(path: Path) -> None:
    async with await Store.open(path, clock=Clock(speed=0.001)) as store:  # a checkpoint every 1,000 s
        store.put_bars(BTC, events(bars(CHECKPOINT_BARS)))
        await until(lambda: not store.unwritten)
        assert count(path, "recent") == CHECKPOINT_BARS


async def test_what_was_put_is_written_within_the_second(path: Path) -> None:
    async with await Store.open(path, clock=Clock(speed=20)) as store:
        store.put_bars(BTC, events(bars(3)))
        await until(lambda: not store.unwritten)
    assert count(path, "recent") == 3


async def test_state_and_alerts_survive_and_an_alert_is_stored_once(path: Path) -> None:
    alert = AlertRecord(
        1, HOUR_0, PAIR.label, "1m", "zscore", "alert", "SHORT_SPREAD", 2.5, gates={"correlation": {"ok": True, "value": 0.9}}
    )
    async with await Store.open(path, clock=Clock()) as store:
        first = store.put_alert(alert)
        assert first is not None
        assert first.id == 1
        assert store.put_alert(alert) is None
        store.put_state("session", {"pair": 3})
        store.put_state("alert/a", [1])
        store.put_state("gone", 1)
        store.put_state("gone", None)
    async with await Store.open(path, clock=Clock()) as store:
        assert store.put_alert(alert) is None
        assert await store.alerts(10) == [first]
        assert store.get_state("session", dict[str, int]) == {"pair": 3}
        assert store.get_state("session", int) is None
        assert store.get_state("gone", int) is None
        assert store.states("alert/") == {"alert/a": "[1]"}
        second = store.put_alert(AlertRecord(2, HOUR_0 + 1, PAIR.label, "1m", "zscore", "alert"))
        assert second is not None
        assert second.id == 2


def trades(n: int, first: int = 0) -> Ints:
    ids = np.arange(first, first + n)
    return np.stack((ids, HOUR_0 + ids // 3, 6_000_000 + ids % 50, 1 + ids % 9, 2 * ids, 2 * ids + ids % 2, ids % 2)).astype(
        np.int64
    )


def stored_trades(path: Path) -> Ints:
    with closing(open_readonly(path)) as connection:
        return np.concatenate([part for part, _ in tick_parts(connection, BTC.symbol, (2, 3), 0, 1 << 62)], axis=1)


async def test_trades_come_back_once_however_often_and_in_what_pieces_they_were_put(path: Path) -> None:
    everything = trades(2 * BLOCK + 100)
    async with await Store.open(path, clock=Clock()) as store:
        for at in range(0, everything.shape[1], 1_500):
            store.put_ticks(BTC, everything[:, at : at + 1_500])
            await store.flush()
    async with await Store.open(path, clock=Clock()) as store:
        store.put_ticks(BTC, everything[:, 5_000:])
        store.put_ticks(BTC, trades(10, first=2 * BLOCK + 95))
        await store.flush()
    found = stored_trades(path)
    assert np.array_equal(found, trades(2 * BLOCK + 105))
    assert count(path, "ticks") == 4  # the second session began a block of its own


async def test_trades_without_ids_are_all_kept(store: Store, path: Path) -> None:
    anonymous = trades(5)
    anonymous[0] = -1
    for _ in range(2):
        store.put_ticks(BTC, anonymous)
        await store.flush()
    assert stored_trades(path).shape == (7, 10)


async def test_new_decimals_begin_a_new_block(store: Store, path: Path) -> None:
    for first, price_decimals in ((0, 2), (10, 3), (20, 2)):
        store.put_ticks(Instrument(BTC.symbol, price_decimals, 3), trades(10, first=first))
        await store.flush()
    assert count(path, "ticks") == 3
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT sum(count) FROM ticks").fetchone() == (30,)


async def test_retention_deletes_what_is_older_than_the_newest_by_its_age(path: Path) -> None:
    retention = Retention(bars=dict.fromkeys(Timeframe, 3 * 3_600_000), ticks_ms=1_000, analytics=dict.fromkeys(Timeframe, DAY_MS))
    async with await Store.open(path, clock=Clock(), retention=retention) as store:
        store.put_bars(ETH, events(bars(100, timeframe=Timeframe.H1), Timeframe.H1))
        store.put_bars(BTC, events(bars(6 * 3_600 + 200)))
        store.put_ticks(BTC, trades(4 * BLOCK))
        for day in range(4):
            store.put_analytics(PAIR, Timeframe.M1, HOUR_0 + day * DAY_MS // 2, AnalyticsRow(1.0))
        await store.upkeep()
        kept = await seconds(store)
    assert kept[0, 0] == HOUR_0 + 3 * 3_600_000  # the segment in which the limit falls goes when all of it is old
    assert len(kept) == 3 * 3_600 + 200
    assert count(path, "ticks") == 1
    assert count(path, "analytics") == 3


async def test_retention_never_counts_from_a_bar_of_the_future(path: Path) -> None:
    class Stopped(Clock):
        def now_ms(self) -> int:
            return HOUR_0 + DAY_MS

    async with await Store.open(path, clock=Stopped()) as store:
        store.put_bars(BTC, events(bars(4_000)))
        store.put_bars(BTC, events(bars(1, first=50 * 86_400)))
        await store.upkeep()
        assert len(await seconds(store)) == 4_001


async def test_a_full_quota_costs_the_oldest_trades_first(path: Path) -> None:
    async with await Store.open(path, clock=Clock(), retention=Retention(max_bytes=400_000)) as store:
        store.put_bars(BTC, events(bars(100)))
        random = np.random.default_rng(1)
        noise = trades(20 * BLOCK)
        noise[2] = random.integers(0, 1 << 30, noise.shape[1])
        store.put_ticks(BTC, noise)
        await store.upkeep()
        assert len(await seconds(store)) == 100
    left = stored_trades(path)
    assert 0 < left.shape[1] < noise.shape[1]
    assert left[0, -1] == noise[0, -1]


async def test_memory_is_bounded_and_the_loss_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "MAX_BARS", 50)
    monkeypatch.setattr(pending, "MAX_TICKS", 50)
    async with await Store.open(path, clock=Clock()) as store:
        store.put_bars(BTC, events(bars(60)))
        store.put_ticks(BTC, trades(40))
        store.put_ticks(BTC, trades(40, first=40))
        assert store.dropped == 50
        await store.flush()
        assert np.array_equal(await seconds(store), rows(bars(60))[10:])
        assert store.dropped == 50


async def test_a_cancelled_flush_leaves_no_transaction_open_and_loses_nothing(store: Store, path: Path) -> None:
    for steps in range(12):
        store.put_bars(BTC, events(bars(50, first=50 * steps)))
        waiting = asyncio.create_task(store.flush())
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        await store.flush()
        assert not store._connection.in_transaction
    assert np.array_equal(await seconds(store), rows(bars(600)))


@pytest.mark.parametrize("steps", range(0, 40, 3))
async def test_a_cancelled_writer_rolls_back_and_closes_the_file(path: Path, steps: int) -> None:
    store = await Store.open(path, clock=Clock())
    store.put_bars(BTC, events(bars(20)))
    waiting = asyncio.create_task(store.flush())
    await asyncio.sleep(0)
    assert store._task is not None
    for _ in range(steps):
        await asyncio.sleep(0.0005)
    store._task.cancel()
    await asyncio.wait({store._task, waiting}, timeout=5)
    assert waiting.done()
    waiting.exception()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        other.execute("BEGIN EXCLUSIVE")  # nobody holds it any more
        assert other.execute("SELECT count(*) FROM recent").fetchone()[0] in (0, 20)
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        other.execute("ROLLBACK")
    with pytest.raises(StoreError, match="closed"):
        await store.flush()


async def test_a_cancelled_close_still_writes_and_closes(path: Path) -> None:
    store = await Store.open(path, clock=Clock())
    store.put_bars(BTC, events(bars(20)))
    closing_task = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    closing_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing_task
    await store.close()
    assert count(path, "recent") == 20


async def test_the_longest_time_in_memory_is_as_configured(tmp_path: Path) -> None:
    for seconds, is_written in ((0.05, True), (60.0, False)):
        async with await Store.open(tmp_path / f"{seconds}.db", clock=Clock(), checkpoint_s=seconds) as store:
            store.put_bars(BTC, events(bars(3)))
            await until(lambda: not store.unwritten) if is_written else await asyncio.sleep(0.2)
            assert bool(store.unwritten) != is_written
