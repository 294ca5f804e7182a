"""The training loop: removed weights stay zero, and a stopped run goes on to the same bytes."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from minima.store.command import BadInput
from minima.zoo.data.splits import Splits
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.training.loop import Trainer
from minima.zoo.training.plan import Plan
from minima.zoo.training.recipe import Recipe

RECIPES = {
    "sgd": Recipe(batch_size=8, weight_decay=0.01),
    "nesterov-cosine": Recipe(batch_size=8, nesterov=True, schedule="cosine"),
    "adam-step": Recipe(batch_size=8, optimiser="adam", lr=0.01, weight_decay=0.1, schedule="step"),
    "plateau": Recipe(batch_size=8, schedule="plateau", patience=0),
}


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(3 * 36, 4)
    )


@pytest.fixture(scope="module")
def examples():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(30, 1, 8, 8, generator=generator), torch.randint(0, 4, (30,), generator=generator)


def some_masks(model):
    generator = torch.Generator().manual_seed(2)
    return {
        name: torch.rand(dict(model.named_parameters())[name].shape, generator=generator) < 0.4
        for name in ("0.weight", "5.weight")
    }


def trainer(recipe, examples, **more):
    return Trainer(network(), *examples, recipe, epochs=5, order_seed=3, **more)


def same(first, second):
    if torch.is_tensor(first):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_removed_weights_are_exactly_zero_after_every_step(recipe, examples):
    run = trainer(recipe, examples)
    run.advance(7)  # the optimiser's slots are full when the masks come
    masks = some_masks(run.model)
    run.set_masks(masks)
    parameters = dict(run.model.named_parameters())
    for _ in range(100):
        run.advance(1)
        assert all(not parameters[name][~mask].any() for name, mask in masks.items())
    assert all(parameters[name][mask].all() for name, mask in masks.items())


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("stop", [3, 4, 11])
def test_a_stopped_run_goes_on_to_the_same_bytes(recipe, examples, stop):
    whole, stopped = trainer(recipe, examples), trainer(recipe, examples)
    masks = some_masks(whole.model)
    for run in (whole, stopped):
        run.set_masks(masks)
        run.advance(stop)
        run.observe(1.0)
    state = stopped.state_dict()
    stopped.advance(2)  # what happens after the save does not reach it
    resumed = Trainer(network(seed=9), *examples, recipe, epochs=5, order_seed=3)
    resumed.load_state_dict(state)
    for run in (whole, resumed):
        run.advance(9)
        run.observe(2.0)
        run.advance(1)
    assert same(whole.state_dict(), resumed.state_dict())


def test_training_leaves_the_global_random_state_alone(examples):
    before = torch.random.get_rng_state()
    run = trainer(RECIPES["sgd"], examples)
    before = torch.random.get_rng_state()
    run.run_epoch()
    assert torch.equal(before, torch.random.get_rng_state())


def test_every_example_is_seen_once_an_epoch_in_an_order_of_its_own(examples):
    x, y = examples
    run = trainer(RECIPES["sgd"], (x, y))
    orders = []
    for _ in range(2):
        seen = []
        for _ in range(run.steps_per_epoch):
            seen.append(run._batch())
            run.steps_done += 1
        orders.append(torch.cat(seen))
        assert orders[-1].sort().values.tolist() == list(range(30))
    assert not torch.equal(*orders)


def test_plain_sgd_is_the_formula(examples):
    x, y = examples
    recipe = Recipe(batch_size=30, momentum=0, weight_decay=0.1, lr=0.5)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    weight = model[1].weight
    before = weight.detach().clone()
    loss = nn.functional.cross_entropy(model(x), y)
    (gradient,) = torch.autograd.grad(loss, weight)
    run = Trainer(model, x, y, recipe, epochs=1, order_seed=0)
    assert run.advance(1) == pytest.approx(loss.item(), rel=1e-6)
    torch.testing.assert_close(weight.detach(), before - 0.5 * (gradient + 0.1 * before))


def test_the_rate_falls_where_the_recipe_says(examples):
    run = trainer(Recipe(batch_size=30, schedule="step", milestones=(0.4,), lr=1e-3), examples)
    rates = []
    for _ in range(5):
        rates.append(run.rate)
        run.run_epoch()
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-4])


def test_restart_forgets_momentum_and_starts_the_rule_again(examples):
    run = trainer(RECIPES["nesterov-cosine"], examples)
    run.run_epoch()
    run.restart(RECIPES["nesterov-cosine"], epochs=2)
    assert not any(slot.any() for slots in run.update.slots.values() for slot in slots)
    assert run.rate == pytest.approx(0.1)


@pytest.mark.parametrize("stride", [1, 3, 4, 5, 100])
def test_pieces_end_at_epochs_strides_and_the_end_and_cover_every_step(stride, examples):
    whole, run = trainer(RECIPES["sgd"], examples), trainer(RECIPES["sgd"], examples)
    assert run.steps_per_epoch == 4
    run.advance(2)
    ends = [run.steps_done for _ in run.pieces(10, stride)]
    assert ends == [step for step in range(3, 11) if step % 4 == 0 or step % stride == 0 or step == 10]
    assert list(run.pieces(10, stride)) == []
    whole.advance(10)
    assert same(whole.state_dict(), run.state_dict())


def test_the_plateau_rule_hears_the_held_out_loss_or_that_of_the_training_part(examples):
    x, y = examples
    nothing = x[:0], y[:0]
    for validation, heard_on in (((x[:5], y[:5]), 5), (nothing, 30)):
        splits = Splits((x, y), validation, nothing)
        run, idle = trainer(RECIPES["plateau"], examples), trainer(RECIPES["sgd"], examples)
        loss = run.validate(splits)
        assert loss == idle.validate(splits, needed=True) == evaluate(run.model, x[:heard_on], y[:heard_on]).loss
        assert run.state_dict()["plateau"]["best"] == loss
        assert idle.validate(splits) is None


BAD_RECIPES = [
    ("lr", -1.0),
    ("lr", math.nan),
    ("lr", math.inf),
    ("momentum", 2.0),
    ("momentum", -0.1),
    ("weight_decay", -1.0),
    ("batch_size", 0),
    ("warm_up", 1.0),
    ("last", -0.1),
    ("milestones", (0.5, 15.0)),
    ("gamma", 0.0),
    ("gamma", 1.0),
    ("patience", -1),
]
BAD_PLANS = [
    ("epochs", -1),
    ("validation", 1.0),
    ("validation", -0.1),
    ("validation", math.nan),
    ("keep", -1),
    ("weights_at", (0, 4)),
    ("weights_at", (-1,)),
]
PLAN = Plan(Recipe(), epochs=3, validation=0.1, split_seed=0, order_seed=0)


@pytest.mark.parametrize(("name", "value"), BAD_RECIPES + BAD_PLANS)
def test_a_plan_with_a_value_that_no_run_can_use_is_refused(name, value):
    found = value[-1] if isinstance(value, tuple) else value
    changed = {name: value} if hasattr(PLAN, name) else {"recipe": replace(PLAN.recipe, **{name: value})}
    with pytest.raises(BadInput, match=f"^--{name.replace('_', '-')} {found}: expected"):
        replace(PLAN, **changed)


def test_values_at_the_edge_are_accepted():
    edge = Recipe(lr=0.0, momentum=0.0, weight_decay=0.0, batch_size=1, milestones=(0.0, 1.0), patience=0)
    replace(PLAN, recipe=edge, epochs=0, validation=0.0, weights_at=(0,))


def test_a_split_that_leaves_nothing_to_train_on_is_said(examples):
    x, y = examples
    with pytest.raises(BadInput, match="--validation"):
        trainer(RECIPES["sgd"], (x[:0], y[:0]))


def test_divergence_is_said_with_advice(examples):
    run = trainer(Recipe(batch_size=8, lr=1e30), examples)
    with pytest.raises(BadInput, match="--lr"):
        run.advance(20)


def test_around_step_acts_between_gradient_and_update(examples):
    seen = []

    def around(step):
        before = run.model[5].weight.detach().clone()
        step()
        seen.append((before, run.model[5].weight.detach().clone(), run.model[5].weight.grad is not None))

    run = trainer(RECIPES["sgd"], examples, around_step=around)
    run.advance(1)
    before, after, has_gradient = seen[0]
    assert has_gradient
    assert not torch.equal(before, after)
