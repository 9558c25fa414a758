"""A loopback server that costs its clients nothing: frames encoded beforehand, sent in large writes, or one by one at a pace.

It prints `{"blast": PORT, "paced": PORT}` once the tape is encoded. Every connection gets the whole tape once: at once where the
address names streams, else after its first SUBSCRIBE.
"""

import argparse
import base64
import hashlib
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.ingest_tape import MARKETS, PER_SECOND, TapeTrade, payload, trades

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CHUNK = 1_000
_SETTLE_S = 0.5
"""Between the handshake and the first frame, so that connecting is not measured."""


@dataclass(frozen=True, slots=True)
class Tape:
    """The same trades as combined frames (`/stream`) and as raw ones (`/ws`)."""

    combined: Sequence[bytes]
    raw: Sequence[bytes]

    @classmethod
    def encode(cls, count: int) -> "Tape":
        combined, raw = [], []
        for trade in trades(count):
            text = payload(trade)
            raw.append(frame(text.encode()))
            combined.append(frame(f'{{"stream":"{_stream(trade)}","data":{text}}}'.encode()))
        return cls(combined, raw)


def _stream(trade: TapeTrade) -> str:
    return f"{trade.market.name.lower()}@aggTrade"


def frame(data: bytes, opcode: int = 1) -> bytes:
    """An unmasked, final WebSocket frame."""
    head = struct.pack("!BB", 0x80 | opcode, len(data)) if len(data) < 126 else struct.pack("!BBH", 0x80 | opcode, 126, len(data))
    return head + data


class Peer(threading.Thread):
    """One accepted socket: REST answers, then perhaps a WebSocket."""

    def __init__(self, sock: socket.socket, tape: Tape, rate: float | None, count: int) -> None:
        super().__init__(daemon=True)
        self._sock, self._tape, self._rate, self._count = sock, tape, rate, count
        self._lock = threading.Lock()
        self._buffer = b""
        self._playing = False
        self._frames: Sequence[bytes] = ()

    def run(self) -> None:
        try:
            while True:
                self._http(self._until(b"\r\n\r\n"))
        except OSError:
            self._sock.close()

    def _more(self) -> None:
        data = self._sock.recv(1 << 16)
        if not data:
            raise ConnectionError
        self._buffer += data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(mark)
        return head

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        out, self._buffer = self._buffer[:count], self._buffer[count:]
        return out

    def _http(self, head: bytes) -> None:
        request, *lines = head.decode("latin-1").split("\r\n")
        path = request.split()[1]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "sec-websocket-key" in headers:
            accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + _GUID).digest()).decode()
            self._sock.sendall(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
            )
            self._frames = self._tape.combined if "/stream" in path else self._tape.raw
            if "@" in path:
                self._start()
            while True:
                self._control()
        body = json.dumps(_answer(path)).encode()
        self._sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def _control(self) -> None:
        """One frame of the client: a ping, a request, or its end."""
        first, second = self._exactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._exactly(2))
        mask = self._exactly(4)
        data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self._exactly(length)))
        opcode = first & 0x0F
        if opcode == 8:
            raise ConnectionError
        if opcode == 9:
            self._send(frame(data, 10))
        elif opcode == 1:
            self._send(frame(json.dumps({"result": None, "id": json.loads(data).get("id")}).encode()))
            self._start()

    def _send(self, data: bytes) -> None:
        with self._lock:
            self._sock.sendall(data)

    def _start(self) -> None:
        if not self._playing:
            self._playing = True
            threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        frames, rate = self._frames[: self._count], self._rate
        chunks = [b"".join(frames[at : at + _CHUNK]) for at in range(0, len(frames), _CHUNK)] if rate is None else []
        time.sleep(_SETTLE_S)
        try:
            for chunk in chunks:
                self._send(chunk)
            if rate is not None:
                self._pace(frames, rate)
        except OSError:
            return  # the client has gone

    def _pace(self, frames: Sequence[bytes], rate: float) -> None:
        """Poisson arrivals: one write a frame, late ones at once."""
        rng = random.Random(1)
        due = time.monotonic()
        for item in frames:
            due += rng.expovariate(rate)
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self._send(item)


def _answer(path: str) -> object:
    if path.partition("?")[0].endswith("exchangeInfo"):
        return {"timezone": "UTC", "serverTime": _now_ms(), "rateLimits": [], "symbols": [_info(market) for market in MARKETS]}
    return {"serverTime": _now_ms()} if path.partition("?")[0].endswith("time") else {}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _info(market: tuple[str, float, int, int]) -> dict[str, object]:
    name, _, price_decimals, quantity_decimals = market
    tick, step = f"{10**-price_decimals:.8f}", f"{10**-quantity_decimals:.8f}"
    return {
        "symbol": name, "status": "TRADING", "baseAsset": name.removesuffix("USDT"), "quoteAsset": "USDT",
        "baseAssetPrecision": 8, "quoteAssetPrecision": 8, "quotePrecision": 8, "orderTypes": ["LIMIT"], "permissions": ["SPOT"],
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000000.00000000", "stepSize": step},
        ],
    }  # fmt: skip


def _listen(tape: Tape, rate: float | None, count: int) -> int:
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            sock, _ = server.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Peer(sock, tape, rate, count).start()

    threading.Thread(target=accept, daemon=True).start()
    port: int = server.getsockname()[1]
    return port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, required=True, help="of the fast run")
    parser.add_argument("--paced", type=int, required=True, help="messages of the paced run")
    options = parser.parse_args()
    tape = Tape.encode(max(options.messages, options.paced))
    ports = {"blast": _listen(tape, None, options.messages), "paced": _listen(tape, PER_SECOND, options.paced)}
    print(json.dumps(ports), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
