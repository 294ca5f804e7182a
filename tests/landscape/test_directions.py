"""Directions: Gaussian, scaled as said, none for removed weights; defects of other tools that ours must not have."""

import math

import pytest
import torch
from oracles.small_networks import make
from scipy import stats

from landscape.objective.directions import random_direction
from landscape.objective.objective import Objective


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
