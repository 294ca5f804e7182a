"""Whole units: what a cut takes, when it is enough, and what methods make of it."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from oracles.pruning_battery import SGD, EveryKind, Run, examples, trained
from oracles.scoring import context_of
from torch import nn

from minima.store.command import BadInput
from minima.zoo.examples.task import CLASSIFICATION, Task
from minima.zoo.losses.spec import parse_loss
from minima.zoo.training.loop import Trainer
from pruning import prune
from pruning.composition.composition import Composition
from pruning.composition.cutting import choose
from pruning.context.criterion import criterion_named
from pruning.methods.cnip_it import CnipIt
from pruning.methods.filters import Filters
from pruning.methods.ice_filters import IceFilters
from pruning.methods.network_slimming import NetworkSlimming
from pruning.methods.snip import Snip
from pruning.schedules.one_shot import OneShot
from pruning.scorers.scorer import scored
from pruning.spaces.units import Units
from pruning.spaces.units_and_weights import UnitsAndWeights
from pruning.spaces.units_of import UnitsOf
from pruning.triggers.stability import is_stable
from pruning.unit_criteria.elasticities import Elasticities
from pruning.unit_criteria.l1 import L1
from pruning.updates.distillation import divergence
from pruning.updates.neuron_insensitivity import NeuronInsensitivity, sensitivities
from pruning.updates.neuron_loss_insensitivity import NeuronLossInsensitivity
from pruning.updates.scale_penalty import ScalePenalty


def of_network(model, x, y=None, space=None):
    space = (space or Units()).on(model, x)
    masks = {name: torch.ones_like(each, dtype=torch.bool) for name, each in space.masked(model).items()}
    y = torch.zeros(len(x), dtype=torch.long) if y is None else y
    return context_of(model, x, y, weights=space.weights(model), masks=masks, space=space)


def cut(context, target, **parts):
    parts = Composition(**{"scorer": L1(), "schedule": OneShot()} | parts)
    return choose(parts, context, target)


class Grouped(nn.Module):
    """A convolution in two groups between two others."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 8, 3), nn.Conv2d(8, 6, 1, groups=2)
        self.last = nn.Conv2d(6, 3, 1)

    def forward(self, x):
        return self.last(torch.relu(self.second(torch.relu(self.first(x))))).mean((2, 3))


