"""Fixtures of the tests that run the whole product."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal.product import Product

Make = Callable[..., Product]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a product in a home of its own; afterwards nothing of it may run."""
    made: list[Product] = []

    def build(config: str | None = None, home: str = ".", *, is_new: bool = False) -> Product:
        folder = tmp_path / home
        folder.mkdir(exist_ok=True)
        made.append(Product(folder, config, is_new=is_new))
        return made[-1]

    yield build
    for product in made:
        product.close()


@pytest.fixture
def product(make: Make) -> Product:
    """The product with its default configuration."""
    return make()
