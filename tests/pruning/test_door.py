"""`prune` from Python: against brute force, and against the checkpoints that the command writes."""

import copy
import threading

import pytest
import torch
from torch import nn

from entropy import psp_entropy
from landscape import measure_sharpness
from minima import BadInput, evaluate, load_checkpoint
from minima.store.checkpoints.checkpoint import Checkpoint, load, save
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.specs import resolve_data
from pruning import prune
from pruning.__main__ import main
from pruning.methods.magnitude import OneShotMagnitude
from pruning.methods.taylor import Taylor


@pytest.fixture
def checkpoint(tmp_path):
    """A network at its initialisation, on digits."""
    entry = describe(parse_architecture("mlp:hidden=8"), (1, 8, 8), 10)
    state = initialise(entry, 3).state_dict()
    path = tmp_path / "net.pt"
    save(Checkpoint(model=entry, data=resolve_data("digits"), state=state, weights_at={0: state}, seed=3), path)
    return path


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))


DATA = (torch.randn(30, 5, generator=torch.Generator().manual_seed(1)), torch.arange(30) % 2)


def test_magnitude_keeps_the_largest_and_leaves_the_model():
    model = network().train()
    before = copy.deepcopy(model.state_dict())
    found = prune(model, DATA, sparsity=0.6)
    weights = {name: value for name, value in before.items() if value.ndim > 1}
    every = torch.cat([each.abs().flatten() for each in weights.values()])
    bound = every.sort(descending=True).values[round(0.4 * len(every)) - 1]
    for name, value in weights.items():
        assert torch.equal(found.masks[name], value.abs() >= bound)
        assert torch.equal(found.model.state_dict()[name], value * (value.abs() >= bound))
    assert found.sparsity == pytest.approx(0.6, abs=0.01)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert found.model.training
    with torch.no_grad():
        truth = nn.functional.cross_entropy(found.model(DATA[0]), DATA[1]).item()
    assert found.sparse.loss == pytest.approx(truth, rel=1e-5)


