"""Checkpoints: what goes in comes out, in equal bytes, in little space, and nothing else is taken for one."""

from __future__ import annotations

import hashlib
import io
import math
import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minima.store.checkpoints.checkpoint import FORMAT, HEADER, Checkpoint, load, read, save, sparsity
from minima.store.checkpoints.foreign import Foreign
from minima.store.checkpoints.header import RECIPE
from minima.store.checkpoints.unpickling import named_globals
from minima.store.messages import BadInput
from minima.store.plain import plain
from minima.zoo.training.recipe import Recipe

Make = Callable[..., Checkpoint]


class Evil:
    """Runs code when a careless reader unpickles it."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.flag}",)


def assert_same_tensors(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> None:
    assert list(one) == list(other)
    for name, tensor in one.items():
        assert tensor.dtype == other[name].dtype, name
        assert torch.equal(tensor, other[name]), name


@pytest.mark.parametrize("kept", [None, 0.0, 0.9, 1.0])
def test_what_is_saved_is_loaded(make_checkpoint: Make, tmp_path: Path, kept: float | None) -> None:
    checkpoint = make_checkpoint(
        kept,
        weights_at={0: {"fc1.weight": torch.ones(40, 50)}, 3: {"fc1.weight": torch.zeros(40, 50)}},
        parent="ab" * 32,
        method={"name": "magnitude", "sparsity": 0.9},
    )
    save(checkpoint, tmp_path / "x.pt")
    back = load(tmp_path / "x.pt")
    assert_same_tensors(back.state, checkpoint.state)
    assert_same_tensors(back.masks, checkpoint.masks)
    assert list(back.weights_at) == [0, 3]
    assert_same_tensors(back.weights_at[3], checkpoint.weights_at[3])
    for name in HEADER:
        if name != "versions":
            assert getattr(back, name) == plain(getattr(checkpoint, name)), name
    assert back.versions["torch"] == torch.__version__


def test_weights_only_reads_plain_containers_and_tensors(make_checkpoint: Make, tmp_path: Path) -> None:
    def check(value: object) -> None:
        assert type(value) in (dict, list, str, int, float, bool, type(None), torch.Tensor)
        if isinstance(value, dict):
            for key, item in value.items():
                assert type(key) in (str, int)
                check(item)
        for item in value if isinstance(value, list) else ():
            check(item)

    weights = {"fc1.weight": torch.nn.Parameter(torch.ones(2, 2))}
    save(make_checkpoint(weights_at={0: weights}, training={"path": Path("a"), "sizes": (1, 2)}), tmp_path / "x.pt")
    raw = torch.load(tmp_path / "x.pt", weights_only=True)
    check(raw)
    assert raw["format"] == FORMAT
    assert raw["model"]["arguments"] == {"hidden": [300, 100]}


def test_equal_content_gives_equal_bytes_whatever_the_path(make_checkpoint: Make, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    paths = [tmp_path / "x.pt", tmp_path / "folder" / "of-another-length.pt"]
    hashes = [save(make_checkpoint(), path) for path in paths]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert hashes == [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert save(load(paths[0]), tmp_path / "again.pt") == hashes[0]


def test_how_tensors_lie_in_memory_does_not_show_in_the_bytes(make_checkpoint: Make, tmp_path: Path) -> None:
    plainly = make_checkpoint(None, shape=(8, 3, 5, 5))
    weight = plainly.state["fc1.weight"]
    big = torch.zeros(100_000)
    big[: weight.numel()] = weight.flatten()
    shared = big[: weight.numel()].view(weight.shape)  # a view into a large storage
    strided = weight.to(memory_format=torch.channels_last).requires_grad_()
    hashes = {
        save(replace(plainly, state=plainly.state | {"fc1.weight": tensor}), tmp_path / "x.pt")
        for tensor in (weight, shared, strided)
    }
    assert len(hashes) == 1


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1), st.integers(1, 400), st.integers(1, 800))
def test_the_compact_size_bound(
    make_checkpoint: Make, tmp_path_factory: pytest.TempPathFactory, removed: float, rows: int, columns: int
) -> None:
    path = tmp_path_factory.mktemp("size") / "x.pt"
    checkpoint = make_checkpoint(removed, shape=(rows, columns))
    save(checkpoint, path)
    mask = checkpoint.masks["fc1.weight"]
    assert path.stat().st_size <= 1.1 * (4 * int(mask.sum()) + mask.numel() / 8) + 64 * 1024


def test_many_tensors_stay_within_the_bound(make_checkpoint: Make, tmp_path: Path) -> None:
    masks = {f"layer{index}.conv.weight": torch.arange(9).reshape(1, 1, 3, 3) % 2 == 0 for index in range(40)}
    state = {name: mask.float() for name, mask in masks.items()}
    checkpoint = replace(make_checkpoint(), state=state, masks=masks)
    save(checkpoint, tmp_path / "x.pt")
    assert (tmp_path / "x.pt").stat().st_size <= 64 * 1024


def test_tied_weights_are_stored_once(make_checkpoint: Make, tmp_path: Path) -> None:
    checkpoint = make_checkpoint(0.5, shape=(300, 400))
    sizes = [len_after_save(checkpoint, tmp_path / "x.pt")]
    tied = {"decoder.weight": checkpoint.state["fc1.weight"].clone()} | checkpoint.state
    sizes.append(len_after_save(replace(checkpoint, state=tied), tmp_path / "x.pt"))
    assert sizes[1] < sizes[0] + 1024
    assert_same_tensors(load(tmp_path / "x.pt").state, tied)
    assert list(load(tmp_path / "x.pt").masks) == ["fc1.weight"]


def len_after_save(checkpoint: Checkpoint, path: Path) -> int:
    save(checkpoint, path)
    return path.stat().st_size


def test_a_loaded_checkpoint_shares_no_memory_with_another(make_checkpoint: Make, tmp_path: Path) -> None:
    save(make_checkpoint(), tmp_path / "x.pt")
    first, second = load(tmp_path / "x.pt"), load(tmp_path / "x.pt")
    first.state["fc1.weight"].fill_(7)
    assert not second.state["fc1.weight"].eq(7).any()


def test_saving_leaves_the_checkpoint_as_it_was(make_checkpoint: Make, tmp_path: Path) -> None:
    checkpoint, untouched = make_checkpoint(), make_checkpoint()
    save(checkpoint, tmp_path / "x.pt")
    assert_same_tensors(checkpoint.state, untouched.state)
    assert [getattr(checkpoint, name) for name in HEADER] == [getattr(untouched, name) for name in HEADER]


def test_what_would_be_lost_is_not_saved(make_checkpoint: Make, tmp_path: Path) -> None:
    checkpoint = make_checkpoint()
    loose = replace(checkpoint, state=checkpoint.state | {"fc1.weight": torch.ones(40, 50)})
    with pytest.raises(ValueError, match=r"fc1.weight: .* removed weights are not 0"):
        save(loose, tmp_path / "x.pt")
    stray = replace(checkpoint, masks={"fc9.weight": torch.ones(2, dtype=torch.bool)})
    with pytest.raises(ValueError, match=r"fc9.weight"):
        save(stray, tmp_path / "x.pt")
    assert list(tmp_path.iterdir()) == []


def test_sparsity_counts_over_all_layers() -> None:
    masks = {"a": torch.tensor([[True] * 3 + [False]]), "b": torch.tensor([[False] * 4])}
    assert sparsity(masks) == 5 / 8
    assert sparsity(masks | {"a.bias": torch.tensor([False])}) == 5 / 8  # goes with its unit, and is not counted
    assert sparsity({}) == 0


def test_every_field_is_stored() -> None:
    assert {entry.name for entry in fields(Checkpoint)} == {*HEADER, "state", "masks", "weights_at"}


# ---- what is not a checkpoint


@pytest.mark.parametrize("protocol", ["zip", "legacy", 0, 2, 4, 5])
def test_a_pickle_that_would_run_code_is_refused_and_not_run(tmp_path: Path, protocol: str | int) -> None:
    path, flag = tmp_path / "evil.pt", tmp_path / "it-ran"
    content = {"format": FORMAT, "version": 1, "state": Evil(flag)}
    if isinstance(protocol, int):
        path.write_bytes(pickle.dumps(content, protocol))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=protocol == "zip")
    for reader in (load, read):
        with pytest.raises(BadInput, match=r"evil.pt would run code to be read: it names \w+\.system. It was not run"):
            reader(path)
    assert not flag.exists()


class Loud(torch.nn.Linear):
    """A module that says when somebody fills it, as pickle does."""

    made: ClassVar[list[str]] = []

    def __setstate__(self, state: dict[str, object]) -> None:
        self.made.append("filled")
        super().__setstate__(state)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("in_zip", [True, False])
def test_of_a_whole_module_the_tensors_are_read_and_nothing_is_run(tmp_path: Path, protocol: int, in_zip: bool) -> None:
    module = torch.nn.Sequential(Loud(2, 3), torch.nn.BatchNorm1d(3))
    torch.save(module, tmp_path / "module.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=in_zip)
    Loud.made.clear()
    found = read(tmp_path / "module.pt")
    assert isinstance(found, Foreign)
    assert_same_tensors(found.tensors, module.state_dict())
    assert "Loud" in found.notes[0]
    assert not Loud.made


class OfTorch04:
    """A parameter as torch 0.4 pickled it: a call of its class."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor

    def __reduce__(self) -> tuple[object, tuple[torch.Tensor, bool]]:
        return torch.nn.Parameter, (self.tensor, True)


