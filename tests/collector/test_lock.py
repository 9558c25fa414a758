import os
import subprocess
import sys
from pathlib import Path

import pytest

from quantui.collector.lock import AlreadyRunningError, Holder, find, held, is_abandoned

HOLDER = Holder(pid=os.getpid(), socket="/run/x.sock", mode="live", started_ms=1)


def test_nobody_holds_a_lock_that_was_never_made(tmp_path: Path) -> None:
    assert find(tmp_path / "collector.lock") is None


def test_the_holder_is_named_while_it_holds_and_gone_after(tmp_path: Path) -> None:
    path = tmp_path / "collector.lock"
    with held(path, HOLDER):
        assert find(path) == HOLDER
    assert find(path) is None


def test_a_second_collector_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "collector.lock"
    with held(path, HOLDER), pytest.raises(AlreadyRunningError, match=f"pid {HOLDER.pid}") as caught, held(path, HOLDER):
        pass
    assert caught.value.holder == HOLDER


def test_a_lock_left_by_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "collector.lock"
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom quantui.collector.lock import Holder, held\n"
        f"with held(Path({str(path)!r}), Holder(os.getpid(), 's', 'live', 1)):\n    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == -9
    assert path.read_bytes()
    assert find(path) is None
    assert is_abandoned(path)
    with held(path, HOLDER):
        assert find(path) == HOLDER
        assert not is_abandoned(path)
    assert not is_abandoned(path), "it ended in order"
