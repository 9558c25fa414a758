"""Statistics to alerts, each exactly once.

The caller saves `take_changes()` in the transaction that saves the records: whatever a crash loses, it loses both, and judging
the bar again gives the same alert; whatever it kept, it kept both, and judging the bar again gives none.
"""

from collections.abc import Mapping, Sequence

import msgspec

from quantui.alerts.records import ALERT, EXIT, INFO, LONG_SPREAD, SHORT_SPREAD, WARNING, AlertRecord, Observation, cleaned, fired
from quantui.alerts.rules import Event, Rule, RuleState, step

STATE_PREFIX = "alerts:"
"""What the keys of saved states begin with."""

_WORDS = {
    Event.SHORT: (ALERT, SHORT_SPREAD),
    Event.LONG: (ALERT, LONG_SPREAD),
    Event.EXIT: (INFO, EXIT),
}
_DATA_CHANNELS = ("bell", "terminal", "desktop")

_Key = tuple[str, str, str]
"""Rule, pair, timeframe."""


class AlertEngine:
    """Judges closed bars by every rule."""

    def __init__(self, rules: Sequence[Rule], saved: Mapping[str, str] | None = None) -> None:
        """Continue from what `take_changes` gave before a restart; keys of other owners are left alone."""
        self.rules = tuple(rules)
        self.unreadable = 0
        """Saved states that were damaged and are begun anew."""
        self._states: dict[_Key, RuleState] = {}
        self._changes: dict[str, str | None] = {}
        names = {rule.name for rule in self.rules}
        for text, value in (saved or {}).items():
            if not text.startswith(STATE_PREFIX):
                continue
            try:
                key = msgspec.json.decode(text.removeprefix(STATE_PREFIX), type=_Key)
                state = msgspec.json.decode(value, type=RuleState)
            except msgspec.DecodeError:
                self.unreadable += 1
                self._changes[text] = None
                continue
            if key[0] in names:
                self._states[key] = state
            else:  # the rule is gone from the configuration
                self._changes[text] = None

    def on_bar(self, observation: Observation) -> list[AlertRecord]:
        """What each rule says of a closed bar; a bar that was judged before, or is older, says nothing."""
        observation = cleaned(observation)
        records = []
        for rule in self.rules:
            key = (rule.name, observation.pair, observation.timeframe)
            old = self._states.get(key, RuleState())
            new, event = step(rule, old, observation)
            self._states[key] = new
            if (new.side, new.open, new.fired_ms) != (old.side, old.open, old.fired_ms):
                # A bar that changed nothing else need not be saved: judged again it changes nothing again.
                text = STATE_PREFIX + msgspec.json.encode(key).decode()
                self._changes[text] = msgspec.json.encode(new).decode()
            if event is not None:
                severity, direction = _WORDS[event]
                records.append(fired(observation, rule=rule.name, severity=severity, direction=direction))
        return records

    def state(self, rule: Rule, pair: str, timeframe: str) -> RuleState:
        """What a rule remembers of a pair and timeframe."""
        return self._states.get((rule.name, pair, timeframe), RuleState())

    def take_changes(self) -> dict[str, str | None]:
        """States that changed since the last call, by key, to be saved as they are; None: delete it."""
        changes, self._changes = self._changes, {}
        return changes

    def channels(self, record: AlertRecord) -> tuple[str, ...]:
        """Where a record is announced besides the alert log."""
        if record.severity == WARNING:
            return _DATA_CHANNELS
        if record.severity == INFO:
            return ()
        return next((rule.notify for rule in self.rules if rule.name == record.rule), ())
