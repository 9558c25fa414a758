"""How far behind a terminal is: now and then it is asked something behind a picture, and its answer says when it got there.

Between us and a slow link lie buffers of up to megabytes (pty, sshd, TCP), so writes do not wait though the person sees pictures of
long ago. The question is whether synchronized output is known, which Textual asks once by itself: only a terminal that has
answered that is asked again.
"""

import math
from typing import Final

QUERY: Final = "\x1b[?2026$p"
EVERY_S: Final = 2.0
"""Between two questions while the link is quick and little is written; while it is slow each picture carries one."""
MUCH: Final = 4000
"""After so many bytes the next question comes sooner."""
LATE_S: Final = 0.25
"""An answer that comes so much later than the quickest had pictures before it."""
FIRST_S: Final = 1.0
"""How long the first may take, when nothing is known of the way."""
LOST_S: Final = 10.0
"""Longest wait for an answer."""
MOST_LOST: Final = 3
"""After so many lost ones in a row nothing is asked any more."""
QUICK_ANSWERS: Final = 5
"""So many in a row make a slow link a quick one."""
FORGET: Final = 1.05
"""The quickest answer counts for a little longer with each: a way may become longer for good."""


class Echo:
    """One question at a time. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._answers = False
        self._asked_at: float | None = None
        self._next_at = -math.inf
        self._unasked = 0
        self._quickest = FIRST_S
        self._quick = QUICK_ANSWERS
        self._lost = self._stray = 0

    def ask(self, now: float, size: int) -> bool:
        """Whether a question goes with the picture of so many bytes that is written now; then it counts as asked."""
        self._unasked += size
        due = now >= self._next_at or self._unasked >= MUCH or self._quick < QUICK_ANSWERS
        if not (due and self._answers and self._asked_at is None and self._lost < MOST_LOST):
            return False
        self._asked_at, self._next_at, self._unasked = now, now + EVERY_S, 0
        return True

    def answered(self, now: float) -> None:
        """The terminal has answered, at whatever time it was asked."""
        if not self._answers:
            self._answers = True  # to Textual
        elif self._stray:
            self._stray -= 1
            self._lost = self._quick = 0
        elif self._asked_at is not None:
            delay, self._asked_at = now - self._asked_at, None
            self._quick = self._quick + 1 if delay < self._quickest + LATE_S else 0
            self._quickest = min(delay, self._quickest * FORGET)
            self._lost = 0

    def hold(self, now: float) -> float:
        """Seconds the next picture is still to wait: while an answer is late, it would only stand in a queue.

        On a link that is slow each picture waits for the answer to the one before.
        """
        if self._asked_at is None or not self.is_slow(now):
            return 0.0
        left = self._asked_at + LOST_S - now
        if left <= 0:
            self._asked_at = None
            self._lost += 1
            self._stray += 1
            return 0.0
        return left

    def is_slow(self, now: float) -> bool:
        """Whether pictures stand in a queue before the terminal, or did a short while ago."""
        return self._quick < QUICK_ANSWERS or self._is_late(now)

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is on its way."""
        return self._asked_at is not None

    def _is_late(self, now: float) -> bool:
        return self._asked_at is not None and now - self._asked_at >= self._quickest + LATE_S
