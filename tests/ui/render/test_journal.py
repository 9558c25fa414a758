"""The monitor as lines: what is told of two snapshots, and what is not."""

import pytest
from msgspec.structs import replace

from quantui.collector.snapshot import AlertRow, Link, PairRow, SeriesView, Snapshot, StatsView
from quantui.ui.render import journal
from tests.ui.fakes import T0, snapshot

DAY_MS = 86_400_000
FIRST = snapshot(400)
NEXT = snapshot(401)
Y, X, Z = FIRST.series.y[-1], FIRST.series.x[-1], FIRST.stats.zscore


def test_the_first_snapshot_tells_what_is_watched_and_its_newest_bar_but_no_old_alert() -> None:
    assert journal.lines(None, FIRST) == [
        "00:06:40 watching demo binance-usdm ETH/BTC 1s, window 240, OLS, entry |z| >= 2.0, exit |z| <= 0.5",
        "00:06:40 link LIVE",
        "date 2024-08-09",
        f"00:06:39 ETH/BTC 1s ETH {Y:,.2f} BTC {X:,.2f} beta 0.912 z {Z:+.2f} no signal EG p .007 half-life 14 bars",
    ]


def test_nothing_is_told_when_nothing_that_counts_has_changed() -> None:
    assert journal.lines(FIRST, FIRST) == []
    assert journal.lines(FIRST, snapshot(400, tick=3)) == [], "prices move between bars"


def test_each_closed_bar_is_a_line() -> None:
    (line,) = journal.lines(FIRST, NEXT)
    assert line.startswith("00:06:40 ETH/BTC 1s ETH 2,6")


def test_bars_that_closed_between_two_snapshots_are_told_in_order_with_what_is_known_of_them() -> None:
    lines = journal.lines(FIRST, snapshot(403))
    assert [line[:8] for line in lines] == ["00:06:40", "00:06:41", "00:06:42"]
    assert ["beta" in line for line in lines] == [False, False, True]
    assert all(" z " in line for line in lines)
    late = snapshot(403)
    unknown = replace(late.series, zscore=(None,) * len(late.series.zscore))
    assert " z " not in journal.lines(FIRST, replace(late, series=unknown))[0], "a slow estimator has not got there yet"


def test_bars_too_old_for_the_snapshot_are_counted() -> None:
    lines = journal.lines(FIRST, snapshot(600, points=100))
    assert lines[0] == "00:06:39 ETH/BTC 100 bars after this one are not shown"
    assert len(lines) == 101
    assert len(journal.lines(FIRST, snapshot(500, points=100))) == 100, "none is missing"


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ("SHORT_SPREAD", "SHORT spread"), ("LONG_SPREAD", "LONG spread"), ("EXIT", "EXIT"), ("STOP", "STOP"),
        ("NONE", "no signal"), ("", "no signal"),
    ],
)  # fmt: skip
def test_the_signal_is_a_word(signal: str, said: str) -> None:
    (line,) = journal.lines(FIRST, replace(NEXT, stats=replace(NEXT.stats, signal=signal)))
    assert f"{NEXT.stats.zscore:+.2f} {said} EG" in line


def test_too_little_data_is_n_of_n_never_zero() -> None:
    (line,) = journal.lines(FIRST, replace(NEXT, stats=StatsView(n=87, need=240, bar_ms=NEXT.stats.bar_ms)))
    assert line.endswith(" 87/240 warming up")
    late = replace(snapshot(402), stats=StatsView(n=87, need=240, bar_ms=snapshot(402).stats.bar_ms))
    assert [line[-18:] for line in journal.lines(FIRST, late)] == [" 86/240 warming up", " 87/240 warming up"]
    nothing = replace(NEXT, stats=StatsView(n=0, need=240), series=SeriesView())
    assert journal.lines(FIRST, nothing) == []


def test_a_missing_value_shows_its_reason() -> None:
    stats = replace(
        NEXT.stats, half_life=None, engle_granger=None, missing={"half_life": "no mean reversion", "engle_granger": "leg is flat"}
    )
    (line,) = journal.lines(FIRST, replace(NEXT, stats=stats))
    assert line.endswith("EG leg is flat half-life no mean reversion")


def test_what_is_wrong_with_the_pair_stands_behind_its_bar() -> None:
    pairs = (PairRow(label="ETHUSDT/BTCUSDT", note="gap"), *NEXT.pairs[1:])
    assert journal.lines(FIRST, replace(NEXT, pairs=pairs))[0].endswith(" (gap)")


