import os
import stat
from pathlib import Path

import pytest

from quantui import config, paths
from quantui.paths import PathError


def xdg(root: Path) -> dict[str, str]:
    return {
        "XDG_DATA_HOME": str(root / "data"),
        "XDG_STATE_HOME": str(root / "state"),
        "XDG_RUNTIME_DIR": str(root / "run"),
    }


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose path leaves room for a socket."""
    folder = tmp_path_factory.mktemp("p")
    if len(str(folder)) > 60:
        pytest.skip("the temporary folder's path is too long for a socket below it")
    return folder


def test_xdg_variables_decide(tmp_path: Path) -> None:
    places = paths.resolve(None, xdg(tmp_path))
    assert paths.config_dir({"XDG_CONFIG_HOME": str(tmp_path)}) == config.user_file({"XDG_CONFIG_HOME": str(tmp_path)}).parent
    assert places.data_dir == tmp_path / "data" / "quantui"
    assert places.database.parent == places.lock.parent == places.data_dir
    assert places.collector_log.parent == places.screen_log.parent == tmp_path / "state" / "quantui"


def test_the_named_data_directory_wins_over_the_variable(tmp_path: Path) -> None:
    env = xdg(tmp_path) | {"QUANTUI_DATA_DIR": str(tmp_path / "variable")}
    assert paths.resolve(None, env).data_dir == tmp_path / "variable"
    assert paths.resolve(tmp_path / "named", env).data_dir == tmp_path / "named"


def test_a_relative_xdg_variable_is_ignored_and_a_relative_data_directory_is_made_absolute(tmp_path: Path) -> None:
    assert paths.resolve(None, {"XDG_DATA_HOME": "relative"}).data_dir.is_absolute()
    assert paths.resolve(Path("here"), xdg(tmp_path)).data_dir == Path.cwd() / "here"


def test_the_same_data_directory_has_the_same_socket_and_another_one_another(short: Path) -> None:
    env = xdg(short)
    one = paths.resolve(short / "a", env)
    (short / "a").mkdir()
    (short / "link").symlink_to(short / "a")
    assert one.socket == paths.resolve(short / "link", env).socket
    assert one.socket != paths.resolve(short / "b", env).socket
    assert one.socket.parent == short / "state" / "quantui" / "run"


def test_the_socket_does_not_depend_on_a_directory_that_goes_with_the_login_session(short: Path) -> None:
    env = xdg(short)
    later = env | {"XDG_RUNTIME_DIR": "/run/user/12345"}
    assert paths.resolve(None, env).socket == paths.resolve(None, later).socket


@pytest.mark.parametrize("length", [0, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("character", ["a", "é"])
def test_the_path_of_a_socket_is_always_short_enough(length: int, character: str) -> None:
    deep = "/" + character * length
    env = {"XDG_STATE_HOME": deep, "XDG_RUNTIME_DIR": deep, "XDG_DATA_HOME": deep}
    assert len(os.fsencode(paths.resolve(None, env).socket)) < 100


def test_a_long_state_directory_falls_back_to_the_runtime_directory() -> None:
    env = {"XDG_STATE_HOME": "/" + "s" * 90, "XDG_RUNTIME_DIR": "/run/user/7", "XDG_DATA_HOME": "/d"}
    assert paths.resolve(None, env).runtime_dir == Path("/run/user/7/quantui")


def test_directories_are_made_for_their_owner_only(short: Path) -> None:
    places = paths.resolve(None, xdg(short))
    places.create()
    places.create()
    for directory in (places.data_dir, places.state_dir, places.runtime_dir):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_socket_directory_that_others_may_enter_is_closed(short: Path) -> None:
    places = paths.resolve(None, xdg(short))
    places.runtime_dir.mkdir(parents=True, mode=0o755)
    places.create()
    assert stat.S_IMODE(places.runtime_dir.stat().st_mode) == 0o700


def test_a_link_in_place_of_the_socket_directory_is_refused(short: Path) -> None:
    places = paths.resolve(None, xdg(short))
    places.state_dir.mkdir(parents=True)
    (short / "elsewhere").mkdir()
    places.runtime_dir.symlink_to(short / "elsewhere")
    with pytest.raises(PathError, match="not a directory of this user"):
        places.create()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PathError, match="cannot be made"):
        paths.resolve(tmp_path / "file" / "data", xdg(tmp_path)).create()
