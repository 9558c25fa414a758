"""What the keys change, whether it can be, and what of it a restart finds again."""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from quantui.analytics.estimators import Estimator
from quantui.analytics.spread import Space, zscore_bound
from quantui.collector.snapshot import Session
from quantui.config.settings import SLOPES_WINDOW
from quantui.market.frames import DEFAULT_CAPACITY
from quantui.market.instruments import Pair, Timeframe

WINDOWS = range(30, 5001)
MAX_ENTRY = 20.0


class SessionChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a key changes; None leaves it."""

    pair: int | None = None
    timeframe: str | None = None
    window: int | None = None
    entry: float | None = None
    estimator: str | None = None


class WatchChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pair for the watch list, written Y/X."""

    pair: str
    drop: bool = False


class Kept(msgspec.Struct, frozen=True):
    """A session as it is stored."""

    session: Session
    configured: Session
    """What the configuration said then: where it says something else now, the configuration wins."""
    pair: str
    """Label of the pair in focus: its number may be another one after a change of the configuration."""


def changed(session: Session, change: SessionChange, pairs: Sequence[Pair]) -> Session:
    """The session after a key. Raises `ValueError` with one line where it cannot be."""
    wanted = {name: value for name, value in structs.asdict(change).items() if value is not None}
    new = structs.replace(session, **wanted)
    if new.window != session.window:
        follows = session.z_window == session.window
        new = structs.replace(new, z_window=new.window if follows else min(session.z_window, new.window))
    check(new, pairs)
    return new


def restored(kept: Kept | None, configured: Session, pairs: Sequence[Pair]) -> Session:
    """The session a restart goes on with: the keys' choices, as far as the configuration has not changed meanwhile."""
    if kept is None:
        return configured
    before = structs.asdict(kept.configured)
    choices = structs.asdict(kept.session)
    session = structs.replace(
        configured, **{name: choices[name] for name, value in structs.asdict(configured).items() if before[name] == value}
    )
    labels = [pair.label for pair in pairs]
    session = structs.replace(session, pair=labels.index(kept.pair) if kept.pair in labels else 0)
    if (session.window, session.z_window) != (kept.session.window, kept.session.z_window):
        session = structs.replace(session, window=configured.window, z_window=configured.z_window)
    try:
        check(session, pairs)
    except ValueError:
        return configured
    return session


def check(session: Session, pairs: Sequence[Pair]) -> None:
    """Whether there can be such a session. Raises `ValueError` with one line."""
    if not 0 <= session.pair < len(pairs):
        raise ValueError(f"there is no pair {session.pair + 1}: pairs are 1 to {len(pairs)}")
    if session.timeframe not in [timeframe.value for timeframe in Timeframe]:
        raise ValueError(f"there is no timeframe {session.timeframe}: use one of {', '.join(Timeframe)}")
    if session.window not in WINDOWS:
        raise ValueError(f"a window of {session.window} bars is out of range: {WINDOWS.start} to {WINDOWS.stop - 1}")
    capacity = DEFAULT_CAPACITY[Timeframe(session.timeframe)]
    if session.window > capacity:
        raise ValueError(
            f"a window of {session.window} bars of {session.timeframe} is never full: {capacity} are kept;"
            " choose a smaller window or a shorter timeframe"
        )
    _check_estimator(session)
    bound = zscore_bound(session.z_window)
    if not session.exit < session.entry <= min(MAX_ENTRY, bound):
        raise ValueError(
            f"an entry of {session.entry:.1f} is out of range: above the exit, {session.exit:.1f}, and at most {bound:.1f},"
            f" the largest |z| that {session.z_window} bars can show"
        )


def _check_estimator(session: Session) -> None:
    if session.estimator not in [estimator.value for estimator in Estimator]:
        raise ValueError(f"there is no estimator {session.estimator}: use one of {', '.join(Estimator)}")
    if session.estimator == Estimator.RETURNS and session.space != Space.LOG:
        raise ValueError(f'estimator returns regresses log returns: it needs space = "log", not {session.space}')
    if session.estimator == Estimator.THEIL_SEN and session.window > SLOPES_WINDOW:
        raise ValueError(
            f"theil-sen takes the slope between any two of {session.window} bars: use a window of {SLOPES_WINDOW} at most"
        )
