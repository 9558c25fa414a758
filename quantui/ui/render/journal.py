"""The monitor as lines of text, for a terminal that cannot show a screen: what has happened between two snapshots."""

from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec.structs import replace

from quantui.ui.render import local, numbers
from quantui.ui.render.cards import shortage
from quantui.ui.render.names import bases, estimator, short_label

if TYPE_CHECKING:
    from quantui.collector.snapshot import AlertRow, Snapshot, StatsView

_NO_TIME = "--:--:--"
"""In place of the time of what has happened to a recording: the exchange's is long over, and ours is not that of its bars."""


def opening(term: str | None, zone: str = "UTC") -> str:
    """The first line: why there is no screen, and how to leave.

    Args:
        term: `TERM` where it is the reason; None where the person asked for lines.
        zone: Of the times.
    """
    why = "" if term is None else f"TERM={term} " if term else "TERM is unset "
    what = f"{why}(plain line-by-line output)" if why else "plain line-by-line output"
    return f"quantui: {what}; times are {zone}, a bar has that of its opening; Ctrl+C to leave"


def lost(last: "Snapshot | None", reason: str, *, still: bool) -> str:
    """The collector does not answer.

    Args:
        last: The snapshot seen last.
        reason: In its own words.
        still: It was told before that it is lost, for another reason.
    """
    if still:
        return f"collector still lost: {reason}; trying again"
    newest = last.stats.bar_ms if last is not None else None
    seen = "" if newest is None else f" (newest bar {numbers.clock(newest)})"
    return f"collector lost{seen}: {reason}; trying again"


def back() -> str:
    """It answers again."""
    return "collector back"


def lines(before: "Snapshot | None", after: "Snapshot") -> list[str]:
    """What is new in `after`: session, link, closed bars, alerts; nothing where nothing of that has changed.

    Args:
        before: The snapshot seen last; None for the first. What is older than the first is not told.
        after: The newest.
    """
    return [*_session(before, after), *_link(before, after), *_bars(before, after), *_alerts(before, after)]


def remembered(before: "Snapshot | None", after: "Snapshot") -> "Snapshot":
    """What is `before` for the next snapshot: `after`, with the bars of `before` until there are newer ones.

    A collector that has replaced another begins with bars that were told already.
    """
    told, newest = _told(before, after), after.stats.bar_ms
    if before is None or told is None or (newest is not None and newest >= told):
        return after
    return replace(after, pid=before.pid, series=before.series, stats=replace(after.stats, bar_ms=told))


def _now(snapshot: "Snapshot") -> str:
    return _NO_TIME if snapshot.mode == "replay" else numbers.clock(snapshot.time_ms)


def _session(before: "Snapshot | None", after: "Snapshot") -> list[str]:
    """What is watched: another screen of the same collector may change it."""
    if before is not None and (before.session, _pair(before)) == (after.session, _pair(after)):
        return []
    session = after.session
    what = f"{after.mode} {after.feed.venue} {_pair(after)} {session.timeframe}, window {session.window}"
    how = f"{estimator(session.estimator)}, entry |z| >= {session.entry:.1f}, exit |z| <= {session.exit:.1f}"
    return [f"{_now(after)} watching {what}, {how}"]


def _link(before: "Snapshot | None", after: "Snapshot") -> list[str]:
    feed = after.feed
    if before is not None and before.feed.link == feed.link:
        return []
    return [f"{_now(after)} link {feed.link.upper()}" + (f": {feed.detail}" if feed.detail else "")]


def _pair(snapshot: "Snapshot") -> str:
    return "/".join(bases(snapshot.y.symbol, snapshot.x.symbol))


def _told(before: "Snapshot | None", after: "Snapshot") -> int | None:
    """The newest bar that was told of the same pair and timeframe; None where there is none."""
    if before is None or (_pair(before), before.session.timeframe) != (_pair(after), after.session.timeframe):
        return None
    newest, times = after.stats.bar_ms, before.series.open_ms
    if before.pid != after.pid and newest is not None and times and newest < times[0]:
        return None  # a new market of the demo, which opens at an earlier time
    return before.stats.bar_ms


