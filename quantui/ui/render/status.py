"""The status line: is it live, what is it showing, how fresh and how proven is it."""

from typing import TYPE_CHECKING, Final, NamedTuple

from quantui.ui.render import numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Field, Line, Role, Span, bar, cells, fit
from quantui.ui.render.names import bases, estimator, short_label, venue

if TYPE_CHECKING:
    from quantui.collector.snapshot import FeedView, Session, Snapshot


class _Look(NamedTuple):
    glyph: str
    """Attribute of `Glyphs`."""
    role: Role


_LINKS: Final = {
    "connecting": _Look("waiting", Role.WARN),
    "live": _Look("live", Role.GOOD),
    "stale": _Look("warning", Role.WARN),
    "filling": _Look("waiting", Role.WARN),
    "reconnecting": _Look("waiting", Role.WARN),
    "offline": _Look("dead", Role.BAD),
    "blocked": _Look("dead", Role.BAD),
    "replay": _Look("live", Role.GOOD),
    "ended": _Look("waiting", Role.DIM),
}


class ScreenState(NamedTuple):
    """What the screen itself knows, beside the snapshot."""

    starting: str = ""
    """What is being waited for before the first snapshot."""
    lost: bool = False
    """The collector does not answer."""
    paused: bool = False
    past: str = ""
    """How far back the picture is, where it is not of now."""
    wanted: "Session | None" = None
    """What a key asked for, until the collector has answered."""


def state_line(snapshot: "Snapshot | None", state: ScreenState, width: int, glyphs: Glyphs) -> Line:
    """The left part: state, venue, pair, timeframe, window, estimator."""
    if snapshot is None:
        text = "COLLECTOR LOST" if state.lost else state.starting.upper()
        return (Span(fit(f"{glyphs.waiting} {text}", width), Role.WARN),)
    word, look = _state(snapshot, state)
    session = state.wanted or snapshot.session
    pair = "/".join(bases(snapshot.y.symbol, snapshot.x.symbol))
    if state.wanted and session.pair < len(snapshot.pairs):
        pair = short_label(snapshot.pairs[session.pair].label)
    head = f"{getattr(glyphs, look.glyph)} {word}"
    fields = [
        Field(snapshot.mode if snapshot.mode != "live" else "", priority=7),
        Field(venue(snapshot.feed.venue), priority=2),
        Field(pair + (glyphs.more if state.wanted else ""), priority=9),
        Field(session.timeframe, priority=8),
        Field(f"W{session.window}", priority=5),
        Field(estimator(session.estimator), priority=3),
    ]
    rest = width - cells(head) - 1
    shown = " ".join(field.text for field in bar(fields, rest)) if rest > 0 else ""
    return Span(head, look.role), Span(fit(" " + shown, width - cells(head)))


def _state(snapshot: "Snapshot", state: ScreenState) -> tuple[str, _Look]:
    if state.lost:
        return "COLLECTOR LOST old data", _Look("dead", Role.BAD)
    if state.past:
        return f"PAST {state.past}", _Look("waiting", Role.WARN)
    if state.paused:
        return "PAUSED", _Look("waiting", Role.WARN)
    link = str(snapshot.feed.link)
    return link.upper(), _LINKS.get(link, _Look("warning", Role.WARN))


def health_line(feed: "FeedView", width: int) -> Line:
    """The right part: age of the last trade, lag, clock skew, gaps, share certified; the least important give way."""
    gaps = f"gaps {feed.gaps_open}" + (f"+{feed.gaps_lost} lost" if feed.gaps_lost else "")
    mismatched = f"!{feed.mismatched}" if feed.mismatched else ""
    far_off = feed.skew_ms is not None and abs(feed.skew_ms) >= 1000
    fields = [
        Field(f"age {numbers.age(feed.age_s)}", priority=9),
        Field(f"lag {numbers.delay(feed.lag_ms)}", priority=5),
        Field(f"skew {numbers.delay(feed.skew_ms)}", priority=6 if far_off else 2),
        Field(gaps, priority=8 if feed.gaps_open or feed.gaps_lost else 4),
        Field(f"cert {numbers.share(feed.certified)}{mismatched}", priority=7),
    ]
    bad = bool(feed.gaps_open or feed.gaps_lost or feed.mismatched or far_off)
    text = " ".join(field.text for field in bar(fields, width))
    return (Span(fit(text, width, right=True), Role.WARN if bad else Role.DIM),)
