"""Options of the commands, and what their values may be."""

import argparse
from pathlib import Path
from typing import NoReturn

from quantui import config
from quantui.text import safe

DRIVERS = ("diff", "stock")
THEMES = ("auto", "dark", "light", "contrast", "safe", "ansi", "mono")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in plainly visible text, whatever was typed or came out of a file's name."""

    def error(self, message: str) -> NoReturn:
        """As argparse: usage, the message, exit code 2."""
        super().error(safe(message))


def add_look(parser: argparse.ArgumentParser) -> None:
    """How the screen looks and how it is written; what is given here goes before the configuration."""
    parser.add_argument("--driver", choices=DRIVERS, default=argparse.SUPPRESS, help="cells that differ, or Textual's own")
    parser.add_argument("--fps", type=float, metavar="N", default=argparse.SUPPRESS, help="snapshots a second, 1 to 10")
    parser.add_argument("--theme", choices=THEMES, default=argparse.SUPPRESS, help="colours")
    parser.add_argument("--plain", action="store_true", default=argparse.SUPPRESS, help="lines of text instead of the screen")


def add_analyze(parser: argparse.ArgumentParser) -> None:
    """Options of `analyze`."""
    parser.add_argument("--pair", required=True, metavar="Y/X", help="such as ETHUSDT/BTCUSDT")
    parser.add_argument("--with", dest="beside", nargs="+", metavar="S", help="y against these too, beside x")
    parser.add_argument("--timeframe", choices=("1s", "1m", "5m", "15m", "1h"), help="of the bars")
    parser.add_argument("--window", type=int, metavar="W", help="bars of the regression")
    parser.add_argument("--z-window", type=int, metavar="Z", help="bars of the z-score (the window)")
    estimators = ("ols", "huber", "theil-sen", "tls", "returns", "dols", "johansen", "kalman")
    parser.add_argument("--estimator", choices=estimators, help="of the hedge ratio")
    parser.add_argument("--space", choices=("log", "price"), help="logarithms of prices, or prices")
    parser.add_argument("--input", nargs="+", metavar="FILE", help="bars or ticks; without it, the store")
    parser.add_argument("--skip-bad", action="store_true", help="count bad rows instead of stopping at the first")
    parser.add_argument("--at", metavar="TIME", help="as of this time: bars that close by then (ISO 8601, UTC)")
    parser.add_argument("--json", action="store_true", help="for programs")


def add_scan(parser: argparse.ArgumentParser) -> None:
    """Options of `scan`."""
    parser.add_argument("--symbols", nargs="+", metavar="S", help="only these")
    parser.add_argument("--timeframe", metavar="TF", help="of the bars; of files any length, such as 4h or 1d (what they hold)")
    parser.add_argument("--window", type=int, metavar="W", help="bars of each test")
    parser.add_argument("--input", nargs="+", metavar="DIR", help="folders, files, or addresses of Parquet; without it, the store")
    parser.add_argument("--skip-bad", action="store_true", help="leave bad rows out instead of stopping at the first")
    parser.add_argument("--at", metavar="TIME", help="as of this time: bars that close by then (ISO 8601, UTC)")
    parser.add_argument("--fdr", type=share, default=0.05, metavar="Q", help="false discovery rate to count by (0.05)")
    parser.add_argument("--top", type=int, default=20, metavar="N", help="pairs shown (20)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler to share the work: tcp://host:8786")
    parser.add_argument("--json", action="store_true", help="for programs")


def add_export(parser: argparse.ArgumentParser) -> None:
    """Options of `export`."""
    parser.add_argument("kind", choices=("bars", "ticks", "analytics", "alerts"))
    parser.add_argument("--symbol", metavar="S", help="only this symbol")
    parser.add_argument("--pair", metavar="Y/X", help="only this pair")
    parser.add_argument("--timeframe", choices=("1s", "1m", "5m", "15m", "1h"), help="only this timeframe")
    parser.add_argument("--from", dest="start", metavar="TIME", help="from this time on (ISO 8601, UTC)")
    parser.add_argument("--to", dest="end", metavar="TIME", help="before this time")
    parser.add_argument("--format", choices=("csv", "parquet", "ndjson"), default="csv")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of stdout")
    parser.add_argument("--force", action="store_true", help="replace an existing file")


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Options of `verify`."""
    parser.add_argument("--symbol", metavar="S", help="only this symbol")
    parser.add_argument("--timeframe", choices=("1s", "1m", "5m", "15m", "1h"), help="only this timeframe")
    parser.add_argument("--from", dest="start", metavar="TIME", help="from this time on (ISO 8601, UTC)")
    parser.add_argument("--to", dest="end", metavar="TIME", help="before this time")
    parser.add_argument("--json", action="store_true", help="for programs: one difference a line, then the counts")


def duration(text: str) -> float:
    """Seconds of `15m`."""
    try:
        return config.seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def share(text: str) -> float:
    """A number between 0 and 1, without them."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate between 0 and 1")
    return value


def factor(text: str) -> float:
    """How many times as fast."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed: a number from 0.01 to 1000")
    return value


def speed(text: str) -> float | None:
    """The same, or None for as fast as it goes."""
    return None if text == "max" else factor(text)
