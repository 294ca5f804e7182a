"""Exchanges at constant sparsity: hand-computed cases, and brute force over a run."""

from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from oracles.pruning_battery import ADAM, SGD, Run, examples
from torch.func import functional_call, grad, hessian
from torch.nn.functional import cross_entropy

from minima.store.command import BadInput
from minima.zoo.seeds import derive
from pruning.context.drop import drop_named
from pruning.drops.gradient_flow import GradientFlow
from pruning.drops.kept_gradient_flow import KeptGradientFlow
from pruning.methods.granet import GraNet
from pruning.methods.rigl import RigL
from pruning.methods.set import SET
from pruning.regrow import exchange
from pruning.regrow.dense_gradient import dense_gradients, hessian_gradients
from pruning.regrow.exchange import Exchange
from pruning.regrow.fraction import Fraction
from pruning.regrow.growth import AtRandom, LargestGradient
from pruning.schedules.event import Span
from pruning.schedules.one_shot import OneShot
from pruning.schedules.sparse_start import SparseStart
from pruning.schedules.then_exchange import ThenExchange


def one_layer(weight, mask, progress=0.5, memory=None):
    return (
        SimpleNamespace(
            weights={"w": torch.tensor(weight)},
            progress=progress,
            seed=0,
            events=1,
            memory={} if memory is None else memory,
        ),
        {"w": torch.tensor(mask, dtype=torch.bool)},
    )


@pytest.fixture
def gradient(monkeypatch):
    """Sets the gradient of the one layer."""

    def fix(values):
        monkeypatch.setattr(exchange, "dense_gradients", lambda _: {"w": torch.tensor(values)})

    return fix


def exchanged(parts, context, masks):
    return parts.regrow(context, masks)["w"].int().tolist()


def test_the_case_of_the_spec(gradient):
    gradient([0.0, 0, 0, 2, -5])
    context, masks = one_layer([0.1, -0.2, 0.3, 0, 0], [1, 1, 1, 0, 0])
    rigl = Exchange(drop_named("magnitude"), LargestGradient(), Fraction(0.34, 0.34, 1.0))
    assert exchanged(rigl, context, masks) == [0, 1, 1, 0, 1]
    gradient([9.0, 0, 0, 2, -5])  # what goes may come back at once
    assert exchanged(rigl, context, masks) == [1, 1, 1, 0, 0]
    assert exchanged(rigl, *one_layer([0.1, -0.2, 0.3, 0, 0], [1, 1, 1, 0, 0], progress=0.0)) == [1, 1, 1, 0, 0]


def test_a_running_score_remembers(gradient):
    gradient([0.0, 0, 0, 1])
    memory = {}
    parts = Exchange(drop_named("running-magnitude"), LargestGradient(), Fraction(0.4, 0.4, 1.0))
    exchanged(parts, *one_layer([1.0, 2, 3, 0], [1, 1, 1, 0], memory=memory))
    assert memory["w"].tolist() == pytest.approx([1, 2, 3, 0])
    # 0.9 x 1 + 0.1 x 9 = 1.8 against 0.9 x 2 + 0.1 x 0.5 = 1.85: large now, but small until now
    assert exchanged(parts, *one_layer([9.0, 0.5, 3, 0], [1, 1, 1, 0], memory=memory)) == [0, 1, 1, 1]
    assert memory["w"].tolist() == pytest.approx([1.8, 1.85, 3, 0])


def test_chance_draws_going_and_coming_apart():
    context, masks = one_layer([1.0] * 400, [1] * 200 + [0] * 200)
    parts = Exchange(drop_named("random"), AtRandom(), Fraction(0.5, 0.5, 1.0))
    after = parts.regrow(context, masks)["w"]
    assert int(after.sum()) == 200
    assert 48 < int(after[200:].sum()) < 86  # 100 come out of 300, of which 200 were removed: 67 +- 4 s.e.


def test_gradients_are_of_removed_weights_too_and_of_one_batch():
    run = Run(RigL().composition(), stop_after=5)
    context = run.engine.context()
    passes = []
    hook = context.model.register_forward_hook(lambda *_: passes.append(1))
    gradients = dense_gradients(context)
    parts = run.engine.composition
    parts.regrow.regrow(context, dict(context.masks))
    hook.remove()
    assert len(passes) == 2
    assert all(gradients[name][~mask].any() for name, mask in context.masks.items() if not mask.all())


@pytest.mark.parametrize("flow", [KeptGradientFlow.flow, GradientFlow.flow], ids=["kept", "published"])
def test_products_of_the_two_kinds_of_grasp_are_the_dense_hessians(flow):
    context = Run(RigL().composition(), stop_after=5).engine.context()
    draws = torch.Generator().manual_seed(derive(context.seed, "batch", context.events))
    batch = torch.randperm(40, generator=draws)[: context.batch_size]
    x, y = examples().train
    model = deepcopy(context.model).double().eval()
    weights = {name: weight.detach().double() for name, weight in context.weights.items()}

    def loss(given):
        return cross_entropy(functional_call(model, given, (x[batch].double(),)) / temperature, y[batch])

    temperature, dense = (200, True) if flow is GradientFlow.flow else (1, False)
    kept = {name: slope * (context.masks[name] | dense) for name, slope in grad(loss)(weights).items()}
    blocks = hessian(loss)(weights)
    found = hessian_gradients(context, flow)
    for name, weight in weights.items():
        rows = [blocks[name][other].reshape(weight.numel(), -1) @ kept[other].flatten() for other in weights]
        torch.testing.assert_close(found[name].flatten().double(), sum(rows), rtol=1e-4, atol=1e-6 / temperature**2)


