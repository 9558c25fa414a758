import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from quantui import config
from quantui.config import AlertRule, ConfigError, PairNames, Settings, load, render, seconds

ROOT = Path(__file__).resolve().parents[1]


def wrong(folder: Path, text: str) -> str:
    """The error that `text` gives, without the folder."""
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, {}, folder)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def read(folder: Path, text: str) -> Settings:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {}, folder).settings


def test_the_documented_defaults_are_the_defaults(tmp_path: Path) -> None:
    loaded = load(ROOT / "config.toml", {}, tmp_path)
    assert loaded.settings == Settings()


def test_every_setting_is_documented() -> None:
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    for line in render(Settings(alerts=(AlertRule(threshold=2.5, correlation=0.8, rearm=1.0),))).splitlines():
        key = line.partition(" =")[0]
        if key and key != "allow_legacy_paths":
            assert key in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[analysis]\nwindow = 50\nwindw = 3", "config.toml:3: [analysis] has no key 'windw'; did you mean 'window'?"),
        ("[analisys]\nwindow = 50", "config.toml:1: the configuration has no table 'analisys'; did you mean 'analysis'?"),
        ("[analysis]\n\n# why\nwindow = 'a'", "config.toml:4: [analysis] window must be a whole number, not 'a'"),
        ("[analysis]\nwindow = 29", "config.toml:2: [analysis] window must be >= 30, not 29"),
        ("[analysis]\nwindow = 5001", "config.toml:2: [analysis] window must be <= 5000, not 5001"),
        ("[analysis]\nwindow = true", "config.toml:2: [analysis] window must be a whole number, not true"),
        ("[analysis]\nentry = nan", "config.toml:2: [analysis] entry must be a finite number"),
        (
            "[analysis]\nestimator = 'returns'\nspace = 'price'",
            'config.toml:2: [analysis] estimator: returns regresses log returns: it needs space = "log", not price',
        ),
        (
            "[analysis]\nestimator = 'theil-sen'\nwindow = 1001",
            "config.toml:2: [analysis] estimator: theil-sen takes the slope between any two bars: window must be 1000 or less",
        ),
        ("[analysis]\nexit = 2.0", "config.toml:2: [analysis] exit: must be 0 or more and below entry = 2.0, not 2.0"),
        (
            "[analysis]\ntimeframe = '2m'",
            "config.toml:2: [analysis] timeframe must be one of '1s', '1m', '5m', '15m', '1h', not '2m'",
        ),
        ("[market]\nbook = 1\n", "config.toml:2: [market] book must be true or false, not 1"),
        ("# a\n[[pairs]]\ny = 'AAA'\nx = 'BBB'\n\n[[pairs]]\ny = 'CCC'", "config.toml:6: [[pairs]] needs 'x'"),
        ("[[pairs]]\ny = 'AAA'\nx = 'aaa'", "config.toml:3: [[pairs]] x: 'aaa' is paired with itself"),
        (
            "[analysis.gates]\nbeta = { limt = 1.0 }",
            "config.toml:2: [analysis.gates.beta] has no key 'limt'; did you mean 'limit'?",
        ),
        (
            "[collector]\nlinger = 'soon'",
            "config.toml:2: [collector] linger: 'soon' is not a duration: write it like 90s, 15m, 2h or 7d",
        ),
        ("[ui]\nfps = 4\n= 3", "config.toml:3: not valid TOML: Invalid statement"),
        ("pairs = 3", "config.toml:1: pairs must be a list in [ ], not 3"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert wrong(tmp_path, text) == message


def test_a_line_is_right_behind_statements_of_several_lines(tmp_path: Path) -> None:
    text = '[market]\nsymbols = [\n  "AAA", # one\n  "BBB",\n]\nnotes = """\n[analysis]\nwindw = 1\n"""\n'
    assert wrong(tmp_path, text).startswith("config.toml:6: [market] has no key 'notes'")


@settings(max_examples=30, deadline=None)
@given(blank=st.integers(0, 30), keys=st.integers(1, 8), comments=st.booleans())
def test_the_line_of_a_wrong_key_is_found_anywhere(
    tmp_path_factory: pytest.TempPathFactory, blank: int, keys: int, comments: bool
) -> None:
    filler = ["# x" if comments else ""] * blank
    lines = [
        *filler,
        "[market]",
        *filler,
        "symbols = [",
        *['"AAA",'] * keys,
        "]",
        *filler,
        "[store]",
        *filler,
        "tiks = true",
        *filler,
    ]
    message = wrong(tmp_path_factory.mktemp("config"), "\n".join(lines))
    assert message.startswith(f"config.toml:{lines.index('tiks = true') + 1}: [store] has no key 'tiks'; did you mean 'ticks'?")


def test_a_threshold_the_z_score_cannot_reach_is_refused_with_the_bound(tmp_path: Path) -> None:
    message = wrong(tmp_path, "[analysis]\nz_window = 9\nentry = 2.7\nstop = 3.0")
    assert message.startswith("config.toml:3: [analysis] entry: 2.7 is never reached")
    assert "(Z-1)/sqrt(Z) = 2.67" in message
    assert read(tmp_path, "[analysis]\nz_window = 9\nentry = 2.5\nstop = 2.6").analysis.entry == 2.5
    assert "stop: 4.0 is never reached" in wrong(tmp_path, "[analysis]\nz_window = 9\nentry = 2.5")
    assert wrong(tmp_path, "[[alerts]]\nthreshold = 3.0\n[[alerts]]\nname = 'b'\nthreshold = 16.0").startswith("config.toml:5: ")


@pytest.mark.parametrize("route", ["wss://fstream.binance.com", "wss://fstream.binance.com/ws", "wss://fstream.binance.com/public"])
def test_a_futures_address_without_its_route_is_refused_by_name(tmp_path: Path, route: str) -> None:
    text = f"[endpoints.binance-usdm]\nws_market = '{route}'"
    message = wrong(tmp_path, text)
    assert message.startswith("config.toml:2: [endpoints.binance-usdm] ws_market: ")
    assert "/market" in message
    forced = read(tmp_path, f"{text}\nallow_legacy_paths = true").endpoints.usdm
    assert forced.ws_market == route


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("wss://example.org", True),
        ("ws://127.0.0.1:9001", True),
        ("ws://localhost:9001/base", True),
        ("ws://[::1]:9001", True),
        ("ws://example.org", False),
        ("ws://127.0.0.1.example.org", False),
        ("ws://localhost@example.org", False),
        ("ws://0.0.0.0:1", False),
        ("https://example.org", False),
        ("wss://user:word@example.org", False),
        ("wss://example.org/?a=b", False),
        ("wss://example.org:port", False),
        ("wss://exa mple.org", False),
        ("wss://", False),
        ("", False),
    ],
)
def test_plain_addresses_are_for_this_machine_only(tmp_path: Path, address: str, accepted: bool) -> None:
    text = f"[endpoints.binance-spot]\nws = '{address}'"
    if accepted:
        assert read(tmp_path, text).endpoints.of("binance-spot").ws_market == address
    else:
        assert wrong(tmp_path, text).startswith("config.toml:2: [endpoints.binance-spot] ws: ")


