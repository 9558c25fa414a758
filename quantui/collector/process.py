"""The life of a collector process: lock, store, server, signals, linger, an orderly end."""

import asyncio
import logging
import math
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import msgspec

from quantui.clock import Clock
from quantui.collector import build, demo, drill
from quantui.collector.core import Collector
from quantui.collector.ending import CollectorError, Ending, InterruptedEndError, plainly, until
from quantui.collector.lock import Holder, held
from quantui.collector.server import Server, serve_unix
from quantui.config import Settings
from quantui.feeds.files.reader import Given
from quantui.feeds.recorded import RecordedFeed
from quantui.market.instruments import Timeframe
from quantui.paths import Paths
from quantui.store.writer import Store
from quantui.threads import step_back_for

log = logging.getLogger("quantui")

_FIRST_LOOK_S = 60.0
"""A collector made for a screen ends when no screen ever comes."""
_WATCH_S = 0.5


@dataclass(frozen=True, slots=True)
class Job:
    """What one collector process is to do."""

    mode: str = "live"
    """`live`, `demo` or `replay`."""
    child: bool = False
    """Started by a screen: ends with it, or lingers."""
    for_s: float | None = None
    """End by itself after so many seconds."""
    files: tuple[str, ...] = ()
    """Recordings, for `replay`."""
    speed: float | None = 1.0
    """Of the demo's exchange or of the replay; None: as fast as it goes."""
    seed: int = 1
    faults: bool = False
    """The demo's exchange does wrong, and the alert log says what and how it healed."""
    headless: bool = False
    """A replay that ends with its recording."""
    skip_bad: bool = False
    """Count bad rows of recordings instead of stopping at the first."""


async def run(settings: Settings, paths: Paths, job: Job) -> str:
    """Collect until told to end; returns one line on what was done.

    Raises:
        AlreadyRunningError: another collector has this data directory.
        ConfigError: the configuration makes no sense for what there is.
        StoreError: its database cannot be used.
        PathError: a directory cannot be used.
        FileError: a recording cannot be read.
        ValueError: a recording holds no pair.
        OSError: the socket cannot be made.
        CollectorError: something broke; the traceback is in the log.
        InterruptedEndError: SIGINT, after an orderly end.
    """
    paths.create()
    step_back_for(asyncio.get_running_loop())
    clock = Clock((job.speed or 1.0) if job.mode == "demo" else 1.0)
    holder = Holder(os.getpid(), str(paths.socket), job.mode, clock.now_ms())
    ending = Ending()
    ending.listen(lingers=job.child)
    with held(paths.lock, holder):
        summary = await ending.until_told(_run(settings, paths, job, clock, ending))
    if ending.is_interrupt:
        raise InterruptedEndError
    return summary or "ended before it had begun"


async def _run(settings: Settings, paths: Paths, job: Job, clock: Clock, ending: Ending) -> str:
    async with AsyncExitStack() as stack:
        exchange: asyncio.subprocess.Process | None = None
        if job.mode == "demo":
            opened = await asyncio.to_thread(demo.market, paths, job.seed, job.speed or 1.0, clock.now_ms())
            faults_s = drill.EVERY_S if job.faults else None
            settings, exchange = await stack.enter_async_context(demo.exchange(settings, opened, faults_s))
        store = await stack.enter_async_context(await _opened(settings, paths, clock))
        if store.notice:
            log.warning(store.notice)
        wake: list[Callable[[], None]] = []
        collector = await _collector(settings, job, clock, store, wake)
        wake.append(collector.wake)
        await _collect(settings, paths, job, collector, ending, exchange)
        return _summary(collector)


async def _opened(settings: Settings, paths: Paths, clock: Clock) -> Store:
    """The store. A signal meanwhile must not leave a half-opened one behind, whose thread would keep the process alive."""
    retention, checkpoint_s = build.retention(settings), settings.store.checkpoint_seconds
    opening = asyncio.ensure_future(Store.open(paths.database, clock=clock, retention=retention, checkpoint_s=checkpoint_s))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        await (await opening).close()
        raise


