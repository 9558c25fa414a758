"""The store: one connection, one task that writes, and bounded memory for what it has not written yet.

Whoever has something to keep calls a `put_...`: it never waits and never touches the disk. Once a second, or at 1,000 bars,
the writer commits all of it in one transaction, so that a bar, the cursor it carries, the alerts it raised and the state of the
alert engine are on disk together or not at all.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import aiosqlite
import msgspec
from msgspec.structs import replace

from quantui.clock import Clock
from quantui.market.bars import BarState
from quantui.market.builder import BarEvent
from quantui.market.frames import Ints
from quantui.market.instruments import Instrument, Pair, Symbol, Timeframe
from quantui.store.checkpoint import Checkpoint
from quantui.store.pending import Pending, describe
from quantui.store.reader import read_alerts, read_frames
from quantui.store.records import TICKS, AlertRecord, AnalyticsRow, Restored, Retention, SeriesKey, StoreError
from quantui.store.schema import prepare
from quantui.store.segments import pack_bar, pack_withdrawal
from quantui.store.ticks import TICK_COLUMNS
from quantui.store.upkeep import Upkeep, explain
from quantui.threads import step_back

CHECKPOINT_S = 1.0
CHECKPOINT_BARS = 1_000
BUSY_S = 1.0
"""How long a statement waits for another program's lock before the checkpoint is put off."""
REMEMBERED_ALERTS = 10_000
"""Alerts whose keys are held in memory to recognise a repeated one at once."""

_T = TypeVar("_T")
_Waiter = tuple[asyncio.Future[None], bool]
"""Who waits for the next commit, and whether for all housekeeping too."""

_AlertKey = tuple[str, str, str, int]


