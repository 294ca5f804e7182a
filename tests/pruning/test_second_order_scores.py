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
    found = flat(context, HessianDiagonal(Sample(99), "probes", probes).score(context))
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


@pytest.mark.parametrize("probes", [0, 1])
def test_too_few_probes_to_tell_their_error_are_refused(probes):
    with pytest.raises(BadInput, match=f"--probes {probes}"):
        HessianDiagonal(Sample(), "probes", probes)


def trained(kind, steps=300):
    """The network, trained on its data until most is learned."""
    case = make(kind, dtype=torch.float64)
    optimiser = torch.optim.SGD(case.model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(steps):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(case.model(case.x), case.y).backward()
        optimiser.step()
    case.model.eval()
    return case


@pytest.mark.parametrize("kind", ["mlp", "conv", "batchnorm"])
def test_scores_of_trained_networks_are_the_dense_hessians(kind, capsys):
    case = trained(kind)
    context = context_of(case.model, case.x, case.y)
    dense = Dense(case.model, case.x, case.y)
    assert dense.loss(dense.w) < 0.5
    chosen = torch.cat([torch.full((p.numel(),), name in context.weights) for name, p in dense.named.items()])
    expected = dense.w.square() * dense.hessian("full").diag() / 2
    estimate = HessianDiagonal(Sample(99)).estimate(context)
    torch.testing.assert_close(flat(context, estimate.scores), expected[chosen], rtol=1e-8, atol=1e-14)
    assert estimate.pair is None  # all examples, nothing drawn
    assert not capsys.readouterr().err


@pytest.mark.parametrize("kind", ["tied", "attention"])
def test_where_outputs_are_not_linear_in_a_weight_the_gauss_newton_diagonal_is_taken_and_said(kind, capsys):
    case = trained(kind, steps=20)
    context, dense = context_of(case.model, case.x, case.y), Dense(case.model, case.x, case.y)
    chosen = torch.cat([torch.full((p.numel(),), name in context.weights) for name, p in dense.named.items()])
    expected = dense.w.square() * dense.ggn("full").diag() / 2
    found = flat(context, HessianDiagonal(Sample(99), "gauss-newton").score(context))
    torch.testing.assert_close(found, expected[chosen], rtol=1e-8, atol=1e-14)
    assert "is not the Hessian's" in capsys.readouterr().err


class Wide(torch.nn.Linear):
    """More outputs than the exact diagonal is taken for."""

    def __init__(self):
        super().__init__(3, 300)


def test_more_outputs_than_allowed_fall_back_on_probes_or_are_refused(capsys):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        context = context_of(Wide().double(), torch.randn(20, 3).double(), torch.arange(20))
    estimate = HessianDiagonal(Sample(99), probes=6).estimate(context)
    assert "estimated by 6 probes" in capsys.readouterr().err
    assert estimate.drawn == "two halves of the 6 probes"
    first, second = (flat(context, half) for half in estimate.pair)
    torch.testing.assert_close((first + second) / 2, flat(context, estimate.scores))
    with pytest.raises(BadInput, match=r"300(.|\n)*--diagonal probes"):
        HessianDiagonal(Sample(99), "gauss-newton").score(context)


@pytest.mark.parametrize("make_scorer", [HessianDiagonal, FisherDiagonal])
@pytest.mark.parametrize("by", ["chance", "class"])
def test_halves_of_the_examples_average_to_the_score(make_scorer, by):
    case = make("mlp", dtype=torch.float64)
    context = context_of(case.model, case.x, case.y)
    scorer = make_scorer(Sample(3 if by == "class" else 9, by=by))
    estimate, (x, y) = scorer.estimate(context), scorer.sample.draw(context)
    sizes = len(y) - len(y) // 2, len(y) // 2
    first, second = (flat(context, half) for half in estimate.pair)
    torch.testing.assert_close(
        (sizes[0] * first + sizes[1] * second) / len(y), flat(context, estimate.scores), rtol=1e-9, atol=1e-15
    )
    torch.testing.assert_close(estimate.scores, scorer.score(context))
    own = context_of(case.model, x[::2], y[::2])
    torch.testing.assert_close(flat(context, scorer.score(own)), first, rtol=1e-9, atol=1e-15)
    assert estimate.remedy == f"--examples {4 * scorer.sample.examples}"
