"""The error from having only some of the examples: cover, and what it is on all of them."""

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from landscape.hessian.report import table
from landscape.objective.objective import Objective
from landscape.objective.streams import stream
from landscape.spectrum.data_error import block_products, block_quotients, data_blocks, data_error, used_share
from landscape.spectrum.example_blocks import deal
from landscape.spectrum.examples_legend import of_examples
from landscape.spectrum.operator import operators
from minima.store.command import BadInput
from minima.zoo.subject.sampling import Sample

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


def of_each(name, x, y, seed=0):
    """(n, 8, 8) what each example has of the operator, by its definition, the network being linear: J^T M J."""
    eye, x = torch.eye(2, dtype=torch.float64), x.double()
    by_weight = torch.einsum("cd,nk->ncdk", eye, x).flatten(2)
    jacobians, p = torch.cat([by_weight, eye.expand(len(x), 2, 2)], 2), model()(x).softmax(1).detach()
    if operators()[name].drawn:
        y = (torch.rand(len(x), generator=stream(seed, "mc-fisher"), dtype=torch.float64) >= p[:, 0]).long()
    slopes = torch.einsum("nc,ncd->nd", p - eye[y], jacobians)
    if name in ("hessian", "ggn"):
        return jacobians.mT @ (torch.diag_embed(p) - p[:, :, None] * p[:, None]) @ jacobians
    slopes = slopes - slopes.mean(0) * (name == "gradient-covariance")
    return slopes[:, :, None] * slopes[:, None]


def by_blocks(own, rows):
    """The products of the mean over each of the blocks, and how many examples each has."""
    means = [own[each].mean(0) for each in rows]
    return [(lambda v, m=mean: v @ m) for mean in means], [len(each) for each in rows]


SHARE = used_share(USED, POPULATION)
"""of the error of new examples, which samples of a finite population have"""


@pytest.mark.parametrize("name", operators())
def test_the_error_of_eigenvalues_covers(name):
    """The truth: the operator over the whole population; of labels that are drawn, with the population's."""
    (x, y), drawn = examples(), operators()[name].drawn
    share = 1.0 if drawn else SHARE  # labels are drawn anew for each sample
    truth = torch.linalg.eigvalsh(of_each("ggn" if drawn else name, x, y).mean(0))[-2:]
    hits, ratios = [], []
    for seed in range(400):
        order = Sample(USED, drawn=True).rows(y, POPULATION, seed)  # as commands draw them
        own = of_each(name, x[order], y[order], seed)
        values, vectors = torch.linalg.eigh(own.mean(0))
        products, sizes = by_blocks(own, deal(y[order], USED, seed))
        error = share * data_error(products, sizes, vectors.T[-2:])
        hits.append(((values[-2:] - truth).abs() < 2.09 * error).numpy())
        ratios.append((values[-2:] - truth).numpy() / error.numpy())
    cover, spread = np.mean(hits, 0), np.std(ratios, 0)
    assert ((cover > 0.88) & (cover < 0.995)).all(), cover
    assert ((spread > 0.75) & (spread < 1.35)).all(), spread