class Attending(nn.Module):
    """Two key-value heads for four query heads, behind a layer norm, and an MLP."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.q, self.k, self.v, self.o = nn.Linear(8, 8), nn.Linear(8, 4), nn.Linear(8, 4), nn.Linear(8, 8)
        self.up, self.down, self.head = nn.Linear(8, 6), nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (f(h).unflatten(-1, (-1, 2)).transpose(1, 2) for f in (self.q, self.k, self.v))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)
        x = x + self.o(mixed.transpose(1, 2).flatten(2))
        return self.head((x + self.down(torch.nn.functional.gelu(self.up(x)))).mean(1))


@pytest.mark.parametrize("measure", ["sparsity", "units", "flops", "parameters"])
@pytest.mark.parametrize("level", [0.1, 0.37, 0.6, 0.8])
def test_the_first_cut_at_or_beyond_the_target_counts(measure, level):
    context = of_network(EveryKind(), examples().train[0], space=Units(measure))
    space = context.space
    target = space.target(space.left(context.masks), level)
    masks = cut(context, target)
    order = torch.cat(list(L1().score(context).values())).argsort(descending=True, stable=True)
    best = {0: None}
    for count in range(len(order) + 1):
        stays = torch.zeros(len(order)).index_fill(0, order[:count], 1) > 0
        kept = {}
        for group, part in zip(space.groups, stays.split([group.size for group in space.groups]), strict=True):
            kept[group.name] = part.clone()
            kept[group.name][L1().score(context)[group.name].argmax()] = True
        found = space.spread(kept, context.masks)
        if space.left(found) <= target:
            best = found
    assert all(torch.equal(masks[name], best[name]) for name in masks)


def test_time_is_that_of_the_narrower_network_and_measured_once(monkeypatch):
    asked = []

    def latency(whole, small, x):
        asked.append((len(x), small.conv.out_channels, small.first.out_features))
        parameters = sum(each.numel() for each in small.parameters())
        return {"before": 2.0, "after": 2.0 * parameters / sum(each.numel() for each in whole.parameters())}

    monkeypatch.setattr("pruning.context.latency.latency", latency)
    (x, y), flags = examples().train, {"method": "filters", "sparsity": 0.4}
    timed = prune(EveryKind(), (x, y), measure="latency", **flags)
    counted = prune(EveryKind(), (x, y), measure="parameters", **flags)
    assert timed.masks.keys() == counted.masks.keys()
    assert len(asked) == len(set(asked)) > 2
    run = Run(Filters().composition().counting("latency"), asked=(0.4,), stop_after=3)
    again = Run(Filters().composition().counting("latency"), asked=(0.4,), state=run.states[0])
    assert again.engine.space.timings == run.engine.space.timings
    assert again.engine.has_reached(0.4)


def test_units_of_a_convolution_in_groups_go_equally_from_each():
    context = of_network(Grouped(), torch.randn(3, 1, 5, 5))
    masks = cut(replace(context, space=Units("units").on(context.model, context.x)), 4)
    left = masks["first.weight"].flatten(1).any(1).view(2, 4), masks["second.weight"].flatten(1).any(1).view(2, 3)
    assert all(bool((each.sum(1) == each.sum(1)[0]).all()) for each in left)
    assert not all(each.all() for each in left)


def test_heads_go_with_all_queries_that_share_their_key_and_the_stream_stays():
    context = of_network(Attending(), torch.randn(3, 5, 8), space=Units("units"))
    assert {group.kind: group.size for group in context.space.groups} == {"head": 2, "neuron": 6}
    masks = cut(context, 2)
    for name, heads in (("q.weight", 4), ("k.weight", 2), ("v.weight", 2)):
        rows = masks[name].unflatten(0, (heads, -1)).flatten(1)
        kept = rows.any(1).view(2, -1)
        assert bool((rows.all(1) == rows.any(1)).all())
        assert sorted(kept.all(1).tolist()) == [False, True]
    assert {"down", "o"} <= set(context.space.network.held)
    with torch.no_grad():
        for name, mask in masks.items():
            context.model.get_parameter(name).masked_fill_(~mask, 0)
    for name in ("gate", "taylor", "mean-activation", "l1"):
        found = criterion_named(name).score(replace(context, masks=masks))
        gone = ~context.space.alive(masks)["up"]
        assert not found["up"][gone].any()


def test_a_layer_goes_only_where_it_is_asked_for():
    context = of_network(EveryKind(), examples().train[0], space=Units("units"))
    with pytest.raises(BadInput, match=r"--units: at most 0.8181 of the units can go, .* held whole: last"):
        cut(context, 1)
    whole = cut(replace(context, space=Units("units", least=0).on(context.model, context.x)), 1)
    assert sum(int(each.sum()) for each in context.space.alive(whole).values()) == 1


def test_no_unit_to_remove_names_what_holds():
    with pytest.raises(BadInput, match=r"no unit of this network can be removed.*\n.*the network's output"):
        Units().on(nn.Sequential(nn.Linear(3, 2)), torch.zeros(2, 3))
    with pytest.raises(BadInput, match="--least -1"):
        Units(least=-1)


def test_a_size_in_the_code_is_refused_with_what_to_write_instead():
    class Written(nn.Sequential):
        def forward(self, x):
            return self[1](self[0](x).view(-1, 4))

    with pytest.raises(BadInput, match=r"0: the size 4 that view asks for .*\n.* write -1, or an attribute"):
        Units().on(Written(nn.Linear(3, 4), nn.Linear(4, 2)), torch.zeros(2, 3))


def test_every_layer_of_a_walk_loses_the_same_part_rounded_up():
    run = Run(IceFilters(threshold=100.0, freeze=0.0).composition().counting("units"), asked=(0.5,))
    left = {name: int(each.sum()) for name, each in run.engine.space.alive(run.engine.masks).items()}
    assert left == {"conv": 1, "first": 4}  # of 3 and 8: ceil(0.5 n) go
    assert len(run.engine.cuts) == 2
    assert [event.sparsity for event in run.engine.events] == pytest.approx([2 / 11, 0.5])


def test_ice_learns_from_the_parent_beside_the_labels():
    goal, own = torch.tensor([[1.0, 3.0]]), torch.tensor([[2.0, 2.0]])
    p, q = torch.softmax(own / 2, 1), torch.softmax(goal / 2, 1)
    assert float(divergence(own, goal, 2.0)) == pytest.approx(float((q * (q / p).log()).sum()), rel=1e-6)
    alone, taught = (Run(IceFilters(distil=on).composition()).final for on in (False, True))
    assert any(not torch.equal(alone[name], taught[name]) for name in alone)
    trainer = Trainer(EveryKind(), *examples().train, SGD, epochs=1, order_seed=0, task=Task(parse_loss("mse")))
    with pytest.raises(BadInput, match="--no-distil"):
        IceFilters().composition().teacher.objective(trainer, trained())


def test_one_threshold_removes_units_and_weights_and_counts_each_once():
    context = of_network(EveryKind(), *examples().train, space=UnitsAndWeights())
    scorer = Elasticities(CnipIt().probe)
    assert scored(scorer) == "both"
    space, found = context.space, scorer.score(context)
    target = space.target(space.left(context.masks), 0.6)
    masks = cut(context, target, scorer=scorer)

    def above(threshold):
        """By definition: what scores as much, and the best unit of every layer."""
        kept = {name: score >= threshold for name, score in found.items()}
        for group in space.groups:
            kept[group.name][found[group.name].argmax()] = True
        by_units = UnitsOf.spread(space, kept, context.masks)
        return {name: mask & kept[name] if name in space.counted else mask for name, mask in by_units.items()}

    every = torch.cat([score.double().flatten() for score in found.values()]).unique()
    left = [sum(int(above(float(t))[name].sum()) for name in space.counted) for t in every[::1]]
    threshold = next(float(t) for t, count in zip(every, left, strict=True) if count <= target)
    assert space.left(masks) <= target
    assert all(torch.equal(masks[name], mask) for name, mask in above(threshold).items())


def test_flops_are_refused_where_single_weights_go():
    with pytest.raises(BadInput, match="--flops: this method removes single weights too"):
        CnipIt().composition().counting("flops")
    with pytest.raises(BadInput, match="--units: this method removes single weights, of which"):
        Snip().composition().counting("units")


def test_epi_looks_at_the_units_that_each_layer_would_keep():
    from pruning.methods.early_filters import EarlyFilters

    run = Run(EarlyFilters(start="parent").composition(), stop_after=9)
    assert [len(each) for each in run.engine.seen] == [2] * 10
    assert all(sum(each) <= 11 for each in run.engine.seen)
    assert is_stable([(3.0, 8.0)] * 12, 0.983, 5)


LINEAR = torch.tensor([[1.0], [-1.0]])


def outputs_net(a):
    """z = w x, y = a z: one neuron and two outputs."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 2, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor(a)[:, None])
    return model


