"""Terminals that are closed with the test."""

from collections.abc import Iterator

import pytest

from tests.ui.terminal import Terminal


@pytest.fixture
def opened() -> Iterator[list[Terminal]]:
    """Those a test has opened."""
    found: list[Terminal] = []
    yield found
    for terminal in found:
        terminal.close()
