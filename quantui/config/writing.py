"""Settings as TOML text, and the first configuration of a user."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from quantui.config.reading import ConfigError, packaged
from quantui.config.settings import Settings


def render(settings: Settings) -> str:
    """TOML that `load` reads back to equal settings; values that are not set are left out."""
    return "\n".join(_tables(msgspec.to_builtins(settings), "")).strip() + "\n"


def init(path: Path) -> None:
    """Write the documented defaults to `path`, for a person to edit.

    Raises:
        ConfigError: there is a file already, or it cannot be written.
    """
    source = packaged()
    text = source.read_text(encoding="utf-8") if source is not None else render(Settings())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path}: is already there; edit it, or move it away first") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); name another file with --config") from None


def _tables(table: Mapping[str, object], path: str) -> list[str]:
    """Lines of a table and of the tables in it; plain values come first, as TOML wants."""
    lines: list[str] = []
    for key, value in table.items():
        if value is not None and not _is_table(value):
            lines.append(f"{key} = {_value(value)}")
    for key, value in table.items():
        name = f"{path}{key}"
        if isinstance(value, Mapping) and _is_table(value):
            inner = _tables(value, f"{name}.")
            own = [] if inner and inner[0] == "" else [f"[{name}]"]
            lines += ["", *own, *inner] if own else inner
        elif _is_table(value) and isinstance(value, list | tuple):
            for item in value:
                lines += ["", f"[[{name}]]", *_tables(item, f"{name}.")]
    return lines


def _is_table(value: object) -> bool:
    """Gates are short: they stay on one line each."""
    if isinstance(value, Mapping):
        return "limit" not in value
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
