"""Faults drawn from a seed (E20): what the fault tests order, and what `demo --faults` suffers while somebody watches."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quantui.exchange.damage import BREAKING, DAMAGES

if TYPE_CHECKING:
    from quantui.exchange.control import Control

ENDINGS = ("rst", "fin", "torn", "1000", "1001", "1007", "1008", "1009", "1011", "1012")
_SAID = {"rst": "all sockets reset", "fin": "all sockets ended without CLOSE", "torn": "all sockets ended within a frame"}
_STREAMS = ("aggTrade", "aggTrade", "aggTrade", "kline_1m")

Order = tuple[str, dict[str, Any]]
"""An action of the control port and its body."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and the order that takes it back where it does not end by itself."""

    said: str
    order: Order
    undo: Order | None = None


def drawn(rng: random.Random, markets: Sequence[str], names: Sequence[str]) -> Fault:
    """One fault on one of the markets; `names` are symbols."""
    market = rng.choice(markets)
    stream = f"{rng.choice(names).lower()}@{rng.choice(_STREAMS)}"
    match rng.randrange(13):
        case 0 | 1:
            how = rng.choice(ENDINGS)
            return Fault(_SAID.get(how, f"all sockets closed with {how}"), ("disconnect", {"market": market, "how": how}))
        case 2:
            seconds, rest = rng.uniform(0, 30), rng.random() < 0.3
            said = f"no connection for {seconds:.0f} s" + (", REST neither" if rest else "")
            return Fault(said, ("outage", {"market": market, "seconds": seconds, "rest": rest}))
        case 3 if rng.random() < 0.5:
            return Fault("one frame begins on all sockets, a byte every 0.3 s", ("drip", {"market": market}))
        case 3:
            return Fault("all sockets half-open: they stay, nothing flows", ("half_open", {"market": market}))
        case 4:
            silence = {"market": market, "stream": stream}
            return Fault(f"{stream} silent", ("silence", silence), ("silence", silence | {"on": False}))
        case 5:
            count = rng.choice([1, 10, 100])
            return Fault(f"the next {count} of {stream} lost", ("drop", {"market": market, "stream": stream, "count": count}))
        case 6:
            count = rng.randint(1, 50)
            return Fault(f"the next {count} of {stream} late", ("late", {"market": market, "stream": stream, "count": count}))
        case 7:
            seconds = rng.uniform(1, 30)
            again = {"market": market, "seconds": seconds}
            said = f"new sockets are told the last {seconds:.0f} s again"
            return Fault(said, ("repeat", again), ("repeat", again | {"seconds": 0}))
        case 8:
            kind = rng.choice(sorted(BREAKING))
            return Fault(f"{stream} breaks the protocol: {kind}", ("damage", {"market": market, "stream": stream, "kinds": [kind]}))
        case 9:
            seconds = rng.uniform(0, 20)
            return Fault(f"all sockets still for {seconds:.0f} s", ("stall", {"market": market, "seconds": seconds}))
        case 10 | 11:
            kinds = [rng.choice(sorted(DAMAGES)) for _ in range(rng.randint(1, 8))]
            said = f"{stream} damaged: {', '.join(kinds)}"
            return Fault(said, ("damage", {"market": market, "stream": stream, "kinds": kinds}))
        case _:
            statuses = [rng.choice([429, 500, 503, 503]) for _ in range(rng.randint(1, 3))]
            ill = {"lag": rng.uniform(0, 5), "delay": rng.uniform(0, 3), "time_goes_back": rng.random() < 0.5, "next": statuses}
            well = {"lag": 0, "delay": 0, "time_goes_back": False}
            said = f"REST {ill['lag']:.0f} s behind, {ill['delay']:.0f} s late, then {' '.join(map(str, statuses))}"
            return Fault(said, ("rest", {"market": market, **ill}), ("rest", {"market": market, **well}))


async def run(control: "Control", rng: random.Random, every_s: float, say: Callable[[Fault], None]) -> None:
    """A fault every `every_s` exchange seconds on what somebody listens to, until cancelled; `say` is told of each."""
    clock = control.exchange.clock
    while True:
        await clock.sleep(every_s / 2)
        sockets = control.exchange.connections()
        symbols = sorted({name.partition("@")[0] for socket in sockets for name in socket.desk.names if "@" in name})
        if symbols:
            fault = drawn(rng, sorted({socket.market.value for socket in sockets}), symbols)
            await control.obey(*fault.order)
            say(fault)
            await clock.sleep(every_s / 2)
            if fault.undo is not None:
                await control.obey(*fault.undo)
