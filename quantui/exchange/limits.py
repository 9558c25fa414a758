"""What the exchange counts against an address: request weight by the UTC minute, messages by the rolling second, connections."""

from collections import deque
from dataclasses import dataclass, field

from quantui.exchange.listings import Market

_BAN_MS = 120_000
_STUBBORN = 10
"""Requests sent although refused with 429 before the address is banned."""
_OFFENCES = 3
"""Sockets closed for too many messages within five minutes before the address is banned."""
_FIVE_MINUTES = 300_000
WEIGHT_LIMIT = {Market.SPOT: 6000, Market.USDM: 2400}
MESSAGE_LIMIT = {Market.SPOT: 5, Market.USDM: 15}
"""More in a second end the socket. Spot is strict; futures document 10 and tolerate 15."""
DOCUMENTED_LIMIT = {Market.SPOT: 5, Market.USDM: 10}
IN_FLIGHT_S = 0.25
"""Real seconds within which a request may still arrive that was sent before a refusal was read."""
CONNECTION_LIMIT = 300
STREAM_LIMIT = 1024


@dataclass(slots=True)
class Rolling:
    """At most `limit` events within any `span_ms`."""

    limit: int
    span_ms: int
    _times: deque[int] = field(default_factory=deque)

    def take(self, now_ms: int) -> bool:
        """Count an event; False where it is one too many."""
        while self._times and self._times[0] <= now_ms - self.span_ms:
            self._times.popleft()
        self._times.append(now_ms)
        return len(self._times) <= self.limit


@dataclass(slots=True)
class Account:
    """The one address (everything here is loopback) on one market."""

    market: Market
    weight_limit: int
    connections: Rolling = field(default_factory=lambda: Rolling(CONNECTION_LIMIT, _FIVE_MINUTES))
    banned_until: int = 0
    used: int = 0
    requests: int = 0
    violations: int = 0
    """Messages and connections beyond the documented, requests beyond the weight, and what was sent although told to wait."""
    slowest_pong_s: float = 0.0
    """Exchange seconds from a ping to its pong, at worst."""
    in_flight_ms: float = 0.0
    """Exchange time of `IN_FLIGHT_S`."""
    _quiet_from: float = 0.0
    _quiet_until: int = 0
    _minute: int = 0
    _refused: int = 0
    _offences: deque[int] = field(default_factory=deque)

    def arrived(self, now_ms: int) -> None:
        """A request is there; during a Retry-After that its sender must have read it is a violation."""
        if self._quiet_from < now_ms < self._quiet_until:
            self.violations += 1

    def told_to_wait(self, seconds: int, now_ms: int) -> None:
        """A Retry-After was sent."""
        self._quiet_until = max(self._quiet_until, now_ms + seconds * 1000)
        self._quiet_from = now_ms + self.in_flight_ms

    def weigh(self, weight: int, now_ms: int) -> tuple[int, int]:
        """Count a request. Returns (0, 0), or the status that refuses it (429, 418) and its Retry-After in seconds."""
        self.requests += 1
        if now_ms < self.banned_until:
            return 418, -(-(self.banned_until - now_ms) // 1000)
        if now_ms // 60_000 != self._minute:
            self._minute, self.used, self._refused = now_ms // 60_000, 0, 0
        self.used += weight
        if self.used <= self.weight_limit:
            return 0, 0
        self.violations += 1
        self._refused += 1
        if self._refused > _STUBBORN:
            self.ban(now_ms)
            return 418, _BAN_MS // 1000
        return 429, 60 - now_ms // 1000 % 60

    def offend(self, now_ms: int) -> None:
        """A socket was closed for too many messages; repeated, the address is banned."""
        self.violations += 1
        while self._offences and self._offences[0] <= now_ms - _FIVE_MINUTES:
            self._offences.popleft()
        self._offences.append(now_ms)
        if len(self._offences) >= _OFFENCES:
            self.ban(now_ms)

    def ban(self, now_ms: int) -> None:
        """Refuse everything for two minutes."""
        self.banned_until = now_ms + _BAN_MS
