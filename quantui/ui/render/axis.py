"""Where an axis has its marks: at numbers and times a person would choose."""

import math
from collections.abc import Sequence
from typing import Final

from quantui.ui.render import local
from quantui.ui.render.scale import Scale

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_SECOND: Final = 1000
_SPANS: Final = tuple(
    _SECOND * each
    for each in (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800)
)


def step_of(span: float, most: int) -> float:
    """The smallest round step that needs at most `most` marks for a span."""
    rough = span / max(1, most)
    if not math.isfinite(rough) or rough <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))


def ticks(scale: Scale, rows: int, every: int = 4) -> dict[int, str]:
    """Labels by row: a round number near each `every` rows, with as many decimals as tell them apart."""
    step = step_of(scale.span, max(1, rows // every))
    if step <= 0:
        return {}
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    decimals += round(step * 10**decimals, 6) % 1 != 0
    found: dict[int, str] = {}
    for number in range(math.ceil(scale.low / step), math.floor(scale.high / step) + 1):
        row = min(rows - 1, max(0, int((scale.high - number * step) / scale.span * rows)))
        found[row] = local.grouped(f"{number * step:,.{decimals}f}")
    return found


def time_axis(times: Sequence[int], apart: int = 12) -> str:
    """One row below the columns that opened at `times` (ms): round times, `apart` cells from one another at least."""
    if len(times) < 2:
        return ""
    each = (times[-1] - times[0]) / (len(times) - 1)
    step = next((span for span in _SPANS if span >= each * apart), _SPANS[-1])
    row = [" "] * len(times)
    free = 0
    ahead = local.offset_ms(times[-1])
    for column, at in enumerate(times):
        crossed = column and (times[column - 1] + ahead) // step != (at + ahead) // step
        text = _time(at - (at + ahead) % step, step) if crossed else ""
        if crossed and column >= free and column + len(text) < len(row):
            row[column : column + len(text)] = text
            free = column + len(text) + 1
    return "".join(row)


def _time(at: int, step: int) -> str:
    when = local.at(at)
    if when.hour == when.minute == when.second == 0:
        return f"{when:%d %b}"
    return f"{when:%H:%M:%S}" if step < 60 * _SECOND else f"{when:%H:%M}"
