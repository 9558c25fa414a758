"""What the screen remembers from one session to the next: what was chosen at each size of terminal, and that the tour was seen."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from quantui import private
from quantui.ui.render.geometry import PANELS

MOST: Final = 16
"""Sizes remembered; those not used for longest are forgotten."""
_LARGEST: Final = 1 << 16
"""Bytes of a file that is read."""


class Desk(NamedTuple):
    """What was chosen at one size."""

    marked: str = ""
    only: str = ""
    """The panel that fills the screen."""
    views: Mapping[str, Mapping[str, Any]] = {}
    """Of each page what its keys have chosen, as `ui/pages.py` reads it."""


class Memory:
    """One small file; what cannot be read or written is not remembered, and nothing else fails for it.

    Args:
        path: Of the file; empty remembers nothing.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._sizes: dict[str, Any] = {}
        self.is_new = False
        """Whether this person has not seen the screen before."""

    def load(self) -> None:
        """Read it."""
        if self._path:
            found = self._read()
            self._sizes, self.is_new = _dictionary(found.get("sizes")), found.get("tour") != "seen"

    def of(self, columns: int, rows: int) -> Desk:
        """What was chosen when the terminal had this size last."""
        found = _dictionary(self._sizes.get(_name(columns, rows)))
        marked, only = (panel if panel in PANELS else "" for panel in (found.get("marked"), found.get("only")))
        return Desk(marked, only, {name: view for name, view in _dictionary(found.get("views")).items() if isinstance(view, dict)})

    def keep(self, columns: int, rows: int, desk: Desk) -> None:
        """Write it for this size; what another screen has written for other sizes meanwhile stays."""
        if not self._path:
            return
        sizes = _dictionary(self._read().get("sizes"))
        sizes.pop(_name(columns, rows), None)
        sizes[_name(columns, rows)] = desk._asdict()
        told = {"tour": "seen", "sizes": dict(list(sizes.items())[-MOST:])}
        private.write(Path(self._path), json.dumps(told).encode())

    def _read(self) -> dict[str, Any]:
        try:
            with Path(self._path).open(encoding="utf-8") as file:
                return _dictionary(json.loads(file.read(_LARGEST)))
        except (OSError, ValueError, RecursionError):
            return {}


def _name(columns: int, rows: int) -> str:
    return f"{columns}x{rows}"


def _dictionary(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
