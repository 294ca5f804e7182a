"""Weights that are computed from others before every pass: the network of the file, over the parameters it has."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from cases.lines import typed
from cases.spectral_norm import model as networks
from oracles.plain_hessian import fitted, plain_hessian

KINDS = ["spectral", "weight", "orthogonal", "old_weight", "old_spectral"]


@pytest.fixture
def make(tmp_path):
    """Write a file of one kind and its data; the network as the file has it, and the data."""

    def written(kind):
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(60, 20)).astype("float32") * 3, rng.integers(0, 3, 60)
        np.savez(tmp_path / "data.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
        shutil.copy(Path(networks.__file__), tmp_path / "model.py")
        x, y = torch.tensor(x), torch.tensor(y)
        net = fitted(getattr(networks, kind)(), x, y, steps=4, lr=0.05)
        torch.save(net.state_dict(), tmp_path / "net.pt")
        fresh = getattr(networks, kind)().eval()
        fresh.load_state_dict(torch.load(tmp_path / "net.pt"))
        return fresh, x, y

    return written


def hessian(folder, kind, *flags):
    line = [
        "net.pt",
        "--top",
        3,
        "--bottom",
        1,
        "--tolerance",
        1e-4,
        "--data-error",
        "none",
        "--overwrite",
        "-o",
        "out.h5",
    ]
    return typed(folder, "landscape.hessian", *line, "--model", f"model.py:{kind}", "--data", "npz:data.npz", *flags)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_the_network_of_the_file_is_measured(make, tmp_path, kind):
    net, x, y = make(kind)
    status, found, err = hessian(tmp_path, kind)
    assert status == 0, err
    loss, matrix = plain_hessian(net, x, y)
    values = torch.linalg.eigvalsh(matrix)
    assert found["loss"] == pytest.approx(loss, abs=1e-5)
    assert found["dimension"] == len(matrix)
    assert found["eigenvalues"] == pytest.approx(values.flip(0)[:3].tolist(), abs=1e-3 * float(values.abs().max()))
    assert found["bottom_eigenvalues"] == pytest.approx([float(values[0])], abs=1e-3 * float(values.abs().max()))


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_surface_has_the_loss_of_the_file_at_its_centre(make, tmp_path, kind):
    net, x, y = make(kind)
    line = ["net.pt", "--grid", 3, "--compile", "off", "--overwrite", "-o", "s.h5"]
    status, found, err = typed(
        tmp_path, "landscape.surface", *line, "--model", f"model.py:{kind}", "--data", "npz:data.npz"
    )
    assert status == 0, err
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(net(x), y)
    assert found["loss_at_centre"] == pytest.approx(float(loss), abs=1e-5)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("old_weight", "weight"), ("weight", "old_weight"), ("old_spectral", "spectral"), ("spectral", "old_spectral")],
)
def test_both_forms_of_torch_read_each_other(make, tmp_path, theirs, ours):
    make(theirs)
    first, second = hessian(tmp_path, theirs)[1], hessian(tmp_path, ours)[1]
    assert second["loss"] == pytest.approx(first["loss"], abs=1e-6)
    assert second["eigenvalues"] == pytest.approx(first["eigenvalues"], rel=1e-4)
