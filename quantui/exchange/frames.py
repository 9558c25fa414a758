"""WebSocket frames as a server writes them (RFC 6455: not masked), to send many with one write."""

from struct import pack

CONTINUATION, TEXT, CLOSE, PING, PONG = 0x0, 0x1, 0x8, 0x9, 0xA


def frame(payload: bytes, opcode: int = TEXT, *, last: bool = True) -> bytes:
    """One whole frame; where it is not the `last`, more of the same message follow."""
    size = len(payload)
    head = (0x80 if last else 0) | opcode
    if size < 126:
        return pack("!BB", head, size) + payload
    if size < 65_536:
        return pack("!BBH", head, 126, size) + payload
    return pack("!BBQ", head, 127, size) + payload
