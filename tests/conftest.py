"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program has it, before numpy is imported


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and third-party oracles beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "oracles").is_dir():
        pytest.skip("no ../shared folder with recordings and oracles beside this checkout")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak` runs the long forms too."""
    parser.addoption("--soak", action="store_true", help="run the long fault and load tests whole (marker `soak`)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `soak` wait for `--soak`; a bounded form of each always runs."""
    if config.getoption("--soak"):
        return
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="long; `--soak` runs it"))
