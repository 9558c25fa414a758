"""The page of alerts: which rules are in force, how they reach people, where every watched pair stands, what was said."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict

from quantui.alerts.channels import Channel
from quantui.alerts.records import LONG_SPREAD, SHORT_SPREAD, GateResult
from quantui.alerts.rules import Rule
from quantui.alerts.standing import Standing, objections, standing
from quantui.analytics.estimators import Estimator
from quantui.analytics.false_alarms import rearm_level
from quantui.analytics.gates import AT_LEAST
from quantui.analytics.spread import zscore_bound
from quantui.collector.alarm import HISTORY, Alarm, observation
from quantui.collector.alert_pages import AlertsPage, ChannelRow, GateTally, RuleView, StandingRow
from quantui.collector.desk import Desk, DeskSettings, Reading
from quantui.collector.snapshot import GateView, PairRow
from quantui.collector.view import Lens, chance_alarms
from quantui.market.instruments import Pair, Timeframe
from quantui.text import safe

WARMING_UP = "warming up"
DESKTOP = "desktop"
LOG = "log"
_SIDES = {0: "", 1: SHORT_SPREAD, -1: LONG_SPREAD}


def alerts_page(
    alarm: Alarm, desk: Desk, lens: Lens, pairs: Sequence[Pair], timeframe: Timeframe, is_whole: Callable[[Reading], bool]
) -> AlertsPage:
    """The page at the newest closed bars; a few microseconds for each rule and pair.

    Args:
        alarm: The rules with their memory.
        desk: The readings.
        lens: What the watch list says of each pair.
        pairs: Those that are watched.
        timeframe: The one that is judged.
        is_whole: Whether a reading's bars may be judged.
    """
    settings, rules = desk.settings, alarm.engine.rules
    readings = [desk.readings.get((pair, timeframe)) for pair in pairs]
    known = [reading for reading in readings if reading is not None]
    listed = list(zip(lens.rows(pairs, timeframe), readings, strict=True))
    is_filter = settings.estimator is Estimator.KALMAN
    return AlertsPage(
        timeframe.value,
        settings.window,
        settings.estimator.value,
        max((reading.bar_ms for reading in known), default=0),
        len(pairs),
        settings.stop if math.isfinite(settings.stop) else None,
        None if is_filter else round(zscore_bound(settings.z_window), 2),
        tuple(_rule(rule, settings, timeframe) for rule in rules),
        tuple(_tallies(settings, known, len(pairs))),
        tuple(_channels(alarm)),
        tuple(_row(alarm, rule, row, reading, is_whole) for rule in rules for row, reading in listed),
        alarm.history(),
        HISTORY,
    )


def _rule(rule: Rule, settings: DeskSettings, timeframe: Timeframe) -> RuleView:
    # What is known of chance was found with one re-arm level, and by Johansen's vector it is a third of that.
    is_usual = abs(rule.rearm - rearm_level(rule.threshold)) < 1e-9 and settings.estimator is not Estimator.JOHANSEN
    return RuleView(
        safe(rule.name),
        rule.threshold,
        rule.rearm,
        rule.exit,
        rule.cooldown_ms / 1000,
        rule.silencing,
        rule.correlation,
        rule.notify,
        chance_alarms(settings, rule.threshold, timeframe.ms) if is_usual else None,
    )


def _tallies(settings: DeskSettings, readings: Iterable[Reading], pairs: int) -> Iterator[GateTally]:
    """How the watched pairs stand with each gate; a pair without a reading is not known."""
    results: dict[str, list[bool | None]] = {}
    for reading in readings:
        for gate in reading.gates:
            results.setdefault(gate.name, []).append(gate.ok)
    for name, setting in asdict(settings.gates).items():
        found = results.get(name, [])
        passing, failing = found.count(True), found.count(False)
        yield GateTally(name, setting["limit"], name in AT_LEAST, setting["enabled"], passing, failing, pairs - passing - failing)


def _channels(alarm: Alarm) -> Iterator[ChannelRow]:
    """The ways that are the collector's: the desktop of its machine, and the log, which takes everything."""
    desktop = next((channel for channel in alarm.channels if channel.name == DESKTOP), None)
    if not alarm.settings.ui.desktop_notification:
        yield ChannelRow(DESKTOP, "off", detail="[ui] desktop_notification = false")
    elif desktop is None:
        yield ChannelRow(DESKTOP, "none", detail="no notify-send or no desktop session at the collector")
    yield from (_channel(channel) for channel in alarm.channels)
    status = alarm.store.status
    yield ChannelRow(LOG, "failing" if status else "on", alarm.told, detail=safe(status))


def _channel(channel: Channel) -> ChannelRow:
    state = "failing" if channel.error else "on"
    return ChannelRow(channel.name, state, channel.sent, channel.failed, channel.dropped, safe(channel.error))


def _row(alarm: Alarm, rule: Rule, listed: PairRow, reading: Reading | None, is_whole: Callable[[Reading], bool]) -> StandingRow:
    head = StandingRow(listed.label, safe(rule.name), WARMING_UP, n=listed.n, need=listed.need, note=listed.note)
    if reading is None:
        return head
    seen = observation(reading, usable=is_whole(reading), now_ms=0)
    state = alarm.engine.state(rule, seen.pair, seen.timeframe)
    found, z = standing(rule, state, seen), seen.zscore
    gates = objections(rule, seen)
    return StandingRow(
        head.pair,
        head.rule,
        WARMING_UP if found is Standing.NO_VALUE and listed.n < listed.need else found.value,
        listed.zscore,
        None if z is None else round(rule.threshold - abs(z), 3),
        listed.n,
        listed.need,
        _SIDES[state.side],
        _SIDES[state.open],
        state.fired_ms if state.open else None,
        (state.fired_ms or 0) + rule.cooldown_ms if found is Standing.COOLING else None,
        tuple(_gate(gate) for gate in gates),
        tuple(_gate(gate) for gate in seen.gates if gate.enabled and gate.ok is False and gate.name not in _names(rule)),
        listed.note,
    )


def _names(rule: Rule) -> tuple[str, ...]:
    """Gates that silence the rule; its own correlation stands for that gate."""
    return rule.silencing if rule.correlation is None else ("correlation", *rule.silencing)


def _gate(gate: GateResult) -> GateView:
    return GateView(gate.name, gate.ok, gate.value, gate.limit, gate.enabled)
