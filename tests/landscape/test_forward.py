"""Passes without derivatives: every form has the module's numbers, whatever the module does."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from landscape.objective.objective import Objective
from landscape.passes import forward
from landscape.passes.compiled import compiled
from landscape.passes.compiler import NoCompiler
from landscape.passes.pass_plan import Form, PassPlan, threads
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.examples.evaluation import evaluate

EAGER = [form for form in get_args(Form) if form != "compiled"]
X, Y = torch.randn(11, 1, 8, 8, generator=torch.Generator().manual_seed(3)), torch.arange(11) % 10


def trained_like(model: nn.Module) -> nn.Module:
    torch.manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval()


def zoo(name: str) -> nn.Module:
    return trained_like(initialise(describe(parse_architecture(name), (1, 8, 8), 10), seed=0))


class Odd(nn.Module):
    """A shared kernel, a norm that cannot fold, sums in place, a draw in training, and a bias that a pass writes to."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.same, self.head = nn.Conv2d(4, 4, 3, padding=1, groups=2, bias=False), nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        first = self.norm(self.conv(x)).relu_()
        out = self.same(first)
        out += first
        out = self.same(out.relu_()) + out
        first += self.same(first)  # whoever reads `first` behind this must see the sum
        pooled = nn.functional.dropout(out + first, 0.5, self.training).mean((2, 3))
        running = self.head.bias * 1
        running += pooled.mean() * 0 + self.head.bias
        return pooled @ self.head.weight.T + running


class ByShape(Odd):
    """Takes another path for the ragged last chunk."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if len(x) == 4 else x * 1.0)


class ByContent(Odd):
    """Takes another path for some chunks, by what is in them."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.abs().max() > 2.5 else super().forward(x).flip(0).flip(0)


class Caching(Odd):
    """Leaves tensors in itself."""

    def forward(self, x: Tensor) -> Tensor:
        self.seen = super().forward(x)
        return self.seen


NETWORKS = {
    **{name: lambda name=name: zoo(name) for name in ("resnet20:width=2", "lenet5", "vit:depth=1", "mlp")},
    **{kind.__name__: lambda kind=kind: trained_like(kind()) for kind in (Odd, ByShape, ByContent, Caching)},
}


def moved(model: nn.Module, objective: Objective, displacement: Tensor) -> None:
    for name, change in objective.coordinates.tensors(objective.coordinates.extend(displacement)).items():
        parameter = model.get_parameter(name)
        parameter.data = (parameter.double() + change).float()


@pytest.mark.parametrize("network", NETWORKS)
def test_every_form_has_the_numbers_of_the_module(network: str) -> None:
    model, other = NETWORKS[network](), NETWORKS[network]()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    objective = Objective(model, X, Y, batch_size=4)
    displacement = 0.05 * torch.randn(objective.dimension, dtype=torch.float64)
    moved(other, objective, displacement)
    levels = (evaluate(model, X, Y), evaluate(other, X, Y))
    for form in EAGER:
        for channels_last in (False, True):
            objective.forward.settle(PassPlan(form, 4, 1, channels_last))
            for at, level in zip((None, displacement), levels, strict=True):
                found = objective.evaluate(at)
                assert found.loss == pytest.approx(level.loss, rel=1e-5), (form, channels_last)
                assert found.accuracy == pytest.approx(level.accuracy)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert type(getattr(model, "seen", X)) is Tensor  # not one that has only a shape


@pytest.mark.parametrize("network", NETWORKS)
def test_traced_without_trials_it_has_the_numbers_of_the_module(network: str) -> None:
    plain, traced = (Objective(NETWORKS[network](), X, Y, batch_size=4) for _ in range(2))
    traced.trace()
    displacements = [None, 0.01 * torch.randn(plain.dimension, generator=torch.Generator().manual_seed(0)).double()]
    parts = plain.sample(torch.arange(0, 11, 2)), traced.sample(torch.arange(0, 11, 2))
    for at in displacements:
        for expected, found in ((plain, traced), parts):
            torch.testing.assert_close(found.example_losses(at), expected.example_losses(at), rtol=1e-5, atol=1e-6)


def test_only_convolutions_are_traced_without_trials() -> None:
    forms = {}
    for network in ("resnet20:width=2", "lenet5", "mlp"):
        objective = Objective(zoo(network), X, Y, batch_size=4)
        objective.trace()
        forms[network] = objective.forward.plan and objective.forward.plan.form
    assert forms == {"resnet20:width=2": "fused", "lenet5": "fused", "mlp": None}


