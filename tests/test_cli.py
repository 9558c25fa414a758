"""The program as a person, or another program, calls it."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Quantui = Callable[..., subprocess.CompletedProcess[str]]
DEAD = """
[market]
venue = "binance-usdm"
[endpoints.binance-usdm]
ws_public = "ws://127.0.0.1:9/public"
ws_market = "ws://127.0.0.1:9/market"
rest = "http://127.0.0.1:9"
"""


def _env(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "QUANTUI_"))}
    return kept | {"HOME": str(home), "XDG_STATE_HOME": str(home / "s"), "XDG_CONFIG_HOME": str(home / "c")}


@pytest.fixture
def quantui(tmp_path: Path) -> Quantui:
    """Runs a command with a data directory and a home of its own."""

    def run(*arguments: str, config: str | None = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        words = ["--data-dir", str(tmp_path / "data")]
        if config is not None:
            (tmp_path / "config.toml").write_text(config)
            words += ["--config", str(tmp_path / "config.toml")]
        return subprocess.run(
            [sys.executable, "-m", "quantui", *words, *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=_env(tmp_path),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run


@pytest.fixture
def collecting(tmp_path: Path, quantui: Quantui) -> Iterator[subprocess.Popen[bytes]]:
    """A collector without a network."""
    config = tmp_path / "config.toml"
    config.write_text(DEAD)
    process = subprocess.Popen(
        [sys.executable, "-m", "quantui", "--config", str(config), "--data-dir", str(tmp_path / "data"), "collect"],
        env=_env(tmp_path),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 20
    while quantui("status").returncode == 3:
        assert time.monotonic() < deadline, "the collector did not come up"
    yield process
    process.kill()
    process.communicate()


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_help_and_version_say_what_there_is(quantui: Quantui) -> None:
    assert quantui("--version").stdout.startswith("quantui ")
    text = quantui("--help").stdout
    for command in ("demo", "replay", "collect", "attach", "status", "stop", "analyze", "export", "doctor", "config"):
        assert command in text
    assert "==SUPPRESS==" not in text


def test_a_mistake_in_the_configuration_is_one_line_with_its_place_and_exit_2(quantui: Quantui) -> None:
    done = quantui("config", "check", config='[market]\nvenu = "binance-spot"\n')
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "config.toml:2" in done.stderr
    assert "'venue'" in done.stderr


def test_config_show_is_what_the_program_reads_back(quantui: Quantui, tmp_path: Path) -> None:
    shown = quantui("config", "show")
    assert shown.returncode == 0
    again = quantui("config", "show", config=shown.stdout)
    assert again.stdout.splitlines()[1:] == shown.stdout.splitlines()[1:]


def test_config_init_writes_a_file_once(quantui: Quantui, tmp_path: Path) -> None:
    assert quantui("config", "init").returncode == 0
    assert (tmp_path / "c" / "quantui" / "config.toml").read_text().startswith("# quantui")
    assert quantui("config", "init").returncode == 2


def test_status_and_stop_without_a_collector_exit_3(quantui: Quantui) -> None:
    assert quantui("status").returncode == 3
    assert json.loads(quantui("status", "--json").stdout) == {
        "running": False,
        "message": json.loads(quantui("status", "--json").stdout)["message"],
    }
    assert quantui("stop").returncode == 3


def test_without_a_network_the_collector_says_what_to_do_and_a_second_one_is_refused(
    quantui: Quantui, collecting: subprocess.Popen[bytes]
) -> None:
    deadline = time.monotonic() + 6
    while (health := json.loads(quantui("status", "--json").stdout))["feed"]["link"] != "offline":
        assert time.monotonic() < deadline, health["feed"]
    for word in ("127.0.0.1:9", "HTTPS_PROXY", "[endpoints.binance-usdm]", "quantui demo"):
        assert word in health["feed"]["detail"]
    assert quantui("status").returncode == 1
    second = quantui("collect", "--for", "5s", config=DEAD)
    assert second.returncode == 3
    assert f"pid {collecting.pid}" in second.stderr
    assert quantui("stop").returncode == 0
    assert collecting.wait(10) == 0
    assert quantui("status").returncode == 3


def test_the_screen_without_a_terminal_says_so(quantui: Quantui) -> None:
    done = quantui()
    assert done.returncode == 2
    assert "terminal" in done.stderr


def test_replayed_captures_give_the_exchanges_own_bars(quantui: Quantui, shared: Path) -> None:
    captures = sorted(map(str, (shared / "data/ticks/hftbacktest/spot").glob("*.gz")))
    done = quantui("replay", "--speed", "max", *captures)
    assert done.returncode == 0, done.stderr
    rows = _rows(quantui("export", "bars", "--symbol", "BTCUSDT", "--timeframe", "5m").stdout)
    oracles = json.loads((shared / "oracles/oracles.json").read_text())["oracles"]
    (oracle,) = [each for each in oracles if each["name"] == "resample.ticks_to_5m.BTCUSDT"]
    wanted = [
        (bar["open_time"], *(f"{bar[name]:.2f}" for name in ("open", "high", "low", "close")), f"{bar['volume']:.5f}")
        for bar in oracle["expected"]["bars"]
    ]
    names = ("open", "high", "low", "close", "volume")
    assert [(row["timestamp"].replace(".000Z", "Z"), *(row[name] for name in names)) for row in rows] == wanted


def test_replayed_futures_captures_publish_whole_bars_only(quantui: Quantui, shared: Path) -> None:
    captures = sorted(map(str, (shared / "data/ticks/hftbacktest/usdm").glob("*.gz")))
    assert quantui("replay", "--speed", "max", *captures).returncode == 0
    rows = _rows(quantui("export", "bars", "--symbol", "BTCUSDT", "--timeframe", "5m").stdout)
    assert [row["timestamp"] for row in rows] == ["2024-08-08T23:55:00.000Z"]
    seconds = _rows(quantui("export", "bars", "--symbol", "ETHUSDT", "--timeframe", "1s").stdout)
    assert len(seconds) > 300
    analytics = _rows(quantui("export", "analytics", "--timeframe", "1s").stdout)
    assert {(row["symbol_y"], row["symbol_x"]) for row in analytics} == {("ETHUSDT", "BTCUSDT")}
    assert analytics[-1]["zscore"]


def test_analyze_agrees_with_the_reference_on_real_hours(quantui: Quantui, shared: Path) -> None:
    reference = json.loads((shared / "oracles/reference/pairs_detail_visible.json").read_text())
    for wanted in reference["pairs"][:3]:
        folder = shared / "data/klines" / wanted["source"]
        files = [str(folder / f"{name.removesuffix('USDT')}_USDT-1h.feather") for name in (wanted["y"], wanted["x"])]
        words = ("analyze", "--pair", f"{wanted['y']}/{wanted['x']}", "--timeframe", "1h", "--window", str(wanted["n"]))
        done = quantui(*words, "--at", f"{wanted['end_exclusive']}T00:00:00Z", "--json", "--input", *files)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["alpha"] == pytest.approx(wanted["ols"]["alpha"], rel=1e-8)
        assert found["beta"] == pytest.approx(wanted["ols"]["beta"], rel=1e-8)
        assert found["zscore"] == pytest.approx(wanted["spread"]["z_last_full"], rel=1e-8)
        assert found["adf"]["stat"] == pytest.approx(wanted["adf_resid_aic"]["stat"], rel=1e-8)
        assert found["adf"]["lags"] == wanted["adf_resid_aic"]["lags"]
        assert found["engle_granger"]["stat"] == pytest.approx(wanted["engle_granger_aic"]["stat"], rel=1e-8)
        assert found["engle_granger"]["p_value"] == pytest.approx(wanted["engle_granger_aic"]["p"], rel=1e-8)


@pytest.mark.parametrize("estimator", ["dols", "johansen", "kalman"])
def test_analyze_by_each_estimator_says_what_it_means_in_plain_words(quantui: Quantui, shared: Path, estimator: str) -> None:
    files = [str(shared / f"data/klines/genetrader_1h/{name}_USDT-1h.feather") for name in ("ETH", "BTC")]
    words = ("analyze", "--pair", "ETHUSDT/BTCUSDT", "--timeframe", "1h", "--estimator", estimator, "--input", *files)
    found = json.loads(quantui(*words, "--json").stdout)
    assert found["estimator"] == estimator
    assert found["beta_se"] > 0
    assert found["parkinson"]["y"] > 0
    table = quantui(*words).stdout
    assert "In plain words:" in table
    assert found["verdicts"]["engle_granger"] in table


def test_analyze_regresses_y_on_several_legs(quantui: Quantui, shared: Path) -> None:
    folder = shared / "data/klines/genetrader_1h"
    files = [str(folder / f"{name}_USDT-1h.feather") for name in ("ETH", "BTC", "LTC")]
    words = ("analyze", "--pair", "ETHUSDT/BTCUSDT", "--with", "LTCUSDT", "--input", *files, "--json")
    done = quantui(*words)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["several"]
    assert set(found["legs"]) == {"BTCUSDT", "LTCUSDT"}
    assert 0 < found["r_squared"] <= 1
    assert 0 <= found["engle_granger"]["p_value"] <= 1
    assert "several" not in json.loads(quantui(*words[:3], *words[5:]).stdout)
    done = quantui(*words[:4], "XRPUSDT", *words[5:])
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "holds no 1h bars of XRPUSDT" in done.stderr


def test_analyze_with_too_little_data_exits_4_and_says_how_much_there_is(quantui: Quantui, tmp_path: Path) -> None:
    for name in ("AAAUSDT", "BBBUSDT"):
        lines = [f"{1_700_000_040 + i * 60},{name},1m,10,12,10,{10 + i % 3},1" for i in range(50)]
        (tmp_path / f"{name}.csv").write_text("timestamp,symbol,interval,open,high,low,close,volume\n" + "\n".join(lines))
    done = quantui("analyze", "--pair", "AAAUSDT/BBBUSDT", "--input", "AAAUSDT.csv", "BBBUSDT.csv")
    assert done.returncode == 4
    assert "48/240" in done.stderr


def test_export_without_a_store_exits_1_with_one_line(quantui: Quantui) -> None:
    done = quantui("export", "bars")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_doctor_names_what_cannot_be_reached(quantui: Quantui) -> None:
    done = quantui("doctor", "--json", config=DEAD)
    findings = {finding["name"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert not findings["binance-usdm"]["ok"]
    assert findings["configuration"]["ok"]
