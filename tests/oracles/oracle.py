"""Third-party oracles: values that statisticians' tools and books published, with the tolerance they were published to."""

import csv
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quantui.market.frames import Floats

Value = float | int | bool | list[float] | list[list[float]]


@dataclass(frozen=True)
class Oracle:
    """One entry of oracles.json and where its input files are."""

    expected: Mapping[str, Value]
    tolerance: Mapping[str, float | Mapping[str, float]]
    inputs: Path

    def columns(self, file: str) -> dict[str, list[str]]:
        """The columns of a CSV input, as text."""
        path = self.inputs / file
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
        head, *rows = csv.reader(text.splitlines())
        return {name: [row[index] for row in rows] for index, name in enumerate(head)}

    def floats(self, file: str, *names: str) -> tuple[Floats, ...]:
        """Columns of a CSV input as numbers."""
        columns = self.columns(file)
        return tuple(np.array(columns[name], dtype=np.float64) for name in names)

    def check(self, **ours: float | list[float] | list[list[float]]) -> None:
        """Compare every expected key with ours; a key that is not given fails."""
        for key, value in self.expected.items():
            self.check_one(key, ours[key], value)

    def check_one(self, key: str, ours: float | list[float] | list[list[float]], value: Value | None = None) -> None:
        """Compare one key within the oracle's own tolerance."""
        tolerance = self.tolerance.get(key, self.tolerance.get("*", self.tolerance))
        assert isinstance(tolerance, Mapping)
        bounds = {name: bound for name, bound in tolerance.items() if isinstance(bound, float | int)}
        expected = self.expected[key] if value is None else value
        np.testing.assert_allclose(ours, expected, rtol=bounds.get("rtol", 0.0), atol=bounds.get("atol", 0.0), err_msg=key)


def load(shared: Path, name: str) -> Oracle:
    """The oracle of that name."""
    folder = shared / "oracles"
    entries = json.loads((folder / "oracles.json").read_text())["oracles"]
    entry = next(entry for entry in entries if entry["name"] == name)
    return Oracle(entry["expected"], entry["tolerance"], folder / "inputs")


def names(shared: Path, *groups: str) -> set[str]:
    """Names of every oracle of some groups."""
    entries = json.loads((shared / "oracles" / "oracles.json").read_text())["oracles"]
    return {entry["name"] for entry in entries if entry["group"] in groups}
