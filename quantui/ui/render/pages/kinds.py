"""Every page: its name, how it is drawn, and which keys its footer names."""

from typing import Final, NamedTuple

from quantui.ui.render.pages import alerts, chart, health, heatmap, pair, scanner, statistics
from quantui.ui.render.pages.sheet import Draw


class Kind(NamedTuple):
    """One page."""

    name: str
    """As the collector is asked for it."""
    title: str
    draw: Draw
    keys: tuple[str, ...]
    """Ids of the actions named in the footer, beside help."""


_SCROLLING: Final = ("page-back", "page-down", "page-next")

KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind(
            "scan",
            "Scanner",
            scanner.sheet,
            ("page-back", "page-choose", "page-filter", "page-sort", "page-reverse", "page-down", "page-drop"),
        ),
        Kind(
            "chart",
            "Chart",
            chart.sheet,
            ("page-back", "page-left", "page-zoom", "page-picture", "next-pair", "longer-timeframe", "larger-window"),
        ),
        Kind("pair", "Pair", pair.sheet, (*_SCROLLING, "next-pair", "next-estimator", "longer-timeframe", "larger-window")),
        Kind("correlation", "Correlation", heatmap.sheet, (*_SCROLLING, "page-left", "longer-timeframe", "larger-window")),
        Kind("statistics", "Statistics", statistics.sheet, (*_SCROLLING, "page-left", "longer-timeframe", "larger-window")),
        Kind("health", "Health", health.sheet, _SCROLLING),
        Kind("alerting", "Alerts", alerts.sheet, (*_SCROLLING, "raise-threshold", "longer-timeframe", "larger-window")),
    )
}
