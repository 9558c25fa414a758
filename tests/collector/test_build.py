from pathlib import Path

import msgspec
import pytest

from quantui.clock import Clock
from quantui.collector.build import Plan, collector, live_feeds, plan_for
from quantui.config import Analysis, ConfigError, Market, PairNames, Settings
from quantui.market.instruments import Symbol
from quantui.store.writer import Store

USDM, SPOT = "binance-usdm", "binance-spot"


def _plan(*pairs: str, **market: object) -> Plan:
    names = tuple(PairNames(y=y, x=x) for y, x in (text.split("/") for text in pairs))
    return Plan.of(Settings(pairs=names, market=Market(symbols=tuple(str(market.get("symbols", "")).split()))))


def _labels(symbols: list[str], *pairs: str) -> list[str]:
    plan = plan_for([Symbol.parse(text, USDM) for text in symbols], _plan(*pairs))
    return [f"{pair.y}/{pair.x}" for pair in plan.pairs]


def test_symbols_beside_the_pairs_are_watched_once() -> None:
    plan = _plan("ETHUSDT/BTCUSDT", symbols="ADAUSDT btcusdt binance-spot:BTCUSDT")
    assert [str(symbol) for symbol in plan.symbols] == [
        f"{USDM}:ETHUSDT",
        f"{USDM}:BTCUSDT",
        f"{USDM}:ADAUSDT",
        f"{SPOT}:BTCUSDT",
    ]


def test_a_pair_across_venues_watches_both() -> None:
    plan = _plan("binance-spot:BTCUSDT/BTCUSDT")
    assert [symbol.venue for symbol in plan.symbols] == [SPOT, USDM]
    assert plan.pairs[0].label == f"{SPOT}:BTCUSDT/{USDM}:BTCUSDT"


def test_a_symbol_paired_with_itself_in_other_words_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="itself"):
        _plan("binance-usdm:BTCUSDT/BTCUSDT")


@pytest.mark.parametrize(
    ("symbols", "pairs", "expected"),
    [
        (["ETHUSDT", "BTCUSDT"], ["ETHUSDT/BTCUSDT"], [f"{USDM}:ETHUSDT/{USDM}:BTCUSDT"]),
        (["ETHUSDT", "BTCUSDT"], ["ETHUSDT/BTCUSDT", "SOLUSDT/BTCUSDT"], [f"{USDM}:ETHUSDT/{USDM}:BTCUSDT"]),
        ([f"{SPOT}:ETHUSDT", f"{SPOT}:BTCUSDT"], ["ETHUSDT/BTCUSDT"], [f"{SPOT}:ETHUSDT/{SPOT}:BTCUSDT"]),
        (
            ["ETHUSDT", "BTCUSDT", f"{SPOT}:ETHUSDT", f"{SPOT}:BTCUSDT"],
            ["ETHUSDT/BTCUSDT"],
            [f"{SPOT}:ETHUSDT/{SPOT}:BTCUSDT", f"{USDM}:ETHUSDT/{USDM}:BTCUSDT"],
        ),
        (["BTCUSDT", f"{SPOT}:BTCUSDT"], [f"{SPOT}:BTCUSDT/BTCUSDT"], [f"{SPOT}:BTCUSDT/{USDM}:BTCUSDT"]),
        (["DUSDT", "CUSDT"], ["ETHUSDT/BTCUSDT"], [f"{USDM}:DUSDT/{USDM}:CUSDT"]),
    ],
)
def test_a_recording_shows_the_configured_pairs_it_holds_else_its_own(
    symbols: list[str], pairs: list[str], expected: list[str]
) -> None:
    assert _labels(symbols, *pairs) == expected


@pytest.mark.parametrize("symbols", [[], ["BTCUSDT"], ["BTCUSDT", f"{SPOT}:ETHUSDT"]])
def test_a_recording_without_a_pair_is_refused_and_says_what_it_holds(symbols: list[str]) -> None:
    with pytest.raises(ValueError, match="two symbols of one venue; the recording holds") as found:
        _labels(symbols, "ETHUSDT/BTCUSDT")
    assert ("BTCUSDT" if symbols else "none") in str(found.value)


@pytest.mark.parametrize(("venue", "most"), [(USDM, 1500), (SPOT, 1000), ("binance-us", 1000)])
async def test_no_more_history_is_asked_for_than_one_answer_holds(venue: str, most: int, tmp_path: Path) -> None:
    for window, expected in ((240, 500), (700, 701), (5000, most)):
        settings = Settings(market=msgspec.convert({"venue": venue}, Market), analysis=Analysis(window=window))
        async with await Store.open(tmp_path / f"{window}.db", clock=Clock()) as store:
            (feed,) = await live_feeds(settings, Plan.of(settings), Clock(), store, lambda: None)
        assert feed.options.history_bars == expected


async def test_a_configured_window_that_is_never_full_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    settings = Settings(analysis=Analysis(window=5000, timeframe="1h"))
    async with await Store.open(tmp_path / "db", clock=Clock()) as store:
        with pytest.raises(ConfigError, match=r"^\[analysis\] a window of 5000 bars of 1h is never full: 2160 are kept"):
            await collector(settings, Plan.of(settings), "live", Clock(), store, [])
