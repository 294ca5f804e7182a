"""OBD and the empirical Fisher against dense float64 matrices."""

import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.scoring import context_of
from oracles.small_networks import make

from minima.store.command import BadInput
from pruning.context.sample import Sample
from pruning.scorers.fisher_diagonal import FisherDiagonal
from pruning.scorers.hessian_diagonal import HessianDiagonal


def asked(kind):
    """A context, its dense oracle, and which of all parameters are the weights sparsity is counted over."""
    case = make(kind, dtype=torch.float64)
    context = context_of(case.model, case.x, case.y, case.masks)
    dense = Dense(case.model, case.x, case.y, case.masks)
    chosen = torch.cat([torch.full((p.numel(),), name in context.weights) for name, p in dense.named.items()])
    return context, dense, chosen & dense.kept


def flat(context, scores):
    """Scores of the survivors."""
    return torch.cat([scores[name][context.masks[name]] for name in context.weights])


@pytest.mark.parametrize("kind", ["mlp", "batchnorm", "tied", "masked"])
def test_the_hessian_diagonal_is_within_the_error_of_its_probes(kind):
    context, dense, chosen = asked(kind)
    probes = 200
    hessian, w = dense.hessian("full")[chosen][:, chosen], dense.w[chosen]
    off = hessian - hessian.diag().diag()
    error = (off.square().sum(1) / probes).sqrt() * w.square() / 2  # of one entry, in closed form
    found = flat(context, HessianDiagonal(Sample(99), probes).score(context))
    away = (found - w.square() * hessian.diag() / 2).abs()
    assert (away <= 5 * error + 1e-12).all()
    assert (away > 0.01 * error)[error > 0].float().mean() > 0.9  # the error is no empty bound


@pytest.mark.parametrize("kind", ["conv", "batchnorm", "tied", "masked"])
def test_the_fisher_diagonal_is_the_mean_squared_gradient(kind):
    context, dense, chosen = asked(kind)
    expected = dense.w[chosen].square() * dense.fisher(subspace="full").diag()[chosen] / 2
    scores = FisherDiagonal(Sample(99)).score(context)
    torch.testing.assert_close(flat(context, scores), expected, rtol=1e-9, atol=1e-14)
    assert all(not scores[name][~mask].any() for name, mask in context.masks.items())


def test_no_probes_are_refused():
    with pytest.raises(BadInput, match="--probes 0"):
        HessianDiagonal(Sample(), 0)
