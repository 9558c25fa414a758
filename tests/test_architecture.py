"""The arrows of docs/architecture.md, seen from a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

import quantui

_ROOT = Path(quantui.__file__).parent
_HEAVY = ("textual", "rich", "aiohttp", "aiosqlite", "sqlite3", "polars", "numpy", "statsmodels", "scipy", "pandas")


def _loaded(module: str) -> set[str]:
    code = f"import {module}, sys; print(*sorted(name for name in {_HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module", ["quantui.market.stream", "quantui.market.frames", "quantui.analytics.pair", "quantui.analytics.report"]
)
def test_market_and_analytics_load_no_network_no_screen_no_database(module: str) -> None:
    assert not _loaded(module) & {"textual", "rich", "aiohttp", "sqlite3", "aiosqlite", "statsmodels", "scipy"}


@pytest.mark.parametrize("module", ["quantui.ui.run", "quantui.ui.app", "quantui.launch"])
def test_the_screen_loads_no_numbers_library_and_no_network_library(module: str) -> None:
    assert not _loaded(module) & {"polars", "numpy", "statsmodels", "scipy", "pandas", "aiohttp", "sqlite3"}


def test_the_command_line_starts_without_anything_heavy() -> None:
    assert not _loaded("quantui.cli")


def test_the_collector_starts_without_statsmodels_scipy_and_textual() -> None:
    assert not _loaded("quantui.collector.process") & {"textual", "statsmodels", "scipy", "pandas"}


def test_every_file_holds_one_idea() -> None:
    long = {path.name: lines for path in _ROOT.rglob("*.py") if (lines := path.read_text("utf-8").count("\n")) > 400}
    assert not long
