"""Readings to alerts: judged once, kept together with the memory of the rules, shown and announced."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import msgspec
from msgspec.structs import replace

from quantui.alerts.channels import Channel
from quantui.alerts.engine import STATE_PREFIX, AlertEngine
from quantui.alerts.records import DATA, AlertRecord, GateResult, Leg, Observation
from quantui.alerts.rules import Rule, rules_of
from quantui.clock import Clock
from quantui.collector.alert_pages import ProposedLeg, ToldRow
from quantui.collector.desk import Reading
from quantui.collector.snapshot import AlertRow
from quantui.config import AlertRule, Settings
from quantui.market.bars import Bar
from quantui.market.instruments import Symbol, Timeframe
from quantui.store.records import AlertRecord as StoredAlert
from quantui.store.writer import Store
from quantui.text import safe

log = logging.getLogger("quantui")

SHOWN = 100
"""Alerts that every snapshot carries."""
HISTORY = 200
"""Alerts kept for the page about them."""


@dataclass(slots=True)
class Alarm:
    """The alert engine between the desk and the store."""

    settings: Settings
    store: Store
    clock: Clock
    engine: AlertEngine
    channels: Sequence[Channel] = ()
    """What carries alerts from here; bell and terminal notification are the screens'."""
    told: int = 0
    """Alerts and events written to the log since the start."""
    _rows: deque[AlertRow] = field(default_factory=lambda: deque(maxlen=SHOWN))
    _history: deque[ToldRow] = field(default_factory=lambda: deque(maxlen=HISTORY))

    @classmethod
    async def open(cls, settings: Settings, store: Store, clock: Clock, channels: Sequence[Channel]) -> Self:
        """Continue from what is stored."""
        alarm = cls(settings, store, clock, AlertEngine(rules_of(settings), store.states(STATE_PREFIX)), channels)
        for record in reversed(await store.alerts(HISTORY)):
            alarm._show(record)
        return alarm

    def use_entry(self, entry: float) -> None:
        """A key changed the threshold of the rules that have none of their own."""
        rules = zip(self.settings.alerts or (AlertRule(),), rules_of(self.settings), strict=True)
        self.engine.rules = tuple(_at_entry(rule, told, entry) if told.threshold is None else rule for told, rule in rules)

    def judge(self, readings: Sequence[Reading], is_fresh: Callable[[Reading], bool], now_ms: Callable[[Reading], int]) -> None:
        """Judge closed bars in order; records and the memory of the rules go into one transaction."""
        for reading in readings:
            for record in self.engine.on_bar(observation(reading, usable=is_fresh(reading), now_ms=now_ms(reading))):
                self._tell(record)
        for key, text in self.engine.take_changes().items():
            self.store.put_state(key, None if text is None else msgspec.Raw(text.encode()))

    def warn(self, record: AlertRecord) -> None:
        """A warning about the data."""
        self._tell(record)

    def mismatch(self, symbol: Symbol, timeframe: Timeframe, ours: Bar, theirs: Bar, fields: Sequence[str]) -> None:
        """Our bar is not the exchange's: an event, never a shrug."""
        data = {
            "symbol": str(symbol),
            "timeframe": timeframe.value,
            "open_ms": ours.open_ms,
            **{name: [getattr(ours, name), getattr(theirs, name)] for name in fields},
        }
        log.warning("bar differs from the exchange's", extra={"data": data})

    def rows(self) -> tuple[AlertRow, ...]:
        """For the alert log, newest first."""
        return tuple(reversed(self._rows))

    @property
    def newest(self) -> int:
        """Id of the newest alert; 0 where there is none."""
        return self._rows[-1].id if self._rows else 0

    def history(self) -> tuple[ToldRow, ...]:
        """For the page of alerts, newest first."""
        return tuple(reversed(self._history))

    def _tell(self, record: AlertRecord) -> None:
        kept = self.store.put_alert(msgspec.convert(msgspec.to_builtins(record), StoredAlert))
        if kept is None:
            return  # this rule has spoken of this bar before
        self.told += 1
        wanted = self.engine.channels(record)
        self._show(kept)
        for channel in self.channels:
            if channel.name in wanted:
                channel.offer(record)

    def _show(self, record: StoredAlert) -> None:
        text = record.message.removeprefix(record.pair).strip()
        head = AlertRecord(
            time_ms=record.time_ms,
            bar_ms=record.bar_ms,
            pair=record.pair,
            timeframe=record.timeframe,
            rule=record.rule,
            severity=record.severity,
        )
        notify = self.engine.channels(head)
        self._rows.append(AlertRow(record.id, record.time_ms, record.severity, safe(record.pair), safe(text), notify))
        self._history.append(_told(record, text))


def _told(record: StoredAlert, text: str) -> ToldRow:
    legs = msgspec.convert(record.legs, tuple[Leg, ...])
    return ToldRow(
        record.id,
        record.time_ms,
        record.severity,
        safe(record.direction or record.rule.removeprefix(DATA)),
        safe(record.pair),
        safe(record.timeframe),
        safe(record.rule),
        record.zscore,
        safe(text),
        tuple(ProposedLeg(safe(leg.symbol), leg.side, leg.quantity * leg.price, leg.price) for leg in legs),
    )


def _at_entry(rule: Rule, told: AlertRule, entry: float) -> Rule:
    """The rule with a key's threshold; where its own re-arm level is not below that, halfway to the exit."""
    rearm = told.rearm if told.rearm is not None and told.rearm < entry else (rule.exit + entry) / 2
    return replace(rule, threshold=entry, rearm=rearm)


def observation(reading: Reading, *, usable: bool, now_ms: int) -> Observation:
    """What the rules are told of a reading."""
    s, pair = reading.statistics, reading.pair
    y, x = (pair.y.name, pair.x.name) if pair.y.venue == pair.x.venue else (str(pair.y), str(pair.x))
    return Observation(
        pair=reading.pair.label,
        y=y,
        x=x,
        timeframe=reading.timeframe.value,
        bar_ms=reading.bar_ms,
        now_ms=now_ms,
        usable=usable,
        zscore=s.zscore,
        spread=s.spread,
        alpha=s.alpha,
        beta=s.beta,
        correlation=s.correlation,
        eg_p=s.engle_granger.p_value if s.engle_granger else None,
        half_life=s.half_life,
        n=s.n,
        price_y=reading.price_y,
        price_x=reading.price_x,
        space=s.space.value,
        gates=tuple(GateResult(gate.name, gate.ok, gate.value, gate.limit, gate.enabled) for gate in reading.gates),
    )
