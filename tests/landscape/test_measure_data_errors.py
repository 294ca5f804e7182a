"""The error that other examples would make in a measure: against leaving out blocks of them, and by repetition."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch import nn

from landscape.objective.objective import Objective
from landscape.sharpness.measure import measures
from landscape.sharpness.noise import rises
from landscape.spectrum.data_error import used_share
from landscape.spectrum.example_blocks import deal
from minima.zoo.subject.sampling import Sample

CHEAP = {
    "rho": (0.1,),
    "rho_infinity": (1e-3,),
    "steps": 30,
    "restarts": 0,
    "probes": 4,
    "pairs": 4,
    "seeds": 1,
    "grid": 5,
    "tolerance": 1e-7,
}
POPULATION, USED = 1200, 480


def cheap(name, **more):
    measure = measures()[name]()
    chosen = CHEAP | more
    return replace(measure, **{f.name: chosen[f.name] for f in fields(measure) if f.name in chosen})


def problem():
    """A small network, not trained out, and examples of a noisy rule."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(POPULATION, 3, generator=generator).double() * torch.tensor([2.0, 1.0, 0.5])
    y = (x[:, 0] + torch.randn(POPULATION, generator=generator) > 0).long()
    net = nn.Linear(3, 2).double()
    for index, parameter in enumerate(net.parameters()):
        nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(index))
    return net, x, y


FIRST_ORDER = ["lambda_max", "adaptive_lambda_max", "relative_flatness", "keskar", "sam", "adaptive_sam"]
FIRST_ORDER += ["filter_normalised", "pac_bayes"]


def jackknifed(value):
    """The error of a function of an objective by leaving out blocks of the examples, and the objective of all."""
    net, x, y = problem()
    x, y = x[:USED], y[:USED]
    blocks, without = deal(y, USED), []
    for block in blocks:
        rest = torch.ones(USED, dtype=torch.bool).index_fill(0, block, False)
        without.append(value(Objective(net, x[rest], y[rest])))
    return np.sqrt((len(blocks) - 1) / len(blocks) * np.var(without) * len(blocks)), Objective(net, x, y)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_it_is_the_jackknife_to_first_order(name):
    expected, whole = jackknifed(lambda objective: cheap(name).measure(objective, 0).value)
    assert cheap(name).measure(whole, 0).data_stderr_new == pytest.approx(expected, rel=0.05)


def exact_trace(objective):
    return objective.hvp(torch.eye(objective.dimension, dtype=torch.float64)).trace().item()


def plain_mean_rise(objective):
    return np.mean(rises(objective, 0.1, 400, torch.Generator().manual_seed(1)).draws)


@pytest.mark.parametrize(("name", "exact"), [("trace", exact_trace), ("average", plain_mean_rise)])
def test_of_means_of_draws_it_is_that_of_the_mean_and_their_scatter_between_blocks(name, exact):
    expected, whole = jackknifed(exact)
    found = cheap(name, probes=64, pairs=64).measure(whole, 0)
    assert found.value == pytest.approx(exact(whole), abs=4 * found.stderr + 0.02 * abs(found.value))
    assert 0.8 * expected < found.data_stderr_new < 2 * expected


@pytest.mark.parametrize("name", ["sam", "average", "filter_normalised"])
def test_an_interval_of_95_percent_covers(name):
    net, x, y = problem()
    measure = cheap(name, steps=3, pairs=2, grid=3)
    truth, hits, repetitions = measure.measure(Objective(net, x, y), 0).value, 0, 150
    whole = Objective(net, x, y)
    for seed in range(repetitions):
        drawn = Sample(USED, drawn=True).rows(y, POPULATION, seed)  # as commands draw them
        found = measure.measure(whole.of(drawn), 0)
        hits += abs(found.value - truth) < 2.09 * used_share(USED, POPULATION) * found.data_stderr_new
    assert 0.90 <= hits / repetitions <= 0.985, hits / repetitions


def test_batch_sharpness_states_no_less_than_its_error():
    net, x, y = problem()
    measure, whole = cheap("batch_sharpness", batch=20, batches=25), Objective(net, x, y)
    truth, hits = cheap("batch_sharpness", batch=20, batches=300).measure(whole, 0).value, 0
    for seed in range(20):
        drawn = torch.randperm(POPULATION, generator=torch.Generator().manual_seed(seed))[:USED]
        found = measure.measure(whole.of(drawn), seed)
        data = used_share(USED, POPULATION) * found.data_stderr_new
        hits += abs(found.value - truth) < 2 * np.hypot(data, found.stderr)
    assert hits / 20 >= 0.9
