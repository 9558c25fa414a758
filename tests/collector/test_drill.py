"""What `demo --faults` says of a fault and of its end."""

import pytest

from quantui.collector.drill import _State, _verdict

BEFORE = _State(reconnects=1, filled=10, rejected=2, lost=0)


@pytest.mark.parametrize(
    ("after", "seconds", "said"),
    [
        (BEFORE, None, "no harm: nothing was missed"),
        (_State(2, 1_244, 2, 0), 2.24, "healed in 2.2 s: 0 trades lost, 1,234 read back"),
        (_State(1, 13, 5, 0), 0.4, "healed in 0.4 s: 0 trades lost, 3 read back, 3 records refused"),
        (_State(1, 10, 2, 7), 9.0, "healed in 9.0 s: 7 trades lost, 0 read back"),
        (BEFORE, 61.0, "not healed after 60 s"),
    ],
)
def test_the_verdict(after: _State, seconds: float | None, said: str) -> None:
    assert _verdict(BEFORE, after, seconds) == said
