import pytest

from quantui.collector.trouble import REPEAT_MS, FeedWatch
from quantui.feeds.feed import FeedStatus


@pytest.mark.parametrize("link", ["stale", "offline", "blocked", "reconnecting", "connecting"])
def test_a_feed_in_trouble_for_half_a_minute_is_one_warning(link: str) -> None:
    watch, status = FeedWatch(), FeedStatus(link=link, detail="no answer")
    said = [watch.look([status], second, 1_000_000 + second * 1000) for second in range(1200)]
    (warning,) = [each for each in said if each]
    assert said.index(warning) == 30
    assert (warning.severity, warning.bar_ms, warning.time_ms) == ("warning", 1_000_000, 1_030_000)
    assert "no answer" in warning.message


@pytest.mark.parametrize("link", ["live", "filling", "replay", "ended"])
def test_a_feed_that_works_is_not_spoken_of(link: str) -> None:
    watch = FeedWatch()
    assert not any(watch.look([FeedStatus(link=link)], second, second * 1000) for second in range(100))


def test_a_feed_that_comes_and_goes_does_not_flood() -> None:
    watch, status = FeedWatch(), FeedStatus()
    said = 0
    for second in range(3600):
        status.link = "live" if second % 45 < 5 else "reconnecting"
        said += watch.look([status], second, second * 1000) is not None
    assert said == pytest.approx(3600_000 / REPEAT_MS, abs=1)
    status.link = "stale"
    short = FeedWatch()
    for second in range(3600):
        status.link = "live" if second % 30 < 5 else "stale"
        assert short.look([status], second, second * 1000) is None


def test_a_restart_does_not_repeat_it_and_another_feed_is_told_of() -> None:
    bad, good = FeedStatus(link="offline", detail="a"), FeedStatus(link="live", detail="b")
    first = FeedWatch()
    assert [bool(first.look([bad, good], second, second * 1000)) for second in (0, 31)] == [False, True]
    second = FeedWatch(dict(first.told))
    good.link = "offline"
    assert [bool(second.look([bad], at, at * 1000)) for at in (40, 80)] == [False, False]
    warning = [second.look([bad, good], at, at * 1000) for at in (100, 140)][1]
    assert warning is not None
    assert warning.message.endswith(": b")