def test_the_parameters_of_a_module_pickled_by_an_old_torch_are_read(tmp_path: Path) -> None:
    module = torch.nn.Sequential(Loud(2, 3), torch.nn.BatchNorm1d(3))
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    for part in module:
        for name, parameter in list(part._parameters.items()):
            part._parameters[name] = OfTorch04(parameter.detach())  # type: ignore[assignment]
    torch.save(module, tmp_path / "module.pt", _use_new_zipfile_serialization=False)
    found = read(tmp_path / "module.pt")
    assert isinstance(found, Foreign)
    assert_same_tensors(found.tensors, state)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"5" * 64 + b"\nsize 144708885\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [(POINTER, "144,708,885 bytes.*git lfs pull"), (b"\n<!DOCTYPE html><title>404</title>", "web page.*Download")],
)
@pytest.mark.parametrize("name", ["x.pt", "x.safetensors"])
def test_what_came_in_place_of_a_file_is_told(tmp_path: Path, content: bytes, said: str, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=f"(?s){said}"):
        read(tmp_path / name)


def test_of_an_archive_of_other_files_those_with_weights_are_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "agent.zip", "w") as archive:
        for name in ("data", "policy.pth", "policy.optimizer.pth", "system_info.txt"):
            archive.writestr(name, b"anything")
    with pytest.raises(BadInput, match=r"(?s)\(policy.pth, policy.optimizer.pth\).*Unpack it"):
        read(tmp_path / "agent.zip")


