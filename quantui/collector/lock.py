"""One collector a data directory: a lock the kernel gives back when the process dies, and a note of who holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec


class Holder(msgspec.Struct, frozen=True):
    """The collector that holds the lock."""

    pid: int
    socket: str
    mode: str
    started_ms: int


class AlreadyRunningError(RuntimeError):
    """Another collector has this data directory."""

    def __init__(self, path: Path, holder: Holder | None) -> None:
        who = f"pid {holder.pid}" if holder else "a process that did not leave its name"
        super().__init__(f"a collector is already running for {path.parent} ({who}); `quantui stop` ends it")
        self.holder = holder


@contextmanager
def held(path: Path, holder: Holder) -> Iterator[None]:
    """Hold the lock at `path` for the length of the block. Raises `AlreadyRunningError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(path, _read(path)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(holder), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def find(path: Path) -> Holder | None:
    """The collector that holds the lock now, None where nobody does. A note left by a dead one does not count."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(path)
    finally:
        os.close(descriptor)
    return None


def is_abandoned(path: Path) -> bool:
    """Whether nobody holds the lock and whoever held it last did not end in order: its note is still there."""
    return find(path) is None and _read(path) is not None


def _read(path: Path) -> Holder | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None
