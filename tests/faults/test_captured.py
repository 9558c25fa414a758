"""Sessions captured from the real exchanges, byte for byte through the embedded one, and through the client."""

import asyncio
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from quantui.clock import Clock
from quantui.exchange.truth import bars
from quantui.feeds.binance.feed import BinanceFeed
from quantui.market.instruments import Timeframe
from quantui.market.numbers import scaled
from quantui.market.stream import SymbolStream
from tests.faults.exchange import Exchange, running_exchange, running_feed, until

SPEED = 10.0
SESSIONS = [("spot", "BINANCE"), ("spot", "BINANCE_US"), ("spot", "BINANCE_TR"), ("usdm", "BINANCE_FUTURES")]
_BOOKS = ("@depth@100ms", "@bookTicker")
_COUNT = 9
_VALUES = slice(0, 9)
"""Open time, o, h, l, c and the four volumes: an aggregate counts for more than one trade."""


def _files(shared: Path, name: str) -> list[str]:
    folder = shared / "data/protocol/cryptofeed"
    return [str(folder / f"{name}{part}") for part in (".0.gz", ".ws.1.0.gz")]


def _captured(shared: Path, name: str) -> tuple[str, list[str]]:
    """The streams asked for, and the frames in the order in which they came."""
    head, *lines = gzip.decompress(Path(_files(shared, name)[1]).read_bytes()).decode().splitlines()
    return head.split("streams=")[1].split(" ")[0], [line.partition(": ")[2] for line in lines if line]


def _info(shared: Path, name: str) -> str:
    """The captured body of exchangeInfo."""
    line = gzip.decompress(Path(_files(shared, name)[0]).read_bytes()).decode().splitlines()[0]
    return line.split(": ", 1)[1]


async def _read(session: aiohttp.ClientSession, url: str, count: int) -> list[str]:
    async with session.ws_connect(url) as socket, asyncio.timeout(30):
        return [str((await socket.receive()).data) for _ in range(count)]


@pytest.mark.parametrize(("market", "name"), SESSIONS)
async def test_a_session_comes_as_it_was_captured_and_the_client_makes_its_bars_of_it(shared: Path, market: str, name: str) -> None:
    streams, frames = _captured(shared, name)
    names = sorted({stream.partition("@")[0].upper() for stream in streams.split("/")})
    arguments = ("--speed", str(SPEED), "--captured", *_files(shared, name))
    async with running_exchange(*arguments) as exchange, running_feed(exchange, market, names, Clock(SPEED)) as feed:
        reading = asyncio.create_task(_as_captured(exchange, market, streams, frames))
        await until(lambda: len(feed.streams) == len(names), 20)
        feed.focus(feed.wanted)  # quotes keep a quiet socket speaking
        await reading
        info = "/fapi/v1/exchangeInfo" if market == "usdm" else "/api/v3/exchangeInfo"
        async with exchange.session.get(exchange.addresses[f"{market}_rest"] + info) as answer:
            assert await answer.text() == _info(shared, name)
        await _in_bars(feed, frames)


async def _as_captured(exchange: Exchange, market: str, streams: str, frames: list[str]) -> None:
    """Every byte, and in its order; what was one address of futures then is two routes now."""
    hosts = {f"{market}_ws": frames}
    if market == "usdm":
        books = [frame for frame in frames if any(f'{kind}"' in frame for kind in _BOOKS)]
        hosts = {"usdm_ws_public": books, "usdm_ws_market": [frame for frame in frames if frame not in set(books)]}
    urls = [f"{exchange.addresses[host]}/stream?streams={streams}" for host in hosts]
    reading = [_read(exchange.session, url, len(wanted)) for url, wanted in zip(urls, hosts.values(), strict=True)]
    assert await asyncio.gather(*reading) == list(hosts.values())


async def _in_bars(feed: BinanceFeed, frames: list[str]) -> None:
    """Every captured trade is taken once, and the bars are made of them."""
    trades: dict[str, list[dict[str, Any]]] = {}
    for data in (json.loads(frame)["data"] for frame in frames if '@aggTrade"' in frame):
        trades.setdefault(data["s"], []).append(data)
    counts = Counter({symbol: len(rows) for symbol, rows in trades.items()})
    taken = {symbol.name: stream for symbol, stream in feed.streams.items()}
    await until(lambda: all(stream.tally.trades >= counts[symbol] for symbol, stream in taken.items()), 20)
    assert {symbol: stream.tally.trades for symbol, stream in taken.items() if stream.tally.trades} == dict(counts)
    assert feed.status.rejected == sum(stream.tally.rejected for stream in taken.values()) == 0
    assert feed.status.reconnects == 0
    compared = sum(_compare(taken[symbol], rows) for symbol, rows in trades.items())
    assert compared >= sum(len({row["T"] // 1000 for row in rows}) > 2 for rows in trades.values())


def _compare(stream: SymbolStream, trades: list[dict[str, Any]]) -> int:
    """How many closed 1s bars equal those of the captured trades by SQL; silent ones are left out: no kline vouches for them."""
    instrument = stream.frames.instrument
    price, quantity = instrument.price_decimals, instrument.quantity_decimals
    fills = [(row["a"], row["T"], scaled(row["p"], price), scaled(row["q"], quantity), row["m"]) for row in trades]
    begin, end = stream.builder.covered_from, stream.builder.closed_until
    truth = [row[_VALUES] for row in bars(fills, 1000, begin, end) if row[_COUNT]] if end > begin else []
    ours = [tuple(row[_VALUES]) for row in stream.frames[Timeframe.S1].between(begin, end).tolist() if row[_COUNT]]
    assert ours == truth, instrument.symbol
    return len(ours)
