"""Where files live: XDG configuration, data, state and runtime directories, each readable by its owner only.

A variable of `env` (`XDG_DATA_HOME`, ...) wins where it is absolute, as the specification asks; else the platform's own place.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_SOCKET_BYTES = 99
"""Longest path of a Unix socket that every platform takes: `sun_path` holds 104 bytes on macOS, 108 on Linux."""

_DIRS = platformdirs.PlatformDirs("quantui", appauthor=False)


class PathError(Exception):
    """A directory cannot be used; the message is one line: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The places of one data directory."""

    data_dir: Path
    state_dir: Path
    runtime_dir: Path

    @property
    def database(self) -> Path:
        """The store."""
        return self.data_dir / "quantui.db"

    @property
    def lock(self) -> Path:
        """Held by the one collector of this data directory."""
        return self.data_dir / "collector.lock"

    @property
    def socket(self) -> Path:
        """The collector's Unix socket."""
        return self.runtime_dir / f"{_digest(self.data_dir)}.sock"

    @property
    def collector_log(self) -> Path:
        """What a collector started by the screen writes."""
        return self.state_dir / f"collector-{_digest(self.data_dir)}.log"

    @property
    def screen_log(self) -> Path:
        """Where the screen writes a crash in full."""
        return self.state_dir / f"screen-{_digest(self.data_dir)}.log"

    @property
    def screen_state(self) -> Path:
        """What the screen remembers of the person, whatever data it shows."""
        return self.state_dir / "screen.json"

    def create(self) -> None:
        """Make the directories that are not there, 0700.

        Raises:
            PathError: one cannot be made, or the socket's belongs to somebody else.
        """
        for directory in (self.data_dir, self.state_dir, self.runtime_dir):
            try:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise PathError(f"{directory}: cannot be made ({error.strerror}); name another with --data-dir or XDG_*") from None
        _secure(self.runtime_dir)


def resolve(data_dir: Path | None, env: Mapping[str, str]) -> Paths:
    """The places for `--data-dir`, else `$QUANTUI_DATA_DIR`, else the user's data directory. Touches nothing."""
    data = data_dir or _absolute(env, "QUANTUI_DATA_DIR", relative=True) or _home(env, "XDG_DATA_HOME", _DIRS.user_data_path)
    state = _home(env, "XDG_STATE_HOME", _DIRS.user_state_path)
    return Paths(data.resolve(), state, _runtime_dir(env, state))


def config_dir(env: Mapping[str, str]) -> Path:
    """The directory of the user's own config.toml."""
    return _home(env, "XDG_CONFIG_HOME", _DIRS.user_config_path)


def _runtime_dir(env: Mapping[str, str], state: Path) -> Path:
    """The first place for a socket whose path is short enough.

    The state directory comes before `XDG_RUNTIME_DIR`: systemd empties the latter when the user's last session ends, and a
    collector that lingers after a lost SSH connection must be found by the next one.
    """
    candidates = [state / "run"]
    runtime = _absolute(env, "XDG_RUNTIME_DIR")
    if runtime is not None:
        candidates.append(runtime / "quantui")
    candidates.append(Path("/tmp") / f"quantui-{os.getuid()}")
    name = f"/{'0' * len(_digest(state))}.sock"
    return next(path for path in candidates if len(os.fsencode(f"{path}{name}")) <= _SOCKET_BYTES or path is candidates[-1])


def _home(env: Mapping[str, str], variable: str, default: Path) -> Path:
    root = _absolute(env, variable)
    return root / "quantui" if root is not None else default


def _absolute(env: Mapping[str, str], variable: str, *, relative: bool = False) -> Path | None:
    text = env.get(variable, "")
    path = Path(text)
    return path if text and (relative or path.is_absolute()) else None


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.blake2s(os.fsencode(path), digest_size=6).hexdigest()


def _secure(directory: Path) -> None:
    """Nobody else may own or enter the directory of the socket: it may lie in a place that everybody can write."""
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PathError(f"{directory}: is not a directory of this user; remove it or set XDG_STATE_HOME")
    if stat.S_IMODE(status.st_mode) & 0o077:
        directory.chmod(0o700)
