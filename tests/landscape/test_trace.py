"""Hutchinson's estimator: value and standard error against dense traces."""

import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import KINDS, make

from landscape.objective.objective import Objective
from landscape.objective.relative import Relative
from landscape.spectrum.trace import hutchinson


def estimate(function, probes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return hutchinson(function.hvp, lambda: function.signs(generator), probes)


@pytest.mark.parametrize("kind", KINDS)
def test_networks_within_three_standard_errors(kind):
    case = make(kind)
    dense = Dense(case.model, case.x, case.y, case.masks)
    objective = Objective(case.model, case.x, case.y, masks=case.masks)
    hessian, w = dense.hessian(), dense.point()
    for function, trace in ((objective, hessian.trace()), (Relative(objective), (w**2 * hessian.diag()).sum())):
        found = estimate(function, 100)
        assert abs(found.value - trace) < 3 * found.stderr
        assert found.stderr < 0.5 * abs(trace)


def test_the_standard_error_covers():
    matrix = torch.randn(12, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix = matrix + matrix.T

    def covers(seed):
        generator = torch.Generator().manual_seed(seed)
        signs = lambda: 2.0 * torch.randint(0, 2, (12,), generator=generator).double() - 1  # noqa: E731
        found = hutchinson(lambda v: v @ matrix, signs, 30)
        return abs(found.value - matrix.trace()) < 1.96 * found.stderr

    assert 0.9 < np.mean([bool(covers(seed)) for seed in range(400)]) < 0.99


def test_one_probe_has_no_error():
    case = make("mlp")
    assert estimate(Objective(case.model, case.x, case.y), 1).stderr is None