@pytest.mark.parametrize(("a", "full", "bound"), [((1.0, -1.0), 1.0, 0.0), ((0.5, 0.5), 0.5, 0.5)])
def test_the_sensitivity_of_a_neuron_by_hand(a, full, bound):
    model, x = outputs_net(a), torch.randn(7, 1)
    assert float(sensitivities(model, x, CLASSIFICATION, "full")["0"]) == pytest.approx(full)
    assert float(sensitivities(model, x, CLASSIFICATION, "lower-bound")["0"]) == pytest.approx(bound)


def test_the_lower_bound_never_exceeds_the_sensitivity_and_both_are_autograds():
    model, (x, _) = EveryKind().eval(), examples().train
    found = {kind: sensitivities(model, x, CLASSIFICATION, kind) for kind in ("full", "lower-bound", "local")}
    slopes = []
    for each in x:  # one example at a time, by the Jacobian
        z = model.conv(each[None]).detach()

        def rest(z):
            h = torch.relu(model.norm(z)).flatten(1)
            h = torch.relu(model.first(h))
            return model.last(torch.relu(model.again(torch.relu(model.shared(h)))))[0]

        slopes.append(torch.autograd.functional.jacobian(rest, z)[:, 0])  # (outputs, channels, rows, columns)
    jacobians = torch.stack(slopes)
    full = jacobians.abs().mean((0, 1, 3, 4))
    bound = jacobians.mean(1).abs().mean((0, 2, 3))
    assert found["full"]["conv"].tolist() == pytest.approx(full.tolist(), rel=1e-4)
    assert found["lower-bound"]["conv"].tolist() == pytest.approx(bound.tolist(), rel=1e-4)
    with torch.no_grad():
        on = (model.conv(x).mean((0, 2, 3)) > 0).float()
    assert torch.equal(found["local"]["conv"], on)
    for name, each in found["full"].items():
        assert bool((found["lower-bound"][name] <= each * (1 + 1e-5)).all())


