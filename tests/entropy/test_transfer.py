"""`python -m entropy.transfer`: probe and fine-tuning against plain torch and scikit-learn, resumption, bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import xarray
from sklearn.linear_model import LogisticRegression
from torch import nn

from entropy.psp.__main__ import main as psp
from entropy.psp.flags import Psp
from entropy.transfer import compute as transfer_compute
from entropy.transfer.__main__ import main
from entropy.transfer.fine_tuning import fine_tune
from entropy.transfer.flags import Transfer
from minima.store.checkpoints.checkpoint import Checkpoint, load, save
from minima.store.command import BadInput
from minima.store.hdf5.results import differences
from minima.zoo.anatomy.head import features, find_head, with_fresh_head
from minima.zoo.architecture.architecture import build, describe, initialise, parse_architecture
from minima.zoo.data.specs import load_data, resolve_data
from minima.zoo.training.recipe import Recipe

SOURCE, TARGET = "digits:classes=0-4", "digits:classes=5-9"


def write_checkpoint(path: Path, network: str = "mlp:hidden=24x12", seed: int = 0, kept: float = 1.0) -> Path:
    """A network as initialised, the fraction `kept` of its weights in a random mask."""
    entry = resolve_data(SOURCE)
    dataset = load_data(entry)
    model = describe(parse_architecture(network), dataset.input_shape, dataset.classes)
    state = dict(initialise(model, seed).state_dict())
    masks = {}
    if kept < 1:
        chance = torch.Generator().manual_seed(seed + 100)  # not the stream that drew the weights
        names = [name for name, value in state.items() if value.dim() > 1]
        masks = {name: torch.rand(state[name].shape, generator=chance) < kept for name in names}
        state |= {name: state[name] * masks[name] for name in masks}
    save(Checkpoint(model=model, data=entry, state=state, masks=masks), path)
    return path


def transfer(*checkpoints: Path, to: str = TARGET, epochs: int = 1, **flags: Any) -> dict[str, Any]:
    return main(Transfer(checkpoints=checkpoints, to=to, epochs=epochs, device="cpu", **flags)).summary


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("runs")
    return tuple(
        write_checkpoint(folder / f"{seed}.pt", seed=seed, kept=kept) for seed, kept in enumerate((1, 0.6, 0.3, 0.1))
    )


@pytest.fixture(scope="module")
def summary(checkpoints: tuple[Path, ...]) -> dict[str, Any]:
    return transfer(*checkpoints, out=checkpoints[0].with_name("all.h5"))


def test_the_probe_is_scikit_learns_on_features_extracted_by_hand(
    checkpoints: tuple[Path, ...], summary: dict[str, Any]
) -> None:
    """The hidden layers are multiplied out here; the penalty is the one the command chose."""
    target = load_data(resolve_data(TARGET))
    for index, path in enumerate(checkpoints):
        state = load(path).state
        splits = []
        for x in (target.x_train, target.x_test):
            h = x.flatten(1)
            for layer in ("fc1", "fc2"):
                h = (h @ state[f"{layer}.weight"].T + state[f"{layer}.bias"]).relu()
            splits.append(h.double().numpy())
        train, test = splits
        spread = np.where(train.std(0) > 0, train.std(0), 1)
        train, test = (train - train.mean(0)) / spread, (test - train.mean(0)) / spread
        penalty = 1 / (summary["probe_strength"][index] * len(train))
        expected = LogisticRegression(C=penalty, max_iter=5000).fit(train, target.y_train).score(test, target.y_test)
        assert summary["probe_accuracy"][index] == pytest.approx(expected, abs=1.01 / len(test))
        low, high = summary["probe_interval"][index]
        assert low < summary["probe_accuracy"][index] < high
    assert min(summary["probe_accuracy"]) > 0.5


def test_entropies_are_those_of_entropy_psp(checkpoints: tuple[Path, ...], summary: dict[str, Any]) -> None:
    found = psp(Psp(checkpoints=checkpoints[2:3], data=TARGET, device="cpu")).summary
    assert summary["entropy"][2] == pytest.approx(found["network_mean"])
    assert summary["entropy_last_hidden"][2] == pytest.approx(found["layers"][-2]["mean"])
    hidden = found["layers"][:-1]
    alive = [layer["neurons"] - layer["dead"] - layer["always_on"] for layer in hidden]
    weighted = sum(n * (layer["alive_mean"] or 0) for n, layer in zip(alive, hidden, strict=True)) / sum(alive)
    assert summary["entropy_alive"][2] == pytest.approx(weighted)


def test_fine_tuning_keeps_removed_weights_zero_and_the_original(checkpoints: tuple[Path, ...]) -> None:
    checkpoint, target = load(checkpoints[2]), load_data(resolve_data(TARGET))
    model = build(checkpoint.model)
    model.load_state_dict(checkpoint.state)
    head = find_head(model, target.x_test[:1])
    assert (head.weight, head.bias, head.features) == ("fc3.weight", "fc3.bias", 12)
    recipe = Recipe(lr=0.1, weight_decay=1e-3)
    tuned = fine_tune(model, head, checkpoint.masks, target, recipe, 2, seed=0)
    weights = dict(tuned.named_parameters())
    for name in ("fc1.weight", "fc2.weight"):
        assert (weights[name][~checkpoint.masks[name]] == 0).all()
        assert not torch.equal(weights[name], checkpoint.state[name])
    assert (weights["fc3.weight"] != 0).all()
    assert all(torch.equal(value, checkpoint.state[name]) for name, value in model.state_dict().items())
    assert not tuned.training


def test_a_fresh_head_has_the_targets_classes_and_nothing_else_changes() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 5, bias=False))
    head = find_head(model, torch.zeros(1, 4))
    assert head.bias is None
    fresh = with_fresh_head(model, head, 7, seed=0)
    assert fresh(torch.zeros(2, 4)).shape == (2, 7)
    assert torch.equal(fresh[0].weight, model[0].weight)
    assert torch.equal(fresh[3].weight, with_fresh_head(model, head, 7, seed=0)[3].weight)
    assert not torch.equal(fresh[3].weight, with_fresh_head(model, head, 7, seed=1)[3].weight)
    assert model[3].weight.shape == (5, 3)


class Functional(nn.Module):
    """A head that is no module, behind a softmax that is none either."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Parameter(torch.ones(2, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(nn.functional.linear(x.relu(), self.last), dim=1)