def test_torchscript_is_refused_with_the_way_out(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "script.pt")
    with pytest.raises(BadInput, match=r"(?s)TorchScript.*state_dict\(\)"):
        read(tmp_path / "script.pt")


def test_named_globals_only_reads(tmp_path: Path) -> None:
    assert named_globals(pickle.dumps([Evil(tmp_path / "flag")])) == ["posix.system"]
    assert named_globals(b"no pickle at all") == []
    assert not (tmp_path / "flag").exists()


def test_every_truncation_is_refused(make_checkpoint: Make, tmp_path: Path) -> None:
    save(make_checkpoint(), tmp_path / "x.pt")
    content = (tmp_path / "x.pt").read_bytes()
    path = tmp_path / "cut.pt"
    for length in [0, 1, 3, 4, 100, len(content) // 2, len(content) - 100, len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(BadInput, match=r"cut.pt is (empty|truncated|not a checkpoint)"):
            load(path)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_flipped_bit_is_noticed_or_harmless(
    make_checkpoint: Make, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped.pt"
    checkpoint = make_checkpoint(0.5, shape=(6, 5))
    save(checkpoint, path)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    try:
        back = load(path)
    except BadInput:
        return
    assert_same_tensors(back.state, checkpoint.state)
    assert back.training == checkpoint.training


def test_a_flipped_weight_is_noticed(make_checkpoint: Make, tmp_path: Path) -> None:
    weight = torch.full((100,), 1.25)
    checkpoint = replace(make_checkpoint(), state={"w": weight}, masks={})
    save(checkpoint, tmp_path / "x.pt")
    content = (tmp_path / "x.pt").read_bytes()
    at = content.index(weight.numpy().tobytes()) + 40
    (tmp_path / "x.pt").write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert not torch.equal(torch.load(tmp_path / "x.pt", weights_only=True)["state"]["w"], weight)
    with pytest.raises(BadInput, match="damaged"):
        load(tmp_path / "x.pt")


@pytest.mark.parametrize(
    "content", [b"hello, this is text", b"\x89HDF\r\n\x1a\n" + b"\0" * 100, b"\x80\x02.", b"PK\x03\x04 not really"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(BadInput, match=r"x\.pt"):
        read(tmp_path / "x.pt")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such file"):
        load(tmp_path / "x.pt")
    with pytest.raises(BadInput, match="is a folder"):
        load(tmp_path)


def test_torchscript_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x/constants.pkl", b"")
        archive.writestr("x/data.pkl", b"")
        archive.writestr("x/version", "3")
    (tmp_path / "script.pt").write_bytes(buffer.getvalue())
    with pytest.raises(BadInput, match=r"script\.pt"):
        read(tmp_path / "script.pt")


def test_a_foreign_file_is_read_but_not_loaded(tmp_path: Path) -> None:
    state = torch.nn.Linear(2, 3).state_dict()
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "foreign.pt")
    found = read(tmp_path / "foreign.pt")
    assert isinstance(found, Foreign)
    assert_same_tensors(found.tensors, {f"state_dict.{name}": tensor for name, tensor in state.items()})
    with pytest.raises(BadInput, match=r"(?s)not a checkpoint of this suite \(it holds state_dict, epoch\).*--model"):
        load(tmp_path / "foreign.pt")


def test_a_lone_tensor_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "x.pt")
    with pytest.raises(BadInput, match=r"holds float32 numbers of shape .3,., expected a state dict"):
        read(tmp_path / "x.pt")


def rewrite(path: Path, **changes: object) -> None:
    raw = torch.load(path, weights_only=True)
    torch.save({key: value for key, value in (raw | changes).items() if value is not ...}, path)


def test_a_newer_version_is_refused(make_checkpoint: Make, tmp_path: Path) -> None:
    save(make_checkpoint(), tmp_path / "x.pt")
    rewrite(tmp_path / "x.pt", version=99)
    with pytest.raises(BadInput, match=r"(?s)format 99, this version of the suite reads 2.*update"):
        load(tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": ...}, "state is missing, expected a table of tensors"),
        ({"model": ...}, r"has no model, expected a table\. It has 'data'"),
        ({"state": [1, 2]}, "state is a list of 2, expected a table of tensors"),
        ({"state": {"w": "text"}}, "state.w is 'text', expected a tensor"),
        ({"state": {"w": {"same_as": "nothing"}}}, "state.w.same_as is 'nothing', expected"),
        (
            {"state": {"w": {"shape": [3], "mask": torch.zeros(9, dtype=torch.uint8), "values": torch.zeros(1)}}},
            "state.w.mask is uint8 numbers of shape .9,., expected 1 bytes of mask",
        ),
        ({"weights_at": 3}, "weights_at is 3, expected a table of tensors"),
        ({"seed": 1.5}, "seed is 1.5, expected a whole number"),
        ({"version": torch.ones(3)}, "has checkpoint format float32 numbers of shape"),
        ({"metrics": {"cuts": [{"epoch": 1.0}]}}, r"has no metrics.cuts\[0\].survivors, expected a whole number"),
    ],
)
def test_what_a_header_lacks_is_named(
    make_checkpoint: Make, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    save(make_checkpoint(), tmp_path / "x.pt")
    rewrite(tmp_path / "x.pt", **changes)
    with pytest.raises(BadInput, match=rf"x\.pt:? {words}"):
        load(tmp_path / "x.pt")


def test_the_header_knows_the_recipe_of_the_training() -> None:
    assert {*RECIPE.must, *RECIPE.may} == {each.name for each in fields(Recipe)}
    assert set(HEADER) == {each.name for each in fields(Checkpoint)} - {"state", "masks", "weights_at"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("moment", ["now", "then"])
def test_weights_that_are_not_finite_are_named(
    make_checkpoint: Make, tmp_path: Path, value: float, moment: str
) -> None:
    checkpoint = make_checkpoint(None)
    broken = checkpoint.state | {"fc1.bias": torch.tensor([value, *checkpoint.state["fc1.bias"][1:].tolist()])}
    if moment == "now":
        checkpoint, name = replace(checkpoint, state=broken), "fc1.bias contains 1"
    else:
        checkpoint, name = replace(checkpoint, weights_at={5: broken}), "fc1.bias of epoch 5 contains 1"
    save(checkpoint, tmp_path / "x.pt")
    with pytest.raises(BadInput, match=name):
        load(tmp_path / "x.pt")