def test_the_error_of_the_trace_covers():
    x, y = examples()
    every, of_all, hits = of_each("hessian", x, y), Objective(model(), x, y), []
    for seed in range(200):
        generator = torch.Generator().manual_seed(seed)
        own = every[torch.randperm(POPULATION, generator=generator)[:USED]]
        signs = torch.stack([of_all.signs(generator) for _ in range(8)])
        error = SHARE * data_error(*by_blocks(own, torch.arange(USED).split(USED // BLOCKS)), signs, average=True)
        hits.append(bool((own.mean(0).trace() - every.mean(0).trace()).abs() < 2.09 * error))
    assert np.mean(hits) > 0.88  # errs upwards: the probes' own scatter between blocks counts too


@pytest.mark.parametrize("name", operators())
def test_the_blocks_are_parts_of_the_matrix(name):
    """Each is what its examples have of it: with the whole's labels, about the whole's gradient; so is their mean."""
    net, (x, y), operator = model(), examples(), operators()[name]()
    sample, eye = Objective(net, x[:47], y[:47]), torch.eye(8, dtype=torch.float64)
    products, sizes = data_blocks(operator, sample, 3)
    found, own, rows = [product(eye) for product in products], of_each(name, x[:47], y[:47], 3), deal(y[:47], 47, 3)
    assert list(sizes) == [len(each) for each in rows]
    for block, each in zip(found, rows, strict=True):
        torch.testing.assert_close(block, own[each].mean(0), rtol=1e-9, atol=1e-12)
    mean = sum(size * block for size, block in zip(sizes, found, strict=True)) / 47
    torch.testing.assert_close(mean, operator.product(sample, 3)(eye), rtol=1e-9, atol=1e-12)


def test_ragged_blocks_agree_with_leaving_each_out():
    matrices = [torch.diag(torch.tensor([a, b], dtype=torch.float64)) for a, b in ((1, 2), (4, 3), (2, 9))]
    sizes, vectors = [5, 5, 2], torch.eye(2, dtype=torch.float64)
    found = data_error([(lambda v, m=matrix: v @ m) for matrix in matrices], sizes, vectors)
    left = []
    for out in range(3):
        rest = [
            (size, matrix) for index, (size, matrix) in enumerate(zip(sizes, matrices, strict=True)) if index != out
        ]
        left.append(sum(size * matrix for size, matrix in rest).diag() / sum(size for size, _ in rest))
    left = torch.stack(left)
    expected = (2 / 3 * ((left - left.mean(0)) ** 2).sum(0)).sqrt()
    torch.testing.assert_close(found, expected)


def test_bad_blocks():
    with pytest.raises(BadInput, match="over 1 blocks of the weight 4"):
        data_error([lambda v: v], [4], torch.eye(2))
    with pytest.raises(BadInput, match="blocks of 9 examples among 8"):
        used_share(9, 8)


def test_the_command_states_it(command, checkpoint, tmp_path):
    quick = ["--samples", "60", "--top", "2", "--bottom", "1", "--trace", "4"]
    _, found, _ = command("hessian", checkpoint, *quick, "-o", tmp_path / "part.h5")
    share = found["used_share"]
    assert 0 < share < 1
    values = found["eigenvalues"] + found["bottom_eigenvalues"] + [found["trace"]["value"]]
    new, old = (
        [*found[key], *found[f"bottom_{key}"], found["trace"][key]] for key in ("data_stderr_new", "data_stderr")
    )
    assert all(0 < error < abs(value) for error, value in zip(new, values, strict=True))
    assert old == pytest.approx([share * error for error in new])
    with h5py.File(tmp_path / "part.h5") as file:
        assert file["hessian/bottom_data_stderr_new"][()].tolist() == found["bottom_data_stderr_new"]
    assert f"± of examples: {of_examples(share)}" in table(found)
    assert table(found).count("± of examples") == 3  # over both columns, and what it is


def test_of_all_examples_only_new_ones_make_an_error(command, checkpoint, tmp_path):
    whole = ["hessian", checkpoint, "--top", "2", "--split", "test"]
    _, found, _ = command(*whole, "-o", tmp_path / "all.h5")
    assert (found["data_stderr"], found["used_share"]) == (None, 0)
    assert min(found["data_stderr_new"]) > 0
    _, found, _ = command(*whole, "--operator", "mc-fisher", "-o", tmp_path / "drawn.h5")
    assert found["data_stderr"] == found["data_stderr_new"]  # other labels would make it too
    _, found, _ = command(*whole, "--data-error", "none", "-o", tmp_path / "none.h5")
    assert (found["data_stderr"], found["data_stderr_new"]) == (None, None)
    assert "of examples" not in table(found)


@pytest.mark.parametrize(
    ("batch_size", "memory", "apart"),
    [(USED, 2**30, 2), (USED, 0, 5), (8, 2**30, 5)],
    ids=["together", "no room", "small"],
)
def test_products_block_by_block_or_together_are_those_of_all_examples(batch_size, memory, apart):
    x, y = examples()
    objective = Objective(model(), x[:USED].double(), y[:USED], batch_size=batch_size, memory=memory)
    vectors = torch.randn(5, objective.dimension, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    own = objective.hvp(vectors)
    for _ in range(2):  # the second time of kept graphs, where there is room for them
        found = block_products(objective, vectors, 0, lambda part: part, 2)
        torch.testing.assert_close(found.products, own)
        torch.testing.assert_close(found.quotients, block_quotients(objective, vectors, 0)[0][:, :apart])


def test_no_products_of_blocks_are_taken_where_none_are_to_be_told():
    x, y = examples()
    objective = Objective(model(), x[:USED].double(), y[:USED])
    vectors = torch.eye(objective.dimension, dtype=torch.float64)
    own = objective.hvp(vectors)
    found = block_products(objective, vectors, 0, lambda part: part, 0)
    torch.testing.assert_close(found.products, own)
    assert found.quotients.shape == (BLOCKS, 0)
