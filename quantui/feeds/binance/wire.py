"""One WebSocket, from the handshake to its end: what arrives is received and handed on, nothing more.

picows, because receiving is a large part of what a feed costs, and it does it in less than aiohttp's sockets.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

import picows
from picows import WSFrame, WSMsgType, WSTransport
from python_socks import ProxyError

from quantui.feeds.binance.network import HAPPY_EYEBALLS_S, proxy_for, reason

MESSAGE_LIMIT = 4 << 20
_READ_BUFFER = 256 << 10
"""One read takes what gathered in a window, as the kernel holds it."""
_PING_AFTER_S, _PONG_WITHIN_S = 8.0, 4.0
"""A half-open connection is known after twelve silent seconds."""
_CONNECT_S = 10.0
"""For all of it: name, connection, TLS, handshake."""
_HANDSHAKE_S = 5.0
_TEXT, _MORE, _CLOSE = WSMsgType.TEXT, WSMsgType.CONTINUATION, WSMsgType.CLOSE

_LOG = logging.getLogger("quantui.wire")
_LOG.addHandler(logging.NullHandler())  # what it would say reaches the user through `WireError`


class WireError(ConnectionError):
    """The connection could not be made, or has ended; `code` is the exchange's close code where it gave one."""

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(why)
        self.code = code


class RefusedHandshakeError(WireError):
    """The exchange answered the handshake with an HTTP status."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"answered {status} to the connection")
        self.status = status
        self.headers = headers


class Wire(picows.WSListener):
    """A connected socket. Messages go to `on_message`, whole, as bytes."""

    def __init__(self, on_message: Callable[[bytes], None]) -> None:
        self._on_message = on_message
        self.is_heard = False
        """A frame has come."""
        self._parts: list[bytes] = []
        self._transport: WSTransport

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame has come."""
        if transport.is_close_frame_sent:  # after a broken frame nothing that follows can be trusted
            return
        kind = frame.msg_type
        self.is_heard = True
        if kind is _TEXT and frame.fin:
            self._on_message(frame.get_payload_as_bytes())
        elif kind in (_TEXT, _MORE):
            self._part(frame)
        elif kind is _CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def _part(self, frame: WSFrame) -> None:
        """A message in several frames: rare, and bounded like every other."""
        parts = self._parts
        parts.append(frame.get_payload_as_bytes())
        if sum(map(len, parts)) > MESSAGE_LIMIT:
            raise WireError(f"message of more than {MESSAGE_LIMIT:,} bytes")
        if frame.fin:
            whole = b"".join(parts)
            parts.clear()
            self._on_message(whole)

    def pause(self) -> None:
        """What comes now waits in the kernel."""
        self._transport.underlying_transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if not self._transport.is_disconnected:
            self._transport.underlying_transport.resume_reading()

    def send(self, text: str) -> None:
        """Send one message."""
        self._transport.send(_TEXT, text.encode())

    async def ended(self) -> None:
        """Wait for the end of the connection, which is always a `WireError`."""
        try:
            await self._transport.wait_disconnected()
        except picows.WSProtocolError as error:
            raise WireError(f"broken frame: {error}") from error
        told = self._transport.close_handshake
        if told is None or told.recv is None:
            raise WireError("the connection was lost")
        code = int(told.recv.code.value)
        raise WireError(f"closed by the exchange (code {code})", code)

    async def close(self) -> None:
        """End it, politely where that takes no time."""
        self._transport.send_close(picows.WSCloseCode.OK)
        self._transport.disconnect()
        with contextlib.suppress(picows.WSError, WireError):  # why it ended is told by `ended`
            await self._transport.wait_disconnected()


async def connect(url: str, on_message: Callable[[bytes], None], *, speed: float = 1.0) -> Wire:
    """Open a socket.

    Args:
        url: `ws://` or `wss://`; certificates are always checked.
        on_message: Given every text message.
        speed: Of the clock by which the other side's silence is measured.

    Raises:
        RefusedHandshakeError: The exchange answered with another status than 101.
        WireError: What was answered is no handshake.
        OSError: The exchange cannot be reached, or does not answer in time.
    """
    try:
        async with asyncio.timeout(_CONNECT_S / speed):
            _, wire = await picows.ws_connect(
                lambda: Wire(on_message), url, enable_auto_ping=True, auto_ping_idle_timeout=_PING_AFTER_S / speed,
                auto_ping_reply_timeout=_PONG_WITHIN_S / speed, max_frame_size=MESSAGE_LIMIT,
                websocket_handshake_timeout=_HANDSHAKE_S / speed,
                extra_headers={"User-Agent": "quantui"}, max_redirects=0, proxy=proxy_for(url), read_buffer_init_size=_READ_BUFFER,
                logger_name=_LOG, happy_eyeballs_delay=HAPPY_EYEBALLS_S,
            )  # fmt: skip
    except ProxyError as error:
        raise WireError(reason(error)) from error
    except picows.WSHandshakeError as error:
        if error.response is not None and error.response.status != 101:
            raise RefusedHandshakeError(int(error.response.status), error.response.headers) from error
        raise WireError(str(error)) from error
    if not isinstance(wire, Wire):  # closed before it had answered
        raise WireError("the connection was lost during the handshake")
    return wire