def test_what_the_weights_decide_is_computed_once() -> None:
    objective = Objective(zoo("resnet20:width=4"), X, Y, batch_size=4)
    plan = PassPlan("fused", 4, 1, channels_last=True)
    weights = objective.weights(None)
    with torch.no_grad():
        objective.forward.at(weights, plan)(X[:4])
    (pass_,) = objective.forward._passes.values()
    each = [str(node.target) for node in pass_.each.graph.nodes]
    assert sum("_convolution_pointwise" in name for name in each) == 19  # and neither norms nor reordered kernels
    assert not any("batch_norm" in name or "reorder" in name or "rsqrt" in name for name in each)
    assert sum("_convolution_pointwise_." in name for name in each) == 7  # 9 sums, 2 of them with a shortcut's pixels


class Padded(nn.Module):
    """A block of the public ResNet-20 for CIFAR: its shortcut takes every other pixel and pads channels, in the end."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.bn1 = nn.Conv2d(1, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2, self.head = nn.Conv2d(4, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(nn.functional.relu(self.bn1(self.conv1(x)))))
        out += nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 2), "constant", 0)
        return self.head(nn.functional.relu(out).flatten(1))


def test_a_shortcut_that_comes_last_is_summed_with_the_convolution() -> None:
    model = trained_like(Padded())
    objective = Objective(model, X[:8], Y[:8], batch_size=4)
    objective.forward.settle(PassPlan("fused", 4, 1, channels_last=True))
    assert objective.loss() == pytest.approx(evaluate(model, X[:8], Y[:8]).loss, rel=1e-5)
    (pass_,) = objective.forward._passes.values()
    names = [str(node.target) for node in pass_.each.graph.nodes]
    assert sum("_convolution_pointwise" in name for name in names) == 2
    assert not any("add" in name.replace("addmm", "") or "relu" in name for name in names)


def test_a_sum_is_not_moved_behind_what_is_written_to() -> None:
    class Writing(Padded):
        def forward(self, x: Tensor) -> Tensor:
            h = self.bn1(self.conv1(x))
            out = self.bn2(self.conv2(h))
            h.mul_(-2.0)
            return self.head((out + h).relu().flatten(1))

    model = trained_like(Writing())
    objective = Objective(model, X[:8], Y[:8], batch_size=4)
    for form in EAGER:
        objective.forward.settle(PassPlan(form, 4, 1, channels_last=True))
        assert objective.loss() == pytest.approx(evaluate(model, X[:8], Y[:8]).loss, rel=1e-5)
        assert form != "fused" or None not in objective.forward._passes.values()
        assert not objective.forward._aside


def test_a_pass_that_depends_on_numbers_is_not_traced() -> None:
    objective = Objective(trained_like(ByContent()), X, Y)
    assert not objective.forward.possible(PassPlan("traced", 4, 1), objective.weights(None), X[:4])


def test_a_pass_that_writes_to_its_parameters_is_not_traced() -> None:
    class Writing(Odd):
        def forward(self, x: Tensor) -> Tensor:
            self.head.bias.data.add_(0 * x.sum())
            return super().forward(x)

    objective = Objective(trained_like(Writing()), X, Y)
    assert not objective.forward.possible(PassPlan("traced", 4, 1), objective.weights(None), X[:4])


def test_compiled_with_weights_as_inputs() -> None:
    model = zoo("mlp:hidden=8")
    objective = Objective(model, X, Y, batch_size=4)
    displacement = torch.randn(objective.dimension, dtype=torch.float64)
    expected = [objective.loss(at) for at in (None, displacement)]
    objective.forward.settle(PassPlan("compiled", 4, 1))
    assert [objective.loss(at) for at in (None, displacement)] == pytest.approx(expected, rel=1e-5)
    seconds = objective.forward.compile_seconds
    assert seconds > 0
    objective.loss(2 * displacement)
    assert objective.forward.compile_seconds == seconds  # another point, the same code


def test_without_a_compiler_the_folded_pass_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = Objective(zoo("lenet5"), X, Y, batch_size=4)
    expected = objective.loss()

    def missing(*_: object) -> None:
        raise RuntimeError("No working C++ compiler found\nand more")

    monkeypatch.setattr(torch._inductor, "compile", missing)
    objective.forward.settle(PassPlan("compiled", 4, 1))
    assert objective.loss() == pytest.approx(expected, rel=1e-5)
    pass_ = next(pass_ for pass_ in objective.forward._passes.values() if pass_)
    with pytest.raises(NoCompiler, match=r"^No working C\+\+ compiler found$"):
        compiled(pass_, list(objective._network.tensors(objective.weights(None)).values()), X[:4])


def test_further_shapes_go_through_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "SHAPES", 1)
    objective = Objective(zoo("mlp:hidden=8"), X, Y)
    expected = objective.loss()
    objective.forward.settle(PassPlan("traced", 4, 1))
    assert objective.loss() == pytest.approx(expected, rel=1e-6)
    assert [pass_ is not None for pass_ in objective.forward._passes.values()] == [True, False]


def test_threads_are_as_before_behind_the_block() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
