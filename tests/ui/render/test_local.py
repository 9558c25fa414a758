"""Times in the person's zone, thousands as the person reads them; nothing else changes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

import pytest
from msgspec.structs import replace

from quantui.ui.history import History
from quantui.ui.render import local, numbers
from quantui.ui.render.axis import time_axis
from quantui.ui.render.glyphs import BRAILLE
from quantui.ui.render.lines import joined
from quantui.ui.render.pages.sheet import as_of
from quantui.ui.render.pages.told import table
from quantui.ui.render.rows import alert_log
from tests.ui.fakes import alerts_page, snapshot

JUNE = int(datetime(2026, 6, 30, 22, 30, tzinfo=UTC).timestamp() * 1000)
WINTER = int(datetime(2026, 12, 31, 22, 30, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    yield
    local.use()


def test_utc_and_commas_where_nothing_was_chosen() -> None:
    assert numbers.clock(JUNE) == "22:30:00"
    assert local.zone(JUNE) == "UTC"
    assert numbers.price(61685.99, 2) == "61,685.99"


def test_a_zone_has_its_summer_time_and_its_own_midnight() -> None:
    local.use("Europe/Zurich")
    assert (numbers.clock(JUNE), local.zone(JUNE)) == ("00:30:00", "CEST")
    assert (numbers.clock(WINTER), local.zone(WINTER)) == ("23:30:00", "CET")
    assert local.at(JUNE).day == 1
    assert local.offset_ms(JUNE) == 7_200_000


def test_the_machines_own_zone_is_what_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        local.use("local")
        assert (numbers.clock(JUNE), local.zone(JUNE)) == ("18:30:00", "EDT")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_every_time_on_the_screen_follows() -> None:
    local.use("Asia/Kolkata")
    latest = snapshot()
    assert as_of(JUNE) == "bar 04:00:00 IST"
    log = [joined(line) for line in alert_log(latest.alerts, (), (), 60, 5, BRAILLE)]
    assert "Alerts (IST)" in log[0]
    assert "05:29:00 ETH/BTC" in log[1]
    told = [joined(line) for line in table(alerts_page(), 80, BRAILLE)]
    assert any("time IST" in row for row in told)
    assert latest.stats.bar_ms is not None
    past = replace(latest, stats=replace(latest.stats, bar_ms=latest.stats.bar_ms - 60_000))
    assert History().told(past, latest) == "-60 05:35:39"


def test_the_axis_has_round_times_of_the_zone() -> None:
    begun = int(datetime(2026, 6, 30, 18, 0, tzinfo=UTC).timestamp() * 1000)
    times = [begun + 60_000 * 5 * place for place in range(60)]
    assert "18:30" not in time_axis(times)
    assert "19:00" in time_axis(times)
    local.use("Asia/Kolkata")  # half an hour beside
    row = time_axis(times)
    assert "00:00" not in row, "midnight is a day"
    assert "01 Jul" in row
    assert "02:00" in row


@pytest.mark.parametrize(("digits", "written"), [("space", "61 685.99"), ("apostrophe", "61'685.99"), ("plain", "61685.99")])
def test_thousands_are_written_as_chosen(digits: str, written: str) -> None:
    local.use("UTC", digits)
    assert numbers.price(61685.99, 2) == written


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        local.use("Mars/Olympus")
    with pytest.raises(KeyError):
        local.use("UTC", "roman")
