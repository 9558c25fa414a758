"""`demo --faults`: says what is done to the feed and how it healed, while the screen shows it."""

import asyncio
from dataclasses import dataclass
from typing import Literal

import msgspec

from quantui.alerts.records import INFO, data_alert
from quantui.collector.core import Collector

EVERY_S = 30.0
_PATIENCE_S = 14.0
"""A fault that nobody has noticed after so long did no harm, such as a frame sent twice; half-open sockets take 12 s."""
_LOOK_S = 0.05
_WORST_S = 60.0


class Done(msgspec.Struct, frozen=True):
    """What the exchange says that it did."""

    time_ms: int
    said: str


@dataclass(frozen=True, slots=True)
class _State:
    """What the feeds have counted so far."""

    reconnects: int
    filled: int
    rejected: int
    lost: int

    @classmethod
    def of(cls, collector: Collector) -> "_State":
        tallies = [stream.tally for feed in collector.feeds for stream in feed.streams.values()]
        return cls(
            sum(feed.status.reconnects for feed in collector.feeds),
            sum(tally.trades_filled for tally in tallies),
            sum(tally.rejected for tally in tallies),
            sum(tally.trades_lost for tally in tallies),
        )


async def show(exchange: asyncio.StreamReader, collector: Collector) -> None:
    """Every fault and its healing in the alert log, until the exchange says no more."""
    while line := await exchange.readline():
        fault = msgspec.json.decode(line, type=Done)
        _say(collector, "fault", f"demo fault: {fault.said}", fault)
        begun, before = collector.clock.monotonic(), _State.of(collector)
        seconds = await _healed(collector, before, begun)
        _say(collector, "healed", _verdict(before, _State.of(collector), seconds), fault)


async def _healed(collector: Collector, before: _State, begun: float) -> float | None:
    """Exchange seconds until all is live and complete again; None where nothing was ever amiss."""
    is_hurt = False
    while True:
        await collector.clock.sleep(_LOOK_S)
        seconds = collector.clock.monotonic() - begun
        streams = [stream for feed in collector.feeds for stream in feed.streams.values()]
        is_well = all(feed.status.link == "live" for feed in collector.feeds)
        is_well = is_well and all(stream.is_complete and not stream.suspended for stream in streams)
        is_hurt = is_hurt or not is_well or _State.of(collector) != before
        if (is_hurt and is_well) or seconds > _WORST_S:
            return seconds
        if not is_hurt and seconds > _PATIENCE_S:
            return None


def _verdict(before: _State, after: _State, seconds: float | None) -> str:
    if seconds is None:
        return "no harm: nothing was missed"
    if seconds > _WORST_S:
        return f"not healed after {_WORST_S:.0f} s"
    parts = [
        f"{after.lost - before.lost:,} trades lost",
        f"{after.filled - before.filled:,} read back",
        f"{after.rejected - before.rejected} records refused" if after.rejected > before.rejected else "",
    ]
    return f"healed in {seconds:.1f} s: {', '.join(part for part in parts if part)}"


def _say(collector: Collector, kind: Literal["fault", "healed"], text: str, fault: Done) -> None:
    now = fault.time_ms if kind == "fault" else collector.clock.now_ms()
    collector.alarm.warn(data_alert(kind, text, now_ms=now, since_ms=fault.time_ms, severity=INFO))
