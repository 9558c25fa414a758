import pytest
from msgspec.structs import replace

from quantui.collector.session import Kept, SessionChange, changed, check, restored
from quantui.collector.snapshot import Session
from quantui.market.instruments import Pair

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
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(change: SessionChange, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        changed(SESSION, change, PAIRS)


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
