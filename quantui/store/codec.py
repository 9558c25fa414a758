"""Tables of integers to compressed bytes and back, exactly.

Each column keeps either its values or its steps, whichever is narrower, in 1, 2, 4 or 8 bytes; columns of one width
are stored together, byte plane by byte plane (low bytes of all values first), since zstandard finds far more in planes than in
numbers. A column that rises by a constant step costs nothing. Wrapping 64-bit arithmetic on both sides makes it exact for every
input.
"""

import struct
import threading

import numpy as np
import numpy.typing as npt
import zstandard

Ints = npt.NDArray[np.int64]

_FORMAT = 1
_HEAD = struct.Struct("<BBI")
_COLUMN = np.dtype([("steps", "u1"), ("width", "u1"), ("first", "<i8"), ("base", "<i8")])
_WIDTHS = (1, 2, 4, 8)
_LEVEL = 3


class DamagedError(ValueError):
    """The bytes are not what `encode` wrote."""


def encode(table: Ints) -> bytes:
    """Compress `table` (columns, n) of int64, n >= 1."""
    columns, n = table.shape
    heads = np.zeros(columns, dtype=_COLUMN)
    packed: dict[int, list[Ints]] = {width: [] for width in (0, *_WIDTHS)}
    steps = table[:, 1:] - table[:, :-1]
    plain_base, plain_width = _narrowest(table[:, 1:])
    step_base, step_width = _narrowest(steps)
    by_steps = step_width < plain_width  # of noise the steps are noisier still
    heads["steps"], heads["width"] = by_steps, np.where(by_steps, step_width, plain_width)
    heads["first"], heads["base"] = table[:, 0], np.where(by_steps, step_base, plain_base)
    for index in range(columns):
        packed[int(heads["width"][index])].append(steps[index] if by_steps[index] else table[index, 1:])
    body = b"".join(_to_planes(np.stack(rows), width) for width in _WIDTHS if (rows := packed[width]))
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    return compressor.compress(_HEAD.pack(_FORMAT, columns, n) + heads.tobytes() + body)


def decode(data: bytes) -> Ints:
    """The (columns, n) table that `encode` was given; raises `DamagedError`."""
    try:
        return _decode(_decompressor().decompress(data))
    except (zstandard.ZstdError, struct.error, ValueError) as error:
        raise DamagedError(f"damaged segment of {len(data)} bytes: {error}") from error


_LOCAL = threading.local()


def _decompressor() -> zstandard.ZstdDecompressor:
    """One for each thread: to make one takes half as long as to use it, and two threads may not share one."""
    found: zstandard.ZstdDecompressor | None = getattr(_LOCAL, "decompressor", None)
    if found is None:
        found = _LOCAL.decompressor = zstandard.ZstdDecompressor()
    return found


def _decode(raw: bytes) -> Ints:
    form, columns, n = _HEAD.unpack_from(raw)
    if form != _FORMAT:
        raise DamagedError(f"segment format {form} is not known")
    heads = np.frombuffer(raw, dtype=_COLUMN, count=columns, offset=_HEAD.size)
    at = _HEAD.size + heads.nbytes
    table = np.empty((columns, n), dtype=np.int64)
    table[:, 0] = heads["first"]
    by_steps, widths = heads["steps"].astype(bool), heads["width"]
    constant = widths == 0
    table[constant, 1:] = heads["base"][constant, None]
    for width in _WIDTHS:
        of_width = np.flatnonzero(widths == width)
        if len(of_width):
            size = len(of_width) * (n - 1) * width
            values = _from_planes(raw, at, (len(of_width), n - 1), width)
            at += size
            for index, row in zip(of_width.tolist(), values, strict=True):
                table[index, 1:] = row
    for index in np.flatnonzero(by_steps).tolist():
        np.cumsum(table[index], out=table[index])
    return table


def _narrowest(values: Ints) -> tuple[Ints, Ints]:
    """Per row of (columns, n): its value where constant (else 0), and the bytes each value needs (0 where constant)."""
    columns, n = values.shape
    if n == 0:
        return np.zeros(columns, dtype=np.int64), np.zeros(columns, dtype=np.int64)
    low, high = values.min(axis=1), values.max(axis=1)
    widths = np.full(columns, 8, dtype=np.int64)
    for width in (4, 2, 1):
        limit = 1 << (8 * width - 1)
        widths[(low >= -limit) & (high < limit)] = width
    constant = low == high
    widths[constant] = 0
    return np.where(constant, low, 0), widths


def _to_planes(values: Ints, width: int) -> bytes:
    narrow = np.ascontiguousarray(values.astype(f"<i{width}")).reshape(-1)
    return narrow.view(np.uint8).reshape(-1, width).T.tobytes()


def _from_planes(raw: bytes, at: int, shape: tuple[int, int], width: int) -> npt.NDArray[np.signedinteger]:
    count = shape[0] * shape[1]
    planes: npt.NDArray[np.unsignedinteger] = np.frombuffer(raw, dtype=np.uint8, count=count * width, offset=at).reshape(
        width, count
    )
    while len(planes) > 1:  # pairs of planes become planes of twice the width
        bits = 8 * planes.itemsize
        low, high = planes[0::2], planes[1::2].astype(f"<u{2 * planes.itemsize}")
        high <<= bits
        high |= low
        planes = high
    return planes.view(f"<i{width}").reshape(shape)