@pytest.mark.parametrize("recipe", [SGD, ADAM], ids=["sgd", "adam"])
def test_rigl_against_brute_force(recipe, monkeypatch):
    calls = []
    original = Exchange.regrow

    def watched(self, context, masks):
        after = original(self, context, masks)
        if context.progress:
            calls.append((context, {name: mask.clone() for name, mask in masks.items()}, after))
            check_by_sorting(context, masks, after)
        return after

    monkeypatch.setattr(Exchange, "regrow", watched)
    run = Run(RigL(frequency=7).composition(), recipe=recipe)
    assert len(calls) == 8  # 7, 14, ... 56 of 60
    assert any((after[name] & ~masks[name]).any() for _, masks, after in calls for name in masks)
    sizes = [[int(mask.sum()) for mask in masks.values()] for masks, _ in run.moments]
    assert all(size == sizes[0] for size in sizes)
    assert len(run.engine.cuts) == 1


def check_by_sorting(context, masks, after):
    draws = torch.Generator().manual_seed(derive(context.seed, "batch", context.events))
    batch = torch.randperm(40, generator=draws)[: context.batch_size]
    x, y = examples().train
    context.model.eval()
    gradients = torch.autograd.grad(cross_entropy(context.model(x[batch]), y[batch]), list(context.weights.values()))
    context.model.train()
    share = 0.15 * (1 + torch.cos(torch.tensor(torch.pi * context.progress / 0.75, dtype=torch.float64))).item()
    for (name, weight), gradient in zip(context.weights.items(), gradients, strict=True):
        mask, values = masks[name].flatten(), weight.detach().flatten()
        moved = int(share * int(mask.sum()))
        alive = sorted(mask.nonzero().flatten().tolist(), key=lambda i: -values[i].abs().item())
        stays = set(alive[: len(alive) - moved])
        others = [i for i in range(mask.numel()) if i not in stays]
        comes = sorted(others, key=lambda i: -gradient.flatten()[i].abs().item())[:moved]
        assert set(after[name].flatten().nonzero().flatten().tolist()) == stays | set(comes)


@pytest.mark.parametrize("recipe", [SGD, ADAM], ids=["sgd", "adam"])
def test_what_comes_is_zero_with_empty_slots_and_what_stays_is_untouched(recipe):
    run = Run(SET(frequency=7).composition(), recipe=recipe, stop_after=5)  # step 21
    engine, trainer = run.engine, run.engine.trainer
    before = {name: weight.detach().clone() for name, weight in engine.weights.items()}
    slots = {name: [slot.clone() for slot in trainer.update.slots_of(w)] for name, w in engine.weights.items()}
    old = engine.masks
    engine._exchange()
    moved = 0
    for name, weight in engine.weights.items():
        new, both = engine.masks[name] & ~old[name], engine.masks[name] & old[name]
        moved += int(new.sum())
        assert not weight[new].any()
        assert torch.equal(weight[both], before[name][both])
        for slot, earlier in zip(trainer.update.slots_of(weight), slots[name], strict=True):
            assert not slot[new].any()
            assert torch.equal(slot[both], earlier[both])
    assert moved


def test_granet_goes_on_regenerating_after_the_last_cut():
    run = Run(GraNet(frequency=5).composition())
    assert max(step for step, _ in run.engine.cuts) <= 40
    before, after = (run.moments[moment][0] for moment in (10, -1))
    assert any((after[name] & ~before[name]).any() for name in after)
    assert {sum(int(mask.sum()) for mask in masks.values()) for masks, _ in run.moments[9:]} == {run.engine.alive}


def test_a_sparse_start_is_drawn_before_the_first_step():
    run = Run(GraNet(initial_sparsity=0.3, frequency=5).composition(), stop_after=1)
    masks, _ = run.moments[0]
    dense = {name for name, mask in masks.items() if mask.all()}
    assert run.engine.cuts[0] == [0, run.engine.alive]
    assert run.engine.alive == round(0.7 * run.engine.total)
    assert dense == {"conv.weight", "last.weight", "shared.weight"}
    start = run.engine.parent.weights_at[0]["first.weight"].abs()
    assert start[~masks["first.weight"]].max() > start[masks["first.weight"]].median()  # by chance, not by size


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ThenExchange(OneShot(), 60).events(Span(0.0, (0.9,), 4, 10)), "--frequency: no exchange every 60"),
        (lambda: ThenExchange(OneShot(), 0), "--frequency 0"),
        (lambda: ThenExchange(OneShot(), end=1.5), "--end 1.5"),
        (lambda: SparseStart(0.5, OneShot()).events(Span(0.0, (0.3,), 4, 10)), "--initial-sparsity 0.5 is beyond"),
        (lambda: RigL(fraction=1.2).composition(), "--fraction 1.2"),
        (lambda: GraNet(initial_sparsity=1.0).composition(), "--initial-sparsity 1.0"),
    ],
)
def test_bad_input(make, said):
    with pytest.raises(BadInput, match=said):
        make()
