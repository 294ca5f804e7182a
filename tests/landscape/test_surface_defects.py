"""What other tools get wrong about surfaces, and ours must not.

tomgoldstein/loss-landscape, loss-landscapes 3.0.6 and Landscaper 1.3.1. Projections of a trajectory, which the first
gets wrong, are tested where planes are.
"""

import h5py
import numpy as np
import pytest
import torch
from oracles.small_networks import make
from torch import nn

from landscape.objective.directions import random_direction
from landscape.objective.objective import Objective
from landscape.objective.streams import stream
from landscape.surface.grid import parse_grid
from landscape.surface.plane import Plane
from minima.store.hdf5.results import in_memory


def objective_of(kind="batchnorm", masks=None):
    case = make(kind)
    return Objective(case.model, case.x, case.y, masks=masks)


def drawn(objective, seed=0, **scaling):
    """A random direction's tensors by name, and the weights'."""
    coordinates = objective.coordinates
    vector = random_direction(objective, stream(seed, "direction", 0), **scaling).vector
    return coordinates.tensors(coordinates.extend(vector)), coordinates.tensors(coordinates.full)


def random_plane(objective):
    return Plane([random_direction(objective, stream(0, "direction", axis)) for axis in (0, 1)])


def test_losses_of_0_and_less_are_finished_and_nan_is_not():
    """tomgoldstein resumes where `loss <= 0`: those for ever, and never where there is none."""
    values = np.array([[1.0, 0.0], [-2.0, 1.0], [np.nan, 1.0], [np.inf, 1.0]])
    place = in_memory()
    for axis, length in (("alpha", 4), ("beta", 2)):
        place.scale(f"surface/{axis}", list(range(length)), "1", "")
    place.write("surface/loss", values, ("alpha", "beta"), "nat")
    assert place.rows("surface/loss", values.shape, ("alpha", "beta")).missing() == [2]


@pytest.mark.parametrize("normalise", ["filter", "layer"])
def test_biases_and_norms_move_like_a_draw(normalise):
    """tomgoldstein moves vectors along themselves, loss-landscapes along their absolute values."""
    moves, weights = drawn(objective_of(), normalise=normalise, biases_and_norms="scale")
    vectors = [name for name, weight in weights.items() if weight.ndim == 1 and weight.norm() > 0 and len(weight) > 2]
    assert vectors
    for name in vectors:
        assert moves[name].norm() == pytest.approx(weights[name].norm().item(), rel=1e-5)
        for along in (weights[name], weights[name].abs()):
            assert abs(torch.cosine_similarity(moves[name], along, dim=0)) < 0.999
    ignored, _ = drawn(objective_of(), normalise=normalise)
    assert not any(ignored[name].any() for name in vectors)


def test_removed_weights_do_not_move():
    """In no other tool is there such a thing as a mask."""
    case = make("masked")
    moves, _ = drawn(Objective(case.model, case.x, case.y, masks=case.masks), biases_and_norms="scale")
    for name, mask in case.masks.items():
        assert not moves[name][~mask].any()
        assert moves[name][mask].any()


@pytest.mark.parametrize("normalise", ["filter", "layer", "weight"])
def test_a_layer_of_zeros(normalise):
    """loss-landscapes divides by its norm: ZeroDivisionError."""
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    nn.init.zeros_(model[0].weight)
    objective = Objective(model, torch.randn(6, 4), torch.arange(6) % 2)
    moves, _ = drawn(objective, normalise=normalise, biases_and_norms="scale")
    assert not moves["0.weight"].any()
    assert all(move.isfinite().all() for move in moves.values())
    assert moves["2.weight"].any()


def test_directions_are_gaussian():
    """loss-landscapes draws from [0, 1]: every weight moves the same way."""
    model = nn.Linear(200, 200)
    moves, _ = drawn(Objective(model, torch.randn(3, 200), torch.arange(3)), normalise="none")
    values = moves["weight"].flatten().double().numpy()
    assert abs(values.mean()) < 0.02
    assert values.std() == pytest.approx(1, abs=0.02)
    assert (values**4).mean() == pytest.approx(3, abs=0.15)


