"""The error from having only some of the examples: cover, and what it is on all of them."""

import numpy as np
import pytest
import torch
from torch import nn

from landscape.data_error import data_error
from landscape.objective import Objective
from store.command import BadInput

POPULATION, USED, BLOCKS = 400, 160, 20


def examples():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(POPULATION, 3, generator=generator) * torch.tensor([2.0, 1.0, 0.5])
    return x, (x[:, 0] + torch.randn(POPULATION, generator=generator) > 0).long()


def model():
    net = nn.Linear(3, 2).double()
    for index, parameter in enumerate(net.parameters()):
        nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(index))
    return net


def dense(objective):
    return objective.hvp(torch.eye(objective.dimension, dtype=torch.float64))


def test_the_error_of_eigenvalues_covers():
    net, (x, y) = model(), examples()
    truth = torch.linalg.eigvalsh(dense(Objective(net, x, y)))[-2:]
    size, hits, ratios = USED // BLOCKS, [], []
    for seed in range(200):
        order = torch.randperm(POPULATION, generator=torch.Generator().manual_seed(seed))[:USED]
        sample = Objective(net, x[order], y[order])
        values, vectors = torch.linalg.eigh(dense(sample))
        parts = [sample.part(first, first + size) for first in range(0, USED, size)]
        error = data_error([part.hvp for part in parts], [size] * BLOCKS, vectors.T[-2:], POPULATION)
        hits.append(((values[-2:] - truth).abs() < 2.09 * error).numpy())
        ratios.append((values[-2:] - truth).numpy() / error.numpy())
    cover, spread = np.mean(hits, 0), np.std(ratios, 0)
    assert ((cover > 0.88) & (cover < 0.995)).all(), cover
    assert ((spread > 0.75) & (spread < 1.35)).all(), spread


def test_the_error_of_the_trace_covers():
    net, (x, y) = model(), examples()
    truth, size, hits = dense(Objective(net, x, y)).trace(), USED // BLOCKS, []
    for seed in range(200):
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(POPULATION, generator=generator)[:USED]
        sample = Objective(net, x[order], y[order])
        products = [sample.part(first, first + size).hvp for first in range(0, USED, size)]
        signs = torch.stack([sample.signs(generator) for _ in range(8)])
        error = data_error(products, [size] * BLOCKS, signs, POPULATION, average=True)
        hits.append(bool((dense(sample).trace() - truth).abs() < 2.09 * error))
    assert np.mean(hits) > 0.88  # errs upwards: the probes' own scatter between blocks counts too


def test_of_all_examples_there_is_none():
    errors = data_error([lambda v: v, lambda v: 2 * v], [3, 4], torch.eye(2, dtype=torch.float64), 7)
    assert errors.tolist() == [0, 0]


def test_ragged_blocks_agree_with_leaving_each_out():
    matrices = [torch.diag(torch.tensor([a, b], dtype=torch.float64)) for a, b in ((1, 2), (4, 3), (2, 9))]
    sizes, vectors = [5, 5, 2], torch.eye(2, dtype=torch.float64)
    found = data_error([(lambda v, m=matrix: v @ m) for matrix in matrices], sizes, vectors, 24)
    left = []
    for out in range(3):
        rest = [
            (size, matrix) for index, (size, matrix) in enumerate(zip(sizes, matrices, strict=True)) if index != out
        ]
        left.append(sum(size * matrix for size, matrix in rest).diag() / sum(size for size, _ in rest))
    left = torch.stack(left)
    expected = (2 / 3 * ((left - left.mean(0)) ** 2).sum(0) * (1 - 12 / 24)).sqrt()
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("sizes", "population"), [([4], 8), ([4, 5], 8)])
def test_bad_blocks(sizes, population):
    with pytest.raises(BadInput, match="blocks"):
        data_error([lambda v: v] * len(sizes), sizes, torch.eye(2), population)


def test_the_command_states_it_for_part_of_the_split_only(command, checkpoint, tmp_path):
    quick = ["--samples", "60", "--top", "2", "--trace", "4"]
    _, found, _ = command("hessian", checkpoint, *quick, "-o", tmp_path / "part.h5")
    assert all(0 < error < value for error, value in zip(found["data_stderr"], found["eigenvalues"], strict=True))
    assert 0 < found["trace"]["data_stderr"] < abs(found["trace"]["value"])
    _, found, _ = command("hessian", checkpoint, "--top", "2", "--split", "test", "-o", tmp_path / "all.h5")
    assert found["data_stderr"] is None
