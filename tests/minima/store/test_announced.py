"""Files that announce more than they hold: refused before any room is made, and beyond --memory with what to type."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import resource
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from minima.store import room
from minima.store.checkpoints.checkpoint import Checkpoint, read, save
from minima.store.checkpoints.foreign import Foreign
from minima.store.messages import BadInput
from minima.store.room import allowing
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.files import read_file
from minima.zoo.data.idx import read_idx
from minima.zoo.data.numpy_files import read_npy
from minima.zoo.data.specs import resolve_data
from minima.zoo.subject.door import load_checkpoint

MANY = 3 * 2**30


@pytest.fixture(autouse=True)
def _no_room_was_made() -> object:
    """The process does not grow by more than the files' own bytes, and a little."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600 << 10


def torch_file(edit: Callable[[str, bytes], bytes], kind: int = zipfile.ZIP_STORED) -> bytes:
    whole, out = io.BytesIO(), io.BytesIO()
    torch.save({"w": torch.ones(2, 4), "b": torch.zeros(8)}, whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(out, "w", kind) as new:
        for record in old.infolist():
            new.writestr(record.filename, edit(record.filename, old.read(record)))
    return out.getvalue()


def npy(shape: str, body: bytes = bytes(64)) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def deflated(size: int, path: Path, name: str) -> None:
    """A zip of one record of zeros, written in pieces."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open(name, "w") as record:
        record.write(npy(f"({size},)", b""))
        for _ in range(size >> 24):
            record.write(bytes(1 << 24))


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(BadInput) as refused:
        work()
    return str(refused.value)


def test_a_compressed_checkpoint_is_read_within_the_memory_and_refused_beyond(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(torch_file(lambda _, body: body, zipfile.ZIP_DEFLATED))
    found = read(path)
    assert isinstance(found, Foreign)
    assert torch.equal(found.tensors["w"], torch.ones(2, 4))
    deflated(2**27, path, "archive/data/0")
    monkeypatch.setattr(room, "LEAST", 0.0)
    with allowing(0.1):
        said = "unpacks to 0.13 GiB, more than the 0.1 GiB of --memory.\nIf you trust the file, type --memory 1"
        assert said in refusal(lambda: read(path))


def test_a_zip_whose_record_is_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    deflated(2**25, path, "x_train.npy")
    content = path.read_bytes()
    directory = content.rindex(b"PK\x01\x02")
    small = struct.pack("<I", 2**20)
    path.write_bytes(content[: directory + 24] + small + content[directory + 28 :])
    assert "bytes of numbers are announced" in refusal(lambda: read_file(f"npz:{path}"))


@pytest.mark.parametrize("old", [False, True])
def test_tensors_of_more_bytes_than_there_are_make_no_room(tmp_path: Path, old: bool) -> None:
    path = tmp_path / "x.pt"
    large = pickle.dumps(8, 2)[2:-1], b"\x8a\x05" + MANY.to_bytes(5, "little")  # 8 numbers, 3 milliards
    if old:
        out = io.BytesIO()
        torch.save({"w": torch.ones(8)}, out, _use_new_zipfile_serialization=False)
        path.write_bytes(out.getvalue().replace(*large, 1))
    else:
        path.write_bytes(torch_file(lambda name, body: body.replace(*large) if name.endswith("pkl") else body))
    assert "bytes" in refusal(lambda: read(path))


def test_a_flipped_bit_in_the_file_of_somebody_else_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    whole = io.BytesIO()
    torch.save({"w": torch.full((50,), 1.25)}, whole)
    content = bytearray(whole.getvalue())
    content[content.index(torch.full((50,), 1.25).numpy().tobytes()) + 40] ^= 1
    path.write_bytes(content)
    assert "damaged" in refusal(lambda: read(path))


def test_a_file_that_torch_wrote_without_checksums_is_read(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"w": torch.ones(3)}, tmp_path / "x.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    found = read(tmp_path / "x.pt")
    assert isinstance(found, Foreign)
    assert list(found.tensors) == ["w"]


def test_containers_without_end_are_not_gone_through(tmp_path: Path) -> None:
    deep = b"\x80\x02" + b"]" * 3_000_000 + b"."
    (tmp_path / "x.pt").write_bytes(torch_file(lambda name, body: deep if name.endswith("pkl") else body))
    assert "nests containers more than 10,000 deep" in refusal(lambda: read(tmp_path / "x.pt"))


def test_a_pickle_that_makes_zeros_of_a_number_is_refused(tmp_path: Path) -> None:
    filler = b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R."
    (tmp_path / "x.pt").write_bytes(torch_file(lambda name, body: filler if name.endswith("pkl") else body))
    assert "would make builtins.bytearray of a size" in refusal(lambda: read(tmp_path / "x.pt"))


@pytest.mark.parametrize("shape", ["(1000000000000,)", "(-64,)", "64", "(2, 40)", "(63,)", "[a()]"])
def test_an_array_of_another_size_than_its_header_says_is_refused(tmp_path: Path, shape: str) -> None:
    (tmp_path / "x.npy").write_bytes(npy(shape))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("x_train.npy", npy(shape))
    for mapped in (False, True):
        assert str(tmp_path / "x.npy") in refusal(lambda mapped=mapped: read_npy(tmp_path / "x.npy", mapped=mapped))
    assert "'x_train.npy'" in refusal(lambda: read_file(f"npz:{tmp_path / 'x.npz'}"))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("mapped", [False, True])
def test_arrays_come_as_numpy_wrote_them(tmp_path: Path, order: str, mapped: bool) -> None:
    array = np.asarray(np.arange(24, dtype=">i4").reshape(2, 3, 4), order=order)  # type: ignore[call-overload]
    np.save(tmp_path / "x.npy", array)
    np.savez_compressed(tmp_path / "x.npz", x=array, none=array[:0])
    found = read_npy(tmp_path / "x.npy", mapped=mapped), read_file(f"npz:{tmp_path / 'x.npz'}")["x"]
    for each in found:
        assert each.dtype == array.dtype
        assert np.array_equal(each, array)
    assert read_file(f"npz:{tmp_path / 'x.npz'}")["none"].shape == (0, 3, 4)


def test_a_packed_idx_is_inflated_no_further_than_it_says(tmp_path: Path) -> None:
    def write(*sizes: int, body: bytes) -> None:
        header = bytes([0, 0, 8, len(sizes)]) + b"".join(struct.pack(">I", size) for size in sizes)
        (tmp_path / "x.gz").write_bytes(gzip.compress(header + body, 1))

    def reading() -> object:
        return read_idx(tmp_path, "x", advice="get it")

    write(2, 3, body=bytes(range(6)))
    assert np.array_equal(np.asarray(reading()), np.arange(6).reshape(2, 3))
    write(10, body=bytes(2**24))
    assert "longer than the 10 bytes" in refusal(reading)
    write(2**32 - 1, 4, body=bytes(2**20))
    assert "type --memory 16" in refusal(reading)
    write(2**22, body=bytes(2**20))
    assert "is truncated" in refusal(reading)
    write(2**20, body=bytes(2**20))
    packed = bytearray((tmp_path / "x.gz").read_bytes())
    packed[-6] ^= 1
    (tmp_path / "x.gz").write_bytes(packed)
    assert "cannot be read: CRC check failed" in refusal(reading)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"hidden": [40_000, 40_000]}, "missing in the file: fc3.weight, fc3.bias"),
        ({"hidden": [40_000]}, "fc1.weight: .8, 64. in the file, .40000, 64. in the model"),
        ({"hidden": [2**62]}, "cannot be made with these settings"),
        ({"hidden": [1] * 900}, "has more than 500 parameters"),
        ({"hidden": [1] * 9000}, "arguments.hidden is a list of 9000, expected a list of 0 to 1,000 values"),
        ({"hidden": "8"}, "arguments.hidden is '8', expected a list"),
        ({"width": 8}, "settings this version lacks: 'width'. It has: hidden"),
    ],
)
def test_a_network_that_the_file_cannot_fill_is_not_built(
    tmp_path: Path, arguments: dict[str, object], said: str
) -> None:
    model = describe(parse_architecture("mlp:hidden=8"), (1, 8, 8), 10)
    state = initialise(model, 3).state_dict()
    save(Checkpoint(model | {"arguments": arguments}, resolve_data("digits"), state), tmp_path / "x.pt")
    with pytest.raises(BadInput, match=said):
        load_checkpoint(tmp_path / "x.pt")


def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    for name in ("x.pt", "x.npz", "x.safetensors", "x.npy"):
        os.mkfifo(tmp_path / name)
    said = "is a pipe, expected a regular file"
    assert said in refusal(lambda: read(tmp_path / "x.pt"))
    assert said in refusal(lambda: read_file(f"npz:{tmp_path / 'x.npz'}"))
    assert said in refusal(lambda: read_file(f"safetensors:{tmp_path / 'x.safetensors'}"))
    assert said in refusal(lambda: read_file(f"npy:{tmp_path}"))