class Store:
    """Bars, trades, statistics, alerts and state of one data directory; make one with `Store.open`."""

    def __init__(
        self, path: Path, connection: aiosqlite.Connection, clock: Clock, retention: Retention, notice: str, checkpoint_s: float
    ) -> None:
        self.path = path
        self._checkpoint_s = checkpoint_s
        self.notice = notice
        """What had to be done for the file when it was opened; empty when nothing."""
        self._connection = connection
        self._clock = clock
        self.turn = asyncio.Lock()
        """Held while a statement writes: other threads beside the event loop wait for it, and it for them."""
        self._checkpoint = Checkpoint(connection, self.turn)
        self._upkeep = Upkeep(connection, retention)
        self._pending = Pending()
        self._in_flight = Pending()
        self._waiting: list[_Waiter] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._trouble = self._upkeep_trouble = ""
        self._dropped = self._damaged = 0
        self._state: dict[str, str] = {}
        self._alert_keys: dict[_AlertKey, int] = {}
        self._last_alert = 0
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, path: Path, *, clock: Clock, retention: Retention | None = None, checkpoint_s: float = CHECKPOINT_S
    ) -> Self:
        """Open or make the store at `path`; `notice` says if a damaged file was set aside for it.

        Args:
            path: The database.
            clock: Ages for housekeeping.
            retention: How long things are kept.
            checkpoint_s: Longest time that anything waits in memory, in real seconds.

        Raises:
            StoreError: a newer version's file, another program's, or not writable; it is left untouched.
        """
        prepared = await asyncio.to_thread(prepare, path, clock.now_ms())
        connection = await aiosqlite.Connection(partial(_connect, path), iter_chunk_size=64)
        try:
            for pragma in ("synchronous = NORMAL", "journal_size_limit = 67108864", "temp_store = MEMORY"):
                await connection.execute(f"PRAGMA {pragma}")
            store = cls(path, connection, clock, retention or Retention(), prepared.notice, checkpoint_s)
            await store._load()
            store._task = asyncio.create_task(store._write(), name="store writer")
        except BaseException as error:  # aiosqlite's thread would keep the process alive
            await connection.close()
            if isinstance(error, sqlite3.Error):
                raise StoreError(f"cannot read the store at {path}: {error}") from error
            raise
        return store

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def status(self) -> str:
        """What is wrong and what to do, in one sentence; empty when all is well."""
        lost = f"; {self.dropped:,} older records were given up" if self._trouble and self.dropped else ""
        return f"{self._trouble}{lost}" or self._upkeep_trouble

    @property
    def unwritten(self) -> int:
        """Bars that wait in memory."""
        return self._pending.bar_count + self._in_flight.bar_count

    @property
    def dropped(self) -> int:
        """Records given up because the disk refused for too long."""
        return self._dropped + self._pending.dropped + self._in_flight.dropped

    @property
    def damaged(self) -> int:
        """Stored bars that failed their check and were left out since the start."""
        return self._damaged + self._upkeep.damaged

    def put_bars(self, instrument: Instrument, events: Iterable[BarEvent]) -> None:
        """Keep closed bars, their revisions and certifications. More than some 100,000 between two flushes are too many.

        Raises:
            StoreError: a number does not fit 64 bits.
            ValueError: a bar is still forming.
        """
        self._pending.instruments.add(instrument)
        for timeframe, bar in events:
            if bar.state is BarState.OPEN:
                raise ValueError(f"bar {bar.open_ms} is still forming: only closed bars are kept")
            key = SeriesKey.of(instrument.symbol, timeframe)
            self._pending.put_bar(key, bar.open_ms, pack_bar(bar, instrument))
        self._wake_when_full()

    def withdraw_bars(self, symbol: Symbol, timeframe: Timeframe, open_times: Iterable[int]) -> None:
        """Remove bars that turned out not to exist."""
        for open_ms in open_times:
            self._pending.put_bar(SeriesKey.of(symbol, timeframe), open_ms, pack_withdrawal(open_ms))
        self._wake_when_full()

    def put_ticks(self, instrument: Instrument, table: Ints) -> None:
        """Keep trades, (7, n) in the order of `TICK_COLUMNS`; ids that are stored already are passed over."""
        if table.ndim != 2 or len(table) != len(TICK_COLUMNS):
            raise ValueError(f"a tick table has {len(TICK_COLUMNS)} rows, not shape {table.shape}")
        if table.shape[1]:
            self._pending.instruments.add(instrument)
            self._pending.put_ticks(SeriesKey.of(instrument.symbol, TICKS), instrument, table)

    def put_alert(self, record: AlertRecord) -> AlertRecord | None:
        """Keep an alert and give it its id; None when this rule has fired on this bar before: it must not be sent again."""
        key = (record.rule, record.pair, record.timeframe, record.bar_ms)
        if key in self._alert_keys:
            return None
        self._last_alert += 1
        record = replace(record, id=self._last_alert)
        self._alert_keys[key] = record.id
        if len(self._alert_keys) > REMEMBERED_ALERTS:
            del self._alert_keys[next(iter(self._alert_keys))]
        self._pending.put_alert(record)
        return record

    def put_analytics(self, pair: Pair, timeframe: Timeframe, open_ms: int, row: AnalyticsRow) -> None:
        """Keep the statistics of a closed bar as they were published; those of a revised bar replace them."""
        self._pending.put_analytics((pair, timeframe, open_ms), row)

    def put_state(self, key: str, value: object) -> None:
        """Keep a value that msgspec can write as JSON, in the same transaction as what is put beside it; None removes it."""
        text = None if value is None else msgspec.json.encode(value).decode()
        self._pending.state[key] = text
        if text is None:
            self._state.pop(key, None)
        else:
            self._state[key] = text

    def get_state(self, key: str, kind: type[_T]) -> _T | None:
        """The value kept under `key`; None when there is none or it is not a `kind` (a file of an older version)."""
        text = self._state.get(key)
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError:
            return None

    def states(self, prefix: str) -> dict[str, str]:
        """Every kept value whose key begins with `prefix`, as JSON text."""
        return {key: text for key, text in self._state.items() if key.startswith(prefix)}

    async def load_frames(
        self, symbol: Symbol, capacity: Mapping[Timeframe, int], instrument: Instrument | None = None
    ) -> Restored:
        """The newest bars of `symbol` and where to read on; decoded in a thread. See `reader.read_frames`."""
        restored = await asyncio.to_thread(read_frames, self.path, symbol, capacity, instrument)
        self._damaged += restored.damaged
        return restored

    async def alerts(self, limit: int) -> list[AlertRecord]:
        """The newest alerts on disk, newest first."""
        return await asyncio.to_thread(read_alerts, self.path, limit)

    async def flush(self) -> None:
        """Return when all that was put before is on disk. Cancelling it cancels only the waiting.

        Raises:
            StoreError: it could not be written; it stays in memory and is tried again every second.
        """
        await self._written(thorough=False)

    async def upkeep(self) -> None:
        """Write all, compact all that can be compacted, delete all that is too old, now: after an import, for instance.

        Raises:
            StoreError: as `flush`.
        """
        await self._written(thorough=True)

    async def close(self) -> None:
        """Write what is left and let go of the file. Finishes by itself even when the caller is cancelled.

        Raises:
            StoreError: the last of it could not be written.
        """
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait({self._task})  # which a cancellation of the caller does not cancel
        if self._pending:
            raise StoreError(f"{self.status or 'the store could not be written'}; {self._describe()} not saved")

    def _wake_when_full(self) -> None:
        if self._pending.bar_count >= CHECKPOINT_BARS and not self._trouble:
            self._wake.set()

    async def _written(self, *, thorough: bool) -> None:
        if self._task is None or self._task.done() or self._closing:
            raise StoreError(f"the store at {self.path} is closed")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((done, thorough))
        self._wake.set()
        await done

    def _describe(self) -> str:
        waiting = self._pending
        return describe({"bar": waiting.bar_count, "trade": waiting.tick_count, "alert": len(waiting.alerts)}) or "state"

    async def _load(self) -> None:
        for key, value in await self._connection.execute_fetchall("SELECT key, value FROM state"):
            self._state[key] = value
        rows = await self._connection.execute_fetchall(
            "SELECT rule, pair, timeframe, bar_ms, id FROM alerts ORDER BY id DESC LIMIT ?", (REMEMBERED_ALERTS,)
        )
        for rule, pair, timeframe, bar_ms, number in reversed(list(rows)):
            self._alert_keys[rule, pair, timeframe, bar_ms] = self._last_alert = number

    async def _write(self) -> None:
        """The owner of the connection: nobody else writes."""
        try:
            while True:
                await self._next_turn()
                last, asked = self._closing, len(self._waiting)
                trouble = await self._commit()
                thorough = not trouble and any(wants_all for _, wants_all in self._waiting[:asked])
                if not thorough:
                    self._answer(asked, trouble)
                if last:
                    return
                if not trouble:
                    self._upkeep_trouble = await self._keep_up(thorough=thorough)
                if thorough:
                    self._answer(asked, self._upkeep_trouble)
        except Exception as error:  # whatever ends the writer must be seen on the screen, not only in a task nobody looks at
            self._trouble = f"the store stopped writing ({error!r}): restart quantui"
            raise
        finally:
            self._answer(len(self._waiting), self._trouble or f"the store at {self.path} is closed")
            await self._connection.close()

    async def _next_turn(self) -> None:
        """Until the next checkpoint is due, or somebody wakes the writer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._checkpoint_s):
                await self._wake.wait()
        self._wake.clear()

    async def _commit(self) -> str:
        """Write what waits; returns what went wrong, and then holds it all in memory still."""
        batch, self._pending = self._pending, Pending()
        self._in_flight = batch
        try:
            if batch:
                await self._checkpoint.write(batch)
        except sqlite3.Error as error:
            self._pending.put_back(batch)
            self._trouble = f"{explain(error, self.path)}; {self._describe()} held in memory"
        except BaseException:
            self._pending.put_back(batch)
            raise
        else:
            self._trouble = ""
            self._dropped += batch.dropped
        finally:
            self._in_flight = Pending()
        return self._trouble

    async def _keep_up(self, *, thorough: bool) -> str:
        """One step of housekeeping, or all of it; returns what went wrong."""
        work = self._upkeep.all if thorough else self._upkeep.step
        try:
            await work(self._clock.monotonic(), self._clock.now_ms())
        except sqlite3.Error as error:
            return explain(error, self.path)
        except StoreError as error:
            return str(error)
        return ""

    def _answer(self, count: int, trouble: str) -> None:
        """Tell the first `count` of those who wait how it went."""
        waiting, self._waiting = self._waiting[:count], self._waiting[count:]
        for done, _ in waiting:
            if not done.done():
                if trouble:
                    done.set_exception(StoreError(trouble))
                else:
                    done.set_result(None)


def _connect(path: Path) -> sqlite3.Connection:
    """In the thread of the connection."""
    step_back()
    return sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
