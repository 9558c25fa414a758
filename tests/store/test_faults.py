"""The file full, locked, broken, from the future; the process killed."""

import asyncio
import hashlib
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from quantui.clock import Clock
from quantui.market.frames import Ints
from quantui.market.instruments import Timeframe
from quantui.store import schema
from quantui.store.export import export_file
from quantui.store.reader import read_frames
from quantui.store.records import StoreError
from quantui.store.writer import Store
from tests.store.bars import BTC, bars, events, rows
from tests.store.conftest import until

KILLS = 10
FAST = Clock(speed=20)
"""A checkpoint every 50 ms."""


async def stored(store: Store) -> Ints:
    return (await store.load_frames(BTC.symbol, {Timeframe.S1: 1_000_000})).frames[Timeframe.S1]


def content(path: Path) -> bytes:
    return path.read_bytes()


def change(path: Path, how: Callable[[bytearray], None]) -> bytes:
    data = bytearray(path.read_bytes())
    how(data)
    path.write_bytes(data)
    return bytes(data)


async def test_a_full_disk_is_reported_and_everything_written_once_there_is_room(path: Path) -> None:
    made = bars(4_000)
    async with await Store.open(path, clock=FAST) as store:
        store.put_bars(BTC, events(made[:500]))
        await store.flush()
        await store._connection.execute_fetchall("PRAGMA max_page_count = 1")  # no page more than there are
        store.put_bars(BTC, events(made[500:]))
        with pytest.raises(StoreError, match="DISK FULL"):
            await store.flush()
        assert store.status.startswith(f"DISK FULL at {path}")
        assert "3,500 bars held in memory" in store.status
        assert not store._connection.in_transaction
        assert np.array_equal(await stored(store), rows(made[:500]))
        await store._connection.execute_fetchall("PRAGMA max_page_count = 1000000")
        await until(lambda: not store.status and not store.unwritten)
        assert np.array_equal(await stored(store), rows(made))


async def test_a_file_that_may_not_grow_is_reported_and_written_to_again_later(path: Path) -> None:
    made = bars(4_000)
    async with await Store.open(path, clock=FAST) as store:
        store.put_bars(BTC, events(made[:500]))
        await store.flush()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(content(path)), hard))
        try:
            store.put_bars(BTC, events(made[500:]))
            with pytest.raises(StoreError, match="held in memory"):
                await store.flush()
            assert store.status
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await until(lambda: not store.status and not store.unwritten)
        assert np.array_equal(await stored(store), rows(made))


async def test_a_lock_of_another_program_is_reported_and_outlasted(path: Path) -> None:
    made = bars(100)
    async with await Store.open(path, clock=FAST) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            store.put_bars(BTC, events(made))
            await until(lambda: "locked by another program" in store.status)
            assert store.unwritten == 100
            other.execute("ROLLBACK")
        await until(lambda: not store.status and not store.unwritten)
        assert np.array_equal(await stored(store), rows(made))


async def test_what_cannot_be_written_at_the_end_is_said(path: Path) -> None:
    store = await Store.open(path, clock=FAST)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.put_bars(BTC, events(bars(7)))
        with pytest.raises(StoreError, match="7 bars not saved"):
            await store.close()


def _spoil_header(data: bytearray) -> None:
    data[:16] = b"not sqlite at al"


