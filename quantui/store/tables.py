"""What an export holds: the rows of each kind, as text that is exact."""

import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Self

import msgspec
import numpy as np

from quantui.market.bars import BarState
from quantui.market.frames import Ints
from quantui.market.instruments import Symbol, Timeframe
from quantui.market.numbers import unscaled
from quantui.store.reader import bar_parts, finest_decimals, tick_parts
from quantui.store.records import TICKS, AlertRecord, AnalyticsRow, SeriesKey, StoreError

_BATCH = 4_096
_ALWAYS = 1 << 62
_ORDER = {timeframe.value: index for index, timeframe in enumerate(Timeframe)}

Row = tuple[str | None, ...]
"""Cells in order of the columns; None is a value that cannot be had. Numbers are plain decimals."""

CellKind = Literal["time", "text", "number", "integer", "json"]


class Column(NamedTuple):
    """A column and what its cells are."""

    name: str
    kind: CellKind


def _columns(**kinds: CellKind) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


_STATISTICS: dict[str, CellKind] = {
    name: "text" if name in ("signal", "quality") else "number" for name in AnalyticsRow.__struct_fields__
}

COLUMNS: dict[str, tuple[Column, ...]] = {
    "bars": _columns(
        timestamp="time", symbol="text", interval="text", open="number", high="number", low="number", close="number",
        volume="number", quote_volume="number", vwap="number", trade_count="integer", taker_buy_volume="number", state="text",
    ),
    "ticks": _columns(timestamp="time", symbol="text", price="number", size="number", id="integer", side="text"),
    "analytics": _columns(timestamp="time", symbol_y="text", symbol_x="text", timeframe="text", **_STATISTICS),
    "alerts": _columns(
        id="integer", time="time", bar="time", pair="text", timeframe="text", rule="text", severity="text", direction="text",
        zscore="number", spread="number", alpha="number", beta="number", correlation="number", eg_p="number",
        half_life="number", n="integer", legs="json", gates="json", message="text",
    ),
}  # fmt: skip
"""The columns of each kind (contracts.md 9)."""


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which rows are wanted; the default is all."""

    symbols: tuple[tuple[str | None, str], ...] = ()
    """(venue, name) of the symbols wanted; venue None is any. Empty: all."""
    pair: tuple[tuple[str | None, str], tuple[str | None, str]] | None = None
    timeframe: str | None = None
    from_ms: int = 0
    to_ms: int = _ALWAYS

    @classmethod
    def of(
        cls,
        *,
        symbol: str | None = None,
        pair: str | None = None,
        timeframe: str | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> Self:
        """Read the words of the command line: `BTCUSDT` or `binance-spot:BTCUSDT`, `Y/X`, times in ISO 8601 (UTC unless said).

        Raises:
            ValueError: one of them cannot be read.
        """
        legs = None
        if pair is not None:
            y, slash, x = pair.partition("/")
            if not (slash and y and x):
                raise ValueError(f"{pair!r} is not a pair: write it Y/X, like ETHUSDT/BTCUSDT")
            legs = _named(y), _named(x)
        return cls(
            (_named(symbol),) if symbol else (),
            legs,
            Timeframe(timeframe).value if timeframe else None,
            milliseconds(start) if start else 0,
            milliseconds(end) if end else _ALWAYS,
        )

    def has_symbol(self, symbol: Symbol) -> bool:
        """The symbol is asked for, by itself or as a leg."""
        wanted = self.symbols + (self.pair or ())
        return not wanted or any(_is(symbol, name) for name in wanted)

    def has_pair(self, y: Symbol, x: Symbol) -> bool:
        """The pair is asked for, by itself or by one of its legs."""
        if self.pair is not None and not (_is(y, self.pair[0]) and _is(x, self.pair[1])):
            return False
        return not self.symbols or any(_is(leg, name) for leg in (y, x) for name in self.symbols)

    def by_name(self) -> Self:
        """The same for any venue."""
        pair = ((None, self.pair[0][1]), (None, self.pair[1][1])) if self.pair else None
        return replace(self, symbols=tuple((None, name) for _, name in self.symbols), pair=pair)


class Export:
    """The rows of one kind, in batches, from one snapshot of the store."""

    def __init__(self, connection: sqlite3.Connection, kind: str, wanted: ExportFilter) -> None:
        if kind not in COLUMNS:
            raise ValueError(f"nothing called {kind!r} can be exported: bars, ticks, analytics or alerts can")
        self.kind = kind
        self.columns = COLUMNS[kind]
        self.damaged = 0
        """Records that failed their check and were left out."""
        self._connection = connection
        self._wanted = wanted

    def batches(self) -> Iterator[list[Row]]:
        """Some thousand rows at a time: by symbol, timeframe and time; alerts in the order they fired."""
        return {"bars": self._bars, "ticks": self._ticks, "analytics": self._analytics, "alerts": self._alerts}[self.kind]()

    def _bars(self) -> Iterator[list[Row]]:
        keys = [key for key in self._series() if key.timeframe != TICKS and self._wanted.timeframe in (None, key.timeframe)]
        names = _names([Symbol(key.venue, key.symbol) for key in keys])
        for key in sorted(keys, key=lambda key: (key.symbol, key.venue, _ORDER[key.timeframe])):
            symbol = Symbol(key.venue, key.symbol)
            decimals = finest_decimals(self._connection, symbol)
            for rows, damaged in bar_parts(self._connection, key, decimals, self._wanted.from_ms, self._wanted.to_ms):
                self.damaged += damaged
                yield _bar_rows(rows, names[symbol], key.timeframe, *decimals)

    def _ticks(self) -> Iterator[list[Row]]:
        symbols = sorted(Symbol(key.venue, key.symbol) for key in self._series() if key.timeframe == TICKS)
        names = _names(symbols)
        for symbol in symbols:
            decimals = finest_decimals(self._connection, symbol)
            for table, damaged in tick_parts(self._connection, symbol, decimals, self._wanted.from_ms, self._wanted.to_ms):
                self.damaged += damaged
                yield _tick_rows(table, names[symbol], *decimals)

    def _series(self) -> list[SeriesKey]:
        found = [SeriesKey(*row) for row in self._connection.execute("SELECT venue, symbol, timeframe FROM series")]
        wanted = [key for key in found if self._wanted.has_symbol(Symbol(key.venue, key.symbol))]
        if found and not wanted:
            held = ", ".join(sorted({key.symbol for key in found})[:10])
            raise StoreError(f"no such symbol in the store: it holds {held}")
        return wanted

    def _analytics(self) -> Iterator[list[Row]]:
        pairs = [
            (number, Symbol(*y.split(":", 1)), Symbol(*x.split(":", 1)))
            for number, y, x in self._connection.execute("SELECT id, y, x FROM pairs ORDER BY y, x")
        ]
        pairs = [pair for pair in pairs if self._wanted.has_pair(pair[1], pair[2])]
        names = _names([leg for pair in pairs for leg in pair[1:]])
        timeframes = [self._wanted.timeframe] if self._wanted.timeframe else list(_ORDER)
        fields = ", ".join(AnalyticsRow.__struct_fields__)
        for number, y, x in pairs:
            for timeframe in timeframes:
                cursor = self._connection.execute(
                    f"""SELECT open_ms, {fields} FROM analytics
                    WHERE pair = ? AND timeframe = ? AND open_ms >= ? AND open_ms < ? ORDER BY open_ms""",
                    (number, timeframe, self._wanted.from_ms, self._wanted.to_ms),
                )
                while found := cursor.fetchmany(_BATCH):
                    times = _iso([row[0] for row in found])
                    head = (names[y], names[x], timeframe)
                    yield [(time, *head, *map(_cell, row[1:])) for time, row in zip(times, found, strict=True)]

    def _alerts(self) -> Iterator[list[Row]]:
        cursor = self._connection.execute(
            "SELECT id, record FROM alerts WHERE time_ms >= ? AND time_ms < ? ORDER BY id",
            (self._wanted.from_ms, self._wanted.to_ms),
        )
        while found := cursor.fetchmany(_BATCH):
            records = [msgspec.json.decode(record, type=AlertRecord) for _, record in found]
            yield [_alert_row(record) for record in records if self._wants_alert(record)]

    def _wants_alert(self, record: AlertRecord) -> bool:
        """An alert names its pair by label, which often leaves the venue out: names alone decide."""
        if self._wanted.timeframe not in (None, record.timeframe):
            return False
        y, _, x = record.pair.partition("/")
        return self._wanted.by_name().has_pair(Symbol("", _named(y)[1]), Symbol("", _named(x)[1]))


def _bar_rows(rows: Ints, symbol: str, interval: str, price: int, quantity: int) -> list[Row]:
    unit = 10**price
    states = {state.value: state.name.lower() for state in BarState}
    return [
        (
            time, symbol, interval, unscaled(o, price), unscaled(h, price), unscaled(low, price), unscaled(c, price),
            unscaled(volume, quantity), unscaled(quote, price + quantity), repr(quote / (volume * unit)) if volume else None,
            str(count), unscaled(taker, quantity), states.get(state, str(state)),
        )
        for time, (_, o, h, low, c, volume, quote, taker, _, count, _, _, _, state, _) in zip(
            _iso(rows[:, 0]), rows.tolist(), strict=True
        )
    ]  # fmt: skip


def _tick_rows(table: Ints, symbol: str, price: int, quantity: int) -> list[Row]:
    return [
        (time, symbol, unscaled(p, price), unscaled(q, quantity), str(number) if number >= 0 else None, "sell" if maker else "buy")
        for time, (number, _, p, q, _, _, maker) in zip(_iso(table[1]), table.T.tolist(), strict=True)
    ]


def _alert_row(record: AlertRecord) -> Row:
    time, bar = _iso([record.time_ms, record.bar_ms])
    return (
        str(record.id), time, bar, record.pair, record.timeframe, record.rule, record.severity, record.direction,
        *map(_cell, (record.zscore, record.spread, record.alpha, record.beta, record.correlation, record.eg_p, record.half_life)),
        _cell(record.n), msgspec.json.encode(record.legs).decode(), msgspec.json.encode(record.gates).decode(), record.message,
    )  # fmt: skip


def _cell(value: str | float | int | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return repr(value) if math.isfinite(value) else None


def iso(time_ms: int) -> str:
    """`2026-11-24T10:00:00.000Z`."""
    return _iso([time_ms])[0]


def _iso(times: "Ints | list[int]") -> list[str]:
    texts: list[str] = np.datetime_as_string(np.asarray(times, dtype="datetime64[ms]"), unit="ms").tolist()
    return [f"{text}Z" for text in texts]


def _names(symbols: list[Symbol]) -> dict[Symbol, str]:
    """How to write them: by name, or with the venue where a name alone would stand for two."""
    alone = len({symbol.name for symbol in symbols}) == len(set(symbols))
    return {symbol: symbol.name if alone else str(symbol) for symbol in symbols}


def _named(text: str) -> tuple[str | None, str]:
    head, colon, tail = text.strip().partition(":")
    return (head, tail.upper()) if colon else (None, head.upper())


def _is(symbol: Symbol, name: tuple[str | None, str]) -> bool:
    return symbol.name == name[1] and name[0] in (None, symbol.venue)


def milliseconds(text: str, option: str = "") -> int:
    """ISO 8601, UTC unless it says otherwise, in ms since 1970. Raises `ValueError`, which names the `option`."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        named = f"{option} {text!r}".lstrip()
        raise ValueError(f"{named} is not a time: write it like 2026-07-29 or 2026-07-29T12:00:00Z") from None
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return round(time.timestamp() * 1000)
