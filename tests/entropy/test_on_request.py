"""Permutation test, selectivity, groups, the published clamp, compiled models, neurons alive in every checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from oracles.psp_networks import ConvNet, ResNet, data
from scipy.stats import kstest
from sklearn.metrics import normalized_mutual_info_score
from torch import Tensor, nn

from entropy.counting.responses import selectivity_index
from entropy.information import permutations
from entropy.information.formulas import class_information, normalised_information
from entropy.information.measurement import measure
from entropy.information.request import PUBLISHED_CLAMP, Request, Together
from entropy.psp.__main__ import main
from entropy.psp.flags import Psp
from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.store.command import BadInput
from minima.store.hdf5.results import same_content
from minima.train import main as train
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.specs import load_data, resolve_data
from minima.zoo.training.flags import Train

CLASSES = 4


def requested(model: nn.Module, x: Tensor, y: Tensor, classes: int = CLASSES, **request: Any) -> Any:
    return measure(model, x, y, classes, batch_size=11, request=Request(**request))[0]


def psp(*checkpoints: Path, **flags: Any) -> dict[str, Any]:
    return main(Psp(checkpoints=checkpoints, device="cpu", **flags)).summary


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    entry = resolve_data("digits")
    dataset = load_data(entry)
    model = describe(parse_architecture("mlp:hidden=12x6"), dataset.input_shape, dataset.classes)
    save(Checkpoint(model=model, data=entry, state=initialise(model, 0).state_dict()), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_normalised_information_is_scikit_learns() -> None:
    torch.manual_seed(0)
    states, y = torch.randn(50, 5) > 0, torch.arange(50) % 3
    states[:, 3], states[:, 4] = False, y == 1
    counts = np.stack([states[y == label].sum(0).numpy() for label in range(3)])
    found = normalised_information(counts, y.bincount().numpy())
    expected = [normalized_mutual_info_score(y, states[:, neuron]) for neuron in range(5)]
    assert found.tolist() == pytest.approx(expected, abs=1e-12)


def test_permuted_information_is_of_permuted_labels() -> None:
    """Counted as the states go by, for pooled channels too: each neuron's information under a permutation of labels."""
    x, y = data(60)
    model = ConvNet().eval()
    layer = requested(model, x, y, permutations=5)[0]
    with torch.no_grad():
        on = (model.conv1(x) > 0).flatten(1).numpy()
    order = np.argsort(y.numpy(), kind="stable")
    dealt = np.repeat(np.arange(CLASSES), np.bincount(y))
    from minima.zoo.seeds import derive

    random = np.random.default_rng(derive(0, "permutations"))
    from entropy.counting.blocks import deal

    assert np.array_equal(y.numpy()[order], dealt)
    examples = deal(y, CLASSES).order.numpy()
    for found in layer.permuted:
        labels = random.permutation(dealt)
        counts = np.stack([on[examples][labels == label].sum(0) for label in range(CLASSES)])
        np.testing.assert_allclose(found, class_information(counts, np.bincount(y)), atol=1e-12)


def test_random_labels_give_uniform_p_and_true_ones_a_small_one() -> None:
    torch.manual_seed(0)
    z, classes = torch.randn(60, 8), 3
    model = nn.Sequential(nn.ReLU(), nn.Linear(8, 2))
    ps = [
        requested(model, z, torch.randint(0, classes, (60,)), classes, permutations=39)[0].summary()["permutation_p"]
        for _ in range(120)
    ]
    assert kstest(ps, "uniform").pvalue > 1e-3
    told = (z[:, 0] > 0).long()
    assert requested(model, z, told, 2, permutations=199)[0].summary()["permutation_p"] == 1 / 200


def test_permuted_labels_tell_as_much_as_the_bias() -> None:
    """(C - 1) / (2 N ln 2) bit on average, for a neuron that is on half of the time (specification, section 7)."""
    torch.manual_seed(0)
    z, y = torch.randn(400, 50), torch.arange(400) % 10
    found = requested(nn.Sequential(nn.ReLU(), nn.Linear(50, 2)), z, y, 10, permutations=40)[0].summary()
    assert found["permuted_information_mean"] == pytest.approx(9 / (2 * 400 * np.log(2)), rel=0.05)


def test_too_many_permutations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permutations, "BYTES", 1000)
    with pytest.raises(BadInput, match=r"--permutations 20 .* neurons of conv1.\n.*--neurons channel"):
        requested(ConvNet(), *data(), permutations=20)
    with pytest.raises(BadInput, match=r"--permutations 30 .* labels"):
        requested(ConvNet(), *data(), permutations=30)


