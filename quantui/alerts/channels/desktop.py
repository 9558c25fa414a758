"""Desktop notifications through notify-send, on the machine the collector runs on."""

import asyncio
import html
import shutil
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from quantui.alerts.records import WARNING, AlertRecord
from quantui.clock import Clock
from quantui.text import safe

QUEUE_LIMIT = 32
_LINES = 5
"""Alerts named in one notification."""


@dataclass(slots=True)
class DesktopChannel:
    """One notification for all that waits, at most one every `interval_s`."""

    program: str
    """Full path of notify-send."""
    env: Mapping[str, str]
    clock: Clock
    """Real time: a desktop does not run faster in a replay."""
    interval_s: float = 2.0
    timeout_s: float = 5.0
    name: str = "desktop"
    sent: int = 0
    """Notifications shown."""
    failed: int = 0
    """Notifications that could not be."""
    dropped: int = 0
    """Records that came while too many waited; the oldest go."""
    error: str = ""
    """Why the last delivery failed; empty where it did not."""
    _waiting: deque[AlertRecord] = field(default_factory=deque)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def find(cls, env: Mapping[str, str], clock: Clock) -> Self | None:
        """The channel, where there is a desktop bus and notify-send; else None."""
        program = shutil.which("notify-send", path=env.get("PATH", ""))
        return cls(program, env, clock) if program and env.get("DBUS_SESSION_BUS_ADDRESS") else None

    def offer(self, record: AlertRecord) -> None:
        """Accept a record for delivery; the oldest gives way where too many wait."""
        if len(self._waiting) >= QUEUE_LIMIT:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(record)
        self._arrived.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            records = list(self._waiting)
            self._waiting.clear()
            if records:
                await self._deliver(records)
                await self.clock.sleep(self.interval_s)

    async def _deliver(self, records: list[AlertRecord]) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                self.program, *arguments(records), stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, env=dict(self.env)
            )
        except OSError as error:
            self._fail(f"notify-send cannot be started ({error.strerror})")
            return
        code = await self._end_of(process)
        if code is None:
            self._fail(f"notify-send did not end within {self.timeout_s:g} s")
        elif code:
            self._fail(f"notify-send ended with {code}: is a notification service running?")
        else:
            self.sent, self.error = self.sent + 1, ""

    async def _end_of(self, process: Process) -> int | None:
        """Its exit code; None where it had to be ended. It never outlives this call, however that ends."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await process.wait()
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _fail(self, error: str) -> None:
        self.failed += 1
        self.error = error


def arguments(records: list[AlertRecord]) -> list[str]:
    """Arguments of notify-send; nothing in a record can become an option, a control character or markup."""
    newest = records[-1]
    title = safe(f"quantui: {newest.pair or newest.rule}" if len(records) == 1 else f"quantui: {len(records)} alerts", 100)
    lines = [html.escape(safe(record.message, 200), quote=False) for record in reversed(records[-_LINES:])]
    if len(records) > _LINES:
        lines.append(f"and {len(records) - _LINES} earlier")
    urgency = "low" if all(record.severity == WARNING for record in records) else "normal"
    return ["--app-name=quantui", f"--urgency={urgency}", "--", title, "\n".join(lines)]
