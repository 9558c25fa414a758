"""What can be wrong with a frame, on order (E20 of the protocol's notes): each kind makes other bytes of a good one."""

import re
from collections.abc import Callable, Mapping

from quantui.exchange.frames import CONTINUATION, PING, frame

_DEEP = 100_000
_OVERSIZE = (4 << 20) + 1
_PRICE, _QUANTITY, _SYMBOL = re.compile(r'"(p|c|b)":"[^"]*"'), re.compile(r'"q":"[^"]*",'), re.compile(r'"s":"[^"]*"')


def _instead(pattern: re.Pattern[str], new: str) -> Callable[[str], bytes]:
    """The first thing that looks like `pattern` is `new`."""
    return lambda text: frame(pattern.sub(new, text, count=1).encode())


def _in_pieces(text: str) -> bytes:
    """One message in several frames, with a ping between them."""
    data, step = text.encode(), len(text) // 3
    first, second, third = data[:step], data[step : 2 * step], data[2 * step :]
    return b"".join(
        (frame(first, last=False), frame(b"", PING), frame(second, CONTINUATION, last=False), frame(third, CONTINUATION))
    )


DAMAGES: Mapping[str, Callable[[str], bytes]] = {
    "nan": _instead(_PRICE, r'"\1":"NaN"'),
    "infinite": _instead(_PRICE, r'"\1":"Infinity"'),
    "negative": _instead(_PRICE, r'"\1":"-61800.00"'),
    "zero": _instead(_PRICE, r'"\1":"0.00000000"'),
    "huge": _instead(_PRICE, rf'"\1":"{"9" * 40}"'),
    "full-width": _instead(_PRICE, r'"\1":"６１８００"'),
    "underscore": _instead(_PRICE, r'"\1":"61_800"'),
    "empty": _instead(_QUANTITY, '"q":"",'),
    "retyped": _instead(_PRICE, r'"\1":61800.5'),
    "array": _instead(_SYMBOL, '"s":["BTCUSDT"]'),
    "missing": _instead(_QUANTITY, ""),
    "truncated": lambda text: frame(text[: len(text) // 2].encode()),
    "bad-utf8": lambda text: frame(text.encode().replace(b'"s"', b'"\xff\xfe"', 1)),
    "deep": lambda text: frame(b"[" * _DEEP) + frame(text.encode()),
    "long-number": lambda text: frame(b'{"stream":"x","data":' + b"9" * 1_000_000 + b"}") + frame(text.encode()),
    "unknown": lambda text: frame(b'{"stream":"x@novel","data":{"e":"novel","E":1,"s":"BTCUSDT"}}') + frame(text.encode()),
    "novel-field": lambda text: frame(text.replace('"s":', '"zz":{"deep":[1,2]},"s":', 1).encode()),
    "answer": lambda text: frame(b'{"result":null,"id":987654}') + frame(text.encode()),
    "twice": lambda text: frame(text.encode()) * 2,
    "in-pieces": _in_pieces,
}
"""By kind: the bytes on the wire in place of the frame of a text; the connection lives on."""


def _masked(text: str) -> bytes:
    """As only clients may send (RFC 6455, 5.1)."""
    plain = frame(text.encode())
    head = len(plain) - len(text.encode())
    return plain[:1] + bytes([plain[1] | 0x80]) + plain[2:head] + bytes(4) + plain[head:]


BREAKING: Mapping[str, Callable[[str], bytes]] = {
    "oversize": lambda text: frame(b'"' + b"x" * _OVERSIZE + b'"'),
    "oversize-in-pieces": lambda text: frame(b"x" * _OVERSIZE, last=False) + frame(b"x", CONTINUATION),
    "masked": _masked,
    "no-opcode": lambda text: frame(text.encode(), 0x3),
}
"""By kind: what no WebSocket may carry. Whoever receives it ends the connection."""
