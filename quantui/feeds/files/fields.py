"""One field of a row: times in every unit, exact numbers, symbol names. Nothing here guesses: it reads or refuses."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from quantui.feeds.files.errors import BadRowError
from quantui.market.numbers import BadNumberError, decimals_of, scaled
from quantui.text import safe

LAST_MS = 4_102_444_800_000
"""The year 2100: what lies behind is no time of a trade."""
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,18})?", re.ASCII)
_EXPONENT = re.compile(r"(\d{1,20})(?:\.(\d{1,20}))?[eE]([+-]?\d{1,2})", re.ASCII)
_INT64 = 1 << 63
_SYMBOL_LENGTH = 40


def time_ms(text: str) -> int:
    """Milliseconds since 1970 of a time in s, ms, µs or ns (told apart by magnitude) or ISO 8601; without a zone it is UTC."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        whole, _, fraction = text.partition(".")
        value = int(whole)
        if value < 100_000_000_000:
            value = value * 1000 + int(fraction.ljust(3, "0")[:3]) if fraction else value * 1000
        else:
            value = whole_ms(value)
    else:
        value = _iso_ms(text)
    if not 0 < value < LAST_MS:
        raise BadRowError(f"{text[:40]!r} is not a time after 1970 and before 2100")
    return value


def whole_ms(value: int) -> int:
    """A time of the exchange in ms, µs or ns as ms (binance.md A7: told apart row by row)."""
    if value < 100_000_000_000_000:
        return value
    return value // 1_000 if value < 100_000_000_000_000_000 else value // 1_000_000


def _iso_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRowError(f"{text[:40]!r} is neither a number nor an ISO 8601 time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = moment.replace(microsecond=0).timestamp()
    return int(seconds) * 1000 + moment.microsecond // 1000


@lru_cache(maxsize=1 << 16)
def number(text: str) -> tuple[int, int]:
    """A plain decimal as (digits, decimals): 12.50 is (125, 1). Exact; zeros at the end do not count.

    Raises:
        BadRowError: The text is not a plain, unsigned decimal that fits 64 bits.
    """
    try:
        decimals = decimals_of(text)
        digits = scaled(text, decimals)
    except BadNumberError as error:
        raise BadRowError(str(error)) from None
    if digits >= _INT64:
        raise BadRowError(f"{text[:40]!r} has too many digits")
    return digits, decimals


def positive(text: str, name: str) -> tuple[int, int]:
    """As `number`; zero is refused too."""
    found = number(text)
    if not found[0]:
        raise BadRowError(f"{name} {text[:40]} is not above zero")
    return found


def plain(text: str) -> str:
    """A JSON number's text without exponent; what is no such number comes back unchanged, to be refused by `number`."""
    match = _EXPONENT.fullmatch(text)
    if match is None:
        return text
    whole, fraction, exponent = match[1], match[2] or "", int(match[3])
    point = len(whole) + exponent
    digits = whole + fraction
    if point <= 0:
        return "0." + "0" * -point + digits
    return digits.ljust(point, "0")[:point] + ("." + digits[point:] if digits[point:] else "")


@lru_cache(maxsize=1 << 12)
def symbol_name(text: str) -> str:
    """An upper-cased symbol name; refuses what could not be one."""
    name = text.strip().upper()
    if not name or len(name) > _SYMBOL_LENGTH or safe(name) != name or any(char in " /:," for char in name):
        raise BadRowError(f"{text[:_SYMBOL_LENGTH]!r} is not a symbol")
    return name


def symbol_of(stem: str) -> str | None:
    """Symbol in a file's name: `BTC_USDT-1h`, `BTC_USDT_USDT-1h-futures`, `BTCUSDT-aggTrades-2024-08-08`; None without one."""
    head = stem.partition("-")[0]
    parts = head.split("_")
    if len(parts) == 3 and parts[1] == parts[2]:
        parts.pop()
    if len(parts) > 2 or not head:
        return None
    try:
        return symbol_name("".join(parts))
    except BadRowError:
        return None