def test_the_sensitivity_does_not_depend_on_the_batch():
    model, (x, _) = EveryKind().eval(), examples().train
    parts = [sensitivities(model, part, CLASSIFICATION, "full") for part in x.split(8)]
    for name, each in sensitivities(model, x, CLASSIFICATION, "full").items():
        assert each.tolist() == pytest.approx((sum(part[name] for part in parts) / len(parts)).tolist(), rel=1e-4)


def one_step(update, model, lr=0.0):
    recipe = replace(SGD, lr=lr or 1e-30, momentum=0.0, weight_decay=0.0)
    trainer = Trainer(model, *examples().train, recipe, epochs=1, order_seed=0, around_step=update.around(model))
    trainer.advance(1)
    return trainer


def test_serene_shrinks_the_weights_of_insensitive_neurons_alone():
    model = EveryKind().train()
    with torch.no_grad():
        model.last.weight[:, 0].fill_(40.0)  # the neuron that it reads is sensitive: S >= 1
        model.again.weight.abs_().add_(0.1)
        model.again.bias.fill_(1.0)
    before = {name: value.clone() for name, value in model.named_parameters()}
    one_step(NeuronInsensitivity(0.25, "local"), model)
    on = before["again.bias"] > 0
    assert on.all()
    for name, value in model.named_parameters():
        if name.endswith("bias") or name.startswith("norm"):
            assert torch.allclose(value, before[name])
        else:
            rows = (value / before[name].where(before[name] != 0, 1.0)).flatten(1)
            assert set(rows.detach().round(decimals=4).unique().tolist()) <= {1.0, 0.75, 0.75**2}
    model = outputs_net((3.0, 3.0))
    assert float(sensitivities(model, torch.ones(4, 1), CLASSIFICATION, "full")["0"]) == 3.0


def small(in_place=False):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 6), nn.ReLU(in_place), nn.Linear(6, 4))


@pytest.mark.parametrize("update", [NeuronInsensitivity(0.5, "full"), NeuronLossInsensitivity(0.5)])
def test_neurons_shrink_alike_before_an_activation_in_place(update):
    one, other = small(), small(in_place=True)
    for model in (one, other):
        one_step(update, model)
    for value, truth in zip(other.parameters(), one.parameters(), strict=True):
        torch.testing.assert_close(value, truth)


@pytest.mark.parametrize("kind", ["full", "lower-bound", "local"])
def test_the_sensitivity_is_by_the_potential_not_by_what_an_activation_in_place_makes_of_it(kind):
    model, x = small(in_place=True), examples().train[0]
    z = model[1](x.flatten(1)).detach()
    if kind == "local":
        truth = (z.mean(0) > 0).float()
    else:
        slopes = (z > 0).float()[:, None] * model[3].weight.detach()  # (n, outputs, neurons)
        truth = (slopes.abs().mean(1) if kind == "full" else slopes.mean(1).abs()).mean(0)
    torch.testing.assert_close(sensitivities(model, x, CLASSIFICATION, kind)["1"], truth)


