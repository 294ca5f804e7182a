"""Handed cases: networks that branch, recompute, view, or use what torch cannot differentiate twice."""

import importlib
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from cases import truth

from minima.store.command import run

HERE = Path(__file__).parent
FLAGS = ["--model", "model.py:Net", "--data", "npz:data.npz"]


@pytest.fixture
def typed(capsys, monkeypatch, tmp_path):
    """Run `python -m MODULE ARGUMENTS --json` in the case's folder: exit status, JSON object, standard error."""

    def call(module, *arguments):
        monkeypatch.chdir(tmp_path)
        entry = importlib.import_module(f"{module}.__main__")
        known = vars(entry)
        flags = known["flags"]() if module.endswith("sharpness") else known[module.rpartition(".")[2].capitalize()]
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run(flags, entry.main, prog=module, description="", argv=[*map(str, arguments), "--json", "--overwrite"])
        out, err = capsys.readouterr()
        return end.value.code or 0, json.loads(out) if out else None, err

    return call


def case(folder, name, tmp_path, **fitting):
    """A case's module; its network, fitted, and its data lie in `tmp_path`."""
    shutil.copy(HERE / folder / "model.py", tmp_path)
    spec = importlib.util.spec_from_file_location(folder, HERE / folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    x, y = module.data()
    torch.manual_seed(0)
    network = (
        truth.fit(getattr(module, name)(), x, y, **fitting) if fitting.get("steps", 1) else getattr(module, name)()
    )
    torch.save(network.state_dict(), tmp_path / "net.pt")
    np.savez(tmp_path / "data.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    return module, network, x, y


def check(found, expected):
    """Loss and eigenvalues against the truth."""
    size = float(expected.eigenvalues.abs().max())
    assert found["loss"] == pytest.approx(expected.loss, abs=1e-5 * max(expected.loss, 1))
    top = found["eigenvalues"]
    assert top == pytest.approx(expected.eigenvalues[: len(top)].tolist(), abs=1e-3 * size)


@pytest.mark.parametrize("size", [50, 100, 300])
def test_domains_in_any_chunks(size, typed, tmp_path):
    _, network, x, y = case("domain_batch_norms", "Net", tmp_path, steps=100)
    status, found, _ = typed(
        "landscape.hessian", "net.pt", *FLAGS, "--top", 3, "--tolerance", 1e-4, "--batch-size", size
    )
    assert status == 0
    expected = truth.dense(network, x, y)
    check(found, expected)
    for module, own in (("surface", ["--grid", 3, "--compile", "off"]), ("sharpness", ["--measures", "lambda_max"])):
        status, found, _ = typed(f"landscape.{module}", "net.pt", *FLAGS, *own, "--batch-size", size)
        assert status == 0
        assert found["loss"] == pytest.approx(expected.loss, abs=1e-5)
    assert found["measures"]["lambda_max"]["value"] == pytest.approx(float(expected.eigenvalues[0]), rel=1e-3)


MEASURED = {  # and the twin that plain autograd differentiates rightly
    "MobileNet": "MobileNetWrittenOut",
    "Grid": "Grid",
    "Reentrant": "Plain",
    "NonReentrant": "Plain",
    "Inplace": "Inplace",
    "Cdist": "Cdist",
    "Distances": "DistancesWrittenOut",
    "Bag": "BagWrittenOut",
    "Recurrent": "Recurrent",
    "Attending": "Attending",
    "Normed": "NormedWrittenOut",
    "Unused": "Unused",
    "TwoHeads": "Unused",
}


@pytest.mark.parametrize("name", MEASURED)
def test_goes_by_an_exact_way(name, typed, tmp_path):
    steps = 0 if name in ("Distances", "Bag") else 40
    module, network, x, y = case("double_backward", name, tmp_path, steps=steps)
    twin = getattr(module, MEASURED[name])()
    twin.load_state_dict(network.state_dict())
    flags = ["--model", f"model.py:{name}", "--data", "npz:data.npz"]
    for batch in ((), ("--batch-size", 7)):
        status, found, said = typed("landscape.hessian", "net.pt", *flags, "--top", 3, "--tolerance", 1e-4, *batch)
        assert status == 0, said
        check(found, truth.dense(twin, x, y))
    status, found, said = typed("landscape.hessian", "net.pt", *flags, "--top", 1, "--operator", "ggn")
    assert status == 0, said
    assert found["eigenvalues"][0] == pytest.approx(gauss_newton(twin, x, y), rel=1e-3)
    assert ("does not depend on auxiliary.weight, auxiliary.bias" in said) == (name in ("Unused", "TwoHeads"))


def gauss_newton(model, x, y):
    """The largest eigenvalue of 1/N sum J^T (diag p - p p^T) J, by rows of J in float64."""
    parameters = list(model.double().parameters())
    outputs, total = model(x.double()), 0.0
    for row in outputs:
        each = [torch.autograd.grad(z, parameters, retain_graph=True, materialize_grads=True) for z in row]
        jacobian = torch.stack([torch.cat([slope.flatten() for slope in slopes]) for slopes in each])
        p = row.detach().softmax(0)
        total = total + jacobian.T @ (p.diag() - p[:, None] * p) @ jacobian
    return float(torch.linalg.eigvalsh(total / len(x))[-1])


REFUSED = {  # and what the message names
    "MemSwish": ("_Swish (torch.autograd.Function)", "c.weight"),
    "Detached": ("c.weight", "not the slope of the loss"),
    "StraightThrough": ("c.weight", "not the slope of the loss"),
    "Frozen": ("c.weight", "--parameters"),
    "Merged": ("w is merged into other weights",),
    "Once": ("_Once (torch.autograd.Function)", "c.weight"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("command", ["hessian", "sharpness", "surface"])
def test_refused_by_name(command, name, typed, tmp_path):
    case("double_backward", name, tmp_path, steps=0 if name in ("Frozen", "Merged") else 40)
    own = ["--grid", 3] if command == "surface" else []
    flags = ["--model", f"model.py:{name}", "--data", "npz:data.npz"]
    status, found, said = typed(f"landscape.{command}", "net.pt", *flags, *own)
    assert (status, found) == (1, None)
    for words in REFUSED[name]:
        assert words in said
    assert "not a message you should see" not in said


def test_a_view_is_as_good_as_a_reshape(typed, tmp_path, monkeypatch):
    shutil.copy(HERE / "lenet_view" / "model.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    from minima.zoo.code import call_factory

    torch.manual_seed(0)
    network = call_factory("model.py:Net", "--model")
    torch.save(network.state_dict(), "net.pt")
    x, y = torch.randn(64, 1, 28, 28), torch.arange(64) % 10
    np.savez("data.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    found = {}
    for name in ("Net", "Reshape"):
        flags = ["--model", f"model.py:{name}", "--data", "npz:data.npz"]
        for command, own in (
            ("hessian", ["--top", 2]),
            ("sharpness", ["--measures", "lambda_max"]),
            ("surface", ["--grid", 3, "--compile", "off"]),
        ):
            status, result, said = typed(f"landscape.{command}", "net.pt", *flags, *own, "-o", f"{name}.{command}.h5")
            assert status == 0, said
            assert "plain" not in said
            found[name, command] = result
        status, found[name, "path"], said = typed("landscape.path", "net.pt", "net.pt", *flags, "-o", f"{name}.path.h5")
        assert status == 0, said
    network.double()
    loss = torch.nn.functional.cross_entropy(network(x.double()), y).item()
    for command in ("hessian", "sharpness", "surface"):
        assert found["Net", command]["loss"] == pytest.approx(loss, rel=1e-6)
    one, other = (found[name, "hessian"]["eigenvalues"] for name in ("Net", "Reshape"))
    assert one == pytest.approx(other, rel=1e-6)
    assert found["Net", "sharpness"]["measures"]["lambda_max"]["value"] == pytest.approx(one[0], rel=1e-3)
    assert found["Net", "path"]["losses"] == pytest.approx(found["Reshape", "path"]["losses"], rel=1e-6)
