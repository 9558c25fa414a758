"""`status` and `stop`: what the running collector says of itself."""

import json
import os
import signal
import sys
import time
from typing import Any

from quantui.collector.client import Client, CollectorError
from quantui.collector.lock import find
from quantui.paths import Paths
from quantui.text import safe

_STOP_S = 15.0


def status(places: Paths, *, as_json: bool) -> int:
    """Print how the collector is. Exit code 0 healthy, 1 degraded, 3 none."""
    holder = find(places.lock)
    if holder is None:
        return _none(places, as_json=as_json)
    client = Client(holder.socket)  # its own word: another XDG_STATE_HOME may be set here
    try:
        health: dict[str, Any] = client.health()
    except CollectorError as error:
        told = {"running": True, "pid": holder.pid, "error": str(error)}
        print(json.dumps(told) if as_json else f"pid {holder.pid}: {safe(str(error))}")
        return 1
    finally:
        client.close()
    if as_json:
        print(json.dumps({"running": True, **health}, ensure_ascii=False, indent=2))
    else:
        _print(health)
    return 0 if health.get("healthy") else 1


def stop(places: Paths) -> int:
    """End the collector and wait until it has gone. Exit code 0 ended, 3 there was none."""
    holder = find(places.lock)
    if holder is None:
        return _none(places, as_json=False)
    try:
        os.kill(holder.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it has just gone by itself
    except PermissionError:
        return _fail(f"pid {holder.pid} belongs to another user: stop it as that user")
    deadline = time.monotonic() + _STOP_S
    while find(places.lock) is not None:
        if time.monotonic() > deadline:
            return _fail(f"pid {holder.pid} is still writing after {_STOP_S:.0f} s; look at {places.collector_log}")
        time.sleep(0.05)
    print(f"stopped the collector (pid {holder.pid})")
    return 0


def _fail(text: str) -> int:
    print(f"quantui: {safe(text)}", file=sys.stderr)
    return 1


def _none(places: Paths, *, as_json: bool) -> int:
    text = f"no collector is running for {places.data_dir}; start one with `quantui` or `quantui collect`"
    print(json.dumps({"running": False, "message": text}) if as_json else safe(text))
    return 3


def _print(health: dict[str, Any]) -> None:
    feed = health["feed"]
    since = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(health["started_ms"] / 1000))
    print(f"collector pid {health['pid']}, {health['mode']}, since {since}")
    share = feed.get("certified")
    print(
        f"{feed['link']}  {feed['venue']}  lag {_ms(feed.get('lag_ms'))}  skew {_ms(feed.get('skew_ms'))}"
        f"  certified {'n/a' if share is None else f'{share:.1%}'}"
        f"  gaps open {feed['gaps_open']}, filled {feed['gaps_filled']}, lost {feed['gaps_lost']}"
    )
    if feed["detail"]:
        print(safe(feed["detail"]))
    for name, stream in health["streams"].items():
        print(f"  {safe(name):28} {stream['trades']:>10} trades  {'complete' if stream['complete'] else 'filling'}")
    for name, note in health["notes"].items():
        print(f"  {safe(name):28} {safe(note)}")


def _ms(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.0f} ms"
