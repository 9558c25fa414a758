"""Rows of text: delimited lines and JSON values, and the names their columns go by."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from quantui.feeds.files.errors import BadRowError

ALIASES: Mapping[str, tuple[str, ...]] = {
    "time": ("timestamp", "ts", "time", "datetime", "date", "transact_time", "open_time"),
    "symbol": ("symbol", "ticker"),
    "price": ("price", "close"),
    "size": ("size", "volume", "qty", "quantity", "amount"),
    "id": ("id", "trade_id", "agg_trade_id"),
    "side": ("side",),
}
"""Names of tick columns, best first; any letter case."""


@lru_cache(maxsize=256)
def columns(names: tuple[str, ...]) -> dict[str, int]:
    """Index of every known tick column among `names`; the first alias present wins."""
    lowered = [name.strip().lower() for name in names]
    found = {}
    for column, aliases in ALIASES.items():
        name = next((alias for alias in aliases if alias in lowered), None)
        if name is not None:
            found[column] = lowered.index(name)
    return found


def indices(names: Sequence[str]) -> dict[str, int]:
    """Index by lower-cased name; the first of equal names wins."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        found.setdefault(name.strip().lower(), index)
    return found


def split(line: bytes) -> list[str]:
    """The fields of a line of CSV.

    Raises:
        BadRowError: It is not UTF-8 or its quotes do not close.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise BadRowError("it is not UTF-8 text") from None
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise BadRowError(str(error)) from None


def field(fields: Sequence[str], index: int) -> str:
    """The field at `index`, stripped.

    Raises:
        BadRowError: The row is too short.
    """
    if index >= len(fields):
        raise BadRowError(f"it has {len(fields)} fields, {index + 1} are needed")
    return fields[index].strip()


def text_of(value: object) -> str:
    """A JSON string or number as decimal text.

    Raises:
        BadRowError: It is neither.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise BadRowError(f"{str(value)[:40]!r} is not a number")


def is_number(text: str) -> bool:
    """Whether a first field says that a line of CSV is no header."""
    return text.strip().replace(".", "", 1).isdigit()


def missing(found: Iterable[str], needed: Iterable[str]) -> str:
    """The columns that are not there, for a message."""
    return ", ".join(sorted(set(needed) - set(found)))