def test_features_of_a_functional_head() -> None:
    model, x = Functional().train(), torch.randn(5, 4)
    assert torch.equal(features(model, x, batch_size=2), x.relu())
    assert find_head(model, x).weight == "last"
    assert model.training


def test_a_network_without_a_linear_end_is_told() -> None:
    with pytest.raises(BadInput, match="should come from a linear layer"):
        features(nn.Sequential(nn.Conv2d(1, 5, 8), nn.Flatten()), torch.zeros(1, 1, 8, 8), 10)


FOREIGN = """
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

def plain():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 5))

def double():
    return plain().double()

def normed():
    net = plain()
    weight_norm(net[3])
    return net

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.last = nn.Linear(64, 64, bias=False), nn.Linear(64, 64, bias=False)
        self.last.weight = self.inner.weight

    def forward(self, x):
        return self.last(self.inner(x.flatten(1)).relu())
"""


def foreign(folder: Path, network: str, **flags: Any) -> dict[str, Any]:
    (folder / "net.py").write_text(FOREIGN)
    scope: dict[str, Any] = {"__name__": "net"}
    exec(FOREIGN, scope)
    torch.save(scope[network]().state_dict(), folder / f"{network}.pt")
    code = {"model": f"{folder}/net.py:{network}", "data": SOURCE, "out": folder / f"{network}.h5"}
    return transfer(folder / f"{network}.pt", **code, **flags)


def test_a_network_in_double_precision_gets_the_target_in_it(tmp_path: Path) -> None:
    """It is the same network, and what the probe finds is the same but for rounding."""
    double, single = foreign(tmp_path, "double"), foreign(tmp_path, "plain")
    for accuracy in ("probe_accuracy", "fine_tuned_accuracy"):
        assert abs(double[accuracy] - single[accuracy]) < 0.02
    assert double["entropy"] == pytest.approx(single["entropy"], abs=1e-3)


