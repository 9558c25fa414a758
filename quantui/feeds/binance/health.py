"""How the feed is, in a word and a sentence, and which of its streams are silent although they were acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass

from quantui.clock import Clock
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.connection import Connection
from quantui.feeds.binance.line import Line
from quantui.feeds.binance.venues import stream_name
from quantui.feeds.feed import FeedStatus
from quantui.market.instruments import Instrument, Symbol
from quantui.market.stream import SymbolStream

FIRST_FRAME_S = 20.0
"""An acknowledged stream that has said nothing for this long is named: an acknowledgement proves nothing."""
_DEAD_STREAM_S = 10.0
_OFFLINE_S = 4.0
_SAID_S = 300.0
"""How long it is said that numbers were finer than told."""
_SILENT, _HALTED, _STILL = "silent:", "not trading:", "halted:"


@dataclass(frozen=True, slots=True)
class Socket:
    """A connection and what it brings."""

    connection: Connection
    line: Line
    is_market: bool
    """It carries trades; without quotes alone a feed is well."""


@dataclass(slots=True)
class Health:
    """Turns what happens into `status`."""

    venue: str
    rest: str
    clock: Clock
    barrier: Barrier
    status: FeedStatus
    unreachable: str = ""
    """Why REST did not answer at the start; empty once it has."""
    prepared: bool = False
    """The exchange has told its symbols."""
    _started: float = 0.0
    _refused: str = ""
    _finer: str = ""
    _finer_at: float = 0.0
    _finer_count: int = 0

    def __post_init__(self) -> None:
        self._started = self.clock.monotonic()

    def complain(self, message: str) -> None:
        """The exchange answered a request of a socket with an error."""
        self._refused = f"{self.venue} refused a request: {message[:200]}"

    def widened(self, told: Instrument, finer: Instrument) -> None:
        """A number had more decimals than the exchange had told of."""
        self._finer_count += 1
        self._finer_at = self.clock.monotonic()
        self._finer = (
            f"{told.symbol.name} has finer prices or sizes than exchangeInfo tells: counted with {finer.price_decimals} and"
            f" {finer.quantity_decimals} decimals now, nothing is lost ({self._finer_count} times since the start)"
        )

    def halted(self, symbol: Symbol, state: str) -> None:
        """The exchange lists the symbol, but not for trading."""
        self.status.notes[symbol] = f"{_HALTED} {symbol.name} is listed as {state}"

    def standing_still(self, symbol: Symbol, stream: SymbolStream) -> None:
        """Say it where the exchange has no klines of a symbol any more, until it goes on."""
        note = self.status.notes.get(symbol, "")
        if stream.halted_from is not None and not note:
            self.status.notes[symbol] = f"{_STILL} {symbol.name} has no trades and no klines: the exchange has halted it"
        elif stream.halted_from is None and note.startswith(_STILL):
            del self.status.notes[symbol]

    def look(self, sockets: Sequence[Socket], *, filling: bool, problem: str) -> list[SymbolStream]:
        """Bring `status` up to date; returns the streams that lack trades the exchange's klines know of.

        Args:
            sockets: All of the feed.
            filling: Something is being read back.
            problem: Why reading back fails, where it does.
        """
        dead: list[SymbolStream] = []
        for socket in sockets:
            if socket.connection.state.connected and socket.is_market:
                dead += self._check_streams(socket.connection, socket.line)
        self._say([socket.connection for socket in sockets if socket.is_market], filling=filling, problem=problem)
        self.status.reconnects = sum(max(0, socket.connection.state.connects - 1) for socket in sockets)
        return dead

    def _check_streams(self, connection: Connection, line: Line) -> list[SymbolStream]:
        now = self.clock.monotonic()
        if now - connection.state.connected_at >= FIRST_FRAME_S:
            self._name_silent(connection, line)
        dead: dict[str, SymbolStream] = {}
        for name, (last_id, since) in line.exchange_ids.items():
            stream = line.streams[name]
            ours = line.heard_of(name, stream)
            if 0 <= ours < last_id and now - since > _DEAD_STREAM_S and stream.is_complete:
                line.heard[name] = last_id  # once for each: a quiet coin whose last frame was lost is not asked for again and again
                dead[stream_name(name, "aggTrade")] = stream
        connection.resubscribe(tuple(dead))
        return list(dead.values())

    def _name_silent(self, connection: Connection, line: Line) -> None:
        """Streams without a first frame. A quiet coin has no trades, but its other streams speak."""
        notes = self.status.notes
        speaking = {name.partition("@")[0] for name in line.seen}
        trading = {name.partition("@")[0] for name in line.seen if name.endswith("@aggTrade")}
        for name, stream in line.streams.items():
            symbol = stream.frames.instrument.symbol
            note = notes.get(symbol, "")
            if name.lower() in speaking:
                if note.startswith(_SILENT) or (note.startswith(_HALTED) and name.lower() in trading):
                    del notes[symbol]
            elif not note:
                first = next((asked for asked in connection.names if asked.partition("@")[0].lower() == name.lower()), name)
                notes[symbol] = f"{_SILENT} {first} was acknowledged but has sent nothing for {FIRST_FRAME_S:.0f} s"

    def _say(self, market: Sequence[Connection], *, filling: bool, problem: str) -> None:
        status = self.status
        detail = next((c.state.error for c in market if c.state.error), "") or self.unreachable
        silent = [note for note in status.notes.values() if note.startswith(_SILENT)]
        other = [note for note in status.notes.values() if not note.startswith(_SILENT)]
        if self.clock.now_ms() < self.barrier.until_ms:
            status.link, status.detail = "blocked", self.barrier.detail
        elif market and all(c.state.connected and c.state.spoken for c in market):
            status.link = "stale" if silent else "filling" if filling else "live"
            status.detail = self._of_silent(silent, market) if silent else self._trouble(other, problem)
        elif self.prepared and not market:
            status.link, status.detail = "offline", f"{_and_more(other) or 'no symbols'}; correct [market] symbols or [[pairs]]"
        elif status.exchange_ms or any(c.state.connects for c in market):
            status.link, status.detail = "reconnecting", detail or "connected; waiting for the first message"
        elif self.clock.monotonic() - self._started > _OFFLINE_S or detail:
            status.link = "offline"
            status.detail = (
                f"{detail or f'no answer from {self.rest}'}: check the network, a proxy (HTTPS_PROXY) or"
                f" [endpoints.{self.venue}]; `quantui demo` needs no network"
            )
        else:
            status.link, status.detail = "connecting", ""

    def _trouble(self, notes: Sequence[str], problem: str) -> str:
        """The most important of what is wrong although data flow; empty when all is well."""
        if problem:
            return problem if problem.startswith(self.venue) else f"{self.venue}: history cannot be read, {problem}"
        finer = self._finer if self.clock.monotonic() - self._finer_at < _SAID_S else ""
        return self._refused or _and_more(notes) or finer

    def _of_silent(self, silent: Sequence[str], market: Sequence[Connection]) -> str:
        first = f"{silent[0]}; wrong or delisted name, or wrong route ({market[0].url})"
        return first + (f"; and {len(silent) - 1} more" if len(silent) > 1 else "")


def _and_more(notes: Sequence[str]) -> str:
    if len(notes) < 2:
        return notes[0] if notes else ""
    return f"{notes[0]}; and {len(notes) - 1} more"
