"""One bar appended for 500 symbols, and looked at as a frame: rings against polars concat.

Run: python -m benchmarks.frames [--json FILE]
"""

import statistics
import time
from collections.abc import Callable

import polars as pl

from benchmarks.table import Row, make_parser, report
from quantui.market.bars import Bar, BarState
from quantui.market.frames import BarRing, SymbolFrames, to_frame
from quantui.market.instruments import Instrument, Symbol, Timeframe

SYMBOLS = 500
ROWS = 1_000


def _bar(index: int) -> Bar:
    price = 100_000 + index % 97
    open_ms = index * 1_000
    return Bar(
        open_ms,
        price,
        price + 3,
        price - 2,
        price + 1,
        5_000,
        5_000 * price,
        2_000,
        2_000 * price,
        12,
        index,
        index,
        index,
        BarState.PROVISIONAL,
    )


def _median_ms(work: Callable[[int], object], rounds: int) -> float:
    times = []
    for index in range(rounds):
        begin = time.perf_counter()
        work(index)
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def main() -> None:
    options = make_parser(__doc__ or "").parse_args()
    rounds = 11 if options.quick else 101
    frames = SymbolFrames(Instrument(Symbol("bench", "AUSDT"), 2, 3), dict.fromkeys(Timeframe, ROWS))
    rings = [BarRing(ROWS) for _ in range(SYMBOLS)]
    for index in range(ROWS):
        for ring in (*rings, frames[Timeframe.S1]):
            ring.put(_bar(index))
    new = [_bar(ROWS + index) for index in range(rounds)]

    def append(round_: int) -> None:
        for ring in rings:
            ring.put(new[round_])

    held = [to_frame(ring.rows, frames.instrument) for ring in rings]
    one = held[0].tail(1)

    def concat(_: int) -> None:
        for at in range(SYMBOLS):
            held[at] = pl.concat([held[at], one]).tail(ROWS)

    ours, view, peer = _median_ms(append, rounds), _median_ms(lambda _: frames.frame(Timeframe.S1), rounds), _median_ms(concat, 7)
    rows = [
        Row("append one bar to 500 rings", ours, "ms", peer / ours, "<= 1 ms", ours <= 1),
        Row("append one bar to 500 frames (pl.concat, tail)", peer, "ms", 1.0),
        Row("look at a ring of 1,000 bars as a polars frame", view, "ms"),
    ]
    report("frames: one bar appended for 500 symbols", rows, options.json)


if __name__ == "__main__":
    main()