def test_the_order_of_lookup(tmp_path: Path) -> None:
    cwd, user = tmp_path / "cwd", tmp_path / "xdg"
    env = {"XDG_CONFIG_HOME": str(user)}
    (user / "quantui").mkdir(parents=True)
    cwd.mkdir()

    assert load(None, env, cwd).source == "packaged defaults"
    (user / "quantui" / "config.toml").write_text("[ui]\nfps = 2.0")
    assert load(None, env, cwd).settings.ui.fps == 2.0
    (cwd / "config.toml").write_text("[tool]\nother = 1")
    assert load(None, env, cwd).source == "user configuration"
    (cwd / "config.toml").write_text("[market]\n[ui]\nfps = 3.0")
    assert load(None, env, cwd).settings.ui.fps == 3.0
    (cwd / "env.toml").write_text("[ui]\nfps = 5.0")
    assert load(None, env | {"QUANTUI_CONFIG": "env.toml"}, cwd).settings.ui.fps == 5.0
    (cwd / "named.toml").write_text("[ui]\nfps = 6.0")
    loaded = load(Path("named.toml"), env | {"QUANTUI_CONFIG": "env.toml"}, cwd)
    assert (loaded.settings.ui.fps, loaded.path, loaded.source) == (6.0, cwd / "named.toml", "--config")


def test_the_users_own_file_lies_in_the_configuration_directory(tmp_path: Path) -> None:
    assert config.user_file({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "quantui" / "config.toml"
    for ignored in ("", "relative"):
        assert config.user_file({"XDG_CONFIG_HOME": ignored}).is_absolute()


def test_a_broken_file_of_ours_in_the_working_directory_is_named_and_a_foreign_one_passed_over(tmp_path: Path) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path / "none")}
    (tmp_path / "config.toml").write_text("[market]\nvenue = ")
    with pytest.raises(ConfigError, match=r"config\.toml:2: not valid TOML"):
        load(None, env, tmp_path)
    (tmp_path / "config.toml").write_text("not = toml = at all")
    assert load(None, env, tmp_path).source == "packaged defaults"


def test_a_missing_file_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    for path, env in ((tmp_path / "no.toml", {}), (None, {"QUANTUI_CONFIG": str(tmp_path / "no.toml")}), (tmp_path, {})):
        with pytest.raises(ConfigError, match="cannot be read"):
            load(path, env, tmp_path)


def test_files_that_are_no_configuration_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match="1 MB"):
        load(file, {}, tmp_path)
    file.write_bytes(b"[ui]\n# \xff")
    with pytest.raises(ConfigError, match=r"config\.toml:2: is not UTF-8"):
        load(file, {}, tmp_path)
    assert "nested too deeply" in wrong(tmp_path, "a = " + "[" * 5000)
    assert "nested too deeply" in wrong(tmp_path, "a" + ".a" * 3_000 + " = 1")