@pytest.mark.parametrize(
    ("network", "said"), [("normed", "computes its weights"), ("Tied", "inner.weight, last.weight")]
)
def test_a_head_that_cannot_be_replaced_is_probed_without_fine_tuning(tmp_path: Path, network: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"(?s){said}.*--epochs 0"):
        foreign(tmp_path, network)
    found = foreign(tmp_path, network, epochs=0)
    assert found["probe_accuracy"] > 0.7
    assert found["fine_tuned_accuracy"] is None


def test_a_target_of_one_split_is_refused(checkpoints: tuple[Path, ...], tmp_path: Path) -> None:
    target = load_data(resolve_data(TARGET))
    np.savez(tmp_path / "d.npz", x_train=target.x_train, y_train=target.y_train)
    with pytest.raises(BadInput, match="no test split"):
        transfer(checkpoints[0], to=f"npz:{tmp_path / 'd.npz'}", out=tmp_path / "x.h5")


def test_permuted_labels_give_chance(checkpoints: tuple[Path, ...], tmp_path: Path) -> None:
    """With labels that mean nothing, probe and fine-tuned network are right as often as a guess among five."""
    target, chance = load_data(resolve_data(TARGET)), np.random.default_rng(0)
    arrays = {name: np.asarray(getattr(target, name)) for name in ("x_train", "y_train", "x_test", "y_test")}
    arrays |= {name: chance.permutation(arrays[name]) for name in ("y_train", "y_test")}
    np.savez(tmp_path / "d.npz", **arrays)
    found = transfer(checkpoints[0], to=f"npz:{tmp_path / 'd.npz'}", epochs=3, out=tmp_path / "x.h5")
    for accuracy in (found["probe_accuracy"], found["fine_tuned_accuracy"]):
        assert abs(accuracy - 0.2) < 4 * (0.2 * 0.8 / len(target.x_test)) ** 0.5


def test_the_file_holds_every_number(checkpoints: tuple[Path, ...], summary: dict[str, Any]) -> None:
    with xarray.open_dataset(summary["out"], engine="h5netcdf", group="transfer") as stored:
        assert stored.probe_interval.dims == ("checkpoint", "end")
        for name in ("entropy", "entropy_alive", "entropy_last_hidden", "probe_accuracy", "fine_tuned_accuracy"):
            np.testing.assert_array_equal(stored[name], summary[name])
            assert stored[name].attrs["units"] == ("bit" if "entropy" in name else "1")
    assert summary["target"] == {"spec": TARGET, "classes": 5, "train": 718, "test": 178}
    assert (summary["split"], summary["samples"]) == ("test", 182)


def test_same_seed_same_bytes_and_reuse(checkpoints: tuple[Path, ...], summary: dict[str, Any], tmp_path: Path) -> None:
    again = transfer(*checkpoints, out=tmp_path / "again.h5")
    assert not differences(Path(again["out"]), Path(summary["out"]))
    assert transfer(*checkpoints, to="digits:classes=5,6-9", out=tmp_path / "again.h5")["reused"]
    with pytest.raises(BadInput, match="--overwrite"):
        transfer(*checkpoints, to="digits:classes=5-8", out=tmp_path / "again.h5")


