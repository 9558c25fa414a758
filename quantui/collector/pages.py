"""What the screens beside the monitor show: documents the screen asks for while it shows them, and at no other time.

Light on purpose, as `snapshot`: the screen imports this module.
"""

import msgspec


class _Page(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class ScanRow(_Page, frozen=True):
    """A pair of the scan; None where it cannot be had."""

    y: str
    x: str
    beta: float | None = None
    r_squared: float | None = None
    correlation: float | None = None
    """Of log returns."""
    eg_stat: float | None = None
    eg_p: float | None = None
    lags: int = 0
    half_life: float | None = None
    """Bars."""
    zscore: float | None = None
    q_bh: float | None = None
    """False discovery rate at which the pair is still a discovery (Benjamini & Hochberg)."""
    q_by: float | None = None
    """The same under any dependence (Benjamini & Yekutieli)."""
    is_watched: bool = False
    huber_beta: float | None = None
    """Of the first rows only, as are the next three."""
    theil_sen_beta: float | None = None
    kalman_beta: float | None = None
    kalman_zscore: float | None = None


class ScanPage(_Page, frozen=True):
    """Every ordered pair of the symbols that are watched, at the newest closed bar."""

    timeframe: str
    window: int
    bar_ms: int = 0
    """Open time of that bar; 0 before the first scan."""
    symbols: int = 0
    tests: int = 0
    low: int = 0
    """Tests with p <= 0.05."""
    expected_by_chance: float = 0.0
    """How many of them chance alone would give."""
    discoveries: int = 0
    """Tests with q_bh <= 0.05."""
    took_ms: float = 0.0
    engine: str = ""
    """`compiled`, or `numpy` where there is no compiler or it is still compiling."""
    rows: tuple[ScanRow, ...] = ()
    """The most remarkable first: by q, then |z|."""
    left_out: dict[str, str] = {}
    note: str = ""
    """Why there is nothing yet."""