@pytest.mark.parametrize("link", [link for link in Link if link is not Link.LIVE])
def test_a_change_of_the_link_is_told_once_with_its_reason(link: Link) -> None:
    changed = replace(FIRST, feed=replace(FIRST.feed, link=link, detail="why and what to do"))
    assert journal.lines(FIRST, changed) == [f"00:06:40 link {link.upper()}: why and what to do"]
    assert journal.lines(changed, changed) == []


def test_new_alerts_are_told_oldest_first_and_once() -> None:
    rows = (
        AlertRow(id=5, time_ms=T0 + 401_000, severity="warning", pair="", text="gap BNBUSDT 412 trades"),
        AlertRow(id=4, time_ms=T0 + 400_000, severity="alert", pair="SOLUSDT/ETHUSDT", text="SHORT z +2.04 corr .83"),
    )
    alerted = replace(FIRST, alerts=(*rows, *FIRST.alerts))
    assert journal.lines(FIRST, alerted) == [
        "00:06:40 ALERT SOL/ETH SHORT z +2.04 corr .83",
        "00:06:41 WARNING gap BNBUSDT 412 trades",
    ]
    assert journal.lines(alerted, alerted) == []
    assert len(journal.lines(replace(FIRST, alerts=()), alerted)) == 5, "the very first alert is news too"


def test_a_change_of_the_session_is_told_and_begins_with_its_newest_bar() -> None:
    session = replace(FIRST.session, pair=1, timeframe="1m")
    lines = journal.lines(FIRST, snapshot(400, session=session))
    assert lines[0].startswith("00:06:40 watching demo binance-usdm SOL/ETH 1m, window 240")
    assert lines[1].startswith("00:06:39 SOL/ETH 1m SOL ")
    assert len(lines) == 2
    (line,) = journal.lines(FIRST, replace(FIRST, session=replace(FIRST.session, entry=2.1)))
    assert "entry |z| >= 2.1" in line


def later(bars: int, shift: int) -> Snapshot:
    """The same market at another time."""
    now = snapshot(bars)
    times = tuple(open_ms + shift for open_ms in now.series.open_ms)
    return replace(now, series=replace(now.series, open_ms=times), stats=replace(now.stats, bar_ms=times[-1]))


def test_the_date_is_told_before_the_first_bar_of_a_day() -> None:
    shift = T0 + DAY_MS - NEXT.series.open_ms[-1]  # its newest bar is the first of the next day
    lines = journal.lines(later(399, shift), later(402, shift))
    assert [line[:16] for line in lines] == ["23:59:59 ETH/BTC", "date 2024-08-10", "00:00:00 ETH/BTC", "00:00:01 ETH/BTC"]


def test_a_recording_has_no_time_but_that_of_its_bars() -> None:
    replayed = replace(FIRST, mode="replay", feed=replace(FIRST.feed, link=Link.REPLAY))
    assert [line[:17] for line in journal.lines(None, replayed)] == [
        "--:--:-- watching", "--:--:-- link REP", "date 2024-08-09", "00:06:39 ETH/BTC ",
    ]  # fmt: skip


def restarted(bars: int) -> Snapshot:
    return replace(snapshot(bars), pid=4343)


def test_a_new_collector_does_not_tell_the_bars_of_the_old_one_again() -> None:
    before = FIRST
    empty = replace(restarted(390), stats=StatsView(n=0, need=240), series=SeriesView())
    for after in (empty, restarted(395), restarted(399), restarted(400)):
        assert journal.lines(before, after) == []
        before = journal.remembered(before, after)
    lines = journal.lines(before, restarted(402))
    assert [line[:8] for line in lines] == ["00:06:40", "00:06:41"]
    assert journal.remembered(before, restarted(402)) == restarted(402)


def test_another_market_at_an_earlier_time_is_told_from_its_newest_bar_on() -> None:
    after = restarted(200)
    (line,) = journal.lines(FIRST, after)
    assert line.startswith("00:03:19 ")
    assert journal.remembered(FIRST, after) is after


def test_a_lost_collector_is_told_with_its_newest_bar() -> None:
    assert journal.lost(None, "refused", still=False) == "collector lost: refused; trying again"
    assert journal.lost(FIRST, "refused", still=False) == "collector lost (newest bar 00:06:39): refused; trying again"
    assert journal.lost(FIRST, "died", still=True) == "collector still lost: died; trying again"


def test_the_first_line_says_why_there_is_no_screen_and_how_to_leave() -> None:
    assert journal.opening("dumb").startswith("quantui: TERM=dumb (plain line-by-line output); ")
    assert journal.opening("").startswith("quantui: TERM is unset (plain line-by-line output); ")
    assert journal.opening(None).startswith("quantui: plain line-by-line output; ")
    assert journal.opening(None).endswith("Ctrl+C to leave")
