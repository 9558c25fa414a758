"""Ground truth: trades to bars by SQL, sharing no code with the exchange's own klines nor with quantui's bars."""

import csv
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from quantui.exchange.listings import INTERVALS, Listing, decimal
from quantui.exchange.tape import Tape

COLUMNS = (
    "market", "symbol", "interval", "open_ms", "open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume",
    "taker_buy_quote_volume", "trade_count", "first_id", "last_id",
)  # fmt: skip
"""Of the ground-truth file."""

Row = tuple[int, ...]
_QUERY = """
WITH RECURSIVE second(at) AS (SELECT :start UNION ALL SELECT at + 1000 FROM second WHERE at + 1000 < :end),
slot(open_ms) AS (
  SELECT at / :length * :length FROM second WHERE NOT EXISTS (SELECT 1 FROM halt WHERE at >= halt.start AND at < halt.stop)
  UNION SELECT time / :length * :length FROM trade WHERE time >= :start AND time < :end),
sum_of AS (
  SELECT time / :length * :length AS open_ms, max(price) AS high, min(price) AS low, sum(qty) AS volume, sum(price * qty) AS quote,
    sum(iif(maker, 0, qty)) AS taker, sum(iif(maker, 0, price * qty)) AS taker_quote, count(*) AS n, min(id) AS f, max(id) AS l
  FROM trade GROUP BY 1),
bar AS (
  SELECT slot.open_ms, high, low, volume, quote, taker, taker_quote, n, f, l, max(
      coalesce(max(l) OVER (ORDER BY slot.open_ms ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), -1),
      coalesce((SELECT max(id) FROM trade WHERE time < :start), -1)) AS before
  FROM slot LEFT JOIN sum_of USING (open_ms))
SELECT open_ms, first.price, high, low, last.price, volume, quote, taker, taker_quote, n, f, l, earlier.price
FROM bar LEFT JOIN trade first ON first.id = f LEFT JOIN trade last ON last.id = l LEFT JOIN trade earlier ON earlier.id = before
ORDER BY open_ms
"""


def bars(
    trades: Iterable[tuple[int, int, int, int, bool]],
    interval_ms: int,
    start_ms: int,
    end_ms: int,
    halts: Iterable[tuple[int, int]] = (),
    close_before: int | None = None,
) -> list[Row]:
    """Bars of [start_ms, end_ms): flat where silent, none in a halt; open_ms, o, h, l, c, v, q, V, Q, n, first_id, last_id.

    Args:
        trades: (id, time_ms, price, quantity, buyer_is_maker), those before `start_ms` too: a flat bar repeats their last price.
        interval_ms: 1,000, or a longer interval, which exists where one of its seconds does.
        start_ms: First open time.
        end_ms: End of the last bar.
        halts: [from, to) in whole seconds.
        close_before: Last price before all of `trades`; None: what comes before the first trade has no bars.
    """
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute("CREATE TABLE trade (id INTEGER PRIMARY KEY, time INTEGER, price INTEGER, qty INTEGER, maker INTEGER)")
        base.executescript("CREATE TABLE halt (start INTEGER, stop INTEGER); CREATE INDEX by_time ON trade (time, id)")
        base.executemany("INSERT INTO trade VALUES (?, ?, ?, ?, ?)", trades)
        base.executemany("INSERT INTO halt VALUES (?, ?)", halts)
        rows = base.execute(_QUERY, {"start": start_ms, "end": end_ms, "length": interval_ms}).fetchall()
    flat = ((row[0], row[12] if row[12] is not None else close_before) for row in rows if row[9] is None)
    silent = {at: (at, price, price, price, price, 0, 0, 0, 0, 0, -1, -1) for at, price in flat if price is not None}
    return [row[:12] if row[9] is not None else silent[row[0]] for row in rows if row[9] is not None or row[0] in silent]


def tape_bars(tape: Tape, interval_ms: int, start_ms: int, end_ms: int) -> list[Row]:
    """The bars of a tape; `start_ms` must not be before its trades begin."""
    rows = tape.trades(start_ms, end_ms).fills.rows()
    return bars(rows, interval_ms, start_ms, end_ms, tape.halts, tape.close_at(start_ms))


def write(path: Path, tapes: Iterable[Tape], until_ms: int) -> None:
    """The ground-truth file: a CSV of every closed bar of all tapes and intervals since their first trade. Raises `OSError`."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for tape in tapes:
            rows.writerows(_lines(tape, until_ms))
    partial.replace(path)


def _lines(tape: Tape, until_ms: int) -> Iterator[list[str]]:
    listing = tape.listing
    for interval, length in INTERVALS.items():
        start, end = -(-tape.first_ms // length) * length, until_ms // length * length
        for row in tape_bars(tape, length, start, end) if start < end else ():
            yield [listing.market.value, listing.symbol, interval, str(row[0]), *_numbers(listing, row), *map(str, row[9:])]


def _numbers(listing: Listing, row: Row) -> list[str]:
    """Prices and volumes with all their decimals."""
    price, quantity = listing.price_decimals, listing.quantity_decimals
    scales = (price, price, price, price, quantity, price + quantity, quantity, price + quantity)
    return [decimal(value, scale, scale) for value, scale in zip(row[1:9], scales, strict=True)]
