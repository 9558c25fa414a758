"""`python -m quantui.exchange`: the embedded exchange as a process of its own, until its standard input closes."""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantui.clock import Clock
from quantui.exchange import drill, truth
from quantui.exchange.captured import captured_tapes
from quantui.exchange.generated import Halt, generated_tapes
from quantui.exchange.prices import COINS, Coin, more_coins
from quantui.exchange.recorded import RecordingError, recorded_tapes
from quantui.exchange.server import EmbeddedExchange

if TYPE_CHECKING:
    from quantui.exchange.tape import Tape


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stdin closes, SIGTERM or SIGINT. Exit codes: 0 done, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m quantui.exchange", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="seed of the generated tape")
    parser.add_argument("--start", type=int, metavar="MS", help="Unix time at which the generated market opened (now)")
    parser.add_argument("--speed", type=float, default=1.0, help="exchange seconds a second")
    parser.add_argument("--rate", type=float, default=1.0, help="multiplies the trades a second of the generated tape")
    parser.add_argument("--symbols", nargs="+", default=[], help="only these coins and those they follow")
    parser.add_argument("--more", type=int, default=0, metavar="N", help="so many invented coins besides: A00USDT, A01USDT, ...")
    parser.add_argument("--halts", type=float, default=0.0, help="chance an hour of a standstill, per coin")
    parser.add_argument(
        "--halt", nargs=3, action="append", default=[], metavar=("SYMBOL", "AFTER", "SECONDS"), help="a standstill on order"
    )
    parser.add_argument("--placeholders", type=float, default=0.0, help="share of futures trades followed by an NA frame")
    parser.add_argument("--dummies", type=int, default=0, metavar="N", help="a dummy record after about one spot trade in N")
    parser.add_argument("--recording", nargs="+", type=Path, default=[], help="raw captures instead of the generated tape")
    parser.add_argument("--captured", nargs="+", type=Path, default=[], help="captured sessions, played back byte for byte")
    parser.add_argument("--port-file", type=Path, help="the addresses are written here too, as JSON")
    parser.add_argument("--faults", type=float, metavar="S", help="a fault every S exchange seconds, a line on stdout for each")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="at the end, every closed bar as SQL finds it, as CSV")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(options))
    except (RecordingError, ValueError, OSError) as error:
        print(f"quantui.exchange: {error}", file=sys.stderr)
        return 2
    return 0


async def _serve(options: argparse.Namespace) -> None:
    if options.faults is not None and not options.faults > 0:
        raise ValueError(f"--faults {options.faults}: not a number of seconds from one fault to the next")
    clock = Clock(options.speed)
    tapes: Sequence[Tape]
    start_ms: int | None = None
    if options.recording or options.captured:
        recorded = captured_tapes(options.captured) if options.captured else recorded_tapes(options.recording)
        tapes, start_ms = recorded, min(tape.starts_ms for tape in recorded)
    else:
        opened = clock.now_ms() if options.start is None else options.start
        tapes = generated_tapes(
            options.seed,
            opened,
            _chosen(options.symbols, [*COINS, *more_coins(options.more)]),
            rate=options.rate,
            halts=[_halt(opened, *words) for words in options.halt],
            halt_chance=options.halts,
            placeholders=options.placeholders,
            dummy_every=options.dummies,
        )
    exchange = EmbeddedExchange(tapes, clock, start_ms=start_ms)
    ended = _end_of_input_or_signal()
    await exchange.start()
    try:
        line = json.dumps(asdict(exchange.addresses))
        if options.port_file is not None:
            partial = options.port_file.with_name(options.port_file.name + ".partial")
            partial.write_text(line + "\n")
            partial.replace(options.port_file)
        print(line, flush=True)
        await _until(ended, [exchange.wait(), *([_trouble(exchange, options)] if options.faults else [])])
    finally:
        await exchange.close()
    if options.truth is not None:
        truth.write(options.truth, exchange.tapes.values(), exchange.now_ms())


def _halt(opened: int, symbol: str, after: str, seconds: str) -> Halt:
    start = opened + int(float(after) * 1000)
    return Halt(start, start + int(float(seconds) * 1000), symbol.upper())


def _chosen(symbols: Sequence[str], coins: Sequence[Coin]) -> list[Coin]:
    """The coins named, and those whose prices they follow; all where none is named."""
    by_name = {coin.symbol: coin for coin in coins}
    unknown = [symbol for symbol in symbols if symbol.upper() not in by_name]
    if unknown:
        raise ValueError(f"--symbols: no coin {unknown[0]}; known are {', '.join(by_name)}")
    wanted = {symbol.upper() for symbol in symbols} or set(by_name)
    for coin in reversed(coins):
        if coin.symbol in wanted and coin.parent:
            wanted.add(coin.parent)
    return [coin for coin in coins if coin.symbol in wanted]


def _end_of_input_or_signal() -> asyncio.Event:
    """An event that is set when stdin closes, or by SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def readable() -> None:
        if not os.read(0, 65_536):
            loop.remove_reader(0)
            ended.set()

    with contextlib.suppress(OSError, ValueError):  # no standard input to watch (a file, or closed): a signal ends it
        loop.add_reader(0, readable)
    return ended


async def _trouble(exchange: EmbeddedExchange, options: argparse.Namespace) -> None:
    def say(fault: drill.Fault) -> None:
        print(json.dumps({"time_ms": exchange.now_ms(), "said": fault.said}), flush=True)

    await drill.run(exchange.control, random.Random(options.seed), options.faults, say)


async def _until(ended: asyncio.Event, work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Return when told to end; raise if a loop dies."""
    told, *loops = [asyncio.create_task(one) for one in (_told(ended), *work)]
    await asyncio.wait((told, *loops), return_when=asyncio.FIRST_COMPLETED)
    died = [loop for loop in loops if loop.done()]
    for task in (told, *loops):
        task.cancel()
    await asyncio.gather(told, *loops, return_exceptions=True)
    for loop in died:
        await loop


async def _told(ended: asyncio.Event) -> None:
    await ended.wait()


if __name__ == "__main__":
    sys.exit(main())
