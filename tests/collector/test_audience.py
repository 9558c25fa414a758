"""Who looks, who has gone, and who only seems to be there."""

from quantui.collector.audience import LOOKING_S, Audience


class Theatre:
    """An audience with a clock of its own, and what became of it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.left: list[bool] = []
        self.audience = Audience(lambda: self.now, self.left.append)


def test_the_last_screen_that_goes_says_how() -> None:
    for stop in (True, False):
        theatre = Theatre()
        theatre.audience.seen(1)
        theatre.audience.seen(2)
        theatre.audience.leave(1, stop=True)
        assert theatre.left == []
        theatre.audience.leave(2, stop=stop)
        assert theatre.left == [stop]


def test_a_screen_that_quits_beside_one_that_vanished_ends_the_collector_a_little_later() -> None:
    theatre = Theatre()
    theatre.audience.seen(1)  # then its terminal went
    theatre.now += 1
    theatre.audience.seen(2)
    theatre.audience.leave(2, stop=True)
    theatre.now += LOOKING_S
    theatre.audience.look_again()
    assert theatre.left == []
    theatre.now += 0.1
    theatre.audience.look_again()
    theatre.audience.look_again()
    assert theatre.left == [True]


def test_a_screen_that_looks_on_keeps_it_and_may_vanish_later_without_ending_it() -> None:
    theatre = Theatre()
    theatre.audience.seen(1)
    theatre.audience.seen(2)
    theatre.audience.leave(2, stop=True)
    theatre.now += 1
    theatre.audience.seen(1)
    theatre.now += 10
    theatre.audience.look_again()
    assert theatre.left == []


def test_the_last_word_counts_though_another_has_quit_a_moment_before() -> None:
    theatre = Theatre()
    theatre.audience.seen(1)
    theatre.audience.seen(2)
    theatre.audience.leave(1, stop=True)
    theatre.audience.leave(2, stop=False)
    theatre.now += LOOKING_S + 1
    theatre.audience.look_again()
    assert theatre.left == [False], "the one that stayed longer wants it to go on"


def test_those_that_vanished_are_forgotten() -> None:
    theatre = Theatre()
    for number in range(100):
        theatre.audience.seen(number)
        theatre.now += 1
    assert len(theatre.audience._looks) <= 17
