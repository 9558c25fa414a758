"""When the exchange says stop, nothing is sent until it may be."""

import pytest

from quantui.feeds.binance.barrier import FOREVER_MS, Barrier, BlockedError
from tests.feeds.binance.emulator import StillClock

NOW = 1_723_161_600_000


def _barrier(remembered: list[tuple[int, str]] | None = None) -> tuple[Barrier, StillClock]:
    clock = StillClock(NOW)
    return Barrier(
        "spot", clock, lambda until, detail: (remembered if remembered is not None else []).append((until, detail))
    ), clock


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "17"}, 17), (429, {}, 60), (429, {"Retry-After": "-1"}, 60), (429, {"Retry-After": "soon"}, 60),
        (429, {"Retry-After": "0"}, 1), (429, {"Retry-After": "9999999999999"}, 259_200), (429, {"Retry-After": "１７"}, 60),
        (418, {"Retry-After": "300"}, 300), (418, {}, 120), (403, {}, 300),
    ],
)  # fmt: skip
def test_a_refusal_closes_for_as_long_as_told_within_reason(status: int, headers: dict[str, str], seconds: int) -> None:
    barrier, clock = _barrier()
    with pytest.raises(BlockedError) as caught:
        barrier.answered(status, headers)
    assert caught.value.until_ms == barrier.until_ms == NOW + seconds * 1000
    assert str(status) in barrier.detail
    clock.ms = barrier.until_ms - 1
    with pytest.raises(BlockedError):
        barrier.check()
    clock.ms = barrier.until_ms
    barrier.check()


def test_a_location_that_is_not_served_is_not_asked_again() -> None:
    barrier, clock = _barrier()
    with pytest.raises(BlockedError, match="data-api"):
        barrier.answered(451, {})
    assert barrier.until_ms == FOREVER_MS
    clock.ms += 10**12
    with pytest.raises(BlockedError):
        barrier.check()


def test_only_a_ban_is_remembered_over_a_restart() -> None:
    remembered: list[tuple[int, str]] = []
    barrier, _ = _barrier(remembered)
    for status in (429, 403, 418):
        with pytest.raises(BlockedError):
            barrier.answered(status, {"Retry-After": "600"})
    assert [until for until, _ in remembered] == [NOW + 600_000]
    assert "418" in remembered[0][1]


def test_a_shorter_refusal_does_not_open_what_a_longer_one_has_closed() -> None:
    barrier, _ = _barrier()
    for seconds in ("600", "1"):
        with pytest.raises(BlockedError):
            barrier.answered(418, {"Retry-After": seconds})
    assert barrier.until_ms == NOW + 600_000


@pytest.mark.parametrize("status", [200, 400, 404, 500, 503])
def test_other_answers_close_nothing(status: int) -> None:
    barrier, _ = _barrier()
    barrier.answered(status, {"Retry-After": "60"})
    barrier.check()
