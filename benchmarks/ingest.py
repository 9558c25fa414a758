"""From the socket to bars in all timeframes: messages a second of CPU, beside cryptofeed, python-binance and ccxt.pro.

All clients read the same frames from the same loopback server, each in a process of its own that takes its own CPU time (user and
system) from its first to its last message; runs are interleaved, the median counts. Ours checks every trade and every bar against
the tape; the peers only count their callbacks. CPU at a realistic rate: 2,000 messages a second, Poisson arrivals.

    python -m venv peers
    peers/bin/pip install cryptofeed==2.4.1 python-binance==1.0.37 ccxt==4.5.90 uvloop==0.22.1
    python -m benchmarks.ingest --peers-python peers/bin/python [--quick] [--json FILE]
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ingest_tape import MARKETS, PER_SECOND
from benchmarks.table import Row, make_parser, report

_OURS = "quantui"
_PEERS = {"cryptofeed": 2.0, "python-binance": 6.0, "ccxt.pro": 6.0}
"""Peer and how many times its messages per CPU second is our goal."""
_CPU_GOAL = 2.0
"""Per cent of a core at 2,000 messages a second."""
_ROOT = Path(__file__).resolve().parent.parent
_TIMEOUT_S = 180

_Result = dict[str, Any]


@contextmanager
def _server(messages: int, paced: int) -> Iterator[dict[str, int]]:
    command = [sys.executable, "-m", "benchmarks.ingest_server", "--messages", str(messages), "--paced", str(paced)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())
        finally:
            server.terminate()


def _run(client: str, peers_python: str | None, port: int, messages: int) -> _Result:
    """One client, once. Its complaints go to our stderr; a peer that fails ends the benchmark."""
    if client == _OURS:
        command = [sys.executable, "-m", "benchmarks.ingest_ours", str(port), str(messages)]
    elif peers_python is None:
        return {"missing": True}
    else:
        names = ",".join(market.name for market in MARKETS)
        command = [peers_python, "-m", "benchmarks.ingest_peers", client, str(port), str(messages), names]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode or not done.stdout:
        raise SystemExit(f"{client} failed with exit code {done.returncode} after `{' '.join(command)}`")
    result: _Result = json.loads(done.stdout.splitlines()[-1])
    return result


def _measure(peers_python: str | None, port: int, messages: int, repeats: int) -> dict[str, list[_Result]]:
    """Every client `repeats` times, in turn; an empty list for a peer that is not installed."""
    clients = [_OURS, *_PEERS]
    results: dict[str, list[_Result]] = {client: [] for client in clients}
    for _ in range(repeats):
        for client in clients:
            result = _run(client, peers_python, port, messages)
            if "missing" not in result:
                results[client].append(result)
    return results


def _label(client: str, results: Sequence[_Result]) -> str:
    return f"{client} {results[0]['version']}" if results and "version" in results[0] else client


def _throughput(measured: dict[str, list[_Result]]) -> list[Row]:
    def per_cpu_second(results: Sequence[_Result]) -> float:
        return float(statistics.median(result["messages"] / result["cpu_s"] for result in results))

    ours = per_cpu_second(measured[_OURS])
    rows = [Row(_OURS, ours, "messages/s/core", 1.0)]
    for peer, goal in _PEERS.items():
        results, text = measured[peer], f">= {goal:g} x"
        if not results:
            rows.append(Row(peer, None, "messages/s/core", goal=text, note="not installed"))
            continue
        theirs = per_cpu_second(results)
        rows.append(Row(_label(peer, results), theirs, "messages/s/core", ours / theirs, text, ours >= goal * theirs))
    return rows


def _load(measured: dict[str, list[_Result]]) -> list[Row]:
    def percent(results: Sequence[_Result]) -> float:
        return float(statistics.median(100 * result["cpu_s"] / result["wall_s"] for result in results))

    ours, unit = percent(measured[_OURS]), "% of a core"
    rows = [Row(f"{_OURS} at {PER_SECOND}/s", ours, unit, 1.0, f"<= {_CPU_GOAL:g} %", ours <= _CPU_GOAL)]
    for peer in _PEERS:
        results = measured[peer]
        if results:
            theirs = percent(results)
            rows.append(Row(f"{_label(peer, results)} at {PER_SECOND}/s", theirs, unit, theirs / ours))
        else:
            rows.append(Row(f"{peer} at {PER_SECOND}/s", None, unit, note="not installed"))
    return rows


def main() -> None:
    parser = make_parser(__doc__ or "")
    parser.add_argument("--peers-python", metavar="PATH", help="a python with cryptofeed, python-binance and ccxt installed")
    parser.add_argument("--messages", type=int, help="of one fast run (300,000)")
    parser.add_argument("--repeats", type=int, help="runs of each client (3)")
    options = parser.parse_args()
    messages = options.messages or (30_000 if options.quick else 300_000)
    repeats = options.repeats or (1 if options.quick else 3)
    paced = PER_SECOND * (2 if options.quick else 10)
    with _server(messages, paced) as ports:
        rows = _throughput(_measure(options.peers_python, ports["blast"], messages, repeats))
        rows += _load(_measure(options.peers_python, ports["paced"], paced, repeats))
    title = (
        f"ingest: socket -> sequencer -> bars in 5 timeframes, {len(MARKETS)} symbols, {messages:,} messages, median of {repeats}"
    )
    sys.exit(0 if report(title, rows, options.json) or options.quick else 1)


if __name__ == "__main__":
    main()