@pytest.mark.parametrize("frozen", ["1", "3"])
@pytest.mark.parametrize(
    "update", [*(NeuronInsensitivity(0.5, kind) for kind in ("full", "local")), NeuronLossInsensitivity(0.5)]
)
def test_frozen_layers_do_not_shrink_and_the_others_do(update, frozen):
    model = small()
    model.get_submodule(frozen).requires_grad_(False)
    before = {name: value.clone() for name, value in model.named_parameters()}
    one_step(update, model)
    moved = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert f"{4 - int(frozen)}.weight" in moved
    assert not any(name.startswith(frozen) for name in moved)


def test_an_output_that_is_one_number_an_example_has_sensitivities():
    x = torch.randn(7, 1)
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False), nn.Flatten(0))
    found = sensitivities(model, x, Task(parse_loss("mse")), "full")
    assert float(found["0"]) == pytest.approx(model[1].weight.abs().item())


def test_lobster_by_neuron_keeps_a_running_slope_that_is_part_of_the_state():
    model = EveryKind()
    update = NeuronLossInsensitivity(0.01)
    trainer = one_step(update, model)
    first = {name: value.clone() for name, value in trainer.memory.items()}
    trainer.advance(1)
    assert all(not torch.equal(first[name], trainer.memory[name]) for name in first)
    state = trainer.state_dict()
    again = Trainer(EveryKind(), *examples().train, trainer.recipe, epochs=1, order_seed=0)
    again.load_state_dict(state)
    assert all(torch.equal(again.memory[name], state["memory"][name]) for name in state["memory"])
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 4))
    before = [value.clone() for value in model.parameters()]
    x, y = examples().train
    logits = model(x[:8])
    trainer = one_step(update, model)
    batch = trainer._order[1][:8]
    slope = (torch.softmax(model_of(before, x[batch]), 1) - nn.functional.one_hot(y[batch], 4)).mean(0) / 8
    assert trainer.memory["neurons of 1"].tolist() == pytest.approx(slope.tolist(), rel=1e-4)
    for value, was in zip(model.parameters(), before, strict=True):
        factor = 1 - 0.01 * (1 - slope.abs())
        assert torch.allclose(value, was * factor.view(-1, *[1] * (was.ndim - 1)), rtol=1e-5)
    assert logits.shape == (8, 4)


def model_of(values, x):
    weight, bias = values
    return x.flatten(1) @ weight.T + bias


def test_slimming_adds_the_slope_of_its_penalty_to_scales_alone():
    plain, slim = EveryKind(), EveryKind()
    slim.load_state_dict(plain.state_dict())
    with torch.no_grad():
        for model in (plain, slim):
            model.norm.weight.copy_(torch.tensor([1.0, -2.0, 0.0]))
    one_step(ScalePenalty(0.0), plain, lr=0.1)
    one_step(ScalePenalty(0.5), slim, lr=0.1)
    moved = slim.norm.weight - plain.norm.weight
    assert moved.tolist() == pytest.approx([-0.05, 0.05, 0.0], abs=1e-6)
    assert all(
        torch.equal(value, slim.get_parameter(name))
        for name, value in plain.named_parameters()
        if name != "norm.weight"
    )
    assert NetworkSlimming().composition().update == ScalePenalty(1e-4)


@pytest.mark.parametrize(
    ("flags", "levels"),
    [
        ({"pace": "constant", "rounds": 4}, [0.2, 0.4, 0.6, 0.8]),
        ({"pace": "geometric", "rounds": 2}, [1 - 0.2**0.5, 0.8]),
        ({"pace": "hybrid", "first": 0.6, "step": 0.1}, [0.6, 0.7, 0.79, 0.8]),
    ],
)
def test_rounds_of_units_come_by_their_levels(flags, levels):
    run = Run(Filters(**flags).composition().counting("units"), asked=(0.8,))
    assert [event.sparsity for event in run.engine.events] == pytest.approx(levels)
    assert run.engine.span.initial == 0
    assert run.engine.space.shares(run.engine.masks)["units"] >= 0.8
    survivors = [left for _, left in run.engine.cuts]
    assert all(later < earlier for earlier, later in pairwise(survivors))