def test_external_text_in_a_message_is_escaped(tmp_path: Path) -> None:
    message = wrong(tmp_path, '"\\u001b]52;\\u202e" = 1\n[ui]\ntheme = "\\u001b[2J"')
    assert message.isprintable()
    assert wrong(tmp_path, '[ui]\ntheme = "\\u001b[2J"').isprintable()


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf[ui]\r\nfps = 2.0\r\n")
    assert load(file, {}, tmp_path).settings.ui.fps == 2.0


def test_an_empty_list_of_pairs_asks_for_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "pairs = []\nalerts = []") == Settings()
    assert (
        read(tmp_path, "[[pairs]]\ny = 'binance-spot:BTCUSDT'\nx = '币安人生USDT'").pairs[0].text
        == "binance-spot:BTCUSDT/币安人生USDT"
    )
    assert "there twice" in wrong(tmp_path, "[[pairs]]\ny='AAA'\nx='BBB'\n[[pairs]]\ny='aaa'\nx='bbb'")


def test_part_of_a_gate_leaves_its_other_defaults(tmp_path: Path) -> None:
    gates = read(tmp_path, "[analysis.gates]\ncorrelation = { limit = 0.9 }\nliquidity = { limit = 5 }").analysis.gates
    assert (gates.correlation.limit, gates.correlation.silences) == (0.9, True)
    assert (gates.liquidity.limit, gates.liquidity.enabled) == (5.0, False)


@pytest.mark.parametrize("text", ["a b", "x", "AAA/BBB", "kraken:BTCUSDT", "A\\u0007B", "BTC?x", "a" * 41])
def test_what_cannot_be_a_symbol_is_refused(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, f'[market]\nsymbols = ["{text}"]').startswith("config.toml:2: [market] symbols: ")


def test_rendered_settings_read_back_equal(tmp_path: Path) -> None:
    chosen = Settings(
        pairs=(PairNames(y="AAA", x="BBB"), PairNames(y="BBB", x="CCC")),
        alerts=(AlertRule(name='q"\\é', threshold=2.5, notify=("bell",)), AlertRule(name="b")),
        ui=replace(Settings().ui, terminal_notification="osc9", mouse=False),
    )
    assert read(tmp_path, render(chosen)) == chosen
    assert read(tmp_path, render(Settings())) == Settings()


def test_init_writes_the_commented_defaults_and_never_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    config.init(path)
    assert path.read_text(encoding="utf-8") == (ROOT / "config.toml").read_text(encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("mine")
    with pytest.raises(ConfigError, match="already there"):
        config.init(path)
    assert path.read_text() == "mine"
    with pytest.raises(ConfigError, match="cannot be written"):
        config.init(path / "below" / "config.toml")


def test_durations() -> None:
    assert [seconds(text) for text in ("90s", "15m", "2h", "1.5m", "7d", "0s")] == [90, 900, 7200, 90, 604800, 0]
    for text in ("", "15", "m", "-1s", "1 m", "1e3s", "1ms", "١s"):
        with pytest.raises(ValueError, match="duration"):
            seconds(text)


@pytest.mark.parametrize(
    ("text", "terminal", "mouse"),
    [
        ("", "auto", None),
        ("terminal_notification = false\nmouse = false", "off", False),
        ("terminal_notification = 'osc777'\nmouse = true", "osc777", True),
    ],
)
def test_switches_of_the_screen_may_also_name_a_way(tmp_path: Path, text: str, terminal: str, mouse: bool | None) -> None:
    ui = read(tmp_path, f"[ui]\n{text}").ui
    assert (ui.notify_terminal, ui.mouse_on) == (terminal, mouse)


@pytest.mark.parametrize("name", ["UTC", "local", "Europe/Zurich", "America/Argentina/Ushuaia"])
def test_a_time_zone_is_one_this_machine_knows(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, f"[ui]\ntime_zone = '{name}'").ui.time_zone == name


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "x" * 300, "a\\u0000b"])
def test_another_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"time_zone: no zone .* on this machine: UTC, local, or a name such as"):
        read(tmp_path, f'[ui]\ntime_zone = "{name}"')


def test_retention_is_by_kind_and_zero_is_for_ever() -> None:
    days = Settings().store.retention_days
    assert (days.of("ticks"), days.of("1s"), days.of("1h")) == (2, 7, None)


def test_reading_a_configuration_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pathlib import Path; from quantui import config; config.load(None, {}, Path('/'));"
        "heavy = {'numpy', 'polars', 'textual', 'rich', 'aiohttp', 'asyncio', 'sqlite3'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # coverage itself loads sqlite3
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30, env=env)


def test_a_key_for_something_not_there_yet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="listen"):
        read(tmp_path, '[collector]\nlisten = "127.0.0.1:8000"')
