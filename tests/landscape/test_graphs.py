"""Products from kept graphs are the same bits; graphs are kept only where they fit; nothing grows with the products."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import nn

from landscape.objective.objective import Objective
from landscape.objective.pearlmutter import gradient_graph
from minima.zoo.examples.needs import saved_bytes


def build(batch_size: int = 7, memory: int = 2**30) -> Objective:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 4))
    x, y = torch.randn(20, 1, 8, 8), torch.arange(20) % 4
    masks = {"3.weight": torch.rand(4, 108) > 0.5}
    return Objective(model, x, y, masks=masks, batch_size=batch_size, memory=memory)


def bytes_each(objective: Objective) -> float:
    return objective.keeper._bytes_each(gradient_graph, lambda *some: objective.chunks(None, *some))


@pytest.mark.parametrize(("share", "kept"), [(0, 0), (0.5, 1), (0.8, 2), (1.1, 3)])
def test_kept_graphs_give_the_same_bits(share: float, kept: int) -> None:
    """Graphs of 20 examples in chunks of 7, 7 and 6."""
    whole = 20 * bytes_each(build())
    vectors = torch.randn(3, build().dimension, dtype=torch.float64)
    objective = build(memory=int(share * whole))
    first, again = objective.hvp(vectors), objective.hvp(vectors)
    assert len(objective.keeper.kept) == kept
    assert torch.equal(first, again)
    assert torch.equal(first, build(memory=0).hvp(vectors))


def test_elsewhere_than_at_the_point_nothing_is_kept() -> None:
    objective = build()
    displacement = 0.1 * torch.ones(objective.dimension)
    moved = objective.hvp(displacement, displacement)
    assert not objective.keeper.kept
    assert not torch.equal(moved, objective.hvp(displacement))


def test_the_estimate_is_what_all_graphs_take() -> None:
    objective = build(batch_size=20)
    found = saved_bytes(lambda: [gradient_graph(chunk) for chunk in objective.chunks()])
    assert 20 * bytes_each(objective) == found
    assert found > 20 * 3 * 36 * 4  # the activations of the convolution at the very least


def test_live_tensors_do_not_grow_with_products() -> None:
    objective = build()
    vector = torch.ones(objective.dimension)

    def live() -> int:
        gc.collect()
        return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())

    objective.hvp(vector)
    before = live()
    for _ in range(5):
        objective.hvp(vector)
    assert live() <= before
