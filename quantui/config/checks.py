"""What the texts in a configuration may look like. Each check raises ValueError, its message beginning with the key's name."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

VENUES = ("binance-usdm", "binance-spot", "binance-us")

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])", re.ASCII)


def seconds(text: str) -> float:
    """Read a duration such as `90s`, `15m`, `2h` or `7d`.

    >>> seconds("1.5m")
    90.0

    Raises:
        ValueError: the text is no duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write it like 90s, 15m, 2h or 7d")
    return float(match[1]) * _UNITS[match[2]]


def duration(key: str, text: str) -> None:
    """The value of `key` is a duration."""
    try:
        seconds(text)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def symbol(key: str, text: str) -> None:
    """A symbol's name, with or without its venue. Binance lists names that are not Latin, so only what cannot be one is refused."""
    venue, colon, name = text.rpartition(":")
    if colon and venue not in VENUES:
        raise ValueError(f"{key}: {text!r} names no known venue; known: {', '.join(VENUES)}")
    if not 2 <= len(name) <= 40 or not name.isprintable() or any(char in name for char in " /@?&#%'\"\\"):
        raise ValueError(f"{key}: {text!r} is not a symbol: write it like BTCUSDT or binance-spot:BTCUSDT")


def address(key: str, url: str, schemes: tuple[str, str]) -> None:
    """A base address: the safe one of `schemes` anywhere, the plain one only on this machine."""
    safe, plain = schemes
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{key}: {url!r} is not an address: {error}") from None
    if parts.scheme not in schemes or not host or not url.isprintable() or " " in url:
        raise ValueError(f"{key}: {url!r} is not an address: write it like {safe}://host")
    if parts.scheme == plain and not is_loopback(host):
        raise ValueError(f"{key}: {plain}:// is accepted for this machine (127.0.0.1, localhost) only: use {safe}://{host}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{key}: {url!r} holds more than scheme, host, port and path")


def route(key: str, url: str, name: str) -> None:
    """A futures socket address ends in its route."""
    if urlsplit(url).path.rstrip("/").rpartition("/")[2] != name:
        raise ValueError(
            f"{key}: {url!r} lacks the route /{name}: Binance acknowledges subscriptions there and sends nothing."
            f" End it in /{name}, or set allow_legacy_paths = true"
        )


def zone(key: str, name: str) -> None:
    """A time zone this machine knows."""
    if name in ("UTC", "local"):
        return
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError(
            f"{key}: no zone {name!r} on this machine: UTC, local, or a name such as Europe/Zurich (`pip install tzdata`)"
        ) from None


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
