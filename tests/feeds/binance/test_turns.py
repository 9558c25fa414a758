import asyncio

from quantui.feeds.binance.turns import Turns, Urgency


async def _queue(turns: Turns, served: list[str], *wanted: tuple[str, Urgency, int]) -> list[asyncio.Task[None]]:
    async def ask(name: str, urgency: Urgency, since_ms: int) -> None:
        async with turns.turn(urgency, since_ms):
            served.append(name)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(ask(*one)) for one in wanted]
    await asyncio.sleep(0)
    return tasks


async def test_the_most_urgent_comes_first_then_the_oldest_then_who_was_first() -> None:
    turns, served = Turns(1), list[str]()
    async with turns.turn(Urgency.HISTORY):
        tasks = await _queue(
            turns,
            served,
            ("klines", Urgency.HISTORY, 0),
            ("young hole", Urgency.TRADES, 2_000),
            ("question", Urgency.QUESTION, 0),
            ("old hole", Urgency.TRADES, 1_000),
            ("more klines", Urgency.HISTORY, 0),
        )
        assert served == []
    await asyncio.gather(*tasks)
    assert served == ["old hole", "young hole", "question", "klines", "more klines"]
    assert turns.free == 1


async def test_no_more_than_allowed_at_once() -> None:
    turns, served = Turns(2), list[str]()
    async with turns.turn(Urgency.HISTORY), turns.turn(Urgency.HISTORY):
        tasks = await _queue(turns, served, ("third", Urgency.TRADES, 0))
        assert served == []
    await asyncio.gather(*tasks)
    assert served == ["third"]
    assert turns.free == 2


async def test_a_turn_of_one_who_gave_up_goes_to_the_next() -> None:
    turns, served = Turns(1), list[str]()
    async with turns.turn(Urgency.HISTORY):
        first, second = await _queue(turns, served, ("first", Urgency.TRADES, 0), ("second", Urgency.TRADES, 1))
        gone = (await _queue(turns, served, ("gone", Urgency.TRADES, -1)))[0]
        gone.cancel()
        await asyncio.sleep(0)
    first.cancel()  # in the moment it is called
    await asyncio.gather(first, second, gone, return_exceptions=True)
    assert served == ["second"]
    assert turns.free == 1
