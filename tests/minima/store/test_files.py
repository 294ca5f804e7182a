"""Files that are never half-written, and locks that a kill frees."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from minima.store import files
from minima.store.files import check_writable, complete, hold, open_regular, part_path, sha256, write_atomically
from minima.store.messages import BadInput

HOLDER = """
import sys, time
from pathlib import Path
from minima.store.files import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds tmp_path / x.h5."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "x.h5")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert sha256(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_only_a_regular_file_is_read_and_nothing_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("x")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"abc"
    for path, said in {
        tmp_path / "fifo": "fifo is a pipe, expected a regular file",
        Path("/dev/zero"): "/dev/zero is a device, expected a regular file",
        tmp_path: "is a folder, expected a file",
        tmp_path / "x/y": "cannot be read: Not a directory",
        tmp_path / "loop": "cannot be read: Too many levels",
        Path("a\0b"): "cannot be read: embedded null",
    }.items():
        with pytest.raises(BadInput, match=said):
            open_regular(path)
    with pytest.raises(BadInput, match="link cannot be read"):
        open_regular(tmp_path / "link", follow=False)


def test_a_missing_file_is_named_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "lenet5.pt").write_bytes(b"")
    with pytest.raises(BadInput, match=r"(?s)lenet.pt: there is no such file.*has lenet5.pt"):
        sha256(tmp_path / "lenet.pt")
    with pytest.raises(BadInput, match="nor its folder"):
        sha256(tmp_path / "no" / "lenet.pt")
    with pytest.raises(BadInput, match="is a folder"):
        sha256(tmp_path)


def test_write_atomically_writes_and_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    for content in (b"first", b"second, longer", b""):
        write_atomically(tmp_path / "x.pt", content)
        assert (tmp_path / "x.pt").read_bytes() == content
    assert names(tmp_path) == ["x.pt"]


def test_a_written_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "x.pt", b"")
    mode = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "x.pt")]
    assert mode[0] == mode[1]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_atomically(tmp_path / "x.pt", b"old")
    monkeypatch.setattr(files.os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "x.pt", b"new")
    assert (tmp_path / "x.pt").read_bytes() == b"old"
    assert names(tmp_path) == ["x.pt"]


def test_what_a_killed_writer_left_does_not_mix_with_the_next(tmp_path: Path) -> None:
    (tmp_path / ".x.pt.part").write_bytes(b"half of something much longer")
    write_atomically(tmp_path / "x.pt", b"new")
    assert (tmp_path / "x.pt").read_bytes() == b"new"
    assert names(tmp_path) == ["x.pt"]


def test_writers_at_once_do_not_mix(tmp_path: Path) -> None:
    contents = [bytes([48 + index]) * 200_000 for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_atomically(tmp_path / "x", content), contents))
    assert (tmp_path / "x").read_bytes() in contents
    assert names(tmp_path) == ["x"]


def test_complete_gives_the_part_its_name(tmp_path: Path) -> None:
    part = part_path(tmp_path / "x.h5", "0123456789abcdef")
    part.write_bytes(b"whole")
    complete(part, tmp_path / "x.h5")
    assert names(tmp_path) == ["x.h5"]


def test_check_writable_says_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for target, message in (
        (tmp_path / "no" / "x.h5", f"mkdir -p {tmp_path / 'no'}"),
        (tmp_path / "file" / "x.h5", "expected a folder"),
        (tmp_path, "is a folder"),
        (Path("/dev/null"), "no plain file"),
        (Path("/proc/self/x.h5"), "cannot write in /proc/self"),
    ):
        with pytest.raises(BadInput, match=message):
            check_writable(target)
    check_writable(tmp_path / "x.h5")
    assert names(tmp_path) == ["file"]


def test_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    with hold(tmp_path / "x.h5"):
        assert names(tmp_path) == [".x.h5.lock"]
    with pytest.raises(RuntimeError, match="work"), hold(tmp_path / "x.h5"):
        raise RuntimeError("work")
    assert names(tmp_path) == []


def test_a_second_writer_is_told_who_writes(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(BadInput, match=rf"x\.h5 is being written by process {holder.pid} on"), hold(tmp_path / "x.h5"):
        pytest.fail("both hold it")
    with hold(tmp_path / "y.h5"):
        pass


def test_a_killed_writer_holds_nothing(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert names(tmp_path) == [".x.h5.lock"]
    with hold(tmp_path / "x.h5"):
        pass
    assert names(tmp_path) == []


def test_only_one_of_many_holds_at_a_time(tmp_path: Path) -> None:
    guard = threading.Lock()
    outcomes: list[str] = []

    def work(_: int) -> None:
        try:
            with hold(tmp_path / "x.h5"):
                outcomes.append("alone" if guard.acquire(blocking=False) else "together")
                guard.release()
        except BadInput:
            outcomes.append("refused")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(800)))  # raises what a thread raised
    assert len(outcomes) == 800
    assert "alone" in outcomes
    assert "together" not in outcomes
    assert names(tmp_path) == []