@pytest.mark.parametrize("kind", ["position", "channel"])
def test_selectivity_is_of_mean_activations(kind: Any) -> None:
    x, y = data(40)
    model = ConvNet().eval()
    found = measure(model, x, y, CLASSES, neurons=kind, batch_size=7, request=Request(selectivity=True))[0]
    with torch.no_grad():
        a = model.conv1(x).relu()
    values = a.mean((2, 3)) if kind == "channel" else a.flatten(1)
    means = np.stack([values[y == label].double().mean(0).numpy() for label in range(CLASSES)])
    np.testing.assert_allclose(found[0].responses, means, rtol=1e-5, atol=1e-7)
    largest = means.max(0)
    rest = (means.sum(0) - largest) / (CLASSES - 1)
    expected = (largest - rest) / np.where(largest > 0, largest + rest, np.nan)
    np.testing.assert_allclose(selectivity_index(found[0].responses), expected, rtol=1e-4, atol=1e-6)
    assert found[-1].responses is None  # logits are no activations
    assert "selectivity_mean" not in found[-1].summary()


def test_selectivity_means_nothing_below_zero_or_with_one_class() -> None:
    assert np.isnan(selectivity_index(np.array([[1.0, -0.1], [0.5, 1.0]]))).tolist() == [False, True]
    assert np.isnan(selectivity_index(np.array([[1.0, 2.0], [np.nan, np.nan]]))).all()


def test_p1_1_with_the_published_clamp() -> None:
    z = torch.tensor([[1.0, -1], [2, -1], [-1, 0], [3, -2], [1, 1], [-1, -1], [1, 1], [-1, -1]])
    y = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    layer = requested(nn.Sequential(nn.ReLU(), nn.Linear(2, 2)), z, y, 2, clamp=PUBLISHED_CLAMP)[0]
    assert layer.entropy.tolist() == pytest.approx([1.811278, 1.001473], abs=5e-7)


