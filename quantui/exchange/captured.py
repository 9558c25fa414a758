"""A captured session played back byte for byte, at its own pace: the frames of a socket and the answer of exchangeInfo.

Two files make a session: one with the REST answer, `<url> -> <time>: <body>`, and one with the frames of a socket,
`<url> <-> <time>` and then lines `<receive time> : <frame>`; times in Unix seconds, plain or gzip.
"""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from quantui.exchange.bars import Kline
from quantui.exchange.listings import MINUTE, Listing, Market
from quantui.exchange.recorded import RecordingError
from quantui.exchange.tape import Tape
from quantui.exchange.trades import Trades

_FOREVER = 1 << 60
_NONE = np.empty(0, np.int64)
_EMPTY = Trades(_NONE, _NONE, _NONE, _NONE, np.empty(0, np.bool_), np.empty(0, np.uint8))
_LEAD_MS = 10_000
"""Exchange time before the first frame, in which a client can connect."""


class CapturedTape(Tape):
    """One symbol of a captured session. It has frames and no trades of its own: REST knows of none."""

    def __init__(self, listing: Listing, session: "Session", start_ms: int) -> None:
        first_ms = start_ms - start_ms % MINUTE
        super().__init__(listing, first_ms, (0, 0, None), [(first_ms, _FOREVER)])
        self.session = session
        self.starts_ms = start_ms

    def _make(self, open_ms: int, first_id: int, close_before: int | None) -> Trades:
        return _EMPTY

    def history(self, interval_ms: int, start_ms: int, end_ms: int) -> list[Kline]:
        """Nothing was captured."""
        return []


@dataclass(slots=True)
class Session:
    """What was captured of one market."""

    info: str = ""
    """The body of exchangeInfo."""
    frames: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    """By stream: receive time in ms, and what stands in `data`."""


@dataclass(slots=True)
class Playback:
    """One captured stream as a source of events."""

    frames: Sequence[tuple[float, str]]
    lag_ms: int = 0
    _next: int = 0

    def between(self, after_ms: int, until_ms: int) -> Iterator[tuple[float, str]]:
        """Frames received in (after_ms, until_ms]. Moments are asked for in order."""
        while self._next < len(self.frames) and self.frames[self._next][0] <= until_ms:
            self._next += 1
            if self.frames[self._next - 1][0] > after_ms:
                yield self.frames[self._next - 1]


def captured_tapes(files: Sequence[Path]) -> list[CapturedTape]:
    """The tapes of the sessions in `files`, one of each market at most.

    Raises:
        RecordingError: a file is no such capture, or none holds frames.
    """
    sessions: dict[Market, Session] = {}
    for path in files:
        _read(path, sessions)
    tapes = []
    for market, session in sessions.items():
        start_ms = int(min((frames[0][0] for frames in session.frames.values()), default=0)) - _LEAD_MS
        symbols = {name.partition("@")[0].upper() for name in session.frames}
        tapes += [CapturedTape(Listing(market, symbol, 8, 8), session, start_ms) for symbol in sorted(symbols)]
    if not tapes:
        raise RecordingError(f"no frames in {', '.join(map(str, files))}: a capture of a socket is needed too")
    return tapes


def _read(path: Path, sessions: dict[Market, Session]) -> None:
    try:
        raw = path.read_bytes()
        lines = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode().splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: {error}") from error
    head = lines[0] if lines else ""
    url = head.split(" ")[0]
    session = sessions.setdefault(Market.USDM if "fstream." in url or "fapi." in url else Market.SPOT, Session())
    if url.startswith("wss://"):
        for number, line in enumerate(lines[1:], 2):
            if line:
                name, frame = _frame(f"{path}:{number}", line)
                session.frames.setdefault(name, []).append(frame)
    elif "/exchangeInfo " in head and ": " in head:
        session.info = head.split(": ", 1)[1]
    else:
        raise RecordingError(f"{path}: begins neither with a socket's address nor with that of exchangeInfo")


def _frame(where: str, line: str) -> tuple[str, tuple[float, str]]:
    """Stream, and (time in ms, data) of a line."""
    stamp, _, frame = line.partition(": ")
    head, separator, data = frame.removeprefix('{"stream":"').partition('","data":')
    try:
        at = float(stamp) * 1000
    except ValueError as error:
        raise RecordingError(f"{where}: no receive time before the frame") from error
    if not separator or not data.endswith("}"):
        raise RecordingError(f"{where}: not a frame of a combined stream")
    return head, (at, data[:-1])