def _spoil_middle(data: bytearray) -> None:
    for page in range(1, len(data) // 4_096):
        data[page * 4_096 : page * 4_096 + 64] = os.urandom(64)


def _cut(data: bytearray) -> None:
    del data[len(data) // 2 :]


def _text(data: bytearray) -> None:
    data[:] = b"hello, world\n" * 1_000


@pytest.mark.parametrize("spoil", [_spoil_header, _spoil_middle, _cut, _text])
async def test_a_damaged_file_is_set_aside_and_said(path: Path, spoil: Callable[[bytearray], None]) -> None:
    async with await Store.open(path, clock=Clock()) as store:
        store.put_bars(BTC, events(bars(8_000)))
        await store.upkeep()
    data = change(path, spoil)
    async with await Store.open(path, clock=Clock()) as store:
        assert "damaged" in store.notice
        assert len(await stored(store)) == 0
        store.put_bars(BTC, events(bars(3)))
        await store.flush()
        assert len(await stored(store)) == 3
        aside = store.notice.split("kept as ")[1].split(",")[0]
    assert aside.startswith("quantui.db.corrupt-")
    assert content(path.with_name(aside)) == data


@pytest.mark.parametrize("seed", range(30))
async def test_flipped_bytes_never_come_back_as_bars(path: Path, seed: int) -> None:
    made = bars(4_000)
    async with await Store.open(path, clock=Clock()) as store:
        store.put_bars(BTC, events(made))
        await store.upkeep()
    chosen = random.Random(seed)

    def flip(data: bytearray) -> None:
        for _ in range(5):
            data[chosen.randrange(100, len(data))] ^= 1 << chosen.randrange(8)

    change(path, flip)
    try:
        store = await Store.open(path, clock=Clock())
    except StoreError:
        return  # refused: the bytes of the version were hit
    async with store:
        found = await stored(store)
        known = {row[0]: row for row in rows(made).tolist()}
        assert all(known[row[0]] == row for row in found.tolist())
        assert len(found) == 4_000 or store.notice or store.damaged


async def test_a_damaged_segment_is_left_out_counted_and_filled_anew(path: Path, tmp_path: Path) -> None:
    made = bars(8_000)
    async with await Store.open(path, clock=Clock()) as store:
        store.put_bars(BTC, events(made))
        store.put_ticks(BTC, np.ones((7, 1), dtype=np.int64))
        await store.upkeep()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE segments SET data = zeroblob(100) WHERE start_ms = ?", (made[0].open_ms,))
        connection.execute("UPDATE ticks SET data = zeroblob(100)")
        connection.commit()
    async with await Store.open(path, clock=Clock()) as store:
        assert np.array_equal(await stored(store), rows(made)[3_600:])
        assert store.damaged == 3_600
        exported = export_file(path, "bars", tmp_path / "bars.csv")
        assert (exported.rows, exported.damaged) == (4_400, 3_600)
        assert export_file(path, "ticks", tmp_path / "ticks.csv").damaged == 1
        store.put_bars(BTC, events(made[:3_600]))
        await store.upkeep()
        assert np.array_equal(await stored(store), rows(made))


async def test_a_damaged_row_among_the_newest_is_left_out_and_counted(path: Path) -> None:
    async with await Store.open(path, clock=Clock()) as store:
        store.put_bars(BTC, events(bars(10)))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE recent SET bar = zeroblob(3) WHERE open_ms = (SELECT min(open_ms) FROM recent)")
        connection.commit()
    async with await Store.open(path, clock=Clock()) as store:
        assert np.array_equal(await stored(store), rows(bars(10))[1:])
        assert store.damaged == 1


async def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    descriptor, name = tempfile.mkstemp(dir=tmp_path)
    os.close(descriptor)
    async with await Store.open(Path(name), clock=Clock()) as store:
        assert not store.notice


async def test_a_newer_file_is_refused_and_left_as_it_is(path: Path) -> None:
    async with await Store.open(path, clock=Clock()) as store:
        store.put_bars(BTC, events(bars(3)))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = hashlib.sha256(content(path)).hexdigest()
    with pytest.raises(StoreError, match="update quantui; nothing was changed") as refused:
        await Store.open(path, clock=Clock())
    assert "\n" not in str(refused.value)
    assert hashlib.sha256(content(path)).hexdigest() == before
    with pytest.raises(StoreError, match="update quantui"):
        schema.open_readonly(path)


async def test_another_programs_database_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(StoreError, match="another program"):
        await Store.open(path, clock=Clock())


async def test_a_directory_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a directory"):
        await Store.open(tmp_path, clock=Clock())


async def test_a_folder_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write the store"):
        await Store.open(path / "nowhere" / "quantui.db", clock=Clock())


def test_reading_what_is_not_there_says_so(path: Path) -> None:
    with pytest.raises(StoreError, match="no store at"):
        read_frames(path, BTC.symbol, {Timeframe.S1: 1})


def test_the_file_is_for_its_owner_only(path: Path) -> None:
    schema.prepare(path, now_ms=0)
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_reader_cannot_write(store: Store, path: Path) -> None:
    with closing(schema.open_readonly(path)) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM recent")


WRITER = """
import asyncio, sys
from pathlib import Path
from quantui.clock import Clock
from quantui.store.writer import Store
from tests.store.bars import BTC, bars, events

async def main() -> None:
    async with await Store.open(Path(sys.argv[1]), clock=Clock()) as store:
        first = int(sys.argv[2])
        while True:
            made = bars(40, first=first)
            store.put_bars(BTC, events(made))
            store.put_state("newest", made[-1].last_aggregate)
            await store.upkeep()
            print(made[-1].last_aggregate, flush=True)
            first += 40

asyncio.run(main())
"""


def test_a_killed_writer_loses_nothing_it_had_acknowledged(path: Path) -> None:
    chosen = random.Random(1)
    first = 0
    for _ in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(first)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged = [int(writer.stdout.readline()) for _ in range(chosen.randrange(1, 40))][-1]
            try:
                writer.wait(chosen.random() * 0.02)
            except subprocess.TimeoutExpired:
                writer.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (newest,) = connection.execute("SELECT value FROM state WHERE key = 'newest'").fetchone()
        restored = read_frames(path, BTC.symbol, {Timeframe.S1: 1_000_000})
        table = restored.frames[Timeframe.S1]
        assert restored.cursor == int(newest) >= acknowledged
        assert np.array_equal(table, rows(bars(len(table))))
        first = len(table)
    assert first > 40 * KILLS


async def test_every_failing_statement_leaves_no_half_transaction(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An I/O error at the n-th statement, for every n until all succeed."""
    async with await Store.open(path, clock=Clock(speed=0.001)) as store:
        execute, executemany = store._connection.execute, store._connection.executemany
        for n in range(100):
            calls = 0

            def counted(real: Callable[..., object], n: int = n) -> Callable[..., object]:
                def call(*arguments: object) -> object:
                    nonlocal calls
                    calls += 1
                    if calls == n + 1:
                        raise sqlite3.OperationalError("disk I/O error")
                    return real(*arguments)

                return call

            monkeypatch.setattr(store._connection, "execute", counted(execute))
            monkeypatch.setattr(store._connection, "executemany", counted(executemany))
            store.put_bars(BTC, events(bars(5, first=5 * n)))
            store.put_state("n", n)
            try:
                await store.flush()
            except StoreError:
                assert not store._connection.in_transaction
                continue
            finally:
                monkeypatch.undo()
            if calls <= n:
                break
        await store.flush()
        assert np.array_equal(await stored(store), rows(bars(5 * (n + 1))))
        assert asyncio.all_tasks() == {asyncio.current_task(), store._task}
