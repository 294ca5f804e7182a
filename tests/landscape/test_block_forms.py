"""Quotients of blocks from products that were taken for something else, against products of their own."""

import pytest
import torch
from torch import nn

from landscape.hessian.block_forms import BlockForms
from landscape.objective.objective import Objective
from landscape.objective.position import slope
from landscape.spectrum.data_error import block_quotients
from landscape.spectrum.lanczos import top_eigenpairs
from landscape.spectrum.operators.hessian import Hessian


@pytest.fixture
def objective():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    return Objective(net, torch.randn(103, 6, dtype=torch.float64), torch.randint(0, 3, (103,)), batch_size=5)


def forms_over(objective, vectors=50):
    return BlockForms.of(Hessian(), objective, 0, vectors)


def test_products_and_quotients_of_ritz_vectors_are_those_of_blocks_apart(objective):
    forms, generator = forms_over(objective), torch.Generator().manual_seed(1)
    _, gradient, image = slope(objective, forms.product)
    torch.testing.assert_close(image, objective.hvp(gradient))
    draw = lambda: objective.normal(generator)  # noqa: E731
    pairs = top_eigenpairs(forms.product, draw, objective.dimension, 4, known=(gradient, image), bottom=1)
    vectors = torch.cat([pairs.vectors, pairs.bottom.vectors])
    apart, weights = block_quotients(objective, vectors, 0)
    torch.testing.assert_close(forms.quotients(vectors), apart)
    assert list(forms.weights) == list(weights)
    assert len(apart.std(0).unique()) == 5  # and blocks do differ


def test_of_a_vector_outside_of_their_span_they_know_nothing(objective):
    forms = forms_over(objective)
    assert forms.quotients(objective.point[None]) is None
    forms.product(objective.point)
    assert forms.quotients(objective.point[None]) is not None
    assert forms.quotients(torch.stack([objective.point, objective.gradient()])) is None


@pytest.mark.parametrize(("batch_size", "vectors"), [(103, 50), (5, 10**9)])
def test_blocks_much_smaller_than_a_batch_and_too_many_vectors_are_left_to_others(objective, batch_size, vectors):
    objective.batch_size = batch_size
    assert forms_over(objective, vectors) is None
