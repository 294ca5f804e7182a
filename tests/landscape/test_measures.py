"""Sharpness measures against the closed forms and brute force of their definitions."""

import math

import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.quadratic import quadratic
from oracles.small_networks import make
from scipy import stats

from landscape.objective.objective import Objective
from landscape.sharpness.measures.adaptive_average import AdaptiveAverage
from landscape.sharpness.measures.adaptive_lambda_max import AdaptiveLambdaMax
from landscape.sharpness.measures.adaptive_sam import AdaptiveSam
from landscape.sharpness.measures.adaptive_trace import AdaptiveTrace
from landscape.sharpness.measures.average import Average
from landscape.sharpness.measures.filter_normalised import FilterNormalised, Plane, relative_range
from landscape.sharpness.measures.keskar import Keskar
from landscape.sharpness.measures.lambda_max import LambdaMax
from landscape.sharpness.measures.sam import Sam
from landscape.sharpness.measures.trace import Trace

CURVED = [[3.0, 1, 0, 0], [1, 2, 0.5, 0], [0, 0.5, 4, 1], [0, 0, 1, 1]]
AT = [0.5, -1.0, 2.0, 0.3]


def bowl(at=None, offset=0.0):
    """A quadratic with its minimum at `at`."""
    matrix = torch.tensor(CURVED).double()
    w = torch.tensor(at or [0.0] * 4).double()
    return quadratic(matrix, offset=offset + float(w @ matrix @ w) / 2, at=w, slope=-matrix @ w)


def adapted():
    scale = np.diag(np.abs(AT))
    return scale @ np.array(CURVED) @ scale


def test_eigenvalues_and_traces():
    assert LambdaMax().measure(bowl(AT), 0).value == pytest.approx(np.linalg.eigvalsh(CURVED)[-1])
    assert AdaptiveLambdaMax().measure(bowl(AT), 0).value == pytest.approx(np.linalg.eigvalsh(adapted())[-1])
    found = Trace(probes=400).measure(bowl(AT), 0)
    assert abs(found.value - np.trace(CURVED)) < 3 * found.stderr
    found = AdaptiveTrace(probes=400).measure(bowl(AT), 0)
    assert abs(found.value - np.trace(adapted())) < 3 * found.stderr


@pytest.mark.parametrize("kind", ["conv", "batchnorm", "masked"])
def test_eigenvalues_and_traces_of_networks(kind):
    case = make(kind)
    dense = Dense(case.model, case.x, case.y, case.masks)
    objective = Objective(case.model, case.x, case.y, masks=case.masks)
    w, hessian = dense.point(), dense.hessian()
    scaled = w.abs()[:, None] * hessian * w.abs()
    assert LambdaMax().measure(objective, 0).value == pytest.approx(torch.linalg.eigvalsh(hessian)[-1].item(), rel=1e-3)
    found = AdaptiveLambdaMax().measure(objective, 0).value
    assert found == pytest.approx(torch.linalg.eigvalsh(scaled)[-1].item(), rel=1e-3)


@pytest.mark.parametrize(("k", "d", "e", "expected"), [(8, 1, 0.5, 100.0), (8, 3, 0.5, 300.0), (2, 5, 0.1, 5.0)])
def test_keskar_P1_11(k, d, e, expected):
    found = Keskar(e=(e, e / 2)).measure(quadratic(k * np.eye(d)), 0)
    assert found.value == pytest.approx(expected)  # 50 k d e^2
    assert found.values[f"e={e / 2:g}"] == pytest.approx(expected / 4)


def test_keskar_box_widens_with_the_weights():
    found = Keskar(e=(0.1,)).measure(quadratic([[2.0]], offset=1.0, at=[3.0], slope=[-6.0]), 0)
    base = 1 + 9 - 18  # the minimum, at w = 3
    assert found.value == pytest.approx(100 * (0.1 * 4) ** 2 / (1 + base))


def test_sam():
    found = Sam(rho=(0.1, 0.2, 0.4), rho_infinity=(0.1,), steps=60, restarts=10).measure(bowl(AT), 0)
    largest = np.linalg.eigvalsh(CURVED)[-1]
    for rho in (0.1, 0.2, 0.4):
        assert found.values[f"p=2 rho={rho}"] == pytest.approx(rho**2 * largest / 2, rel=1e-3)
    assert found.value == found.values["p=2 rho=0.2"]
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1).T
    worst = np.einsum("ni,ij,nj->n", signs, CURVED, signs).max()
    assert found.values["p=inf rho=0.1"] == pytest.approx(0.01 * worst / 2)


def test_adaptive_sam():
    found = AdaptiveSam(rho=(0.1, 0.2, 0.4), rho_infinity=(0.1,), steps=60, restarts=10).measure(bowl(AT), 0)
    assert found.value == pytest.approx(0.2**2 * np.linalg.eigvalsh(adapted())[-1] / 2, rel=1e-3)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1).T
    worst = np.einsum("ni,ij,nj->n", signs, adapted(), signs).max()
    assert found.values["p=inf rho=0.1"] == pytest.approx(0.01 * worst / 2)


