"""Faults on order: what the exchange is told to do wrong, for how long, on which host."""

from collections import deque
from dataclasses import dataclass, field

from quantui.exchange.listings import Market

BODIES: dict[int, str] = {
    429: (
        '{{"code":-1003,"msg":"Too much request weight used; current limit is {limit} request weight per 1 MINUTE.'
        ' Please use WebSocket Streams for live updates to avoid polling the API."}}'
    ),
    418: (
        '{{"code":-1003,"msg":"Way too much request weight used; IP banned until {until}.'
        ' Please use WebSocket Streams for live updates to avoid bans."}}'
    ),
    403: (
        "<html>\r\n<head><title>403 Forbidden</title></head>\r\n"
        "<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>\r\n"
    ),
    451: (
        '{{"code":0,"msg":"Service unavailable from a restricted location according to \'b. Eligibility\' in'
        ' https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error."}}'
    ),
    500: '{{"code":-1000,"msg":"An unknown error occurred while processing the request."}}',
}
UNAVAILABLE = (
    "Unknown error, please check your request or try again later.",
    "Service Unavailable.",
    "Internal error; unable to process your request. Please try again.",
)
"""The three bodies of a 503, in turn."""


@dataclass(slots=True)
class Faults:
    """The state of the faults of one market."""

    market: Market
    ws_out_until: float = 0.0
    """Monotonic time until which no socket is accepted."""
    rest_out_until: float = 0.0
    statuses: deque[int] = field(default_factory=deque)
    """The next REST answers."""
    rest_status: int = 0
    """Every REST answer until taken back; 451, 418 and 403 refuse WebSocket upgrades too."""
    rest_delay_s: float = 0.0
    """Exchange seconds by which every REST answer is late."""
    rest_lag_ms: int = 0
    """How far REST data are behind the streams."""
    time_goes_back: bool = False
    """Some rows of REST aggTrades carry a time below their predecessor's."""
    _unavailable: int = 0

    def next_status(self) -> int:
        """The status ordered for this REST request; 0 for none."""
        return self.statuses.popleft() if self.statuses else self.rest_status

    def body(self, status: int, *, limit: int, until_ms: int) -> tuple[str, str]:
        """(text, content type) of a refusal."""
        if status == 503:
            self._unavailable += 1
            return f'{{"code":-1000,"msg":"{UNAVAILABLE[(self._unavailable - 1) % 3]}"}}', "application/json"
        template = BODIES.get(status, '{{"code":-1000,"msg":"An unknown error occurred while processing the request."}}')
        return template.format(limit=limit, until=until_ms), "text/html" if status == 403 else "application/json"
