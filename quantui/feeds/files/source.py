"""Opens a file of any packing and hands out its lines, within limits: a hostile file must cost neither memory nor time.

Nothing is ever unpacked to disk, so no path inside an archive can matter.
"""

import gzip
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, Self, cast

from quantui.feeds.files.errors import FileError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_SUFFIXES = {".gz", ".zip", ".csv", ".json", ".jsonl", ".ndjson", ".feather", ".arrow", ".ipc", ".parquet", ".txt", ".log"}
_BUFFER = 1 << 18
_BOM = b"\xef\xbb\xbf"
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read before it is refused."""

    size: int = 2 << 30
    """Bytes, unpacked."""
    ratio: int = 100
    """Unpacked bytes for one packed byte."""
    ratio_from: int = 4 << 20
    """Unpacked bytes below which the ratio does not matter."""
    line: int = 64 << 10
    """Bytes of one line."""
    document: int = 256 << 20
    """Bytes of what can only be read whole: Feather, Parquet, a JSON array, an archive on stdin."""


DEFAULT_LIMITS = Limits()


class _Counted:
    """Counts the packed bytes that were read."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(size)
        self.count += len(data)
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def seekable(self) -> bool:
        return self._inner.seekable()


class Source:
    """One file, open and unpacked on the fly. A context manager.

    Args:
        path: The file, or `-` for `stdin`.
        stdin: Where `-` reads from.
        limits: What is refused.

    Raises:
        FileError: The file is missing, not a file, too large, or packed in a way that is not read.
    """

    def __init__(self, path: str | Path, *, stdin: BinaryIO | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self.name = "stdin" if str(path) == STDIN else str(path)
        self.stem = "" if str(path) == STDIN else _stem(str(path))
        """The name without folder and suffixes: what a symbol may be read from."""
        self.ends_early = False
        """Packed data stopped in the middle: only with `tolerant`."""
        self.tolerant = False
        """Take what there is of a file whose packed data is cut off."""
        self._limits = limits
        self._exit = ExitStack()
        self._packed: _Counted | None = None
        self._count = 0
        try:
            self._stream = self._unpacked(self._open(path, stdin))
        except BaseException:
            self._exit.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def head(self) -> bytes:
        """The first bytes (some kB), unpacked; nothing is consumed."""
        try:
            return self._stream.peek(4096)[: self._limits.line].removeprefix(_BOM)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
            raise self._damaged(error) from error

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Line number and line, without its end. Blank lines are left out.

        Raises:
            FileError: A limit was passed or the packed data is damaged.
        """
        longest = self._limits.line
        number = 0
        while True:
            try:
                line = self._stream.readline(longest + 1)
            except EOFError as error:
                if not self.tolerant:
                    raise self._damaged(error, number) from error
                self.ends_early = True
                return
            except (OSError, zlib.error, zipfile.BadZipFile) as error:
                raise self._damaged(error, number) from error
            if not line:
                return
            number += 1
            if len(line) > longest:
                raise FileError(self.name, f"a line longer than {longest} bytes is no trade or bar", number)
            self._tally(len(line), number)
            if number == 1:
                line = line.removeprefix(_BOM)
            line = line.rstrip(b"\r\n")
            if line.strip():
                yield number, line

    def read(self) -> bytes:
        """The whole file, unpacked.

        Raises:
            FileError: It is larger than a document may be, or damaged.
        """
        limit = self._limits.document
        parts: list[bytes] = []
        size = 0
        while True:
            try:
                part = self._stream.read(_BUFFER)
            except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
                raise self._damaged(error) from error
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > limit:
                raise FileError(self.name, f"larger than {limit >> 20} MB: split it")
            self._tally(len(part))

    def _tally(self, size: int, line: int | None = None) -> None:
        self._count += size
        if self._count > self._limits.size:
            raise FileError(self.name, f"larger than {self._limits.size >> 20} MB unpacked: split it", line)
        packed = self._packed
        if packed is not None and self._count > self._limits.ratio_from and self._count > self._limits.ratio * packed.count:
            raise FileError(self.name, f"unpacks to more than {self._limits.ratio} times its size: not a recording", line)

    def _open(self, path: str | Path, stdin: BinaryIO | None) -> io.BufferedReader:
        if str(path) == STDIN:
            if stdin is None:
                raise FileError(self.name, "nothing is piped in")
            return stdin if isinstance(stdin, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", stdin), _BUFFER)
        try:
            file: io.BufferedReader = io.BufferedReader(io.FileIO(str(path)), _BUFFER)
            self._exit.enter_context(file)
            status = os.fstat(file.fileno())
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise FileError(self.name, f"cannot be read ({reason})") from error
        if stat.S_ISREG(status.st_mode) and status.st_size > self._limits.size:
            raise FileError(self.name, f"larger than {self._limits.size >> 20} MB: split it")
        return file

    def _unpacked(self, raw: io.BufferedReader) -> io.BufferedReader:
        try:
            magic = raw.peek(4)[:4]
        except OSError as error:
            raise self._damaged(error) from error
        if magic.startswith(_GZIP):
            self._packed = _Counted(cast("BinaryIO", raw))
            unpacked = self._exit.enter_context(gzip.GzipFile(fileobj=self._packed, mode="rb"))
            return io.BufferedReader(cast("io.RawIOBase", unpacked), _BUFFER)
        if magic == _ZIP:
            return self._member(raw)
        if not magic:
            raise FileError(self.name, "empty")
        return raw

    def _member(self, raw: io.BufferedReader) -> io.BufferedReader:
        file: BinaryIO = cast("BinaryIO", raw)
        if not raw.seekable():
            data = raw.read(self._limits.document + 1)
            if len(data) > self._limits.document:
                raise FileError(self.name, f"a zip larger than {self._limits.document >> 20} MB cannot be piped in: name the file")
            file = io.BytesIO(data)
        self._packed = _Counted(file)
        try:
            archive = self._exit.enter_context(zipfile.ZipFile(cast("BinaryIO", self._packed)))
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) != 1:
                raise FileError(self.name, f"holds {len(members)} files: a zip must hold exactly one")
            info = members[0]
            if info.file_size > self._limits.size:
                raise FileError(self.name, f"larger than {self._limits.size >> 20} MB unpacked: split it")
            if info.file_size > self._limits.ratio_from and info.file_size > self._limits.ratio * max(info.compress_size, 1):
                raise FileError(self.name, f"unpacks to more than {self._limits.ratio} times its size: not a recording")
            member = self._exit.enter_context(archive.open(info))
        # NotImplementedError: a compression zipfile does not know; RuntimeError: an encrypted member.
        except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError) as error:
            if isinstance(error, FileError):
                raise
            raise self._damaged(error) from error
        if not self.stem:
            self.stem = _stem(info.filename)
        return io.BufferedReader(cast("io.RawIOBase", member), _BUFFER)

    def _damaged(self, error: BaseException, line: int | None = None) -> FileError:
        return FileError(self.name, f"damaged or cut off ({error or type(error).__name__})", line)


def _stem(path: str) -> str:
    name = PurePath(path.replace("\\", "/")).name
    while (suffix := PurePath(name).suffix.lower()) in _SUFFIXES:
        name = name[: -len(suffix)]
    return name