def _bars(before: "Snapshot | None", after: "Snapshot") -> list[str]:
    """The bars that have closed since `before`, oldest first; the newest with its statistics."""
    newest, told = after.stats.bar_ms, _told(before, after)
    if newest is None:
        return []
    if told is None:
        return [*_date(before.stats.bar_ms if before is not None else None, newest), _newest(after, newest)]
    out = _left_out(after, told)
    closed = [index for index, open_ms in enumerate(after.series.open_ms) if told < open_ms < newest]
    for place, index in enumerate(closed):
        open_ms = after.series.open_ms[index]
        out += [*_date(told, open_ms), _passed(after, index, len(closed) - place)]
        told = open_ms
    return [*out, *_date(told, newest), _newest(after, newest)] if newest > told else []


def _date(earlier: int | None, open_ms: int) -> list[str]:
    """The date of a bar, where it is not that of the bar before."""
    day = local.at(open_ms).date()
    if earlier is not None and local.at(earlier).date() == day:
        return []
    return [f"date {day}"]


def _left_out(after: "Snapshot", told: int) -> list[str]:
    """How many bars closed after `told` that are too old to be in the snapshot."""
    times = after.series.open_ms
    step = min((later - earlier for earlier, later in pairwise(times)), default=0)
    count = (times[0] - told) // step - 1 if step else 0
    return [f"{numbers.clock(told)} {_pair(after)} {count} bars after this one are not shown"] if count > 0 else []


def _head(snapshot: "Snapshot", open_ms: int, index: int | None) -> str:
    """Time, pair, timeframe and the closing prices of both legs."""
    legs, series = (snapshot.y, snapshot.x), snapshot.series
    names = bases(snapshot.y.symbol, snapshot.x.symbol)
    closes = (None, None) if index is None else (series.y[index], series.x[index])
    prices = (f"{name} {numbers.price(close, leg.decimals)}" for name, leg, close in zip(names, legs, closes, strict=True))
    return " ".join((numbers.clock(open_ms), "/".join(names), snapshot.session.timeframe, *prices))


def _passed(snapshot: "Snapshot", index: int, behind: int) -> str:
    """A bar that closed between two snapshots, `behind` bars before the newest: of the statistics only its z-score is known."""
    stats, zscore = snapshot.stats, snapshot.series.zscore[index]
    head = _head(snapshot, snapshot.series.open_ms[index], index)
    if stats.n < stats.need:
        return f"{head} {max(0, stats.n - behind)}/{stats.need} warming up"
    return head if zscore is None else f"{head} z {numbers.signed(zscore)}"


def _newest(snapshot: "Snapshot", open_ms: int) -> str:
    times, stats = snapshot.series.open_ms, snapshot.stats
    head = _head(snapshot, open_ms, times.index(open_ms) if open_ms in times else None)
    if stats.n < stats.need:
        return f"{head} {stats.n}/{stats.need} warming up"
    pairs, focus = snapshot.pairs, snapshot.session.pair
    note = pairs[focus].note if focus < len(pairs) else ""
    return f"{head} {_statistics(stats)}" + (f" ({note})" if note else "")


def _statistics(stats: "StatsView") -> str:
    beta = shortage(stats, "beta", "alpha") if stats.beta is None else numbers.number(stats.beta, 3)
    zscore = shortage(stats, "zscore", "spread") if stats.zscore is None else numbers.signed(stats.zscore)
    test = stats.engle_granger
    test_text = shortage(stats, "engle_granger") if test is None else f"p {numbers.probability(test.p_value)}"
    return f"beta {beta} z {zscore} {_signal(stats.signal)} EG {test_text} half-life {_half_life(stats)}"


def _signal(name: str) -> str:
    word = numbers.signal(name)
    return f"{word} spread" if word in ("SHORT", "LONG") else word or "no signal"


def _half_life(stats: "StatsView") -> str:
    if stats.half_life is None:
        return shortage(stats, "half_life")
    return f"{numbers.bars(stats.half_life, fine=stats.half_life < 9.95)} bars"


def _alerts(before: "Snapshot | None", after: "Snapshot") -> list[str]:
    """Alerts that came since `before`, oldest first; those of earlier days are not news."""
    if before is None:
        return []
    last = max((row.id for row in before.alerts), default=-1)
    return [_alert(row) for row in sorted(after.alerts, key=lambda row: row.id) if row.id > last]


def _alert(row: "AlertRow") -> str:
    return " ".join(part for part in (numbers.clock(row.time_ms), row.severity.upper(), short_label(row.pair), row.text) if part)
