"""One network in many kinds of files: each gives the dense float64 truth, or is refused by name."""

import copy
import shutil
from pathlib import Path
from types import SimpleNamespace

import h5py
import pytest
import torch
from cases.containers.make import make
from cases.lines import typed
from oracles.plain_hessian import plain_hessian

PLAIN = [
    "plain.pt",
    "lightning-plain.pt",
    "lightning-namespace.pt",
    "kuangliu-net.pt",
    "timm-ema.pt",
    "averaged-model.pt",
    "nested.pt",
    "no-nbt.pt",
    "dp-compile.pt",
    "fsdp.pt",
    "whole-module.pt",
    "net.safetensors",
]
REFUSED = {
    "qint8": r"h.weight is quantised",
    "int8-codes": r"h.weight holds int8 numbers",
    "float8": r"h.weight is float8_e4m3fn",
    "complex-into-real": r"h.weight is complex64",
    "negative-var": r"bn.running_var holds -1",
}
"""by file, what the message says"""


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The folder with all files, and for each network in them the truth: loss and eigenvalues."""
    folder = tmp_path_factory.mktemp("containers")
    net, sparse, wrapped, x, y = make(folder)
    shutil.copy(Path(__file__).with_name("model.py"), folder)
    truths = {
        "plain": plain_hessian(net, x, y),
        "sparse": plain_hessian(sparse, x, y, {"h.weight": sparse.h.weight != 0}),
        "mod": plain_hessian(wrapped, x, y),
    }
    for name, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        truths[name] = plain_hessian(copy.deepcopy(net).to(dtype).float(), x, y)
    return SimpleNamespace(folder=folder, truths=truths)


def hessian(case, file, *flags, factory="Net"):
    out = f"{file}.h5"
    line = [file, "--top", 3, "--bottom", 1, "--tolerance", 1e-4, "--overwrite", "-o", out]
    return typed(
        case.folder, "landscape.hessian", *line, "--model", f"model.py:{factory}", "--data", "npz:data.npz", *flags
    )


def assert_true(found, truth):
    loss, matrix = truth
    values = torch.linalg.eigvalsh(matrix)
    assert found["loss"] == pytest.approx(loss, abs=1e-5)
    assert found["dimension"] == len(matrix)
    top, bottom = values.flip(0)[:3].tolist(), float(values[0])
    assert found["eigenvalues"] == pytest.approx(top, abs=1e-3 * top[0])
    assert found["bottom_eigenvalues"] == pytest.approx([bottom], abs=1e-3 * top[0])


@pytest.mark.parametrize("file", PLAIN)
def test_the_same_network_whatever_it_lies_in(case, file):
    status, found, err = hessian(case, file)
    assert status == 0, err
    assert_true(found, case.truths["plain"])
    assert all(note in err for note in found["notes"])
    with h5py.File(case.folder / f"{file}.h5") as results:
        assert results.attrs["dtype"] == "float32"
        assert all(note in results.attrs["notes"] for note in found["notes"])


@pytest.mark.parametrize(("file", "truth"), [("bf16", "bf16"), ("fp16", "fp16")])
def test_half_precision_runs_in_float32(case, file, truth):
    status, found, err = hessian(case, f"{file}.pt")
    assert status == 0, err
    assert_true(found, case.truths[truth])
    assert "float32" in found["notes"][0]


def test_a_wrapper_whose_attribute_is_called_module_loads_key_by_key(case):
    status, found, err = hessian(case, "module-attr.pt", factory="Mod")
    assert status == 0, err
    assert_true(found, case.truths["mod"])
    assert found["notes"] == []


@pytest.mark.parametrize("file", ["sparse-as-dense", "sparse-coo", "sparse-csr"])
def test_sparse_layouts_are_dense_weights_with_a_mask(case, file):
    status, found, err = hessian(case, f"{file}.pt")
    assert status == 0, err
    assert_true(found, case.truths["sparse"])
    assert "h.weight 19 of 144" in found["notes"][-1]


@pytest.mark.parametrize("file", REFUSED)
def test_what_would_mean_something_else_is_refused_by_name(case, file):
    status, found, err = hessian(case, f"{file}.pt")
    assert (status, found) == (1, None)
    assert REFUSED[file] in err
    assert "not a message you should see" not in err


def test_the_other_entry_by_its_name(case):
    _, found, err = hessian(case, "timm-ema.pt", "--entry", "state_dict_ema")
    _, other, _ = hessian(case, "timm-ema.pt", "--entry", "state_dict")
    assert found["loss"] != other["loss"]
    assert "state_dict_ema" in err
    assert_true(other, case.truths["plain"])


def test_float64_on_request(case):
    status, found, err = hessian(case, "plain.pt", "--dtype", "float64")
    assert status == 0, err
    loss, _ = case.truths["plain"]
    assert found["loss"] == pytest.approx(loss, abs=1e-12)
    assert_true(found, case.truths["plain"])
    with h5py.File(case.folder / "plain.pt.h5") as results:
        assert results.attrs["dtype"] == "float64"


def test_a_surface_far_out_is_made_and_drawn(case):
    line = ["plain.pt", "--grid", 5, "--extent", 1e12, "--compile", "off", "--overwrite", "-o", "far.h5"]
    status, found, err = typed(
        case.folder, "landscape.surface", *line, "--model", "model.py:Net", "--data", "npz:data.npz"
    )
    assert status == 0, err
    assert found["loss_min"] == pytest.approx(case.truths["plain"][0], abs=1e-5)
