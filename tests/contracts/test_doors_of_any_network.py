"""The functions called from Python on networks of many kinds: eigenvalues against plain double backward in float64."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from torch.utils._pytree import tree_map

from entropy import psp_entropy
from landscape import loss_path, loss_surface, measure_sharpness, top_eigenvalues
from minima import evaluate


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.gates, self.head = nn.GRU(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(torch.relu(self.gates(x)[0][:, -1]))


def gpt2():
    transformers = pytest.importorskip("transformers")
    sizes = {"vocab_size": 11, "n_positions": 6, "n_embd": 4, "n_layer": 1, "n_head": 2}
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0))


def numbers(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def whole(high, *shape):
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(2))


def next_token(outputs, y):
    return cross_entropy(outputs.logits[:, :-1].flatten(0, 1), y[:, 1:].flatten())


IDS = whole(11, 9, 6)
CASES = {
    "pixels": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 3, 1)),
        (numbers(8, 1, 5, 5), whole(3, 8, 5, 5)),
        None,
        cross_entropy,
    ),
    "several labels": (
        lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)),
        (numbers(20, 4), whole(2, 20, 3).float()),
        "bce",
        binary_cross_entropy_with_logits,
    ),
    "autoencoder": (
        lambda: nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 4)),
        (numbers(20, 4), numbers(20, 4)),
        "mse",
        mse_loss,
    ),
    "recurrent": (Recurrent, (numbers(14, 5, 3), whole(2, 14)), None, cross_entropy),
    "tokens": (gpt2, {"input_ids": IDS, "labels": IDS}, "next-token", next_token),
}


def products(model, x, y, loss, vectors):
    """H v by double backward through the plain network in float64."""
    twin = copy.deepcopy(model).double().eval()
    inputs = tree_map(lambda leaf: leaf.double() if leaf.is_floating_point() else leaf, x)
    with sdpa_kernel(SDPBackend.MATH):  # the fused attention has no second derivative
        outputs = twin(**inputs) if isinstance(inputs, dict) else twin(inputs)
    parameters = list(twin.parameters())
    slopes = torch.autograd.grad(loss(outputs, y), parameters, create_graph=True)
    flat = torch.cat([slope.flatten() for slope in slopes])
    found = [torch.autograd.grad(flat @ vector, parameters, retain_graph=True) for vector in vectors]
    return torch.stack([torch.cat([part.flatten() for part in parts]) for parts in found])


@pytest.mark.parametrize("name", CASES)
def test_eigenpairs_are_those_of_the_plain_network(name):
    make, data, loss, plain = CASES[name]
    torch.manual_seed(0)
    model = make()
    found = top_eigenvalues(model, data, loss, k=2)
    x, y = ({"input_ids": IDS}, IDS) if isinstance(data, dict) else data
    images = products(model, x, y.double() if name in ("several labels", "autoencoder") else y, plain, found.vectors)
    for value, vector, image in zip(found.values, found.vectors, images, strict=True):
        assert (vector @ image).item() == pytest.approx(value, rel=1e-3)
        assert (image - value * vector).norm() < 0.05 * abs(value)
    some = torch.randn(200, found.vectors.shape[1], dtype=torch.float64)
    quotients = (some * products(model, x, y.double() if y.is_floating_point() else y, plain, some)).sum(1)
    assert (quotients / (some**2).sum(1)).max() < found.values[0] * (1 + 1e-3)


@pytest.mark.parametrize("name", CASES)
def test_every_function_takes_it(name):
    make, data, loss, _ = CASES[name]
    torch.manual_seed(0)
    model, other = make(), make()
    level = evaluate(model, data, loss).loss
    surface = loss_surface(model, data, loss, grid="3x1")
    assert surface.losses[1] == pytest.approx(level, rel=1e-5)
    assert loss_path(model, other, data, loss, points=2).losses == pytest.approx(
        [level, evaluate(other, data, loss).loss], rel=1e-6
    )
    assert measure_sharpness(model, data, loss, measures=["trace"])["trace"].stderr > 0
    assert psp_entropy(model, data, loss).layers
