"""When a link counts as slow, and when it does not any more."""

from quantui.ui.driver.pace import QUICK, SLOW, STUCK_S, WINDOW_S, Pace


def loaded(pace: Pace, share: float, start: float, seconds: float, every: float = 0.25) -> float:
    """Writes that take this share of the time, one every quarter of a second; the time when they end."""
    now = start
    while now < start + seconds:
        pace.wrote(now, now + share * every)
        now += every
    return now


def test_a_link_that_waits_a_quarter_of_the_time_is_slow_and_one_that_does_not_is_not() -> None:
    for share, slow in ((SLOW * 1.1, True), (SLOW * 0.9, False), (0.0, False)):
        pace = Pace()
        now = loaded(pace, share, 100.0, 2 * WINDOW_S)
        assert pace.is_slow(now, None) is slow, share


def test_it_stays_slow_until_next_to_nothing_waits() -> None:
    pace = Pace()
    now = loaded(pace, 0.5, 0.0, WINDOW_S)
    assert pace.is_slow(now, None)
    now = loaded(pace, 0.1, now, 3 * WINDOW_S)  # a quarter of the pictures, a quarter of the waiting
    assert pace.is_slow(now, None)
    now = loaded(pace, QUICK / 2, now, WINDOW_S)
    assert not pace.is_slow(now, None)


def test_one_write_that_does_not_end_is_enough() -> None:
    pace = Pace()
    assert not pace.is_slow(50.0 + STUCK_S / 2, 50.0)
    assert pace.is_slow(50.0 + STUCK_S, 50.0)
    pace.wrote(50.0, 52.0)
    assert pace.is_slow(53.0, None)
    assert not pace.is_slow(53.0 + 2 * WINDOW_S, None)