def test_pruning_from_python_counts_what_it_is_asked_to():
    x, y = examples().train
    found = prune(EveryKind(), (x, y), method=Filters(criterion="fpgm"), sparsity=0.5, measure="units")
    space = Units("units").on(found.model, x)
    left = space.units(found.masks)
    assert sum(int(each.sum()) for each in left.values()) == 5
    for group in space.groups:
        for (name, axis), places in group.places.items():
            entries = torch.as_tensor(places)[~left[group.name]].flatten()
            assert not found.model.get_parameter(name).index_select(axis, entries).any()


def test_a_pruned_network_computes_what_it_computes_without_its_removed_units():
    """Whatever is put into statistics that only removed units have, the outputs are the same."""
    x, y = examples().train
    found = prune(EveryKind(), (x, y), method="filters", sparsity=0.6, epochs=2, recipe={"lr": 0.05})
    gone = ~Units().on(found.model, x).units(found.masks)["conv"]
    model = found.model.eval()
    with torch.no_grad():
        before = model(x)
        model.norm.running_mean[gone] = 7.0
        model.norm.running_var[gone] = 3.0
        assert gone.any()
        assert torch.equal(model(x), before)


def test_scopes_share_units_out_by_layer_or_let_all_compete():
    asked = {"asked": (0.5,)}
    layers = Run(Filters(scope="layer").composition().counting("units"), **asked).engine
    assert {name: int(each.sum()) for name, each in layers.space.units(layers.masks).items()} == {"conv": 1, "first": 4}
    scaled = Filters(scope="global", normalise="mean", per="flops", criterion="l2").composition().counting("units")
    both = Run(scaled, **asked).engine
    assert both.space.shares(both.masks)["units"] >= 0.5


@pytest.mark.parametrize(
    ("units", "share", "gone"), [(7, 0.2, 2), (8, 0.4, 4), (13, 0.4, 6), (10, 0.3, 3), (25, 0.28, 7)]
)
def test_no_smaller_share_of_the_units_goes_than_was_asked_for(units, share, gone):
    model = nn.Sequential(nn.Linear(3, units), nn.ReLU(), nn.Linear(units, 2))
    found = prune(model, (torch.randn(8, 3), torch.arange(8) % 2), method="filters", sparsity=share, measure="units")
    assert int((~found.masks["0.weight"].any(1)).sum()) == gone


class Fixed(nn.Module):
    """A network that takes sixteen examples, neither fewer nor more."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 8), nn.Linear(8, 2)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)).view(16, 8))


def test_units_are_followed_with_two_examples_where_one_is_too_few_and_else_refused():
    data = torch.randn(16, 3), torch.arange(16) % 2
    flags = {"method": "filters", "sparsity": 0.5, "measure": "units"}
    normalised = nn.BatchNorm1d(8, track_running_stats=False)
    found = prune(nn.Sequential(nn.Linear(3, 8), normalised, nn.ReLU(), nn.Linear(8, 2)), data, **flags)
    gone = ~found.masks["0.weight"].any(1)
    assert int(gone.sum()) == 4
    for name, removed in (("1.weight", gone), ("3.weight", gone.expand(2, 8))):
        assert torch.equal(~found.masks[name], removed)
    with pytest.raises(BadInput, match=r"one or two examples .*: RuntimeError: shape '\[16, 8\]'"):
        prune(Fixed(), data, **flags)


def test_layers_that_stay_whole_are_in_the_notes_of_the_result():
    data = torch.randn(5, 3, 8), torch.arange(5) % 3
    found = prune(Attending(), data, method="filters", sparsity=0.2, measure="units")
    assert any(note.startswith("the units of these layers stay: ") and "down (" in note for note in found.notes)


def test_a_share_of_the_time_is_never_negative(monkeypatch):
    monkeypatch.setattr("pruning.context.latency.latency", lambda *_: {"before": 1.0, "after": 1.2})
    with pytest.raises(BadInput, match="--latency: none of the time of a forward pass can go"):
        prune(EveryKind(), examples().train, method="filters", sparsity=0.4, measure="latency")