async def _collector(settings: Settings, job: Job, clock: Clock, store: Store, wake: Sequence[Callable[[], None]]) -> Collector:
    def updated() -> None:
        for call in wake:
            call()

    if job.mode != "live":  # minutes of data at best: seconds fill every panel
        settings = msgspec.structs.replace(settings, analysis=msgspec.structs.replace(settings.analysis, timeframe="1s"))
    plan = build.Plan.of(settings)
    if job.mode != "replay":
        feeds = await build.live_feeds(settings, plan, clock, store, updated)
        return await build.collector(settings, plan, job.mode, clock, store, feeds)
    recorded = RecordedFeed(job.files, clock=clock, speed=job.speed, given=Given(skip_bad=job.skip_bad), on_update=updated)
    await recorded.load()
    return await build.collector(settings, build.plan_for(recorded.streams, plan), job.mode, clock, store, [recorded])


async def _collect(
    settings: Settings,
    paths: Paths,
    job: Job,
    collector: Collector,
    ending: Ending,
    exchange: asyncio.subprocess.Process | None,
) -> None:
    ending.begin_order()
    life = _Life(collector, job, ending.told, settings.collector.linger_s)
    collector.on_stop = ending.told.set
    collector.stays = not job.headless
    collector.audience.on_leave = life.leave
    runner = await serve_unix(Server(collector, version=time.time_ns() // 1_000_000), paths.socket)
    pairs = [pair.label for pair in collector.pairs]
    log.info("collecting", extra={"data": {"pid": os.getpid(), "mode": job.mode, "pairs": pairs}})
    work = [collector.run(), life.watch(), *(_beside(exchange, collector, job) if exchange is not None else ())]
    try:
        try:
            await until(ending.told, work, keep=not job.headless)
        finally:
            await runner.cleanup()
            paths.socket.unlink(missing_ok=True)
            await collector.settle()
            log.info("ended", extra={"data": {"pid": os.getpid()}})
    except Exception as error:  # whatever broke: one line for people, the traceback for the log
        log.critical("the collector broke", exc_info=error)
        raise CollectorError(plainly(error)) from error


def _beside(exchange: asyncio.subprocess.Process, collector: Collector, job: Job) -> Iterator[Coroutine[object, object, None]]:
    """What a demo does besides collecting."""
    yield demo.outlive(exchange)
    if job.faults and exchange.stdout is not None:
        yield drill.show(exchange.stdout, collector)


def _summary(collector: Collector) -> str:
    streams = [stream for feed in collector.feeds for stream in feed.streams.values()]
    trades = sum(stream.tally.trades for stream in streams)
    bars = {timeframe: sum(len(stream.frames[timeframe]) for stream in streams) for timeframe in Timeframe}
    counts = ", ".join(f"{count} of {timeframe}" for timeframe, count in bars.items())
    return f"{trades} trades of {len(streams)} symbols; closed bars in memory: {counts}"


@dataclass(slots=True)
class _Life:
    """When a collector that a screen started may end."""

    collector: Collector
    job: Job
    ending: asyncio.Event
    linger_s: float
    detached: bool = False

    def leave(self, stop: bool) -> None:  # noqa: FBT001 - a callback
        """The last screen goes: quitting ends a collector that was made for a screen, detaching keeps it."""
        if not self.job.child:
            return
        self.detached = not stop
        if stop:
            self.ending.set()

    async def watch(self) -> None:
        """Ends it when its time is over, or nobody has looked for as long as it lingers."""
        clock = self.collector.clock
        begun = clock.monotonic() / clock.speed
        while True:
            now = clock.monotonic() / clock.speed
            left = math.inf if self.job.for_s is None else begun + self.job.for_s - now
            if left <= 0:
                self.ending.set()
            self.collector.audience.look_again()
            look = self.collector.audience.last_look
            idle = now - (begun if look is None else look)
            if self.job.child and not self.detached and idle > (_FIRST_LOOK_S if look is None else self.linger_s):
                log.info("no screen for a while: ending", extra={"data": {"idle_s": round(idle)}})
                self.ending.set()
            await asyncio.sleep(min(_WATCH_S, max(left, 0.01)))


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line of JSON."""
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "data", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry).decode()


def log_to_stderr(level: str) -> None:
    """Log as JSON lines on stderr, in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = JsonLines()
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
