"""A tape out of raw stream captures, lines `<receive time ns> <JSON>`: their `trade` events are the raw trades, times unchanged."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from quantui.exchange.bars import Kline
from quantui.exchange.listings import MINUTE, Listing, Market
from quantui.exchange.tape import Tape
from quantui.exchange.trades import INSURANCE, MARKET, NA, Trades

_FOREVER = 1 << 60
_FIRST_AGGREGATE = 1


class RecordingError(Exception):
    """A file is not a capture, or holds no trades."""


class _Trade(msgspec.Struct, frozen=True, gc=False):
    symbol: str = msgspec.field(name="s")
    id: int = msgspec.field(name="t")
    price: str = msgspec.field(name="p")
    quantity: str = msgspec.field(name="q")
    time: int = msgspec.field(name="T")
    maker: bool = msgspec.field(name="m")
    kind: str | None = msgspec.field(name="X", default=None)


class _Frame(msgspec.Struct, frozen=True, gc=False):
    data: _Trade | None = None


_decode_frame = msgspec.json.Decoder(_Frame).decode
_decode_raw = msgspec.json.Decoder(_Trade).decode


class RecordedTape(Tape):
    """The recorded trades of one symbol. Before the first and after the last second recorded the market stands still."""

    def __init__(self, listing: Listing, trades: Trades) -> None:
        self._all = trades
        self.starts_ms = int(trades.time[0])
        first_ms = self.starts_ms - self.starts_ms % MINUTE
        end_ms = int(trades.time[-1]) // 1000 * 1000 + 1000
        halts = [(first_ms, self.starts_ms // 1000 * 1000), (end_ms, _FOREVER)]
        super().__init__(
            listing, first_ms, (int(trades.id[0]), _FIRST_AGGREGATE, None), [span for span in halts if span[0] < span[1]]
        )

    def _make(self, open_ms: int, first_id: int, close_before: int | None) -> Trades:
        start, stop = self._all.time.searchsorted((open_ms, open_ms + MINUTE)).tolist()
        return self._all.take(slice(start, stop))

    def history(self, interval_ms: int, start_ms: int, end_ms: int) -> list[Kline]:
        """Nothing was recorded before the first trade."""
        return []


def recorded_tapes(files: Sequence[Path]) -> list[RecordedTape]:
    """Tapes of every market and symbol in `files` (plain or gzip), which may be parts of one recording.

    Raises:
        RecordingError: a file cannot be read as a capture, or none holds trades.
    """
    found: dict[tuple[Market, str], dict[int, _Trade]] = {}
    for path in files:
        for trade in _trades_of(path):
            market = Market.SPOT if trade.kind is None else Market.USDM
            found.setdefault((market, trade.symbol), {})[trade.id] = trade
    if not found:
        raise RecordingError(f"no trade events in {', '.join(str(path) for path in files)}: record <symbol>@trade streams")
    return [_tape(market, symbol, [rows[id_] for id_ in sorted(rows)]) for (market, symbol), rows in found.items()]


def _trades_of(path: Path) -> Iterator[_Trade]:
    try:
        text = path.read_bytes()
        lines = (gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text).splitlines()
    except (OSError, EOFError) as error:
        raise RecordingError(f"{path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if b'"e":"trade"' not in line:
            continue
        stamp, _, frame = line.partition(b" ")
        if not stamp.rstrip(b":").isdigit():
            raise RecordingError(f"{path}:{number}: no receive time before the frame")
        try:
            if frame.startswith(b'{"stream"'):
                trade = _decode_frame(frame).data
                if trade is not None:
                    yield trade
            else:
                yield _decode_raw(frame)
        except msgspec.DecodeError as error:
            raise RecordingError(f"{path}:{number}: {error}") from error


def _tape(market: Market, symbol: str, rows: Sequence[_Trade]) -> RecordedTape:
    prices, quantities = [row.price for row in rows], [row.quantity for row in rows]
    listing = Listing(market, symbol, _decimals(prices), _decimals(quantities))
    kinds = {None: MARKET, "MARKET": MARKET, "NA": NA}
    times = np.array([row.time for row in rows], np.int64)
    trades = Trades(
        np.array([row.id for row in rows], np.int64),
        np.maximum.accumulate(times),
        _scaled(prices, listing.price_decimals),
        _scaled(quantities, listing.quantity_decimals),
        np.array([row.maker for row in rows], np.bool_),
        np.array([kinds.get(row.kind, INSURANCE) for row in rows], np.uint8),
    )
    return RecordedTape(listing, trades)


def _decimals(texts: Sequence[str]) -> int:
    """Decimals that are really used: spot prints eight whatever the tick is."""
    return max(len(text.partition(".")[2].rstrip("0")) for text in texts)


def _scaled(texts: Sequence[str], decimals: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    parts = (text.partition(".") for text in texts)
    return np.array([int(whole + fraction[:decimals].ljust(decimals, "0")) for whole, _, fraction in parts], np.int64)
