"""What a person may choose about the screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """Settings of the screen, from `[ui]` in the configuration."""

    fps: float = 4.0
    """Snapshots asked for a second, 1 to 10."""
    bell: bool = True
    """Ring the terminal's bell on a new alert."""
    notify_terminal: str = "auto"
    """Terminal notification on a new alert: `auto`, `osc9`, `osc777`, `both` or `off`."""
    glyphs: str = "auto"
    """Signs to draw with: `auto`, `braille`, `block` or `ascii`."""
    theme: str = "auto"
    """`auto` (mono where NO_COLOR is set, else dark), or a name of `ui/themes.py`."""
    driver: str = "diff"
    """What writes to the terminal: `diff` or `stock`."""
    mouse: bool | None = None
    """None: on, except over SSH, where every motion costs bytes."""
    time_zone: str = "UTC"
    """Of the times on the screen: `UTC`, `local`, or a name of the IANA data base."""
    digits: str = "comma"
    """Between thousands: `comma`, `space`, `apostrophe` or `plain`."""
    motion: str = "full"
    """`reduced`: one picture a second, and a new alert does not flash."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys chosen by the id of their action."""
    plain: bool = False
    """Lines of text instead of the screen, on any terminal."""
    state_path: str = ""
    """Where the screen remembers what was chosen at which size and that its tour was seen; empty: nowhere, and no tour."""
    log_path: str = ""
    """Where a crash is written in full; named in the one line the person sees."""

    @property
    def interval_s(self) -> float:
        """Seconds between two pictures."""
        return 1.0 if self.motion == "reduced" else 1 / self.fps

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 10:
            raise ValueError(f"[ui] fps must be 1 to 10, not {self.fps}")
        for name, value, allowed in (
            ("notify_terminal", self.notify_terminal, ("auto", "osc9", "osc777", "both", "off")),
            ("glyphs", self.glyphs, ("auto", "braille", "block", "ascii")),
            ("theme", self.theme, ("auto", "dark", "light", "contrast", "safe", "ansi", "mono")),
            ("driver", self.driver, ("diff", "stock")),
            ("digits", self.digits, ("comma", "space", "apostrophe", "plain")),
            ("motion", self.motion, ("full", "reduced")),
        ):
            if value not in allowed:
                raise ValueError(f"[ui] {name} must be one of {', '.join(allowed)}, not {value!r}")
