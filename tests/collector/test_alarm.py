"""Rules under the keys, and what is told in which way."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from quantui.alerts.records import AlertRecord, data_alert
from quantui.clock import Clock
from quantui.collector.alarm import Alarm
from quantui.config import AlertRule, Settings
from quantui.store.writer import Store


class Listed:
    """A channel that notes what it is given."""

    name = "desktop"
    sent = failed = dropped = 0
    error = ""

    def __init__(self) -> None:
        self.offered: list[AlertRecord] = []

    def offer(self, record: AlertRecord) -> None:
        self.offered.append(record)

    async def run(self) -> None:
        """Nothing to do."""


@pytest.mark.parametrize("entry", [0.6, 1.0, 1.5, 3.0, 15.0])
async def test_a_key_moves_only_rules_without_a_threshold_and_always_leaves_one_that_can_fire(entry: float, tmp_path: Path) -> None:
    rules = (AlertRule(name="mine", rearm=1.4), AlertRule(name="fixed", threshold=2.5, rearm=1.0))
    settings = replace(Settings(), alerts=rules)
    async with await Store.open(tmp_path / "db", clock=Clock()) as store:
        alarm = await Alarm.open(settings, store, Clock(), [])
        alarm.use_entry(entry)
        mine, fixed = alarm.engine.rules
        assert mine.threshold == entry
        assert mine.exit < mine.rearm < entry
        assert (fixed.threshold, fixed.rearm) == (2.5, 1.0)
        alarm.use_entry(settings.analysis.entry)
        assert alarm.engine.rules[0].rearm == 1.4


async def test_a_warning_is_told_once_on_every_channel_and_again_shown_after_a_restart(tmp_path: Path) -> None:
    channel = Listed()
    record = data_alert("gap", "BTCUSDT 3 trades lost", now_ms=2_000, since_ms=1_000, pair="BTCUSDT")
    for _ in range(2):
        async with await Store.open(tmp_path / "db", clock=Clock()) as store:
            alarm = await Alarm.open(Settings(), store, Clock(), [channel])
            alarm.warn(record)
            alarm.warn(record)
            (row,) = alarm.rows()
            assert (row.id, row.text, row.notify) == (1, "3 trades lost", ("bell", "terminal", "desktop"))
    assert channel.offered == [record]
