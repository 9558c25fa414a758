"""Pauses between connections: soon after one that worked, never a storm."""

import random

import pytest

from quantui.feeds.binance.backoff import Backoff, Ration


def _tries(seconds: float, seed: int, *, spoken: bool) -> int:
    """Tries of a connection that ends at once, in so many seconds."""
    backoff, now, tries = Backoff(random.Random(seed)), 0.0, 0
    while True:
        now += backoff.pause(now)
        if now >= seconds:
            return tries
        tries += 1
        backoff.ration.spend(now)
        backoff.ended(spoken=spoken)


@pytest.mark.parametrize("spoken", [True, False])
def test_no_storm_even_where_every_connection_ends_at_once(*, spoken: bool) -> None:
    for seed in range(50):
        assert _tries(60.0, seed, spoken=spoken) <= 10
        assert _tries(300.0, seed, spoken=spoken) <= 50


def test_the_first_try_comes_at_once_and_the_next_within_a_second() -> None:
    backoff = Backoff(random.Random(1))
    assert backoff.pause(0.0) == 0.0
    backoff.ended(spoken=True)
    assert 0.5 <= backoff.pause(100.0) <= 1.0


def test_a_broken_rule_costs_at_least_five_seconds_with_jitter() -> None:
    pauses = set()
    for seed in range(20):
        backoff = Backoff(random.Random(seed))
        backoff.ended(spoken=True, code=1008)
        pauses.add(backoff.pause(0.0))
        backoff.ended(spoken=True, code=1001)
        assert backoff.pause(0.0) <= 1.0
    assert min(pauses) >= 5.0
    assert len(pauses) == 20


def test_pauses_grow_to_half_a_minute_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(random.Random(1), Ration(10_000, 60.0))
    for _ in range(2000):  # no power of two runs out of numbers
        backoff.ended(spoken=False)
    assert 15.0 <= backoff.pause(0.0) <= 30.0
    backoff.ended(spoken=True)
    assert backoff.pause(0.0) <= 1.0


def test_a_ration_names_the_time_until_the_next() -> None:
    ration = Ration(2, 60.0)
    for now in (0.0, 10.0):
        assert ration.wait(now) == 0.0
        ration.spend(now)
    assert ration.wait(20.0) == 40.0
    assert ration.wait(60.0) == 0.0
    ration.spend(60.0)
    assert ration.wait(60.0) == 10.0
