"""Faults drawn from a seed."""

import asyncio
import json
import random
import sys
from asyncio.subprocess import PIPE

import aiohttp

from quantui.exchange.damage import BREAKING, DAMAGES
from quantui.exchange.drill import ENDINGS, drawn


def test_the_same_seed_draws_the_same_faults_and_all_kinds_come() -> None:
    rng, again = random.Random(7), random.Random(7)
    faults = [drawn(rng, ("spot", "usdm"), ["BTCUSDT"]) for _ in range(500)]
    assert faults == [drawn(again, ("spot", "usdm"), ["BTCUSDT"]) for _ in range(500)]
    orders = [fault.order for fault in faults]
    assert {action for action, _ in orders} == {
        "disconnect", "outage", "half_open", "drip", "stall", "silence", "drop", "late", "repeat", "damage", "rest",
    }  # fmt: skip
    assert {body["how"] for action, body in orders if action == "disconnect"} == set(ENDINGS)
    assert {kind for action, body in orders if action == "damage" for kind in body["kinds"]} == {*DAMAGES, *BREAKING}
    assert all(fault.said for fault in faults)
    assert all((fault.undo is not None) == (fault.order[0] in ("silence", "repeat", "rest")) for fault in faults)


async def test_the_exchange_does_wrong_to_whoever_listens_and_says_what() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "quantui.exchange", "--seed", "3", "--speed", "20", "--faults", "2", stdin=PIPE, stdout=PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    addresses = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    said: list[str] = []
    async with aiohttp.ClientSession() as session, session.ws_connect(addresses["spot_ws"] + "/ws/btcusdt@aggTrade"):
        while len(said) < 5:
            line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
            assert line["time_ms"] > 0
            said.append(line["said"])
            async with session.get(addresses["control"] + "/control/counters") as answer:
                if not (await answer.json())["connections"]["spot"]["open"]:
                    break  # that was the fault
    assert said
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_wrong_pace_is_one_line() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "quantui.exchange", "--faults", "-1", stderr=PIPE)
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert "--faults -1.0" in errors.decode()
