"""Small files made on the spot."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(name, content)`: packed as the suffix says."""

    def make(name: str, content: str | bytes) -> Path:
        data = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        if path.suffix == ".gz":
            data = gzip.compress(data)
        elif path.suffix == ".zip":
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(path.stem + ".csv", data)
            data = buffer.getvalue()
        path.write_bytes(data)
        return path

    return make