def test_directions_are_not_parallel():
    """Landscaper's "orthogonal" ones have a cosine of 0.999999."""
    model = nn.Sequential(nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))
    plane = random_plane(Objective(model, torch.randn(3, 100), torch.arange(3)))
    one, other = (direction.vector for direction in plane.directions)
    assert abs(torch.cosine_similarity(one, other, dim=0)) < 5 / 11000**0.5


def test_filters_not_layers():
    """Landscaper, citing Li et al., gives each layer's move the layer's norm."""
    moves, weights = drawn(objective_of("conv"))
    for name, weight in weights.items():
        if weight.ndim > 1:
            own, filters = (tensor.flatten(1).norm(dim=1) for tensor in (moves[name], weight))
            np.testing.assert_allclose(own, filters, rtol=1e-5)
            assert filters.std() > 0


@pytest.mark.parametrize("extent", [1.0, 0.3])
@pytest.mark.parametrize("count", [5, 6, 25])
def test_the_grid_reaches_as_far_as_it_says(count, extent):
    """Landscaper's ends at 0.8 of it for 5 points; loss-landscapes' at one step less on one side."""
    along = parse_grid(str(count), extent).coordinates(0)
    assert (along[0], along[-1], len(along)) == (-extent, extent, count)


def test_no_row_is_shifted_and_no_axis_exchanged(command, checkpoint, tmp_path):
    """loss-landscapes shifts every other row by a cell; Landscaper labels rows with the columns' coordinates.

    The line of the points with beta = 0, measured for itself, is the column of that name in the plane.
    """
    arguments = ["surface", checkpoint, "--samples", "20", "--extent", "0.7"]
    command(*arguments, "--grid", "4x3", "-o", tmp_path / "whole.h5")
    command(*arguments, "--grid", "4x1", "-o", tmp_path / "line.h5")
    with h5py.File(tmp_path / "whole.h5") as whole, h5py.File(tmp_path / "line.h5") as line:
        loss = whole["surface/loss"]
        assert loss.shape == (4, 3)
        assert [loss.dims[axis].keys()[0] for axis in (0, 1)] == ["alpha", "beta"]
        assert [len(loss.dims[axis][0]) for axis in (0, 1)] == [4, 3]
        np.testing.assert_allclose(loss[:, 1], line["surface/loss"], rtol=1e-6)  # beta is 0 there
        spread = loss[()].max() - loss[()].min()
        assert np.abs(loss[1:, 1] - line["surface/loss"][:-1]).max() > 0.01 * spread


def test_the_centre_is_the_network(command, checkpoint):
    """loss-landscapes stores another point in the middle."""
    _, found, _ = command("surface", checkpoint, "--grid", "3", "--samples", "20", "--extent", "5")
    with h5py.File(found["out"]) as file:
        assert abs(file["surface/direction_cosine"][()]) < 0.3  # 592 weights move
        assert file["surface/loss"][1, 1] == pytest.approx(found["loss"], rel=1e-12)
        assert (file["surface/alpha"][1], file["surface/beta"][1]) == (0, 0)


FLAT = """
from torch import nn
class Flat(nn.Linear):
    def forward(self, x):
        return 0 * super().forward(x.flatten(1))
def make():
    return Flat(64, 10)
"""


def test_a_flat_loss_comes_back_flat(command, tmp_path):
    """Landscaper adds noise to the maxima."""
    factory, weights = tmp_path / "flat.py", tmp_path / "flat.pt"
    factory.write_text(FLAT)
    torch.save(nn.Linear(64, 10).state_dict(), weights)
    network = ["--model", f"{factory}:make", "--data", "digits"]
    _, found, _ = command("surface", weights, *network, "--grid", "4x3", "--samples", "20")
    with h5py.File(found["out"]) as file:
        assert np.unique(file["surface/loss"]).tolist() == [pytest.approx(np.log(10), rel=1e-6)]


def test_the_model_is_left_where_it_was():
    """loss-landscapes leaves it at the last point, without gradients; its metric runs in whatever mode it finds."""
    case = make("batchnorm")
    model = case.model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    asked = [p.requires_grad for p in model.parameters()]
    objective = Objective(model, case.x, case.y)
    plane = random_plane(objective)
    moved = objective.evaluate(plane.displacement((1.0, -1.0))).loss
    assert moved != pytest.approx(objective.loss())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert [p.requires_grad for p in model.parameters()] == asked
    assert all(p.grad is None for p in model.parameters())
    assert model.training
