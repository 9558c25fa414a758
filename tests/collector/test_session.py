from typing import get_args, get_type_hints

import pytest
from msgspec.structs import replace

from quantui.analytics.estimators import Estimator
from quantui.collector.session import Kept, SessionChange, changed, check, restored
from quantui.collector.snapshot import Session
from quantui.config.settings import Analysis
from quantui.market.instruments import Pair
from quantui.ui.choices import ESTIMATORS, next_estimator

PAIRS = tuple(Pair.parse(text, "binance-usdm") for text in ("AUSDT/BUSDT", "CUSDT/BUSDT", "DUSDT/BUSDT"))
SESSION = Session(pair=0, timeframe="1m", window=240, z_window=240, entry=2.0, exit=0.5)


def test_the_z_window_follows_the_window_unless_it_was_set() -> None:
    assert changed(SESSION, SessionChange(window=100), PAIRS).z_window == 100
    own = replace(SESSION, z_window=60)
    assert changed(own, SessionChange(window=100), PAIRS).z_window == 60
    assert changed(own, SessionChange(window=40), PAIRS).z_window == 40


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (SessionChange(pair=3), "pairs are 1 to 3"),
        (SessionChange(pair=-1), "pairs are 1 to 3"),
        (SessionChange(timeframe="2m"), "no timeframe 2m"),
        (SessionChange(window=29), "30 to 5000"),
        (SessionChange(window=5000, timeframe="1h"), "never full: 2160 are kept"),
        (SessionChange(entry=0.4), "above the exit"),
        (SessionChange(entry=float("nan")), "above the exit"),
        (SessionChange(entry=16.0), "at most 15.4"),
        (SessionChange(estimator="lasso"), "no estimator lasso: use one of ols, huber, theil-sen"),
        (SessionChange(estimator="theil-sen", window=1001), "any two of 1001 bars: use a window of 1000 at most"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(change: SessionChange, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        changed(SESSION, change, PAIRS)


def test_returns_have_no_meaning_in_price_space() -> None:
    with pytest.raises(ValueError, match="log returns"):
        changed(replace(SESSION, space="price"), SessionChange(estimator="returns"), PAIRS)
    assert changed(SESSION, SessionChange(estimator="returns"), PAIRS).estimator == "returns"


@pytest.mark.parametrize("space", ["log", "price"])
@pytest.mark.parametrize("window", [240, 1000, 1001])
def test_the_keys_step_through_every_estimator_that_can_be_and_no_other(space: str, window: int) -> None:
    start = replace(SESSION, space=space, window=window, z_window=window)
    reached, back = {"ols"}, "ols"
    current = next_estimator("ols", 1, space, window)
    while current != "ols":
        reached.add(changed(start, SessionChange(estimator=current), PAIRS).estimator)
        assert next_estimator(next_estimator(current, 1, space, window), -1, space, window) == current
        back, current = current, next_estimator(current, 1, space, window)
    assert next_estimator("ols", -1, space, window) == back
    refused = set(Estimator) - reached
    for estimator in refused:
        with pytest.raises(ValueError, match=r"estimator|theil-sen"):
            changed(start, SessionChange(estimator=estimator), PAIRS)
    assert len(refused) == (space == "price") + (window > 1000)


def test_the_configuration_and_the_keys_know_every_estimator() -> None:
    names = [estimator.value for estimator in Estimator]
    assert list(ESTIMATORS) == names
    assert list(get_args(get_type_hints(Analysis)["estimator"])) == names


def test_the_bound_of_the_entry_is_that_of_the_z_window() -> None:
    with pytest.raises(ValueError, match=r"at most 5\.3"):
        check(replace(SESSION, z_window=30, entry=6.0), PAIRS)


def test_a_restart_finds_the_keys_choices_and_the_pair_by_its_name() -> None:
    chosen = replace(SESSION, pair=2, timeframe="1s", window=100, z_window=100, entry=2.5)
    kept = Kept(chosen, SESSION, "DUSDT/BUSDT")
    assert restored(kept, SESSION, PAIRS) == chosen
    assert restored(kept, SESSION, PAIRS[1:]) == replace(chosen, pair=1)
    assert restored(kept, SESSION, PAIRS[:1]) == replace(chosen, pair=0)
    assert restored(None, SESSION, PAIRS) == SESSION


def test_a_changed_configuration_wins_over_what_was_kept() -> None:
    kept = Kept(replace(SESSION, window=100, z_window=100, entry=2.5), SESSION, "AUSDT/BUSDT")
    edited = replace(SESSION, window=300, z_window=300)
    assert restored(kept, edited, PAIRS) == replace(edited, entry=2.5)
    assert restored(kept, replace(SESSION, exit=3.0, entry=4.0), PAIRS).entry == 4.0


def test_what_is_not_possible_any_more_is_forgotten() -> None:
    kept = Kept(replace(SESSION, entry=2.5), SESSION, "AUSDT/BUSDT")
    edited = replace(SESSION, exit=2.6, entry=2.0)
    assert restored(kept, edited, PAIRS) == edited
