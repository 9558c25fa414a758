from pathlib import Path

from quantui.collector.demo import LONGEST_MS, Market, market
from quantui.paths import Paths

NOW = 1_700_000_000_000


def _paths(folder: Path) -> Paths:
    return Paths(folder, folder / "s", folder / "r")


def _stored(folder: Path) -> Path:
    database = folder / "quantui.db"
    database.write_bytes(b"bars")
    return database


def test_a_restart_goes_on_with_the_market_whose_bars_are_stored(tmp_path: Path) -> None:
    assert market(_paths(tmp_path), 7, 1.0, NOW) == Market(7, NOW, 1.0)
    database = _stored(tmp_path)
    assert market(_paths(tmp_path), 7, 1.0, NOW + 90_000) == Market(7, NOW, 1.0)
    assert database.exists()


def test_another_or_an_old_market_begins_with_an_empty_store(tmp_path: Path) -> None:
    for seed, speed, now in ((7, 1.0, NOW), (8, 1.0, NOW + 1), (8, 5.0, NOW + 2), (8, 5.0, NOW + 3), (8, 1.0, NOW + 4)):
        database = _stored(tmp_path)
        first = not (tmp_path / "demo.json").exists()
        assert market(_paths(tmp_path), seed, speed, now) == Market(seed, now, speed)
        assert database.exists() == first, "what no demo has stored is left alone"
    assert market(_paths(tmp_path), 8, 1.0, NOW + 5 + LONGEST_MS).start_ms == NOW + 5 + LONGEST_MS


def test_an_unreadable_note_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")
    assert market(_paths(tmp_path), 7, 1.0, NOW).start_ms == NOW
