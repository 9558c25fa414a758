"""When the exchange says stop, everything stops: one barrier a venue, before every request and every connection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from quantui.clock import Clock
from quantui.feeds.binance.backoff import Ration

FOREVER_MS = 1 << 60
_MIN_S, _MAX_S = 1.0, 3 * 86_400.0
_FORBIDDEN_S = 300.0


class BlockedError(ConnectionError):
    """The exchange does not want to hear from us until `until_ms`."""

    def __init__(self, detail: str, until_ms: int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.until_ms = until_ms


@dataclass(slots=True)
class Barrier:
    """Closed until a time, with the reason (binance.md A5.1)."""

    venue: str
    clock: Clock
    remember: Callable[[int, str], None] = field(default=lambda until_ms, detail: None)
    """Called when a ban (418) must survive a restart."""
    until_ms: int = 0
    detail: str = ""
    ration: Ration = field(default_factory=lambda: Ration(60, 300.0))
    """Connections tried, of all sockets together: the exchange counts 300 in five minutes, we stay far below."""

    def check(self) -> None:
        """Raise `BlockedError` while the barrier is closed."""
        if self.clock.now_ms() < self.until_ms:
            raise BlockedError(self.detail, self.until_ms)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Take note of an HTTP status; raises `BlockedError` where it closes the barrier."""
        wait = _retry_after(headers)
        match status:
            case 429:
                self._close(wait or 60.0, f"{self.venue}: too many requests (429); waiting {wait or 60:.0f} s")
            case 418:
                self._close(
                    wait or 120.0, f"{self.venue}: this address is banned (418) for {wait or 120:.0f} s; nothing is sent until then"
                )
                self.remember(self.until_ms, self.detail)
            case 403:
                self._close(
                    _FORBIDDEN_S, f"{self.venue}: refused by the firewall (403); next try in 5 minutes; check proxy and network"
                )
            case 451:
                self._close(
                    None,
                    f"{self.venue}: not offered from this location (451); use another network, or for spot the endpoint"
                    " https://data-api.binance.vision",
                )
            case _:
                return
        raise BlockedError(self.detail, self.until_ms)

    def _close(self, seconds: float | None, detail: str) -> None:
        until = FOREVER_MS if seconds is None else self.clock.now_ms() + int(seconds * 1000)
        self.until_ms, self.detail = max(self.until_ms, until), detail


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a sane Retry-After header, kept within 1 s and 3 days."""
    text = headers.get("Retry-After", "")
    if not (text.isascii() and text.isdigit()):
        return None
    return min(max(float(text[:9]), _MIN_S), _MAX_S)