@pytest.mark.parametrize(
    ("method", "flags", "asked"),
    [
        ("magnitude", [], {}),
        ("random", [], {}),
        ("taylor", ["--batches", "2", "--epochs", "1"], {"method": Taylor(batches=2), "epochs": 1}),
        ("snip", [], {"initial": True}),
        ("gmp", ["--epochs", "2"], {"epochs": 2}),
    ],
)
def test_the_command_keeps_the_same_weights(method, flags, asked, checkpoint, tmp_path):
    target = tmp_path / "pruned.pt"
    epochs = [] if "--epochs" in flags else ["--epochs", "0"]
    with pytest.raises(SystemExit) as end:
        main([method, str(checkpoint), "--sparsity", "0.8", *flags, *epochs, "-o", str(target)])
    assert not end.value.code
    expected, subject = load(target), load_checkpoint(checkpoint)
    options = {"method": method} | asked | ({"initial": subject.model} if "initial" in asked else {})
    found = prune(subject.model, (subject.x, subject.y), sparsity=0.8, seed=3, **options)
    assert expected.masks
    for name, mask in expected.masks.items():
        assert torch.equal(found.masks[name], mask)
    for name, value in expected.state.items():
        assert torch.equal(found.model.state_dict()[name], value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "lottery"}, "known are"),
        ({"method": "snip"}, "prune initial="),
        ({"method": "gmp"}, "more --epochs"),
        ({"sparsity": 1.0}, "must lie in"),
        ({"measure": "zzz"}, "known are sparsity, units"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    with pytest.raises(BadInput, match=words):
        prune(network(), DATA, **{"sparsity": 0.5} | options)


class Remembering(nn.Linear):
    """A layer whose part of the state dict is not made of tensors alone."""

    def get_extra_state(self):
        return {"steps": 1}


class Locked(nn.Linear):
    """A layer that holds what cannot be copied."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.lock = threading.Lock()


class Shifting(nn.Linear):
    """A layer that writes into its inputs."""

    def forward(self, x):
        x -= 1
        return super().forward(x)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Remembering(5, 2), "_extra_state in the network's state dict is a dict"),
        (Locked(5, 2), "cannot be copied.*lock"),
        (nn.Linear(5, 2).requires_grad_(False), "every parameter of the network is frozen"),
    ],
)
def test_networks_that_cannot_be_trained_or_copied_are_refused_in_words(layer, words):
    with pytest.raises(BadInput, match=words):
        prune(layer, DATA, sparsity=0.5, epochs=1)


@pytest.mark.parametrize("measure", [prune, evaluate, measure_sharpness, psp_entropy])
def test_a_network_that_writes_into_its_inputs_is_refused_and_the_inputs_stay(measure):
    x = DATA[0].clone()
    with pytest.raises(BadInput, match="changes its inputs in place"):
        measure(nn.Sequential(Shifting(5, 7), nn.ReLU(), nn.Linear(7, 2)), (x, DATA[1]))
    assert torch.equal(x, DATA[0])


def test_a_regression_is_pruned_by_its_weights():
    found = prune(network(), (DATA[0], torch.zeros(30, 2)), "mse", sparsity=0.5)
    with torch.no_grad():
        assert found.sparse.loss == pytest.approx((found.model(DATA[0]) ** 2).mean().item(), rel=1e-5)


def test_scores_and_training_go_by_the_loss_that_is_asked_for():
    x, y = DATA[0], torch.randn(30, 2, generator=torch.Generator().manual_seed(3))
    model = network()
    found = prune(model, (x, y), "mse", method="snip", sparsity=0.5, initial=model)
    twin = copy.deepcopy(model)
    ((twin(x) - y) ** 2).mean().backward()
    scores = {name: (each * each.grad).abs() for name, each in twin.named_parameters() if each.ndim > 1}
    bound = torch.cat([each.flatten() for each in scores.values()]).sort(descending=True).values
    kept = sum(int(mask.sum()) for mask in found.masks.values())
    assert all(torch.equal(found.masks[name], each >= bound[kept - 1]) for name, each in scores.items())
    trained = prune(model, (x, y), "mse", sparsity=0.5, epochs=20, recipe={"lr": 0.05, "batch_size": 10})
    assert trained.sparse.loss < prune(model, (x, y), "mse", sparsity=0.5).sparse.loss


def test_matrices_that_are_not_counted_are_named():
    class Remembering(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.rnn, self.last = nn.Linear(3, 4), nn.GRU(4, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.last(self.rnn(self.first(x))[0])

    found = prune(Remembering(), (torch.randn(8, 3), torch.randint(0, 2, (8,))), sparsity=0.5)
    assert any("these are not, and stay whole: rnn.weight_ih_l0, rnn.weight_hh_l0" in each for each in found.notes)
    assert set(found.masks) == {"first.weight", "last.weight"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": OneShotMagnitude(scope="locally")}, "scope 'locally': known are 'global', 'layer'"),
        ({"recipe": {"rate": 0.1}}, "recipe 'rate': known are optimiser, lr"),
        ({"recipe": {"optimiser": "adamw"}}, "optimiser 'adamw': known are 'sgd', 'adam'"),
        ({"epochs": -1}, "epochs -1: expected a whole number"),
        ({"epochs": 1.5}, "epochs 1.5: expected a whole number"),
        ({"sparsity": "0.5"}, "expected a number"),
        ({"sparsity": [0.5]}, "expected a number"),
        ({"method": "ice", "epochs": 3, "validation": 0.001}, "holds no example out"),
        ({"method": "snip", "initial": nn.Linear(2, 2)}, "not the weights of this network"),
        ({"method": "snip", "initial": {}}, "is not there"),
        ({"method": "snip", "initial": "seed"}, "initial is a str"),
    ],
)
def test_settings_that_a_command_line_would_refuse_are_refused(options, words):
    with pytest.raises(BadInput, match=words):
        prune(network(), DATA, **{"sparsity": 0.5} | options)


def test_initial_weights_may_be_those_of_a_network_with_torchs_pruning_in_it():
    plain, pruned = network(), network()
    layer = next(each for each in pruned.modules() if isinstance(each, nn.Linear))
    torch.nn.utils.prune.identity(layer, "weight")
    one, other = (prune(network(), DATA, method="snip", sparsity=0.5, initial=each) for each in (plain, pruned))
    assert all(torch.equal(mask, other.masks[name]) for name, mask in one.masks.items())


def test_masks_may_be_arrays():
    model = network()
    name, weight = next((name, value) for name, value in model.named_parameters() if value.ndim > 1)
    kept = torch.arange(weight.numel()).reshape(weight.shape) % 3 > 0
    one, other = (prune(model, DATA, sparsity=0.6, masks={name: mask}) for mask in (kept, kept.numpy()))
    assert not (one.masks[name] & ~kept).any()
    assert torch.equal(one.masks[name], other.masks[name])
