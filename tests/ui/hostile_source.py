"""A collector that tells nothing but hostile strings, some more after each key `n`: `python -m tests.ui.hostile_source WAY`."""

import sys

from msgspec.structs import replace

from quantui.collector.alert_pages import ChannelRow, GateTally, ProposedLeg, RuleView, StandingRow, ToldRow
from quantui.collector.client import CollectorGoneError, CollectorRefusedError
from quantui.collector.pages import Mark, Page, ScanRow, StreamRow, SymbolRow
from quantui.collector.snapshot import AlertRow, GateView, PairRow, Snapshot
from tests.ui.fakes import T0, FakeSource, candles
from tests.ui.hostile import CORPUS

EACH = 20
"""Strings a turn in every list; so many turns bring all of them to every list."""
TURNS = -(-len(CORPUS) // EACH)


def batch(turn: int) -> tuple[str, ...]:
    """The strings of a turn."""
    return tuple(CORPUS[(turn * EACH + place) % len(CORPUS)] for place in range(EACH))


def single(turn: int, field: int) -> str:
    """The one string of a field that has no more."""
    return CORPUS[(turn * 19 + field) % len(CORPUS)]


def price(turn: int) -> str:
    """By this the screen tells that it shows a turn."""
    return f"{100_000 + turn:,}.00"


def window(turn: int) -> int:
    """The same, of a page."""
    return 1000 + turn


class HostileSource(FakeSource):
    """Everything that comes from outside tries to get at the terminal.

    Args:
        way: How it answers to a change of the session: `refused` or `lost`.
    """

    def __init__(self, way: str) -> None:
        super().__init__()
        self._way, self._turn, self._exports = way, 0, 0
        self._hostile()

    def session(self, **changes: float | str) -> None:
        self._turn += 1
        self._hostile()
        error = CollectorGoneError if self._way == "lost" else CollectorRefusedError
        reason = f"#{self._turn}# {' '.join(batch(self._turn))}"
        self.gone = reason if self._way == "lost" else ""
        raise error(reason)

    def export(self, kind: str) -> str:
        self._exports += 1
        told = f"#{self._exports}# " + " ".join(batch(self._exports))
        if self._exports % 2:
            raise OSError(told)
        return told

    def _hostile(self) -> None:
        turn, base, texts = self._turn, self.current, batch(self._turn)
        one = [single(turn, field) for field in range(19)]
        self.put(
            mode=one[0],
            feed=replace(base.feed, venue=one[1], detail="" if turn % 2 else " ".join(reversed(texts))),
            session=replace(base.session, estimator=one[2], timeframe=one[3], space=one[4]),
            y=replace(base.y, symbol=one[5], price=100_000.0 + turn),
            x=replace(base.x, symbol=one[6] + "USDT"),
            stats=replace(
                base.stats,
                signal=one[7],
                gates=(GateView(one[8], ok=False, value=1.0, limit=2.0),),
                half_life=None,
                engle_granger=None,
                missing={"half_life": one[9], "engle_granger": one[10], one[11]: one[12]},
            ),
            pairs=tuple(
                PairRow(label=text if place % 2 else f"{text}/{one[13]}", note=texts[-1 - place], zscore=1.0 if place % 3 else None)
                for place, text in enumerate(texts)
            ),
            alerts=tuple(
                AlertRow(100 * turn + place, T0, severity, text if place % 2 else "", text, ("bell", "terminal"))
                for place, (text, severity) in enumerate(zip(texts, [one[14], "alert", "alert"] * EACH, strict=False))
            ),
        )

    def page(self, name: str, since: int) -> Page | None:
        version = self._turn + 1
        if version <= since:
            return None
        texts, one = batch(self._turn), [single(self._turn, field) for field in range(9)]
        by_name = dict(zip(texts, reversed(texts), strict=True))
        changes: dict[str, dict[str, object]] = {
            "scan": {
                "engine": one[0], "left_out": dict(list(by_name.items())[:3]),
                "rows": tuple(ScanRow(text, one[1], zscore=1.0) for text in texts),
            },
            "correlation": {"symbols": texts, "rows": ((0.5,) * EACH,) * EACH, "left_out": by_name},
            "statistics": {
                "rows": tuple(
                    SymbolRow(text, 1, note="" if place % 2 else texts[-place], volume_state=text)
                    for place, text in enumerate(texts)
                ),
            },
            "chart": {
                "pair": f"{one[0][:9]}/{one[1][:9]}", "estimator": one[2], "space": one[3],
                "marks": tuple(Mark(T0, text) for text in texts),
                "y": candles(one[4], 2613.0, 4.0, 300, 0.0), "x": candles(one[5], 61_685.0, 90.0, 300, 0.6),
            },
            "health": {
                "venue": one[0], "link": one[1], "detail": " ".join(texts), "store": one[2], "sockets": window(self._turn),
                "rows": tuple(StreamRow(text, note="" if place % 2 else texts[-place]) for place, text in enumerate(texts)),
            },
            "alerting": {
                "estimator": one[0],
                "rules": (RuleView(one[1], 2.0, 1.25, 0.5, 300.0, texts[:3], None, texts[3:5], 15.0),),
                "gates": tuple(GateTally(text, 1.0) for text in texts[:4]),
                "channels": tuple(ChannelRow(text, "failing", detail=text) for text in texts[:3]),
                "rows": tuple(
                    StandingRow(
                        text, one[2], text if place % 2 else "unknown", note=text, side=text, trade=text, since_ms=T0,
                        blocking=(GateView(text, ok=False, value=1.0, limit=2.0),),
                    )
                    for place, text in enumerate(texts)
                ),
                "history": tuple(
                    ToldRow(9, T0, text, text, text, text, text, 1.0, text, (ProposedLeg(text, text, 1, 1),)) for text in texts
                ),
            },
            "pair": {
                "pair": f"{one[0][:9]}/{one[1][:9]}", "estimator": one[2], "space": one[3], "signal": one[4],
                "verdicts": {"engle_granger": " ".join(texts)}, "notes": by_name, "missing": {"kpss": one[5]},
                "gates": tuple(GateView(text, ok=False, value=1.0, limit=2.0) for text in texts[:5]),
            },
        }  # fmt: skip
        if name != "health":
            changes[name] |= {"timeframe": one[6][:6], "window": window(self._turn)}
        return replace(self.pages[name], version=version, **changes[name])


class TurningSource(HostileSource):
    """The next strings with each question."""

    def __init__(self) -> None:
        super().__init__("refused")

    def screen(self, since: int, points: int) -> Snapshot | None:
        self._turn += 1
        self._hostile()
        return self.current


def main() -> int:
    """Show it on this terminal."""
    from quantui.ui.run import run_screen
    from quantui.ui.settings import ScreenSettings

    way, *changes = sys.argv[1:]
    return run_screen(lambda: HostileSource(way), ScreenSettings(fps=10, **dict(word.split("=", 1) for word in changes)))  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