def test_groups_are_measured_as_labels(checkpoint: Path, tmp_path: Path) -> None:
    dataset = load_data(resolve_data("digits"))
    parity = (dataset.y_test % 2).numpy()
    np.save(tmp_path / "parity.npy", parity)
    summary = psp(checkpoint, group_by=tmp_path / "parity.npy", out=tmp_path / "g.h5", samples="first:200")
    assert (summary["classes"], summary["grouped_by"]) == (2, str(tmp_path / "parity.npy"))
    model = describe(parse_architecture("mlp:hidden=12x6"), dataset.input_shape, dataset.classes)
    network, y = initialise(model, 0), torch.from_numpy(parity[:200])
    expected, _ = measure(network, dataset.x_test[:200], y, 2, available=360)
    for found, layer in zip(summary["layers"], expected, strict=True):
        ours = layer.summary()
        assert all(found[key] == pytest.approx(ours[key], nan_ok=True) for key in ("mean", "class_information_mean"))
        assert found["normalised_mutual_information_mean"] == pytest.approx(ours["normalised_mutual_information_mean"])
    again = psp(checkpoint, group_by=tmp_path / "parity.npy", out=tmp_path / "g.h5", samples="first:200")
    assert again["reused"]
    np.save(tmp_path / "parity.npy", 1 - parity)
    with pytest.raises(BadInput, match="group_by was"):
        psp(checkpoint, group_by=tmp_path / "parity.npy", out=tmp_path / "g.h5", samples="first:200")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(7, int), r"shape \(7,\); expected \(360,\)"),
        (np.zeros(360), "whole numbers"),
        (np.zeros(360, int), "one group"),
        (np.arange(360) - 1, "numbered from 0"),
    ],
)
def test_bad_groups(checkpoint: Path, tmp_path: Path, array: np.ndarray, said: str) -> None:
    np.save(tmp_path / "groups.npy", array)
    with pytest.raises(BadInput, match=said):
        psp(checkpoint, group_by=tmp_path / "groups.npy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["groups.npy", "net.pt"]


def test_a_group_file_that_is_none(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "groups.npy").write_text("0 1 0")
    for name in ("groups.npy", "absent.npy"):
        with pytest.raises(BadInput, match=name):
            psp(checkpoint, group_by=tmp_path / name)


@pytest.mark.parametrize("flags", [{"order": 0}, {"order": 9}, {"tuples": 1}, {"permutations": -1}])
def test_bad_flags_write_nothing(checkpoint: Path, tmp_path: Path, flags: dict[str, int]) -> None:
    with pytest.raises(BadInput, match=f"--{next(iter(flags))}"):
        psp(checkpoint, **flags)
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_potentials_that_are_no_numbers_are_named(value: float) -> None:
    """Even where the output does not show them."""

    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc2(self.fc1(x).relu().nan_to_num(0.0, 0.0))

    model = Hidden()
    model.fc1.bias.data[1] = value
    x, y = torch.randn(40, 3), torch.arange(40) % 2
    with pytest.raises(BadInput, match="fc1 has potentials that are NaN or infinite"):
        requested(model, x, y, 2)
    model.fc1.bias.data[1], x[39, 0] = 0.0, value  # in the last batch only
    with pytest.raises(BadInput, match="fc1 has potentials that are NaN or infinite"):
        requested(model, x, y, 2)
    x[39, 0], model.fc2.bias.data[0] = 0.0, value
    with pytest.raises(BadInput, match="output is NaN or infinite"):
        requested(model, x, y, 2)


def test_ties_are_counted_on_request() -> None:
    z = torch.tensor([[1.0, 1e-8], [0.0, -1e-8], [1e-3, 1e-3]])
    model = nn.Sequential(nn.ReLU(), nn.Linear(2, 2))
    y = torch.tensor([0, 1, 1])
    assert requested(model, z, y, 2, ties=True)[0].summary()["ties"] == 2
    assert "ties" not in requested(model, z, y, 2)[0].summary()


def test_one_class_is_said(checkpoint: Path, capsys: pytest.CaptureFixture) -> None:
    summary = psp(checkpoint, samples=1)
    assert "of one class" in capsys.readouterr().err
    assert summary["layers"][0]["class_information_mean"] == 0


def test_neurons_alive_in_two_checkpoints_also_after_a_stop(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = resolve_data("digits")
    model = describe(parse_architecture("mlp:hidden=12x6"), (1, 8, 8), 10)
    save(Checkpoint(model=model, data=entry, state=initialise(model, 1).state_dict()), tmp_path / "other.pt")
    whole = psp(checkpoint, tmp_path / "other.pt", out=tmp_path / "whole.h5")
    with h5py.File(whole["out"]) as file:
        counts = file["psp/fc2/counts"][:].sum(1)
    assert whole["layers"][0][1]["shared_alive"] == ((counts > 0) & (counts < 360)).all(0).sum()

    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("entropy.information.shared_alive.conclude", stopped)
        with pytest.raises(KeyboardInterrupt):
            psp(checkpoint, tmp_path / "other.pt", out=tmp_path / "again.h5")
    assert psp(checkpoint, tmp_path / "other.pt", out=tmp_path / "again.h5")["layers"] == whole["layers"]
    assert same_content(tmp_path / "whole.h5", tmp_path / "again.h5")


def test_compiled_models_are_seen_through() -> None:
    x, y = data()
    plain = ResNet().eval()
    expected, _ = measure(plain, x, y, CLASSES, batch_size=8)

    class Inside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.compile(plain, backend="eager")

        def forward(self, x: Tensor) -> Tensor:
            return torch.compile(lambda z: z * 1.0, backend="eager")(self.net(x))

    compiled = torch.compile(plain, backend="eager")
    compiled(x)
    found, _ = measure(compiled, x, y, CLASSES, batch_size=8)
    assert [layer.name for layer in found] == [layer.name for layer in expected]
    inside, _ = measure(Inside().eval(), x, y, CLASSES, batch_size=8)
    assert [layer.name for layer in inside][:-1] == [f"net.{layer.name}" for layer in expected][:-1]
    for layers in (found, inside):
        for layer, its_twin in zip(layers, expected, strict=True):
            np.testing.assert_array_equal(layer.counts, its_twin.counts)
    assert torch._dynamo.eval_frame._stance.stance == "default"


def test_neurons_alive_in_every_checkpoint_of_a_trajectory(tmp_path: Path) -> None:
    train(Train(model="mlp:hidden=20", data="digits", epochs=2, keep=1, out=str(tmp_path / "net.pt")))
    summary = psp(tmp_path / "net.trajectory.h5", out=tmp_path / "over.h5")
    with h5py.File(summary["out"]) as file:
        counts, entropy = file["psp/fc1/counts"][:], file["psp/fc1/entropy"][:]
    alive = ((counts.sum(1) > 0) & (counts.sum(1) < 360)).all(0)
    assert len(counts) == len(summary["layers"]) == 3
    for each, layers in zip(entropy, summary["layers"], strict=True):
        assert layers[0]["shared_alive"] == alive.sum()
        assert layers[0]["shared_alive_mean"] == pytest.approx(each[alive].mean())


def test_order_two_through_the_command(checkpoint: Path, tmp_path: Path) -> None:
    summary = psp(checkpoint, order=2, out=tmp_path / "two.h5")
    layer = summary["layers"][0]
    assert (summary["order"], layer["tuples"], layer["neurons"]) == (2, 66, 12)
    with h5py.File(summary["out"]) as file:
        matrix = file["psp/fc1/joint_entropy"][:]
        assert [dim[0].name.rsplit("/")[-1] for dim in file["psp/fc1/joint_entropy"].dims] == ["neuron", "other"]
    assert matrix[np.triu_indices(12, 1)].mean() == pytest.approx(layer["mean"])
    report = main(Psp(checkpoints=(checkpoint,), order=2, out=tmp_path / "two.h5", device="cpu"))
    assert "second order" in report.table
    assert "agreement" in report.table
    assert Together().order == 1
