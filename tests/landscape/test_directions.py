"""Directions: Gaussian, scaled as said, none for removed weights; defects of other tools that ours must not have."""

import math

import numpy as np
import pytest
import torch
from oracles.small_networks import make
from scipy import stats
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from landscape import loss_surface
from landscape.objective.directions import random_direction
from landscape.objective.objective import Objective
from minima import BadInput


def drawn(kind="conv", seed=0, subspace="survivors", **keywords):
    case = make(kind, dtype=torch.float64)
    objective = Objective(case.model, case.x, case.y, masks=case.masks, subspace=subspace)
    direction = random_direction(objective, torch.Generator().manual_seed(seed), **keywords)
    coordinates = objective.coordinates
    return direction, coordinates.tensors(coordinates.extend(direction.vector)), case


@pytest.mark.parametrize("kind", ["conv", "masked"])
def test_each_filter_has_the_norm_of_its_weights(kind):
    _, tensors, case = drawn(kind)
    for name, weight in case.model.named_parameters():
        if weight.ndim > 1:
            torch.testing.assert_close(tensors[name].flatten(1).norm(dim=1), weight.detach().flatten(1).norm(dim=1))
        else:
            assert not tensors[name].any()


def test_each_layer_has_the_norm_of_its_weights_and_filters_do_not():
    _, tensors, case = drawn(normalise="layer")
    weight = case.model.conv1.weight.detach()
    torch.testing.assert_close(tensors["conv1.weight"].norm(), weight.norm())
    assert not torch.allclose(tensors["conv1.weight"].flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))


def test_each_weight_scales_its_own_coordinate_and_none_leaves_the_draw():
    raw, _, case = drawn(normalise="none", biases_and_norms="scale")
    scaled, _, _ = drawn(normalise="weight", biases_and_norms="scale")
    w = torch.cat([p.detach().flatten() for p in case.model.parameters()])
    torch.testing.assert_close(scaled.vector, raw.vector * w.abs())


def test_biases_move_as_one_slice_when_asked_and_are_random():
    _, tensors, case = drawn("batchnorm", biases_and_norms="scale")
    for name in ("bn1.weight", "bn1.bias", "fc.bias"):
        weight = case.model.get_parameter(name).detach()
        torch.testing.assert_close(tensors[name].norm(), weight.norm())
        assert not torch.allclose(tensors[name].abs(), weight.abs())  # not the weights themselves, as elsewhere


def test_draws_are_gaussian_with_both_signs():
    case = make("mlp")
    objective = Objective(case.model, case.x, case.y)
    draws = torch.cat([objective.normal(torch.Generator().manual_seed(seed)) for seed in range(40)])
    assert stats.kstest(draws.numpy(), "norm").pvalue > 0.01


def test_two_directions_are_independent_not_projected():
    cosines = []
    for seed in range(30):
        a, b = (drawn(seed=2 * seed + axis)[0].vector for axis in (0, 1))
        cosines.append(float(a @ b / a.norm() / b.norm()))
    assert all(0 < abs(cosine) < 0.7 for cosine in cosines)  # neither parallel nor made orthogonal
    assert stats.ttest_1samp(cosines, 0).pvalue > 0.01


@pytest.mark.parametrize("normalise", ["filter", "layer", "weight", "none"])
def test_removed_weights_stay(normalise):
    _, tensors, case = drawn("masked", normalise=normalise)
    assert not any(tensors[name][~mask].any() for name, mask in case.masks.items())
    _, tensors, case = drawn("masked", normalise=normalise, subspace="full")
    moved = any(tensors[name][~mask].any() for name, mask in case.masks.items())
    assert moved == (normalise != "weight")


@pytest.mark.parametrize("normalise", ["filter", "layer", "weight", "none"])
@pytest.mark.parametrize("subspace", ["survivors", "full"])
def test_a_removed_filter_divides_nothing_by_zero(normalise, subspace):
    case = make("masked", dtype=torch.float64)
    case.masks["conv1.weight"][0] = False
    case.masks["fc.weight"][:] = False
    objective = Objective(case.model, case.x, case.y, masks=case.masks, subspace=subspace)
    direction = random_direction(objective, torch.Generator().manual_seed(0), normalise)
    assert direction.vector.isfinite().all()
    tensors = objective.coordinates.tensors(objective.coordinates.extend(direction.vector))
    assert bool(tensors["conv1.weight"][0].any()) == (subspace == "full" and normalise in ("layer", "none"))


def test_norms():
    direction, _, case = drawn("masked")
    w = torch.cat([p.detach().flatten() for p in case.model.parameters()])
    assert direction.norm == pytest.approx(direction.vector.norm().item())
    assert direction.relative_norm == pytest.approx(direction.norm / w.norm().item())
    assert math.isfinite(direction.relative_norm)


def moved(model, x, **scaling):
    objective = Objective(model, x, torch.arange(len(x)) % 3)
    coordinates = objective.coordinates
    direction = random_direction(objective, torch.Generator().manual_seed(0), **scaling)
    return coordinates.tensors(coordinates.extend(direction.vector))


@pytest.mark.parametrize("normalise", ["filter", "layer"])
def test_what_normalises_stays_or_is_one_slice_whatever_its_axes(normalise):
    """A layer norm over images has weights of three axes, a weight norm lengths of two: neither are filters."""
    model = nn.Sequential(
        weight_norm(nn.Conv2d(1, 4, 3)), nn.LayerNorm([4, 3, 3]), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)
    )
    nn.init.normal_(model[1].weight)
    lengths = "0.parametrizations.weight.original0"
    ignored = moved(model, torch.randn(6, 1, 5, 5), normalise=normalise)
    assert {name for name, each in ignored.items() if each.any()} == {
        "0.parametrizations.weight.original1",
        "4.weight",
    }
    scaled = moved(model, torch.randn(6, 1, 5, 5), normalise=normalise, biases_and_norms="scale")
    for name in (lengths, "1.weight"):
        weight = model.get_parameter(name).detach().double()
        torch.testing.assert_close(scaled[name].norm(), weight.norm())
        assert not torch.allclose(scaled[name].abs(), weight.abs())


@pytest.mark.parametrize("scaling", [{}, {"biases_and_norms": "scale"}, {"normalise": "none"}])
def test_parameters_without_numbers(scaling):
    model = nn.Linear(4, 3)
    model.none, model.no_rows = nn.Parameter(torch.empty(0)), nn.Parameter(torch.empty(0, 4))
    found = moved(model, torch.randn(6, 4), **scaling)
    assert found["no_rows"].shape == (0, 4)
    assert found["weight"].any()


def test_a_direction_along_which_nothing_moves_is_refused():
    model, data = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)), (torch.randn(9, 4), torch.arange(9) % 2)
    with pytest.raises(BadInput, match="biases-and-norms scale"):
        loss_surface(model, data, grid="3x1", parameters=["0.bias"])
    assert np.ptp(loss_surface(model, data, grid="3x1", parameters=["0"]).losses) > 0
    scaled = {"biases_and_norms": "scale"}
    assert np.ptp(loss_surface(model, data, grid="3x1", parameters=["0.bias"], drawing=scaled).losses) > 0
    one = nn.Linear(1, 1, bias=False)
    with pytest.raises(BadInput, match="parallel"):
        loss_surface(one, (torch.ones(3, 1), torch.zeros(3, 1)), "mse", grid="3")
