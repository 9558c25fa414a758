"""A store in a fresh folder, and bars to put into it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from quantui.clock import Clock
from quantui.store.writer import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "quantui.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    async with await Store.open(path, clock=Clock()) as opened:
        yield opened


async def until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Poll until `holds`; fails after `seconds`."""
    for _ in range(int(seconds * 100)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"did not come true within {seconds} s")
