"""A collector that watches two coins and scans the whole market."""

import signal
import time
from pathlib import Path

import pytest

from quantui.collector.client import Client, CollectorError
from quantui.collector.pages import ScanPage
from tests.faults.exchange import running_exchange, until
from tests.faults.program import Program, config

COINS = ("BTCUSDT", "ETHUSDT")


def _page(program: Program) -> ScanPage:
    client = Client(program.places.socket)
    try:
        page = client.page("scan", -1)
    except CollectorError:
        return ScanPage("", 0)
    finally:
        client.close()
    assert isinstance(page, ScanPage)
    return page


@pytest.mark.parametrize(("top", "least", "second"), [(0, 2, 5), (12, 10, 5), (12, 10, 57), (12, 10, 58), (12, 10, 59)])
async def test_the_most_traded_symbols_are_scanned_with_the_watched_ones(tmp_path: Path, top: int, least: int, second: int) -> None:
    """Also where a minute ends while the first bars are read: its klines come two seconds later."""
    async with running_exchange("--seed", "73", "--more", "10") as exchange:
        await exchange.order("leap", seconds=(second - time.time()) % 60)
        words = config(exchange, COINS).replace("[analysis]", f"[scan]\ntop = {top}\n[analysis]")
        pairs = '[[pairs]]\ny = "ETHUSDT"\nx = "BTCUSDT"\n'
        (tmp_path / "config.toml").write_text(pairs + words)
        program = Program(tmp_path)
        await program.start()
        try:
            await until(lambda: _page(program).symbols >= least, 30)
            page = _page(program)
            assert (page.timeframe, page.window, page.note) == ("1m", 60, "")
            assert page.tests == page.symbols * (page.symbols - 1) <= 12 * 11
            assert any(row.is_watched for row in page.rows)
            if not top:
                assert {row.y for row in page.rows} == set(COINS)
        finally:
            await program.end(signal.SIGTERM)
        assert (await exchange.counters())["violations"]["usdm"] == 0
