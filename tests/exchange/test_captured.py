import gzip
from pathlib import Path

import pytest

from quantui.exchange.captured import Playback, captured_tapes
from quantui.exchange.listings import Market
from quantui.exchange.recorded import RecordingError

INFO = 'https://api.binance.com/api/v3/exchangeInfo -> 1633998511.1: {"symbols":[]}\n'
FRAMES = (
    "wss://stream.binance.com:9443/stream?streams=nknusdt@aggTrade <-> 1633998511.1\n"
    '1633998512.0634: {"stream":"nknusdt@aggTrade","data":{"e":"aggTrade","a":1}}\n'
    '1633998512.9: {"stream":"nknusdt@aggTrade","data":{"e":"aggTrade","a":2}}\n'
)


def test_a_session_is_its_frames_by_stream_and_the_answer_of_exchange_info(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(INFO.encode()))
    (tmp_path / "b").write_text(FRAMES)
    (tape,) = captured_tapes([tmp_path / "a.gz", tmp_path / "b"])
    assert (tape.listing.market, tape.listing.symbol, tape.session.info) == (Market.SPOT, "NKNUSDT", '{"symbols":[]}')
    playback = Playback(tape.session.frames["nknusdt@aggTrade"])
    assert list(playback.between(0, tape.starts_ms)) == []
    assert [text for _, text in playback.between(tape.starts_ms, 1_633_998_512_500)] == ['{"e":"aggTrade","a":1}']
    assert [text for _, text in playback.between(1_633_998_512_500, 1 << 60)] == ['{"e":"aggTrade","a":2}']


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "begins neither"),
        ("rubbish\n", "begins neither"),
        (INFO, "no frames"),
        (FRAMES.replace("1633998512.9", "soon"), ":3: no receive time"),
        (FRAMES.replace('"data"', '"date"'), ":2: not a frame"),
    ],
)
def test_what_is_no_capture_is_named(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "bad").write_text(text)
    with pytest.raises(RecordingError, match=wrong):
        captured_tapes([tmp_path / "bad"])
