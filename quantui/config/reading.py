"""Finds config.toml, reads it, and says in one line what is wrong with it: file, line, key, what to write instead.

The screen waits for it, so what explains mistakes is imported only where there is one.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import platformdirs

from quantui.config.settings import Settings

if TYPE_CHECKING:
    from quantui.config import faults

_SIZE_LIMIT = 1 << 20


class ConfigError(Exception):
    """The configuration cannot be used; the message is one line for people."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings and where they came from."""

    settings: Settings
    path: Path | None
    """None: built-in defaults, no file."""
    source: str
    """Which step of the order of lookup found it."""


def load(path: Path | None, env: Mapping[str, str], cwd: Path) -> Loaded:
    """Read the configuration at `path` (`--config`), else `$QUANTUI_CONFIG`, `cwd`/config.toml, the user's own, the packaged one.

    The one in `cwd` counts only if it has a `[market]` table: other programs use the same name.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or says something that quantui does not know.
    """
    found, source = _find(path, env, cwd)
    if found is None:
        return Loaded(Settings(), None, source)
    return Loaded(_settings(_read(found), found), found, source)


def user_file(env: Mapping[str, str]) -> Path:
    """Where the user's own configuration lies, whether it is there or not: `$XDG_CONFIG_HOME`, else the platform's place."""
    root = Path(env.get("XDG_CONFIG_HOME", ""))
    return (root / "quantui" if root.is_absolute() else platformdirs.user_config_path("quantui", False)) / "config.toml"


def packaged() -> Path | None:
    """The documented defaults: inside the package where it was installed, at the root in a checkout."""
    package = Path(__file__).resolve().parents[1]
    candidates = (package / "config.toml", package.parent / "config.toml")
    return next((path for path in candidates if path.is_file() and _is_ours(path)), None)


def _find(path: Path | None, env: Mapping[str, str], cwd: Path) -> tuple[Path | None, str]:
    if path is not None:
        return cwd / path, "--config"
    if env.get("QUANTUI_CONFIG"):
        return cwd / env["QUANTUI_CONFIG"], "$QUANTUI_CONFIG"
    local = cwd / "config.toml"
    if local.is_file() and _is_ours(local):
        return local, "./config.toml"
    user = user_file(env)
    if user.exists():
        return user, "user configuration"
    return packaged(), "packaged defaults"


def _is_ours(path: Path) -> bool:
    """A file with a `[market]` table, even one with a mistake: it must be named, not passed over."""
    try:
        text = _read(path)
    except ConfigError:
        return False
    try:
        return isinstance(_parsed(text).get("market"), dict)
    except (tomllib.TOMLDecodeError, RecursionError):
        return any(line.strip().startswith("[market]") for line in text.splitlines())


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_SIZE_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); `quantui config init` writes one") from None
    if len(data) > _SIZE_LIMIT:
        raise ConfigError(f"{path}: larger than 1 MB: this is not a configuration")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: is not UTF-8 text: save it as UTF-8") from None


@lru_cache(maxsize=2)
def _parsed(text: str) -> dict[str, Any]:
    """The tables of a file, which is looked at twice: whose it is, and what it says."""
    return tomllib.loads(text)


def _settings(text: str, path: Path) -> Settings:
    try:
        data = _parsed(text)
        wrong = _not_finite(data, ())
    except tomllib.TOMLDecodeError as error:
        from quantui.config import faults

        raise ConfigError(f"{path}:{faults.syntax(str(error), text)}") from None
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply: write it flatter") from None
    if wrong is not None:
        from quantui.config import faults

        raise ConfigError(f"{path}:{faults.at(wrong, text)}{faults.name(wrong)} must be a finite number")
    # An empty list asks for the defaults.
    data = {name: value for name, value in data.items() if name not in ("pairs", "alerts") or value != []}
    try:
        return msgspec.convert(_merged(msgspec.to_builtins(Settings()), data), Settings)
    except msgspec.ValidationError as error:
        from quantui.config import faults

        raise ConfigError(f"{path}:{faults.explain(str(error), data, text)}") from None


def _merged(defaults: Mapping[str, object], data: Mapping[str, object]) -> dict[str, object]:
    """`defaults` with what `data` says instead; lists are replaced whole."""
    result = dict(defaults)
    for key, value in data.items():
        default = defaults.get(key)
        result[key] = _merged(default, value) if isinstance(value, dict) and isinstance(default, dict) else value
    return result


def _not_finite(value: object, where: "faults.Path") -> "faults.Path | None":
    """Path of the first nan or infinity: TOML knows them, no setting does."""
    if isinstance(value, float):
        return None if math.isfinite(value) else where
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return next((found for key, item in items if (found := _not_finite(item, (*where, key))) is not None), None)
