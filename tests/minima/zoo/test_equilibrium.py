"""Neurons at equilibrium: similarities by hand, frozen rows bit by bit, counts against torch's own, kills."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from minima.checkpoint import describe
from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.store.reading import sha256
from minima.train import main
from minima.zoo.data.splits import Splits
from minima.zoo.training.backward import backward_of
from minima.zoo.training.equilibrium import Watch, similarities
from minima.zoo.training.flags import Train
from minima.zoo.training.freezing import Equilibrium
from minima.zoo.training.loop import Trainer
from minima.zoo.training.recipe import Recipe
from minima.zoo.training.unfinished import Unfinished

RECIPES = {"sgd": Recipe(batch_size=8, weight_decay=0.01), "adam": Recipe(batch_size=8, optimiser="adam", lr=0.01)}


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 16, 4))


@pytest.fixture(scope="module")
def splits():
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randn(40, 1, 6, 6, generator=generator), torch.randint(0, 4, (40,), generator=generator)
    return Splits((x[:24], y[:24]), (x[24:], y[24:]), (x[:0], y[:0]))


def watched(splits, settings, recipe=RECIPES["sgd"]):
    run = Trainer(network(), *splits.train, recipe, epochs=6, order_seed=3)
    watch = Watch(settings, run, splits)
    run.around_step = watch.around
    return run, watch


def test_similarity_is_of_potentials_before_an_activation_in_place(splits):
    def nets(in_place):
        torch.manual_seed(0)
        return [nn.Sequential(nn.Flatten(), nn.Linear(36, 5), nn.ReLU(in_place), nn.Linear(5, 4)) for _ in "ab"]

    x = splits.validation[0]
    one, other = nets(True)
    a, b = (net[1](x.flatten(1)).detach().double() for net in (one, other))
    truth = (a * b).sum(0) / (a.square().sum(0) * b.square().sum(0)).sqrt()
    torch.testing.assert_close(similarities(one, other, x, ["1"])["1"], truth)


def test_similarity_is_the_cosine_over_examples_and_positions(splits):
    one, other = network(0).eval(), network(1).eval()
    with torch.no_grad():
        for net, channel in ((one, 0), (other, 0), (one, 1)):  # both dead, and one of two
            net[0].weight[channel], net[0].bias[channel] = 0, 0
    x = splits.validation[0]
    found = similarities(one, other, x, ["0", "4"])
    for name, layers in (("0", 1), ("4", 5)):
        made = [net[:layers](x).detach().double().transpose(0, 1).flatten(1).numpy() for net in (one, other)]
        for unit, (a, b) in enumerate(zip(*made, strict=True)):
            dead = (not a.any(), not b.any())
            expected = float(all(dead)) if any(dead) else a @ b / np.sqrt((a @ a) * (b @ b))
            assert found[name][unit].item() == pytest.approx(expected, abs=1e-12)
    assert torch.allclose(similarities(one, copy.deepcopy(one), x, ["4"])["4"], torch.ones(4).double(), atol=1e-15)


@pytest.mark.parametrize("form", ["paper", "code"])
def test_velocity_follows_its_recursion(splits, form):
    run, watch = watched(splits, Equilibrium(0.0, momentum=0.4, form=form))
    nets, velocity, last = [copy.deepcopy(run.model)], 0.0, None
    for _ in range(4):
        run.run_epoch()
        watch.end_of_epoch()
        nets.append(copy.deepcopy(run.model))
        phi = similarities(nets[-1], nets[-2], splits.validation[0], ["0"])["0"]
        if last is not None:
            velocity = phi - last + (-0.4 if form == "paper" else 0.4) * velocity
            assert torch.equal(watch.velocity["0"], velocity)
        last = phi


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_frozen_rows_stay_bit_by_bit_and_are_counted(splits, recipe):
    run, watch = watched(splits, Equilibrium(0.03), recipe)
    unmoved, seen = 0, []
    for _ in range(6):
        frozen = {name: rows.clone() for name, rows in watch.frozen.items()}
        for _ in range(run.steps_per_epoch):
            before = {name: value.clone() for name, value in run.model.named_parameters()}
            run.advance(1)
            for name, rows in frozen.items():
                layer = run.model.get_submodule(name)
                same = (layer.weight == before[f"{name}.weight"]).flatten(1).all(1)
                same &= layer.bias == before[f"{name}.bias"]
                unmoved += int(same.sum())
                assert torch.equal(same, rows)
                assert not any(slot[rows].any() for slot in run.update.slots_of(layer.weight))
        seen.append(sum(int(rows.sum()) for rows in frozen.values()))
        watch.end_of_epoch()
    assert watch.metrics()["skipped_updates"] == unmoved == run.steps_per_epoch * sum(seen)
    assert seen[:2] == [0, 0]
    assert 0 < sum(seen) < 7 * 4


def test_nobody_moves_where_everybody_is_at_equilibrium(splits):
    run, watch = watched(splits, Equilibrium(10.0))
    for _ in range(2):
        run.run_epoch()
        watch.end_of_epoch()
    before = copy.deepcopy(run.model.state_dict())
    run.run_epoch()
    after = run.model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in ("0.weight", "0.bias", "4.weight", "4.bias"))
    assert not torch.equal(after["1.weight"], before["1.weight"])  # normalisation goes on


def test_a_backward_pass_costs_what_torch_counts(splits):
    """Torch counts multiplications and additions of forward and backward together."""
    model, x = network(), splits.train[0]
    for net, some in ((model, x), (nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)), torch.ones(4, 9, 6))):
        counter = FlopCounterMode(display=False)
        with counter:
            net(some[:1]).sum().backward()
        cost = backward_of(net, some)
        forward = sum(cost.weights.values())
        assert 2 * (forward + cost.whole) == counter.get_total_flops()
    assert backward_of(model, x).of({"0": 1, "4": 0}) == 16 * 9 + 3 * 16 * 4


SMALL = {"model": "mlp:hidden=12", "epochs": 5}


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    path = tmp_path_factory.mktemp("full") / "full.pt"
    main(Train(**SMALL, out=str(path)))
    return path


def test_with_threshold_0_it_is_full_training_bit_by_bit(full, tmp_path):
    summary = main(Train(**SMALL, equilibrium=0.0, out=str(tmp_path / "x.pt"))).summary
    found, plain = load(tmp_path / "x.pt"), load(full)
    assert all(torch.equal(found.state[name], value) for name, value in plain.state.items())
    assert summary["skipped_updates"] == 0
    assert summary["updates"] == 22 * 5 * -(-(1437 - 144) // 100)
    assert summary["backward_multiply_adds"] == summary["full_backward_multiply_adds"]
    assert "equilibrium" not in plain.training  # so that older files are still recognised
    assert found.training["equilibrium"]["threshold"] == 0


def test_a_stopped_run_goes_on_to_the_same_bytes(full, tmp_path, monkeypatch):
    """Killed after every epoch in turn; from a checkpoint with its mask as well."""
    flags = {"start": (full,), "epochs": 4, "equilibrium": 0.01, "order_seed": 2}
    report = main(Train(**flags, out=str(tmp_path / "whole.pt")))
    assert 0 < report.summary["skipped_updates"] < report.summary["updates"]
    assert "left out at equilibrium" in report.table

    def save_and_die(part, state):
        part.save(state())
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Unfinished, "offer", save_and_die)
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                main(Train(**flags, out=str(tmp_path / "killed.pt")))
    main(Train(**flags, out=str(tmp_path / "killed.pt")))
    assert sha256(tmp_path / "killed.pt") == sha256(tmp_path / "whole.pt")
    metrics = describe(load(tmp_path / "whole.pt"))["metrics"]["equilibrium"]
    spent = np.array(metrics["updated"]) @ [64, 12]
    assert metrics["backward_multiply_adds"] == ((spent + 120) * 1293).tolist()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"equilibrium": -1.0}, "m -1.0"),
        ({"equilibrium": 0.1, "equilibrium_momentum": 1.0}, "-momentum 1.0"),
    ],
)
def test_what_is_refused(flags, said, tmp_path):
    with pytest.raises(BadInput, match=said):
        main(Train(**SMALL, **flags, out=str(tmp_path / "x.pt")))
