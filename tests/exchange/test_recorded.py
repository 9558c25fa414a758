import gzip
import json
from pathlib import Path

import pytest

from quantui.exchange.listings import Market
from quantui.exchange.recorded import RecordingError, recorded_tapes
from quantui.exchange.truth import tape_bars

SPOT = (
    '1723161254087896568 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":7,'
    '"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}\n'
)
FUTURES = (
    '1723161255088176367 {"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5,"p":"61800.30","q":"0.006",'
    '"X":"MARKET","m":false}\n'
    '1723161255088176368 {"e":"trade","E":1723161256323,"T":1723161256323,"s":"BTCUSDT","t":6,"p":"0","q":"0","X":"NA","m":true}\n'
)
QUOTE = '1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}}\n'


def test_combined_and_raw_frames_plain_and_gzip_become_tapes_of_both_markets(tmp_path: Path) -> None:
    spot, futures = tmp_path / "spot.gz", tmp_path / "futures.txt"
    spot.write_bytes(gzip.compress((QUOTE + SPOT).encode()))
    futures.write_text(FUTURES)
    tapes = {tape.listing.market: tape for tape in recorded_tapes([spot, futures])}
    trades = tapes[Market.SPOT].minute(1_723_161_255_342).trades
    assert (tapes[Market.SPOT].listing.price_decimals, tapes[Market.SPOT].listing.quantity_decimals) == (2, 2)
    assert (trades.id[0], trades.time[0], trades.price[0], trades.quantity[0]) == (7, 1_723_161_255_342, 6_183_763, 2)
    assert tapes[Market.SPOT].starts_ms == 1_723_161_255_342
    trades = tapes[Market.USDM].minute(1_723_161_256_322).trades
    assert trades.id.tolist() == [5, 6]
    assert trades.fills.id.tolist() == [5]


@pytest.mark.parametrize(
    ("text", "wrong"), [("", "no trade events"), (SPOT.replace('"t":7', '"t":"x"'), ":1:"), (SPOT[20:], ":1:")]
)
def test_a_file_that_is_no_capture_is_named_with_its_line(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(RecordingError, match=wrong) as refused:
        recorded_tapes([path])
    assert "bad.txt" in str(refused.value)


@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_real_recordings_have_klines_equal_to_the_ground_truth(shared: Path, market: str) -> None:
    files = sorted((shared / "data/ticks/hftbacktest" / market).glob("btcusdt_*.gz"))
    (tape,) = recorded_tapes(files)
    assert tape.listing.market.value == market
    for interval, length in (("1s", 1_000), ("1m", 60_000), ("5m", 300_000)):
        start = tape.first_ms + -tape.first_ms % length
        end = start + 1_200_000
        klines = [tuple(kline) for kline in tape.klines(interval, start, end, end)]
        assert klines == tape_bars(tape, length, start, end)
        assert klines


def test_real_recordings_give_binances_own_five_minute_bars(shared: Path) -> None:
    oracles = json.loads((shared / "oracles/oracles.json").read_text())["oracles"]
    (expected,) = (oracle["expected"]["bars"] for oracle in oracles if oracle["name"] == "resample.ticks_to_5m.BTCUSDT")
    (tape,) = recorded_tapes(sorted((shared / "data/ticks/hftbacktest/spot").glob("btcusdt_*.gz")))
    start = 1_723_161_300_000  # 2024-08-08 23:55 UTC
    klines = list(tape.klines("5m", start, start + 600_000, start + 600_000))
    assert len(klines) == len(expected) == 2
    for kline, bar in zip(klines, expected, strict=True):
        price = tape.listing.price_decimals
        for value, name in ((kline.open, "open"), (kline.high, "high"), (kline.low, "low"), (kline.close, "close")):
            assert value == round(bar[name] * 10**price)
        assert kline.volume == round(bar["volume"] * 10**tape.listing.quantity_decimals)
