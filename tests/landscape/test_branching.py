"""Rewritten passes of networks that branch on their data: the plain numbers, whatever the chunks, order and form."""

from __future__ import annotations

import copy
from typing import get_args

import pytest
import torch
from oracles.branching_networks import KINDS, Branching, examples
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from landscape.objective.objective import Objective
from landscape.passes.checks import Disagreement
from landscape.passes.network import Network
from landscape.passes.pass_plan import Form, PassPlan
from minima.store.command import BadInput

COUNT = 24
FORMS = [form for form in get_args(Form) if form != "compiled"]


def truth(model: nn.Module, x: Tensor, y: Tensor, vector: Tensor) -> tuple[float, Tensor, Tensor]:
    """Loss, gradient and Hessian-vector product by plain autograd in float64."""
    model = copy.deepcopy(model).double().eval()
    parameters = list(model.parameters())
    loss = cross_entropy(model(x.double()), y)
    gradient = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
    flat = torch.cat([each.flatten() for each in gradient])
    product = torch.autograd.grad(flat @ vector, parameters, materialize_grads=True)
    return loss.item(), flat.detach(), torch.cat([each.flatten() for each in product])


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_chunks_order_and_form_do_not_matter(kind: str, seed: int, in_order: bool) -> None:
    model, (x, y) = Branching(kind, seed), examples(COUNT, seed, in_order)
    vector = torch.randn(sum(p.numel() for p in model.parameters()), dtype=torch.float64)
    loss, gradient, product = truth(model, x, y, vector)
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(seed))
    for chosen, size in ((slice(None), 24), (slice(None), 7), (slice(None), 1), (order, 5)):
        objective = Objective(model, x[chosen], y[chosen], batch_size=size)
        for _ in range(2):  # what the first pass may have given up
            assert objective.loss() == pytest.approx(loss, rel=1e-5)
            torch.testing.assert_close(objective.gradient(), gradient, rtol=1e-4, atol=1e-5 * float(gradient.norm()))
            torch.testing.assert_close(objective.hvp(vector), product, rtol=1e-4, atol=1e-5 * float(product.norm()))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_form_of_a_surface_freezes_a_branch(kind: str, form: Form) -> None:
    model, (x, y) = Branching(kind, 5), examples(COUNT, 5, True)
    objective = Objective(model, x, y, batch_size=8)
    displacement = 0.02 * torch.randn(objective.dimension, dtype=torch.float64)
    moved = copy.deepcopy(model)
    for name, change in objective.coordinates.tensors(displacement).items():
        moved.get_parameter(name).data += change.float()
    with torch.no_grad():
        expected = [cross_entropy(each(x), y).item() for each in (model, moved)]
    for channels_last in (False, True):
        objective.forward.settle(PassPlan(form, 8, 1, channels_last))
        found = [objective.loss(at) for at in (None, displacement, None)]
        assert found == pytest.approx([*expected, expected[0]], rel=1e-5)


def test_domains_are_folded_all_the_same() -> None:
    model, (x, y) = Branching("domains", 0), examples(COUNT, 0, True)
    objective = Objective(model, x, y, batch_size=6)
    objective.gradient()
    plan = objective._network.plan
    assert plan is not None
    assert [plan.norm(f"convs.{k}.weight", 0) is not None for k in range(2)] == [True, True]
    assert not plan.barred


def test_a_view_costs_no_speed() -> None:
    """It is a copy where channels come last, and neither the folding nor the layout are given up."""
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), Viewed(), nn.Linear(8 * 36, 3))
    x, y = examples(COUNT, 0, False)
    objective = Objective(model.eval(), x, y)
    objective.hvp(torch.randn(objective.dimension, dtype=torch.float64))
    assert objective._network.rewriting.channels_last
    assert objective._network.plan is not None


class Viewed(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), -1)


def broken(model: nn.Module, x: Tensor, y: Tensor, monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> float:
    """The loss where a rewritten pass of the last chunk ends in an error, or in other numbers."""
    objective = Objective(model, x, y, batch_size=8)
    rewritten = Network._rewritten

    def breaking(self: Network, plan: object, tensors: dict[str, Tensor], inputs: Tensor) -> object:
        outputs, way = rewritten(self, plan, tensors, inputs)
        if torch.equal(inputs, x[16:]):
            if error is not None:
                raise error
            outputs = outputs + 0.01
        return outputs, way

    monkeypatch.setattr(Network, "_rewritten", breaking)
    return objective.loss()


@pytest.mark.parametrize("error", [None, RuntimeError("no such thing"), Disagreement()])
def test_what_goes_wrong_later_is_computed_plainly(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    model, (x, y) = Branching("twice", 1), examples(COUNT, 1, False)
    expected = cross_entropy(model(x), y).item()
    assert broken(model, x, y, monkeypatch, error) == pytest.approx(expected, rel=1e-5)
    assert "computed as its module does, which may be slower" in capsys.readouterr().err


def test_no_memory_is_no_reason_to_go_on() -> None:
    class Greedy(Branching):
        def forward(self, x: Tensor) -> Tensor:
            if not torch.equal(x, x[:1].expand_as(x)):
                return super().forward(x)
            raise MemoryError("all of it")

    x, y = examples(COUNT, 1, False)
    x = torch.cat([x, x[:1].expand(8, -1, -1, -1)])
    objective = Objective(Greedy("twice", 1), x, torch.cat([y, y[:8]]), batch_size=8)
    plan = objective._network.plan
    with pytest.raises(MemoryError):
        objective.loss()
    assert objective._network.plan == plan


def test_a_batch_that_is_seen_as_a_whole_is_refused() -> None:
    """It shows in no chunk of those that are looked at before the work."""

    class Whole(Branching):
        def forward(self, x: Tensor) -> Tensor:
            made = super().forward(x)
            return made + made.mean() if x.max() > 100 else made

    x, y = examples(2 * COUNT, 1, False)
    x[-3:, 0, 0, 0] = 200.0
    objective = Objective(Whole("domains", 1), x, y, batch_size=16)
    with pytest.raises(BadInput, match="depend on which others share its chunk"):
        objective.gradient()


def test_every_chunk_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, (x, y) = Branching("twice", 1), examples(COUNT, 1, False)
    sizes: list[int] = []
    forward = type(model).forward

    def counting(self: nn.Module, inputs: Tensor) -> Tensor:
        sizes.append(len(inputs))
        return forward(self, inputs)

    monkeypatch.setattr(type(model), "forward", counting)
    objective = Objective(model, x, y, batch_size=10)
    sizes.clear()
    objective.loss()
    assert sorted(sizes) in ([2, 4, 4, 10, 10, 10], [2, 2, 4, 4, 10, 10, 10], [4, 4, 10, 10, 10, 10])
    objective.gradient()  # and the check of derivatives
    sizes.clear()
    objective.gradient()
    objective.loss()
    assert sorted(sizes) == [4, 4, 10, 10, 10, 10]