def test_sam_of_batches_is_averaged_over_examples():
    case = make("mlp", dtype=torch.float64)
    found = Sam(rho=(0.1,), rho_infinity=(0.001,), m=8).measure(Objective(case.model, case.x, case.y), 0)
    parts = [(0, 8), (8, 16), (16, 22)]
    alone = [
        Sam(rho=(0.1,), rho_infinity=(0.001,)).measure(Objective(case.model, case.x[a:b], case.y[a:b]), 0).value
        for a, b in parts
    ]
    assert found.value == pytest.approx(sum((b - a) * value for (a, b), value in zip(parts, alone, strict=True)) / 22)
    assert found.value > Sam(rho=(0.1,), rho_infinity=(0.001,)).measure(Objective(case.model, case.x, case.y), 0).value


@pytest.mark.parametrize(("measure", "trace"), [(Average, np.trace(CURVED)), (AdaptiveAverage, np.trace(adapted()))])
def test_averages(measure, trace):
    found = measure(rho=(0.05, 0.1, 0.2), pairs=500).measure(bowl(AT, offset=1.0), 0)
    assert abs(found.value - 0.1**2 * trace / 2) < 3 * found.stderr
    assert found.stderr < 0.1 * found.value


def test_the_gradient_cancels_in_an_average():
    found = Average(rho=(0.1,), pairs=2).measure(quadratic(np.zeros((2, 2)), slope=[5.0, -3.0]), 0)
    assert found.value == pytest.approx(0, abs=1e-12)


class Bowl:
    """What a plane asks of an objective: example losses that are a function of the two coordinates of a node."""

    def __init__(self, loss, examples=4):
        self.loss, self.x = loss, torch.zeros(examples)

    def example_losses(self, displacement=None):
        at = [0.0, 0.0] if displacement is None else displacement.tolist()
        return torch.full((len(self.x),), float(self.loss(*at)), dtype=torch.float64)


def range_of(loss):
    plane = Plane(Bowl(loss), (torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])), 0.25, 5)
    return relative_range(*(plane.losses(node).mean().item() for node in plane.extremes(0)))


@pytest.mark.parametrize(("offset", "expected"), [(0.0, 100.0), (1.0, 50.0)])
def test_milling_closed_forms(offset, expected):
    assert range_of(lambda a, b: offset + 16 * (a * a + b * b)) == pytest.approx(expected, rel=1e-6)


def test_milling_takes_the_minimum_of_the_square_and_the_maximum_of_the_disc():
    at = {(5, 5): 0.0, (0, 5): 3.0, (4, 4): 9.0}  # corner, rim, outside the disc
    assert range_of(lambda a, b: at.get((round(a / 0.05), round(b / 0.05)), 1.0)) == 300.0


def test_filter_normalised_against_a_plain_loop():
    case = make("conv", dtype=torch.float64)
    objective = Objective(case.model, case.x, case.y)
    found = FilterNormalised(grid=5, radius=0.3, seeds=2).measure(objective, seed=4)
    dense, values = Dense(case.model, case.x, case.y), []
    for pair in range(2):
        first, second = directions(objective, case.model, pair)
        losses = {
            (i, j): dense.loss(dense.w + 0.3 * (i * first + j * second) / 2).item()
            for i in range(-2, 3)
            for j in range(-2, 3)
        }
        lowest = min(losses.values())
        worst = max(loss for (i, j), loss in losses.items() if i * i + j * j <= 4)
        values.append(100 * (worst - lowest) / (1 + lowest))
    assert list(found.values.values()) == pytest.approx(values)
    assert found.value == pytest.approx(np.mean(values))
    assert found.stderr == pytest.approx(stats.sem(values))


def directions(objective, model, pair):
    """The two filter-normalised directions of a pair, by a loop over filters."""
    from landscape.objective.streams import stream

    for axis in (0, 1):
        flat = objective.normal(stream(4, "filter_normalised", pair, axis))
        parts = flat.split([p.numel() for p in model.parameters()])
        for part, p in zip(parts, model.parameters(), strict=True):
            draw = part.view_as(p)
            if p.ndim < 2:
                draw.zero_()
            else:
                for index, weights in enumerate(p.detach()):
                    draw[index] *= weights.norm() / draw[index].norm()
        yield torch.cat(parts)


def test_a_single_draw_has_no_error():
    assert FilterNormalised(seeds=1, grid=3).measure(bowl(AT), 0).stderr is None
    assert Average(pairs=1).measure(bowl(AT), 0).stderr is None
    assert not math.isnan(Average(pairs=2).measure(bowl(AT), 0).stderr)


@pytest.mark.parametrize("relative", [False, True])
def test_the_slope_at_the_centre_is_evaluated_once_for_all_measures(relative, monkeypatch):
    net, calls = torch.nn.Linear(3, 2), []
    objective = Objective(net, torch.randn(10, 3), torch.randint(0, 2, (10,)))
    measure = AdaptiveSam() if relative else Sam()
    loss, gradient = measure.function(objective).loss_and_gradient()
    plain = objective.loss_and_gradient
    monkeypatch.setattr(objective, "loss_and_gradient", lambda *at: calls.append(at) or plain(*at))
    for _ in range(2):
        found = measure.slope_at_centre(objective)
        assert found[0] == loss
        torch.testing.assert_close(found[1], gradient)
    assert calls == [()]
