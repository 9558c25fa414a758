"""`doctor`: one line a thing, what is wrong and what to do."""

import asyncio
import json
import locale
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from quantui import __version__
from quantui.collector.lock import find
from quantui.config import ConfigError, Loaded, Settings
from quantui.feeds.binance.network import UNREACHABLE, make_session, reason
from quantui.paths import Paths
from quantui.text import safe

_TIMEOUT_S = 4.0
_SKEW_MS = 1_000.0
_TIME_PATHS = {"binance-usdm": "/fapi/v1/time", "binance-spot": "/api/v3/time", "binance-us": "/api/v3/time"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    text: str


def run(load: Callable[[], Loaded], places: Paths, *, as_json: bool) -> int:
    """Print every finding as it comes. Exit code 0 where nothing is wrong, else 1."""
    ok = True
    for finding in _findings(load, places):
        ok &= finding.ok
        if as_json:
            print(json.dumps({"name": finding.name, "ok": finding.ok, "text": finding.text}), flush=True)
        else:
            print(f"{'ok  ' if finding.ok else 'LOOK'} {finding.name:14} {safe(finding.text)}", flush=True)
    return 0 if ok else 1


def _findings(load: Callable[[], Loaded], places: Paths) -> Iterator[Finding]:
    yield Finding("version", True, f"quantui {__version__}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")
    yield from _terminal()
    try:
        loaded = load()
    except ConfigError as error:
        yield Finding("configuration", False, str(error))
        settings = Settings()
    else:
        settings = loaded.settings
        yield Finding("configuration", True, str(loaded.path or "built in"))
    yield _database(places)
    holder = find(places.lock)
    yield Finding(
        "collector", True, f"running, pid {holder.pid} ({holder.mode})" if holder else "none running; `quantui` starts one"
    )
    yield _desktop()
    for venue in dict.fromkeys((settings.market.venue, "binance-usdm", "binance-spot")):
        yield _endpoint(venue, settings)


def _terminal() -> Iterator[Finding]:
    size = shutil.get_terminal_size((0, 0))
    name = os.environ.get("TERM", "")
    if not sys.stdout.isatty():
        yield Finding("terminal", True, "output is not a terminal: size and colours were not looked at")
    else:
        good = size.columns >= 60 and size.lines >= 16 and name not in ("", "dumb")
        what = f"{name or 'TERM is unset'}, {size.columns}x{size.lines}"
        need = "the screen needs 60x16 and a TERM such as xterm-256color; `--plain` needs neither"
        yield Finding("terminal", good, what if good else f"{what}: {need}")
    colours = "truecolor" if os.environ.get("COLORTERM") in ("truecolor", "24bit") else "256" if "256" in name else "16 or fewer"
    yield Finding("colours", True, f"{colours}{'; NO_COLOR is set: the mono theme' if os.environ.get('NO_COLOR') else ''}")
    encoding = locale.getpreferredencoding(False)
    utf8 = encoding.upper().replace("-", "") == "UTF8"
    yield Finding("characters", utf8, encoding if utf8 else f'{encoding}: set LANG=C.UTF-8, or [ui] glyphs = "ascii"')
    if os.environ.get("TMUX"):
        yield Finding("tmux", True, "for notifications on your own machine: `set -g allow-passthrough on` in tmux.conf")


def _database(places: Paths) -> Finding:
    path = places.database
    free = shutil.disk_usage(next(parent for parent in path.parents if parent.exists())).free / 1e9
    if not path.exists():
        return Finding("database", free > 0.2, f"{path}: not there yet; {free:.1f} GB free")
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)
        try:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        return Finding("database", False, f"{path}: {error}")
    text = f"{path}: {path.stat().st_size / 1e6:.1f} MB, {verdict}; {free:.1f} GB free"
    return Finding("database", verdict == "ok" and free > 0.2, text)


def _desktop() -> Finding:
    if shutil.which("notify-send") and os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return Finding("desktop", True, "notify-send reaches a desktop here")
    return Finding("desktop", True, "no desktop here: alerts come by bell and by terminal notification")


def _endpoint(venue: str, settings: Settings) -> Finding:
    """Reach, limits and clock of a venue in one request."""
    base = settings.endpoints.of(venue).rest
    before = time.time() * 1000
    try:
        status, weight, body = asyncio.run(_asked(base, base + _TIME_PATHS[venue]))
        if status != HTTPStatus.OK:
            hint = "not offered from this location" if status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS else "refused"
            return Finding(venue, False, f"{base}: HTTP {status}, {hint}")
        served = float(json.loads(body)["serverTime"])
    except (*UNREACHABLE, ValueError, LookupError, TypeError) as error:
        return Finding(venue, False, f"{base}: {reason(error)}; check the network, HTTPS_PROXY or [endpoints.{venue}]")
    after = time.time() * 1000
    skew = (before + after) / 2 - served
    text = f"{base}: {after - before:.0f} ms, weight used {weight}, clock {skew:+.0f} ms"
    if abs(skew) > max(_SKEW_MS, after - before):
        return Finding(venue, False, f"{text}: this machine's clock is off; bars do not depend on it, ages do (set up NTP)")
    return Finding(venue, True, text)


async def _asked(base: str, url: str) -> tuple[int, str, bytes]:
    """Status, used weight and body of one answer."""
    limit = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with make_session(base) as session, session.get(url, timeout=limit, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("X-MBX-USED-WEIGHT-1M", "?"), await answer.content.read(1000)
