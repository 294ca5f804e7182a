"""SR-STE: the hand-computed case, autograd of the surrogate, and what it refuses."""

import pytest
import torch
from oracles.pruning_battery import ADAM, SGD, EveryKind, Run
from torch import nn

from minima.store.command import BadInput
from minima.zoo.training.loop import Trainer
from minima.zoo.training.recipe import Recipe
from pruning.methods.sr_ste import SrSte, read_pattern
from pruning.regrow.straight_through import StraightThrough
from pruning.spaces.blocks import Blocks, largest_of_blocks


def test_the_case_of_the_spec():
    weight = nn.Parameter(torch.tensor([[0.1, -0.5, 0.3, 0.2]]))
    loose = StraightThrough(2, 4, 2e-4).loose({"w": weight})
    assert loose.masks["w"].int().tolist() == [[0, 1, 1, 0]]
    assert weight.tolist() == [[0, *torch.tensor([-0.5, 0.3]).tolist(), 0]]
    weight.grad = torch.ones(1, 4)
    loose.around(lambda: None)
    assert weight.grad.flatten().tolist() == pytest.approx([1.00002, 1, 1, 1.00004], abs=1e-7)


@pytest.mark.parametrize(("kept", "size"), [(1, 2), (2, 4), (1, 4), (5, 8)])
@pytest.mark.parametrize("shape", [(3, 8), (3, 16, 2, 3)])
def test_masks_against_a_loop(kept, size, shape):
    weight = torch.randint(-3, 4, shape, generator=torch.Generator().manual_seed(0)).float()  # ties abound
    mask = largest_of_blocks({"w": weight}, kept, size)["w"]
    rows = weight.movedim(1, -1).reshape(-1, size)
    expected = torch.zeros_like(rows, dtype=torch.bool)
    for row, block in enumerate(rows):
        expected[row, block.abs().argsort(descending=True, stable=True)[:kept]] = True
    assert torch.equal(mask.movedim(1, -1).reshape(-1, size), expected)


def surrogate_step(values, inputs, labels, recipe, optimiser):
    """One step of torch's optimiser on all values, by autograd through (m v) + pull / 2 |(1 - m) v|^2."""
    mask = torch.stack([row.abs() >= row.abs().topk(2).values[1] for row in values.detach().view(-1, 4)]).view_as(
        values
    )
    passed = values + (values * mask - values).detach()  # forward m v, backward to v
    penalty = 0.5 * 0.01 * (values * ~mask).square().sum()
    loss = nn.functional.cross_entropy(inputs @ passed.T, labels) + penalty
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_steps_are_those_of_autograd_on_the_surrogate(name):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(6, 8, generator=generator), torch.tensor([0, 1, 2, 0, 1, 2])
    recipe = Recipe(optimiser=name, lr=0.05, momentum=0.9, weight_decay=0.1, batch_size=6)
    model = nn.Linear(8, 3, bias=False)
    values = model.weight.detach().clone().requires_grad_()
    trainer = Trainer(model, x, y, recipe, epochs=20, order_seed=0)
    trainer.loosen(StraightThrough(2, 4, 0.01).loose({"weight": model.weight}))
    if name == "sgd":
        optimiser = torch.optim.SGD([values], 0.05, momentum=0.9, weight_decay=0.1)
    else:
        optimiser = torch.optim.Adam([values], 0.05, betas=(0.9, 0.999), weight_decay=0.1)
    first = trainer.masks["weight"].clone()
    for _ in range(20):
        trainer.advance(1)
        surrogate_step(values, x, y, recipe, optimiser)
        both = model.weight + trainer.loose.aside["weight"]
        assert (both - values).abs().max() < 1e-5
        assert not model.weight[~trainer.masks["weight"]].any()
    assert not torch.equal(first, trainer.masks["weight"])


@pytest.mark.parametrize("recipe", [SGD, ADAM], ids=["sgd", "adam"])
def test_every_block_keeps_exactly_n_all_along(recipe):
    run = Run(SrSte(dense=("conv",)).composition(), recipe=recipe)
    for masks, weights in run.moments:
        assert masks.keys() == {"first.weight", "shared.weight", "last.weight"}
        for name, mask in masks.items():
            assert (mask.view(-1, 4).sum(1) == 2).all()
            assert not weights[name][~mask].any()
    first, last = run.moments[0][0], run.moments[-1][0]
    assert any(not torch.equal(first[name], last[name]) for name in first)


def test_layers_that_do_not_divide_are_all_named():
    with pytest.raises(BadInput, match=r"conv of shape \(3, 1, 3, 3\).*\n.*--dense conv$"):
        Blocks(2, 4).weights(EveryKind())
    with pytest.raises(BadInput, match=r"--dense conv first shared last$"):
        Blocks(2, 5).weights(EveryKind())
    with pytest.raises(BadInput, match="no such convolution or linear layer"):
        Blocks(2, 4, ("convolution",)).weights(EveryKind())
    assert list(Blocks(2, 4, ("conv",)).weights(EveryKind())) == ["first.weight", "shared.weight", "last.weight"]


def test_the_pattern_is_the_sparsity():
    with pytest.raises(BadInput, match=r"--sparsity 0\.9: the --pattern removes 0.5 .* give --sparsity 0.5"):
        SrSte().composition().schedule.events(type("Span", (), {"asked": (0.9,)}))
    for wrong in ("4:2", "2", "0:4", "2:2"):
        with pytest.raises(BadInput, match="--pattern"):
            read_pattern(wrong)


def test_the_command(prune, dense, tmp_path):
    from minima.store.checkpoints.checkpoint import load

    out = tmp_path / "x.pt"
    summary = prune("sr-ste", dense, "--sparsity", 0.5, "-o", out)
    assert summary["sparsity"] == 0.5
    made = load(out)
    assert all((mask.view(-1, 4).sum(1) == 2).all() for mask in made.masks.values())
    assert all(not made.state[name][~mask].any() for name, mask in made.masks.items())
    with pytest.raises(BadInput, match=r"--sparsity 0\.9"):
        prune("sr-ste", dense, "--sparsity", 0.9, "-o", tmp_path / "y.pt")
    assert not (tmp_path / "y.pt").exists()
