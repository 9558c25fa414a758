"""Small files that are the person's own."""

import contextlib
import os
from pathlib import Path


def write(path: Path, data: bytes) -> bool:
    """Write a file that only its owner can read, whole or not at all; whether that could be done."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(data)
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):  # it may never have been there
            partial.unlink()
        return False
    return True