def test_a_killed_run_goes_on(
    checkpoints: tuple[Path, ...], summary: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the second checkpoint's fine-tuning: nothing that was finished is measured again."""
    probes: list[int] = []
    whole_probe, whole_tuning = transfer_compute.linear_probe, fine_tune

    def counting_probe(*arguments: Any) -> Any:
        probes.append(len(probes))
        return whole_probe(*arguments)

    def stopping(*arguments: Any) -> Any:
        if len(probes) == 2:
            raise KeyboardInterrupt
        return whole_tuning(*arguments)

    monkeypatch.setattr(transfer_compute, "linear_probe", counting_probe)
    monkeypatch.setattr(transfer_compute, "fine_tune", stopping)
    with pytest.raises(KeyboardInterrupt):
        transfer(*checkpoints, out=tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists()
    monkeypatch.setattr(transfer_compute, "fine_tune", whole_tuning)
    transfer(*checkpoints, out=tmp_path / "x.h5")
    assert len(probes) == 4
    assert not differences(tmp_path / "x.h5", Path(summary["out"]))


def test_the_correlation_is_over_the_checkpoints(checkpoints: tuple[Path, ...], summary: dict[str, Any]) -> None:
    from scipy.stats import kendalltau, spearmanr

    for accuracy in ("probe_accuracy", "fine_tuned_accuracy"):
        for name in ("entropy", "entropy_alive", "entropy_last_hidden"):
            found = summary["rank_correlation"][accuracy][name]
            assert found["kendall"]["value"] == pytest.approx(kendalltau(summary[name], summary[accuracy]).statistic)
            assert found["spearman"]["value"] == pytest.approx(spearmanr(summary[name], summary[accuracy]).statistic)
            assert found["kendall"]["low"] <= found["kendall"]["value"] <= found["kendall"]["high"]
    assert summary["entropy_rank"] == [
        sorted(summary["entropy"], reverse=True).index(e) + 1 for e in summary["entropy"]
    ]


def test_few_checkpoints_have_no_correlation_and_the_table_says_so(
    checkpoints: tuple[Path, ...], tmp_path: Path
) -> None:
    three = Transfer(checkpoints=(*checkpoints[:2], checkpoints[0]), to=TARGET, epochs=0, out=tmp_path / "x.h5")
    report = main(three)
    assert report.summary["rank_correlation"] is None
    assert report.summary["fine_tuned_accuracy"] == [None] * 3
    assert "3, it takes 4" in report.summary["rank_correlation_note"]
    ranks = report.summary["entropy_rank"]
    assert ranks[0] == ranks[2]
    assert f"{ranks[0]}=" in report.table
    one = main(Transfer(checkpoints=checkpoints[:1], to=TARGET, epochs=0))
    assert one.summary["rank_correlation"] is None
    assert one.summary["entropy_rank"] == 1
    assert "0.pt" in one.table


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"to": "digits:classes=7"}, "--to digits:classes=7: there is only one class"),
        ({"to": "nothing"}, "--to nothing: there is no such data"),
        ({"to": "npz:wide.npz"}, r"--to npz:wide.npz: its inputs have shape \(3,\).*\(1, 8, 8\)"),
        ({"to": "npz:short.npz"}, "at least two classes with a few examples"),
        ({"to": "npz:ignored.npz"}, "1 examples of its test split are labelled -100"),
        ({"epochs": -1}, "--epochs -1"),
        ({"recipe": Recipe(lr=-1)}, "--recipe.lr -1"),
    ],
)
def test_bad_input_is_explained_and_leaves_nothing(
    flags: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_checkpoint(tmp_path / "net.pt")
    x, y = np.zeros((2, 3), np.float32), np.arange(2)
    np.savez("wide.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    images = np.zeros((4, 1, 8, 8), np.float32)
    np.savez("short.npz", x_train=images, y_train=np.ones(4, int), x_test=images, y_test=np.arange(4) % 2)
    ignored = np.array([0, 1, -100, 1])
    np.savez("ignored.npz", x_train=images, y_train=np.arange(4) % 2, x_test=images, y_test=ignored)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BadInput, match=said):
        transfer(path, **flags)
    if "short" not in flags.get("to", ""):  # entropies were measured by then, and are kept for the next run
        assert sorted(tmp_path.iterdir()) == before


def test_a_target_is_needed() -> None:
    with pytest.raises(TypeError, match="to"):
        Transfer(checkpoints=(Path("x.pt"),))  # type: ignore[call-arg]


def test_the_target_is_normalised_as_the_networks_own_data(tmp_path: Path) -> None:
    """A network trained on digits scaled otherwise sees the other digits in the same scale."""
    path = write_checkpoint(tmp_path / "net.pt")
    plain = transfer(path, epochs=0, out=tmp_path / "plain.h5")
    checkpoint = load(path)
    checkpoint.data.update(mean=[0.5], std=[0.25])
    save(checkpoint, tmp_path / "scaled.pt")
    with h5py.File(transfer(tmp_path / "scaled.pt", epochs=0)["out"]) as file:
        assert file["transfer/entropy"][()] != plain["entropy"]
    by_flags = transfer(path, epochs=0, mean="0.5", std="0.25", out=tmp_path / "flags.h5")
    assert by_flags["entropy"] == transfer(tmp_path / "scaled.pt", epochs=0)["entropy"]
