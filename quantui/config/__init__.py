"""config.toml to frozen settings, and back. Light: the screen and `--help` import it before anything else."""

from quantui.config.checks import seconds
from quantui.config.reading import ConfigError, Loaded, load, packaged, user_file
from quantui.config.settings import (
    AlertRule,
    Analysis,
    Collector,
    Endpoints,
    FuturesEndpoint,
    Gate,
    Gates,
    Market,
    PairNames,
    RetentionDays,
    Settings,
    SpotEndpoint,
    Store,
    Ui,
)
from quantui.config.writing import init, render

__all__ = [
    "AlertRule",
    "Analysis",
    "Collector",
    "ConfigError",
    "Endpoints",
    "FuturesEndpoint",
    "Gate",
    "Gates",
    "Loaded",
    "Market",
    "PairNames",
    "RetentionDays",
    "Settings",
    "SpotEndpoint",
    "Store",
    "Ui",
    "init",
    "load",
    "packaged",
    "render",
    "seconds",
    "user_file",
]
