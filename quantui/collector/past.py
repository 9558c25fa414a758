"""The screen as it was at a closed bar before, made anew from the bars that are kept.

Bars are as they are known now: one that was provisional then and has been certified since counts as certified. What was never
kept, quotes, funding and the state of the feed, is left out.
"""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from quantui.collector import snapshot as view
from quantui.collector.desk import CATCH_UP, Desk
from quantui.collector.drawing import lines_of
from quantui.collector.view import Lens
from quantui.market.frames import SymbolFrames
from quantui.market.instruments import Pair, Symbol, Timeframe
from quantui.text import safe
from quantui.threads import one_thread

_DAY_MS: Final = 86_400_000


@dataclass(slots=True)
class Past:
    """Makes snapshots of bars before the newest."""

    desk: Desk
    _worker: ThreadPoolExecutor = field(default_factory=partial(one_thread, "past"))

    async def snapshot(
        self, bar_ms: int, points: int, session: view.Session, pairs: Sequence[Pair], now: view.Snapshot
    ) -> view.Snapshot:
        """What the screen showed when the bar that opens at `bar_ms` had closed, or the last bar before it.

        Args:
            bar_ms: Open time of a bar of the session's timeframe; before the oldest that is kept, that one is taken.
            points: Values a line.
            session: What is looked at, and with which window, threshold and estimator.
            pairs: The watch list.
            now: The present state: its alerts, as far as they had come by then.

        Raises:
            ValueError: There is no bar of the pair at all.
        """
        pair, timeframe = pairs[session.pair], Timeframe(session.timeframe)
        known = self.desk.closes(pair, timeframe, self.desk.frames[pair.y][timeframe].capacity) if self._knows(pair) else None
        if known is None or not len(known):
            raise ValueError(f"there is no bar of {safe(pair.label)} yet")
        bar_ms = max(bar_ms, int(known.times[0]))
        reach = session.window + max(points, CATCH_UP)
        frames = _until(self.desk.frames, pairs, timeframe, bar_ms + timeframe.ms, reach)
        desk = Desk(pairs, self.desk.settings, frames)
        loop = asyncio.get_running_loop()
        async with self.desk.turn:  # one thread beside the loop at a time
            series = await loop.run_in_executor(self._worker, _settled, desk, pair, timeframe, points)
        return _snapshot(desk, pair, timeframe, series, session, now)

    def _knows(self, pair: Pair) -> bool:
        return pair.y in self.desk.frames and pair.x in self.desk.frames


def _until(
    frames: Mapping[Symbol, SymbolFrames], pairs: Sequence[Pair], timeframe: Timeframe, end_ms: int, reach: int
) -> dict[Symbol, SymbolFrames]:
    """Copies of the legs' bars that had closed by `end_ms`: the newest `reach`, and a day of those that turnover is told from."""
    found = {}
    for symbol in {leg for pair in pairs for leg in (pair.y, pair.x) if leg in frames}:
        whole, parts = frames[symbol], {}
        for each in Timeframe:
            last = max(reach if each is timeframe else 0, _DAY_MS // each.ms if each in (Timeframe.H1, Timeframe.M1) else 0)
            rows = whole[each].between(0, end_ms - each.ms + 1)
            parts[each] = rows[len(rows) - min(last, len(rows)) :]
        copy = SymbolFrames(whole.instrument, {each: max(1, len(rows)) for each, rows in parts.items()})
        for each, rows in parts.items():
            copy[each].load(rows)
        found[symbol] = copy
    return found


def _settled(desk: Desk, pair: Pair, timeframe: Timeframe, points: int) -> view.SeriesView:
    """Every reading of a desk that nobody else knows, and the lines of a pair; runs beside the event loop."""
    desk.settle_at_once(timeframe)
    closes = desk.closes(pair, timeframe, desk.settings.window + points)
    return lines_of(desk.settings, closes, points) if closes is not None and len(closes) else view.SeriesView()


def _snapshot(
    desk: Desk, pair: Pair, timeframe: Timeframe, series: view.SeriesView, session: view.Session, now: view.Snapshot
) -> view.Snapshot:
    lens, reading = Lens(desk, ()), desk.readings.get((pair, timeframe))
    end_ms = (reading.bar_ms if reading else 0) + timeframe.ms
    volatility = (reading.statistics.volatility_y, reading.statistics.volatility_x) if reading else (None, None)
    return view.Snapshot(
        version=0,
        mode=now.mode,
        time_ms=end_ms,
        feed=view.FeedView(link=now.feed.link, venue=now.feed.venue),
        session=session,
        y=_leg(desk.frames[pair.y], timeframe, session.window, volatility[0]),
        x=_leg(desk.frames[pair.x], timeframe, session.window, volatility[1]),
        stats=lens.stats(pair, timeframe),
        series=series,
        pairs=lens.rows(desk.pairs, timeframe),
        alerts=tuple(row for row in now.alerts if row.time_ms < end_ms + timeframe.ms),  # those of this bar came after its close
        pid=now.pid,
        started_ms=now.started_ms,
    )


def _leg(frames: SymbolFrames, timeframe: Timeframe, window: int, volatility: float | None) -> view.LegView:
    rows, unit = frames[timeframe].rows[-window:], 10**frames.instrument.price_decimals
    name = safe(frames.instrument.symbol.name)
    if not len(rows):
        return view.LegView(symbol=name)
    first, last = float(rows[0, 4]) / unit, float(rows[-1, 4]) / unit
    return view.LegView(
        symbol=name,
        price=last,
        change=last / first - 1 if first else None,
        decimals=frames.instrument.price_decimals,
        volatility=volatility,
    )
