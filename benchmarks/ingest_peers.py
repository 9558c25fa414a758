"""One peer on the loopback server, counting trades: `python -m benchmarks.ingest_peers PEER PORT MESSAGES SYMBOLS`.

Runs in the peers' own environment, so it imports nothing of quantui. Prints one JSON object, as `ingest_ours.py` does.
"""

import asyncio
import importlib.metadata
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.ingest_meter import Meter

_DISTRIBUTION = {"cryptofeed": "cryptofeed", "python-binance": "python-binance", "ccxt.pro": "ccxt"}


async def cryptofeed(port: int, symbols: list[str], meter: Meter) -> None:
    """Binance feed, TRADES channel; it insists on wss:// in its configuration, so the scheme is changed on opening."""
    from cryptofeed import connection
    from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
    from cryptofeed.defines import TRADES
    from cryptofeed.exchanges import Binance

    open_socket = connection.WSAsyncConn._open

    async def open_plain(self: Any) -> None:  # noqa: ANN401 - the peer has no types
        self.address = self.address.replace("wss://", "ws://")
        await open_socket(self)

    connection.WSAsyncConn._open = open_plain
    Binance.websocket_endpoints = [WebsocketEndpoint(f"wss://127.0.0.1:{port}")]
    Binance.rest_endpoints = [RestEndpoint(f"http://127.0.0.1:{port}", routes=Routes("/api/v3/exchangeInfo"))]

    async def on_trade(trade: object, receipt: float) -> None:
        meter.count()

    names = [f"{symbol.removesuffix('USDT')}-USDT" for symbol in symbols]
    Binance(symbols=names, channels=[TRADES], callbacks={TRADES: on_trade}).start(asyncio.get_running_loop())
    await meter.finished()


async def python_binance(port: int, symbols: list[str], meter: Meter) -> None:
    """Multiplex socket; its queue of 100 overflows at once in a burst, so the limit is raised."""
    from binance import AsyncClient, BinanceSocketManager

    BinanceSocketManager.STREAM_URL = f"ws://127.0.0.1:{port}/"
    client = AsyncClient()
    manager = BinanceSocketManager(client, max_queue_size=10_000_000)
    async with manager.multiplex_socket([f"{symbol.lower()}@aggTrade" for symbol in symbols]) as stream:
        while not meter.is_done:
            await stream.recv()
            meter.count()
    await client.close_connection()


async def ccxt_pro(port: int, symbols: list[str], meter: Meter) -> None:
    """watchTradesForSymbols in a loop; trades are counted where they are handled, since the loop sees only the newest."""
    import ccxt.pro

    class Exchange(ccxt.pro.binance):  # type: ignore[misc, name-defined, unused-ignore]  # the peer has no types
        def handle_trade(self, client: object, message: object) -> None:
            super().handle_trade(client, message)
            meter.count()

    exchange = Exchange({"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}})
    exchange.urls["api"]["public"] = f"http://127.0.0.1:{port}/api/v3"
    exchange.urls["api"]["ws"]["spot"] = f"ws://127.0.0.1:{port}/stream.binance.com/ws"
    names = [f"{symbol.removesuffix('USDT')}/USDT" for symbol in symbols]

    async def watch() -> None:
        while True:
            await exchange.watch_trades_for_symbols(names, params={"name": "aggTrade"})

    watching = asyncio.create_task(watch())
    watching.add_done_callback(lambda task: None if task.cancelled() else meter.fail(task.exception()))
    await meter.finished()
    watching.cancel()
    await exchange.close()


_PEERS: dict[str, Callable[[int, list[str], Meter], Awaitable[None]]] = {
    "cryptofeed": cryptofeed,
    "python-binance": python_binance,
    "ccxt.pro": ccxt_pro,
}


def main() -> None:
    peer, port, messages, symbols = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].split(",")
    try:
        version = importlib.metadata.version(_DISTRIBUTION[peer])
    except importlib.metadata.PackageNotFoundError:
        print(json.dumps({"missing": True}))
        return
    if peer == "cryptofeed":  # as its own FeedHandler does
        import uvloop

        run = uvloop.run
    else:
        run = asyncio.run
    meter = Meter(messages)

    async def body() -> None:
        meter.prepare()
        await _PEERS[peer](port, symbols, meter)
        print(json.dumps({"version": version, **meter.result()}), flush=True)
        os._exit(0)  # background tasks of the peers do not all end by themselves

    run(body())


if __name__ == "__main__":
    main()
