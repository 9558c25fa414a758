"""What every benchmark prints and keeps: name, value, unit, ratio to the reference, goal."""

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure."""

    name: str
    value: float | None
    """None where it could not be measured; `note` says why."""
    unit: str
    ratio: float | None = None
    """How many times better ours is than what this row names."""
    goal: str = ""
    """The goal in words, such as ">= 2x"."""
    met: bool | None = None
    note: str = ""


def make_parser(doc: str) -> argparse.ArgumentParser:
    """Arguments all benchmarks share: `--json FILE` and `--quick`."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures in this file")
    parser.add_argument("--quick", action="store_true", help="smaller and fewer runs: shows that it works, not how fast it is")
    return parser


def report(title: str, rows: Sequence[Row], json_file: Path | None = None) -> bool:
    """Print the table, write it where `json_file` says; True unless a goal was missed."""
    header = ("name", "value", "unit", "ratio", "goal")
    table = [header, *(_cells(row) for row in rows)]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(header))]
    print(f"\n{title}")
    for cells in table:
        name, value, unit, ratio, goal = cells
        line = f"{name:<{widths[0]}}  {value:>{widths[1]}}  {unit:<{widths[2]}}  {ratio:>{widths[3]}}  {goal}"
        print(line.rstrip())
    if json_file is not None:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "system": sys.platform}
        text = json.dumps({"title": title, **machine, "rows": [asdict(row) for row in rows]}, indent=1)
        json_file.write_text(text + "\n", encoding="utf-8")
    return all(row.met is not False for row in rows)


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    value = row.note if row.value is None else _figure(row.value)
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = "" if row.met is None else "  met" if row.met else "  MISSED"
    return row.name, value, row.unit, ratio, f"{row.goal}{verdict}"


def _figure(value: float) -> str:
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"
