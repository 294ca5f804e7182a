"""The optimiser's step equals torch's classes bit for bit, the plateau rule torch's scheduler."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minima.zoo.training.plateau import Plateau
from minima.zoo.training.recipe import Recipe
from minima.zoo.training.update import Update

RECIPES = {
    "plain": Recipe(momentum=0, weight_decay=0),
    "momentum": Recipe(momentum=0.9, weight_decay=1e-2),
    "nesterov": Recipe(momentum=0.8, nesterov=True, weight_decay=1e-3),
    "adam": Recipe(optimiser="adam", momentum=0.9, weight_decay=1e-2),
}


def torchs(recipe: Recipe, parameters: list[torch.Tensor]) -> torch.optim.Optimizer:
    if recipe.optimiser == "adam":
        return torch.optim.Adam(parameters, 1, betas=(recipe.momentum, 0.999), weight_decay=recipe.weight_decay)
    return torch.optim.SGD(
        parameters,
        1,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        fused=True,
    )


@pytest.mark.parametrize("name", RECIPES)
def test_steps_are_torchs(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(5, 3), (7,), (2, 2)]
    ours = [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]
    theirs = [parameter.detach().clone().requires_grad_() for parameter in ours]
    update, optimiser = Update(RECIPES[name], ours), torchs(RECIPES[name], theirs)
    for step in range(7):
        rate = 0.1 / (1 + step)
        for group in optimiser.param_groups:
            group["lr"] = rate
        for mine, other in zip(ours[:2], theirs[:2], strict=True):  # the last one has no gradient, and stays
            mine.grad = torch.randn(mine.shape, generator=generator)
            other.grad = mine.grad.clone()
        update.step(rate)
        optimiser.step()
        assert all(torch.equal(mine, other) for mine, other in zip(ours, theirs, strict=True))


@settings(max_examples=50, deadline=None)
@given(losses=st.lists(st.floats(0.01, 2.0), min_size=1, max_size=30), patience=st.integers(0, 3))
def test_the_plateau_rule_is_torchs(losses: list[float], patience: int) -> None:
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=patience, eps=0.0)
    plateau = Plateau(gamma=0.5, patience=patience)
    for loss in losses:
        scheduler.step(loss)
        plateau.observe(loss)
        assert plateau.factor == optimiser.param_groups[0]["lr"]


def test_training_does_not_load_the_compiler() -> None:
    import subprocess
    import sys

    code = (
        "import sys, torch; from minima.zoo.training.loop import Trainer;"
        "from minima.zoo.training.recipe import Recipe;"
        "model = torch.nn.Linear(2, 2);"
        "Trainer(model, torch.randn(8, 2), torch.zeros(8).long(), Recipe(), epochs=1, order_seed=0).advance(1);"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
