"""How times and numbers are written for this person: the zone, and the sign between thousands.

Chosen once for the process, before anything is drawn, as a locale is. What is written to files is UTC and plain numbers always.
"""

from datetime import UTC, datetime, tzinfo
from typing import Final, NamedTuple

_MARKS: Final = {"comma": ",", "space": " ", "apostrophe": "'", "plain": ""}
"""Between thousands, by the name of the setting. The decimal mark is a point always, as in alerts, filters and files."""


class _Chosen(NamedTuple):
    zone: tzinfo | None = UTC
    """None: the machine's own."""
    mark: str = ","


_chosen = _Chosen()


def use(time_zone: str = "UTC", digits: str = "comma") -> None:
    """Write times in this zone and thousands with this sign from now on.

    Args:
        time_zone: `UTC`, `local`, or a name of the IANA data base such as `Europe/Zurich`.
        digits: `comma`, `space`, `apostrophe` or `plain`.

    Raises:
        KeyError: There is no such zone on this machine (`zoneinfo.ZoneInfoNotFoundError`), or no such way.
    """
    global _chosen
    _chosen = _Chosen(_zone(time_zone), _MARKS[digits])


def _zone(name: str) -> tzinfo | None:
    if name in ("UTC", "local"):
        return UTC if name == "UTC" else None
    from zoneinfo import ZoneInfo  # which reads files: not before the first paint of those who do not need it

    return ZoneInfo(name)


def at(time_ms: int) -> datetime:
    """This moment (ms since 1970) in the chosen zone."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(_chosen.zone)


def zone(time_ms: int) -> str:
    """What the zone is called at this moment: `UTC`, `CEST`."""
    return at(time_ms).strftime("%Z")


def offset_ms(time_ms: int) -> int:
    """How much the zone is ahead of UTC at this moment."""
    ahead = at(time_ms).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds()) * 1000


def grouped(text: str) -> str:
    """A number written with commas between thousands, with the chosen sign there."""
    return text if _chosen.mark == "," else text.replace(",", _chosen.mark)
