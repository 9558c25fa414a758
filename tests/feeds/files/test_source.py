"""Hostile and odd files: limits, damage, archives, pipes."""

import gzip
import io
import os
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantui.feeds.files import FileError
from quantui.feeds.files.reader import Given, read, read_trades
from quantui.feeds.files.source import Limits
from tests.feeds.files.conftest import Write

GOOD = "ts,symbol,price,size\n" + "1723161600,BTCUSDT,100,1\n" * 100


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_a_pipe_is_read_packed_or_not() -> None:
    for data in (GOOD.encode(), gzip.compress(GOOD.encode())):
        assert read_trades("-", stdin=io.BytesIO(data)).trades == 100


def test_a_zip_through_a_real_pipe(tmp_path: Path) -> None:
    data = archive(tmp_path / "a.zip", {"ticks.csv": GOOD.encode()}).read_bytes()
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as out:
        out.write(data)
    with os.fdopen(reading, "rb") as pipe:
        assert read_trades("-", stdin=pipe).trades == 100


def test_nothing_piped_in_is_an_error() -> None:
    with pytest.raises(FileError, match="stdin"):
        read("-")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"hello world", b"\x00\x01\x02", b"\xff\xfet\x00", b"\x1f\x8b", b"PK\x03\x04", b"ARROW1", b"PAR1", b'"a'],
)
def test_what_is_nothing_we_know_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd"
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path, Path("a\0b")):
        with pytest.raises(FileError, match="cannot be read"):
            read(path)


def test_a_byte_order_mark_is_no_part_of_the_header(write: Write) -> None:
    assert read_trades(write("a.csv", b"\xef\xbb\xbf" + GOOD.encode())).trades == 100


def test_a_line_without_end_is_refused(write: Write) -> None:
    with pytest.raises(FileError, match="line 2: a line longer than 65536 bytes"):
        read(write("a.gz", GOOD.splitlines()[0] + "\n" + "1" * (1 << 22)))


def test_a_million_columns_are_refused(write: Write) -> None:
    with pytest.raises(FileError):
        read(write("a.csv", "a," * 1_000_000))


def test_a_gzip_bomb_stops_at_the_ratio(write: Write) -> None:
    path = write("bomb.gz", "ts,symbol,price,size\n" + "1723161600,BTCUSDT,100,1\n" * 400_000)
    with pytest.raises(FileError, match="more than 100 times"):
        read(path)


def test_a_zip_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.zip", {"a.csv": b"0" * (8 << 20)})
    with pytest.raises(FileError, match="more than 100 times"):
        read(path)


def test_a_file_beyond_the_limit_is_refused(write: Write) -> None:
    with pytest.raises(FileError, match="larger than"):
        read(write("a.csv", GOOD), limits=Limits(size=1000))
    with pytest.raises(FileError, match="larger than"):
        read(write("a.gz", GOOD), limits=Limits(size=1000))


def test_ten_gigabytes_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(FileError, match="larger than 2048 MB"):
        read(path)


@pytest.mark.parametrize("name", ["../../evil.csv", "/etc/evil.csv", "C:\\evil.csv", "CON", "a/b.csv"])
def test_a_path_inside_an_archive_is_never_written(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    path = archive(folder / "a.zip", {name: GOOD.encode()})
    assert read_trades(path).trades == 100
    assert sorted(tmp_path.rglob("*")) == [folder, path]


def test_a_zip_must_hold_one_file(tmp_path: Path) -> None:
    for number, members in enumerate(({}, {"a": b"1", "b": b"2"})):
        with pytest.raises(FileError):
            read(archive(tmp_path / f"{number}.zip", members))


def test_a_recording_cut_off_in_the_middle_may_be_used_up_to_there(write: Write) -> None:
    lines = "".join(f"1723161600.{number:06d},BTCUSDT,{number + 1},1\n" for number in range(50_000))
    path = write("a.gz", "ts,symbol,price,size\n" + lines)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(FileError, match="damaged or cut off"):
        read(path)
    assert 30_000 < read_trades(path, Given(skip_bad=True)).trades < 50_000


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=300), cut=st.integers(0, 200), packed=st.sampled_from(["", "gz", "zip"]))
def test_noise_is_refused_or_read_and_never_crashes(tmp_path: Path, data: bytes, cut: int, packed: str) -> None:
    content = GOOD.encode()[:cut] + data
    if packed == "gz":
        content = gzip.compress(content)[: 40 + cut]
    elif packed == "zip":
        content = b"PK\x03\x04" + zlib.compress(content)
    path = tmp_path / "noise"
    path.write_bytes(content)
    said: list[str] = []
    for skip_bad in (False, True):
        try:
            read(path, Given(symbol="A", skip_bad=skip_bad))
        except FileError as error:
            said.append(str(error))
    assert not any("\n" in message for message in said)
