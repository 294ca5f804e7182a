"""Folded passes: the numbers of the plain pass, in value and both derivatives, however a norm is used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import cross_entropy

from landscape.objective.objective import Objective
from landscape.passes.network import Network
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture


def scrambled(model: nn.Module) -> nn.Module:
    """In float64 and eval mode, with statistics and scales as if it were trained."""
    torch.manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            if module.affine:
                nn.init.normal_(module.weight, 1, 0.3)
                nn.init.normal_(module.bias)
    return model.double().eval()


class Net(nn.Module):
    """A convolution, a norm and how they meet."""

    def __init__(self, forward: Callable[[Net, Tensor], Tensor], **norm: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2, **norm)
        self.other, self.head = nn.BatchNorm2d(2), nn.Linear(2 * 16, 3)
        self.how = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.how(self, x).tanh().flatten(1))


def rectified_in_place(x: Tensor) -> Tensor:
    """x^2 of what is left of x: whoever reads x afterwards must find it changed."""
    return functional.relu(x, inplace=True) * x


MEETINGS = {  # and how many of the norms can be folded
    "one after the other": (lambda net, x: net.norm(net.conv(x)), 1),
    "norm first": (lambda net, x: net.conv(net.norm(x)), 0),
    "used twice": (lambda net, x: net.norm(y := net.conv(x)) + y, 0),
    "two norms": (lambda net, x: net.norm(y := net.conv(x)) + net.other(y), 0),
    "convolved twice": (lambda net, x: net.other(net.conv(net.norm(net.conv(x)))), 2),
    "asked for its size": (lambda net, x: net.norm(y := net.conv(x)) * y.shape[1], 1),
    "norm alone": (lambda net, x: net.norm(x), 0),
    "relu of a norm": (lambda net, x: functional.relu(net.norm(net.conv(x))), 1),
    "relus of every kind": (
        lambda net, x: (
            functional.relu(input=net.norm(net.conv(x))) + torch.relu(x).relu() + rectified_in_place(x - 0.1)
        ),
        1,
    ),
}


def check_same(model: nn.Module, x: Tensor, y: Tensor) -> Objective:
    objective = Objective(model, x, y, batch_size=3)
    parameters = list(model.parameters())
    loss = cross_entropy(model(x), y)
    gradient = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
    vector = torch.randn(objective.dimension, dtype=torch.float64)
    along = sum(
        (g * v.view_as(g)).sum() for g, v in zip(gradient, vector.split([p.numel() for p in parameters]), strict=True)
    )
    product = torch.autograd.grad(along, parameters, materialize_grads=True)
    assert objective.loss() == pytest.approx(loss.item(), rel=1e-12)
    torch.testing.assert_close(objective.gradient(), torch.cat([g.flatten() for g in gradient]).detach())
    torch.testing.assert_close(objective.hvp(vector), torch.cat([p.flatten() for p in product]))
    return objective


def folded(objective: Objective) -> int:
    plan = objective._network.plan
    return 0 if plan is None else sum(norm is not None for norms in plan.norms.values() for norm in norms)


@pytest.mark.parametrize("norm", [{}, {"affine": False}])
@pytest.mark.parametrize("meeting", MEETINGS)
def test_values_and_derivatives_stay(meeting: str, norm: dict[str, bool]) -> None:
    how, expected = MEETINGS[meeting]
    model = scrambled(Net(how, **norm))
    assert folded(check_same(model, torch.randn(7, 2, 4, 4, dtype=torch.float64), torch.arange(7) % 3)) == expected


@pytest.mark.parametrize("network", ["resnet20:width=2", "vgg16:width=2", "mobilenet"])
def test_all_norms_of_the_zoo_fold(network: str) -> None:
    model = scrambled(initialise(describe(parse_architecture(network), (1, 8, 8), 10), seed=0))
    objective = Objective(model, torch.randn(4, 1, 8, 8, dtype=torch.float64), torch.arange(4))
    assert folded(objective) == sum(isinstance(module, nn.BatchNorm2d) for module in model.modules()) > 0
    assert objective.loss() == pytest.approx(cross_entropy(model(objective.x), objective.y).item(), rel=1e-12)


@pytest.mark.parametrize(("size", "channels_last"), [(2, False), (6, True)])
def test_channels_come_first_where_kernels_are_large_beside_the_images(size: int, channels_last: bool) -> None:
    """9 x 32 numbers in the kernel for each channel that is made: 72 for each of 2 x 2 places, 8 for each of 6 x 6."""
    layouts, layout = [], torch.channels_last

    class Wide(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            layouts.append(x.is_contiguous(memory_format=layout))
            return super().forward(x).tanh()

    torch.manual_seed(0)
    layers = nn.Conv2d(32, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * size**2, 3)
    check_same(scrambled(Wide(*layers)), torch.randn(4, 32, size, size, dtype=torch.float64), torch.arange(4) % 3)
    assert layouts[-1] == channels_last


def test_another_path_is_taken_plainly() -> None:
    model = scrambled(Net(lambda net, x: net.norm(net.conv(x)) if len(x) > 2 else net.norm(x)))
    x = torch.randn(4, 2, 4, 4, dtype=torch.float64)
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    network = Network(model, {})
    network.fold(tensors, x)
    for count in (4, 2, 4):
        torch.testing.assert_close(network(tensors, x[:count]), model(x[:count]))


def test_norms_by_the_batch_are_left_alone() -> None:
    model = Net(lambda net, x: net.norm(net.conv(x))).double().train()
    x = torch.randn(4, 2, 4, 4, dtype=torch.float64)
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    network = Network(model, {})
    network.fold(tensors, x)
    torch.testing.assert_close(network(tensors, x), model(x))
