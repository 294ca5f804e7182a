"""Counts of every network of the zoo equal those of potentials recorded by patching torch's activations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from oracles.psp_reference import joint_reference, layer_reference
from torch import Tensor, nn
from torch.nn import functional

from entropy.information.measurement import measure
from entropy.information.request import Request, Together
from minima.zoo.architecture.architecture import architectures, describe, initialise, parse_architecture

SMALL = {
    "mlp": "mlp:hidden=9x5",
    "lenet5": "lenet5:filters=3x4,units=6",
    "resnet20": "resnet20:width=2",
    "resnet32": "resnet32:width=2",
    "resnet56": "resnet56:width=2",
    "vgg16": "vgg16:width=2",
    "vit": "vit:patch=4,dim=8,depth=2,heads=2",
}
SPELLED = ("relu", "relu6", "hardtanh", "gelu", "hardswish", "silu", "tanh", "sigmoid")
CLASSES = 3


@contextmanager
def recording(found: list[Tensor]) -> Iterator[None]:
    """Keep a copy of what goes into each activation, called as a function or by torch's modules."""

    def recorder(original: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def record(z: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            found.append(z.detach().clone())
            return original(z, *args, **kwargs)

        return record

    patches = [patch.object(functional, name, recorder(getattr(functional, name))) for name in SPELLED]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def potentials_of(model: nn.Module, x: Tensor) -> list[Tensor]:
    found: list[Tensor] = []
    with torch.no_grad(), recording(found):
        output = model.eval()(x)
    return [*found, output]


def network_and_data(name: str) -> tuple[nn.Module, Tensor, Tensor]:
    model = initialise(describe(parse_architecture(SMALL.get(name, name)), (1, 8, 8), CLASSES), seed=0)
    generator = torch.Generator().manual_seed(0)
    for norm in (module for module in model.modules() if isinstance(module, nn.BatchNorm2d)):
        assert norm.running_mean is not None
        norm.running_mean.normal_(generator=generator)
        norm.bias.data.normal_(generator=generator)
    return model, torch.randn(17, 1, 8, 8, generator=generator), torch.arange(17) % CLASSES


@pytest.mark.parametrize("name", sorted(architectures()))
@pytest.mark.parametrize("kind", ["position", "channel"])
def test_first_order_is_the_reference(name: str, kind: Any) -> None:
    model, x, y = network_and_data(name)
    potentials = potentials_of(model, x)
    layers, _ = measure(model, x, y, CLASSES, neurons=kind, batch_size=7)
    assert len(layers) == len(potentials)
    for layer, z in zip(layers, potentials, strict=True):
        laid_out = z.movedim(-1, 1) if kind == "channel" and layer.shape == z.shape[-1:] and z.dim() == 3 else z
        if kind == "position" and z[0].numel() > 300:
            some = torch.randperm(z[0].numel(), generator=torch.Generator().manual_seed(1))[:40].sort().values
            laid_out, chosen = z.flatten(1)[:, some], some.numpy()
        else:
            chosen = np.arange(layer.entropy.size)
        expected = layer_reference(laid_out, y, CLASSES, kind)
        np.testing.assert_allclose(layer.entropy[chosen], [each["entropy"] for each in expected], atol=1e-12)
        np.testing.assert_array_equal(layer.dead[chosen], [each["dead"] for each in expected])


@pytest.mark.parametrize("name", sorted(architectures()))
@pytest.mark.parametrize("kind", ["position", "channel"])
def test_second_order_is_the_reference(name: str, kind: Any) -> None:
    model, x, y = network_and_data(name)
    potentials = potentials_of(model, x)
    layers, _ = measure(model, x, y, CLASSES, neurons=kind, batch_size=7, request=Request(Together(2)))
    for layer, z in zip(layers, potentials, strict=True):
        laid_out = z.movedim(-1, 1) if kind == "channel" and layer.shape == z.shape[-1:] and z.dim() == 3 else z
        assert layer.joint is not None
        matrix = layer.joint.matrix
        if matrix is None:
            assert layer.entropy.size > 512
            continue
        draws = np.random.default_rng(0)
        pairs = [tuple(sorted(draws.choice(len(matrix), 2, replace=False).tolist())) for _ in range(10)]
        expected = [each[0] for each in joint_reference(laid_out, y, CLASSES, pairs, kind)]
        np.testing.assert_allclose([matrix[pair] for pair in pairs], expected, atol=1e-12)


@pytest.mark.parametrize("name", sorted(architectures()))
def test_counts_do_not_depend_on_the_batch(name: str) -> None:
    model, x, y = network_and_data(name)
    counts = [[layer.counts for layer in measure(model, x, y, CLASSES, batch_size=size)[0]] for size in (1, 7, 17)]
    potentials = potentials_of(model, x)
    for z, *each in zip(potentials, *counts, strict=True):
        ties = int((z.abs() <= 1e-6 * z.abs().max()).sum())  # zero to rounding: either state is right
        for other in each[1:]:
            assert np.abs(other - each[0]).sum() <= ties
