"""What is read comes from one state of one file, also where it is hashed first and parsed later."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from minima.store.checkpoints.checkpoint import Checkpoint, load, save
from minima.store.messages import BadInput
from minima.store.reading import read_bytes, reading, sha256, unchanging


def replace(path: Path) -> None:
    path.with_name("new").write_bytes(b"new!")
    os.replace(path.with_name("new"), path)


def replace_by_a_copy(path: Path) -> None:
    facts = path.stat()
    path.with_name("new").write_bytes(b"copy")
    os.utime(path.with_name("new"), ns=(facts.st_atime_ns, facts.st_mtime_ns))
    os.replace(path.with_name("new"), path)


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"X")


def rewrite_and_set_its_time_back(path: Path) -> None:
    facts = path.stat()
    rewrite(path)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def replace_and_put_back(path: Path) -> None:
    os.rename(path, path.with_name("aside"))
    path.write_bytes(b"for a moment")
    os.replace(path.with_name("aside"), path)


CHANGES = [replace, replace_by_a_copy, rewrite, rewrite_and_set_its_time_back, replace_and_put_back]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "x").write_bytes(b"abcd")
    return tmp_path / "x"


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changed_since_it_was_hashed_is_refused(path: Path, change: Callable[[Path], None]) -> None:
    with unchanging():
        assert sha256(path) == hashlib.sha256(b"abcd").hexdigest()
        assert read_bytes(path) == b"abcd"
        change(path)
        with pytest.raises(BadInput, match=f"{path} was written or replaced while"):
            read_bytes(path)
    assert read_bytes(path)


@pytest.mark.parametrize("change", [rewrite, rewrite_and_set_its_time_back])
def test_a_file_that_is_written_while_it_is_read_is_refused(path: Path, change: Callable[[Path], None]) -> None:
    def read_to_the_end() -> None:
        with reading(path):
            change(path)

    def fail() -> None:
        with reading(path):
            change(path)
            raise ValueError("its parser could make nothing of it")

    for read in (read_to_the_end, fail):
        with pytest.raises(BadInput, match="was written or replaced"):
            read()


def test_what_replaces_an_open_file_is_not_read(path: Path) -> None:
    def read() -> None:
        with reading(path) as file:
            replace(path)  # the open one is unlinked, which its state tells
            assert file.read() == b"abcd"

    with pytest.raises(BadInput, match="was written or replaced"):
        read()


def test_within_a_block_in_a_block_the_outer_one_counts(path: Path) -> None:
    with unchanging():
        with unchanging():
            sha256(path)
        rewrite(path)
        with pytest.raises(BadInput, match="was written or replaced"):
            sha256(path)


def test_a_checkpoint_replaced_between_hashing_and_reading_is_never_measured(
    tmp_path: Path, make_checkpoint: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command hashes, then the file is replaced, then it is read: hash and numbers would be of two networks."""
    from minima import checkpoint as command

    save(make_checkpoint(0.5), tmp_path / "x.pt")
    save(make_checkpoint(0.8), tmp_path / "other.pt")
    arguments = command.Show(file=tmp_path / "x.pt")
    assert command.main(arguments)

    def hashed_then_replaced(path: Path) -> str:
        found = sha256(path)
        os.replace(tmp_path / "other.pt", path)
        return found

    monkeypatch.setattr(command, "sha256", hashed_then_replaced)
    with pytest.raises(BadInput, match=r"x\.pt was written or replaced"):
        command.main(arguments)
    assert load(tmp_path / "x.pt")
