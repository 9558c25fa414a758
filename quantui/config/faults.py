"""A validation error in the words of the person who wrote the file: line, table, key, what to write instead."""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal, TypeAlias, get_args, get_origin

import msgspec

from quantui.config.settings import Settings

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the root."""

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "array": "a list in [ ]",
    "object": "a table",
}
_STEP = re.compile(r"([\w-]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_TYPE = re.compile(r"Expected `([^`]+)`, got `[^`]+`")
_RANGE = re.compile(r"Expected `\w+` (.+)")


def syntax(message: str, text: str) -> str:
    """`LINE: what` of a TOML syntax error."""
    match = re.search(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$", message, re.DOTALL)
    if match is None:
        return f" {message!r}"
    line = match[2] or str(text.count("\n") + 1)
    return f"{line}: not valid TOML: {match[1]}"


def explain(message: str, data: Mapping[str, object], text: str) -> str:
    """`LINE: [table] what` of msgspec's message about `data`, which was read from `text`."""
    what, _, place = message.rpartition(" - at `$")
    if not place.endswith("`") or not what:
        what, place = message, ""
    path = _parsed(place[:-1])
    if match := _UNKNOWN.fullmatch(what):
        return _unknown((*path, match[1]), text)
    if match := _MISSING.fullmatch(what):
        return f"{at(path, text)}{_table(path)} needs {match[1]!r}"
    if match := _TYPE.fullmatch(what):
        kinds = " or ".join(_TYPES.get(kind, kind) for kind in match[1].split(" | "))
        if options := _options(path):
            kinds = f"one of {', '.join(options)}"
        return f"{at(path, text)}{name(path)} must be {kinds}, not {_shown(data, path)}"
    if what.startswith("Invalid enum value"):
        return f"{at(path, text)}{name(path)} must be one of {', '.join(_options(path))}, not {_shown(data, path)}"
    if match := _RANGE.fullmatch(what):
        return f"{at(path, text)}{name(path)} must be {match[1]}, not {_shown(data, path)}"
    key, colon, rest = what.partition(": ")  # our own checks name the key first
    if colon:
        path = (*path, *_parsed(key))
        return f"{at(path, text)}{name(path)}: {rest}"
    return f"{at(path, text)}{_table(path)} {what}"


def at(path: Path, text: str) -> str:
    """`LINE: ` where `path`, or the nearest table around it, stands in `text`; a space where it is not in the file at all."""
    lines = text.split("\n")
    while path:
        if (line := _line(path, lines)) is not None:
            return f"{line}: "
        path = path[:-1]
    return " "


def name(path: Path) -> str:
    """`[analysis] window`."""
    keys = [key for key in path if isinstance(key, str)]
    if not keys:
        return "the file"
    last = path.index(keys[-1]) if path else 0
    table = _table(path[:last])
    return f"{table} {keys[-1]}".strip()


def _unknown(path: Path, text: str) -> str:
    key = str(path[-1])
    struct = _type_at(path[:-1])
    keys = _keys(struct)
    near = get_close_matches(key.lower(), keys, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(keys)}"
    kind = "key" if path[:-1] else "table"
    return f"{at(path, text)}{_table(path[:-1]) or 'the configuration'} has no {kind} {key[:80]!r}; {hint}"


def _table(path: Path) -> str:
    """`[analysis.gates]` or `[[pairs]]`; nothing for the root."""
    keys = [key for key in path if isinstance(key, str)]
    if not keys:
        return ""
    text = ".".join(keys)
    return f"[[{text}]]" if isinstance(path[-1], int) else f"[{text}]"


def _parsed(text: str) -> Path:
    return tuple(int(index) if index else key for key, index in _STEP.findall(text))


def _line(path: Path, lines: list[str]) -> int | None:
    """The line on which the statement begins that brings `path` into the file; None where the file does not have it.

    The parser gives no positions, but the file up to a line either has the path or not: halve until the line is found. What
    ends inside a statement of several lines does not parse; the nearest shorter part that does stands for it.
    """

    def whole(count: int) -> tuple[int, bool]:
        while count:
            try:
                return count, _contains(tomllib.loads("\n".join(lines[:count])), path)
            except (tomllib.TOMLDecodeError, RecursionError):
                count -= 1
        return 0, False

    low, high = 0, len(lines)
    if not whole(high)[1]:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        count, there = whole(middle)
        if there:
            high = count
        else:
            low = middle
    return whole(high - 1)[0] + 1


def _contains(data: object, path: Path) -> bool:
    for key in path:
        items = data if isinstance(data, dict) else dict(enumerate(data)) if isinstance(data, list) else {}
        if key not in items:
            return False
        data = items[key]
    return True


def _shown(data: object, path: Path) -> str:
    for key in path:
        if isinstance(data, dict) and isinstance(key, str):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int):
            data = data[key]
    if isinstance(data, dict | list):
        return "a table" if isinstance(data, dict) else "a list"
    if isinstance(data, bool):
        return str(data).lower()
    text = repr(data)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _type_at(path: Path) -> object:
    """The type of the setting at `path`."""
    found: object = Settings
    for key in path:
        if isinstance(key, int):
            found = get_args(found)[0]
        elif isinstance(found, type) and issubclass(found, msgspec.Struct):
            types = {field.encode_name: field.type for field in msgspec.structs.fields(found)}
            found = types.get(key)
    return found


def _keys(struct: object) -> list[str]:
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct):
        return list(struct.__struct_encode_fields__)
    return []


def _options(path: Path) -> list[str]:
    """What a setting with a fixed choice may be."""
    kind = _type_at(path)
    parts = [kind] if get_origin(kind) is Literal else list(get_args(kind))
    names = [repr(value) for part in parts if get_origin(part) is Literal for value in get_args(part)]
    return names + ["true", "false"] * (bool in parts) if names else []
