"""The exchange as a process of its own, as the demo starts it."""

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import aiohttp
import pytest

KEYS = {"spot_ws", "spot_rest", "usdm_ws_public", "usdm_ws_market", "usdm_rest", "control"}


async def launch(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "quantui.exchange", *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )


async def test_it_tells_its_addresses_serves_and_ends_with_its_input(tmp_path: Path) -> None:
    port_file = tmp_path / "ports.json"
    process = await launch("--seed", "5", "--symbols", "ethusdt", "--port-file", str(port_file))
    assert process.stdout is not None
    assert process.stdin is not None
    addresses = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert set(addresses) == KEYS
    assert json.loads(port_file.read_text()) == addresses
    async with aiohttp.ClientSession() as session:
        async with session.get(addresses["usdm_rest"] + "/fapi/v1/exchangeInfo") as answer:
            symbols = [symbol["symbol"] for symbol in (await answer.json())["symbols"]]
        assert symbols == ["BTCUSDT", "ETHUSDT"], "the coin it follows comes along"
        async with session.ws_connect(addresses["spot_ws"] + "/stream?streams=ethusdt@kline_1s") as socket:
            frame = json.loads((await socket.receive(timeout=10)).data)
            assert abs(frame["data"]["E"] - time.time() * 1000) < 2_000
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_it_ends_with_a_signal() -> None:
    process = await launch()
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 20)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 5) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [(("--symbols", "NOPE"), "no coin NOPE"), (("--recording", "missing.gz"), "missing.gz"), (("--speed", "0"), "speed")],
)
async def test_wrong_usage_is_one_line_and_exit_code_2(arguments: tuple[str, ...], text: str) -> None:
    process = await launch(*arguments)
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert text in errors.decode()
    assert len(errors.decode().splitlines()) == 1


async def test_a_recording_is_played_from_its_first_trade(tmp_path: Path) -> None:
    first_ms = 1_700_000_000_000
    trades = [
        {
            "e": "trade",
            "E": first_ms + 10 * n,
            "s": "BTCUSDT",
            "t": n,
            "p": f"{100 + n % 7}.50",
            "q": "0.1",
            "T": first_ms + 10 * n,
            "m": False,
        }
        for n in range(3_000)
    ]
    lines = [f"{trade['T']}000000 {json.dumps(trade, separators=(',', ':'))}" for trade in trades]
    path = tmp_path / "capture.txt"
    path.write_text("\n".join(lines))
    process = await launch("--recording", str(path))
    assert process.stdout is not None
    addresses = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    async with aiohttp.ClientSession() as session:
        async with session.get(addresses["spot_rest"] + "/api/v3/time") as answer:
            assert 0 <= (await answer.json())["serverTime"] - first_ms < 5_000
        async with session.ws_connect(addresses["spot_ws"] + "/ws/btcusdt@trade") as socket:
            first = json.loads((await socket.receive(timeout=10)).data)
            assert first["T"] - first_ms == 10 * first["t"]
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 5) == 0
