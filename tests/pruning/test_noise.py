"""How sure a cut is: what two estimates of the scores say, and what is refused for it."""

import json
from dataclasses import replace

import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.scoring import context_of
from oracles.small_networks import make

from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.zoo.data.specs import load_data
from minima.zoo.data.splits import make_splits
from minima.zoo.subject.subject import load_subject
from pruning.composition.composition import Composition
from pruning.composition.cutting import decide
from pruning.composition.guards import Guards
from pruning.context.counts import kept_count
from pruning.context.probe import Probe
from pruning.running.doubt import cut_and_judge
from pruning.schedules.one_shot import OneShot
from pruning.scorers.agreement import Estimate, agreement, spearman
from pruning.scorers.gradient_flow import GradientFlow
from pruning.scorers.look_ahead import LookAhead
from pruning.scorers.magnitude import Magnitude
from pruning.scorers.sensitivity import Sensitivity
from pruning.scorers.synaptic_flow import SynapticFlow
from pruning.scorers.taylor import Taylor


def keep(count):
    def cut(scores):
        flat = torch.cat([score.flatten() for score in scores.values()])
        bar = flat.sort(descending=True).values[count - 1]
        return {name: score >= bar for name, score in scores.items()}

    return cut


def test_agreement_by_hand():
    everything = {"w": torch.ones(4, dtype=torch.bool)}
    one, other = {"w": torch.tensor([1.0, 2, 3, 4])}, {"w": torch.tensor([2.0, 1, 3, 8])}
    found = agreement((one, other), everything, keep(2))
    assert (found.spearman, found.common, found.chance) == (pytest.approx(0.8), 1.0, 0.5)
    assert found.error == pytest.approx(1 / 3)  # of 1/3, 1/3, 0 and 1/3 the median
    removed = {"w": torch.tensor([True, True, True, False])}
    assert agreement((one, other), removed, keep(2)).spearman == pytest.approx(0.5)
    assert agreement((one, other), removed, keep(2)).chance == pytest.approx(2 / 3)


def test_equal_ranks_share_their_mean_and_no_ranks_are_no_number():
    assert spearman(torch.tensor([1.0, 1, 2]), torch.tensor([1.0, 2, 3])) == pytest.approx(0.75**0.5)
    assert spearman(torch.ones(3), torch.tensor([1.0, 2, 3])) != spearman(torch.ones(3), torch.ones(3))  # NaN


class Told:
    """A scorer that says of two draws what it is told."""

    def __init__(self, first, second):
        self.first, self.second = first, second

    def score(self, context):
        return self.estimate(context).scores

    def estimate(self, context):  # noqa: ARG002
        return Estimate(self.first, (self.first, self.second), "two draws of a dream", "--sleep longer")


def of_a_network(make_scores):
    case = make("mlp")
    context = context_of(case.model, case.x, case.y)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = {name: torch.rand(weight.shape) for name, weight in context.weights.items()}
        scorer = Told(first, make_scores(first))
    return context, Composition(scorer=scorer, schedule=OneShot())


def test_a_cut_by_noise_is_refused_or_made_and_told(capsys):
    context, parts = of_a_network(lambda first: {name: torch.rand_like(score) for name, score in first.items()})
    with pytest.raises(BadInput, match=r"mostly noise: two draws of a dream(.|\n)*--sleep longer; --accept-noise"):
        cut_and_judge(parts, context, 10)
    masks, found = cut_and_judge(replace(parts, guards=Guards(doubt="accept")), context, 10)
    assert sum(int(mask.sum()) for mask in masks.values()) == 10
    assert found["spearman"] < 0.1
    assert "decides part of this cut: two draws of a dream" in capsys.readouterr().err
    assert cut_and_judge(replace(parts, guards=Guards(doubt="ignore")), context, 10)[1] == {}


def test_a_clear_cut_is_written_down_without_a_word(capsys):
    context, parts = of_a_network(lambda first: {name: 2 * score for name, score in first.items()})
    _, found = cut_and_judge(parts, context, 10)
    assert found == {"spearman": pytest.approx(1.0), "common": 1.0, "chance": 10 / 66, "error": pytest.approx(1 / 3)}
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    "scorer",
    [
        Sensitivity(Probe(examples=9)),
        GradientFlow(Probe(examples=2, by="class")),
        LookAhead(Probe(examples=9), steps=1),
        Taylor(batches=1),
    ],
    ids=lambda scorer: type(scorer).__name__,
)
def test_scorers_of_few_examples_give_the_scores_of_another_draw(scorer):
    case = make("mlp", dtype=torch.float64)
    context = context_of(case.model, case.x, case.y)
    estimate = scorer.estimate(context)
    torch.testing.assert_close(estimate.scores, scorer.score(context))
    torch.testing.assert_close(estimate.pair[0], estimate.scores)
    assert any(not torch.equal(estimate.pair[1][name], score) for name, score in estimate.scores.items())
    assert decide(Composition(scorer=scorer, schedule=OneShot()), context, 20).agreement is not None


@pytest.mark.parametrize(
    "scorer",
    [
        Sensitivity(Probe(examples=99)),
        Sensitivity(Probe(examples=99, by="class")),
        Taylor(),
        Taylor(batches=9),
        Magnitude(),
        SynapticFlow(),
    ],
    ids=repr,
)
def test_scores_of_all_examples_or_of_none_are_exact(scorer):
    case = make("mlp", dtype=torch.float64)
    parts = Composition(scorer=scorer, schedule=OneShot())
    assert decide(parts, context_of(case.model, case.x, case.y), 20).agreement is None


def test_obd_by_probes_is_refused_and_by_default_cuts_as_the_dense_hessian_does(dense, tmp_path, prune, capsys):
    words = [dense, "--sparsity", 0.8, "--epochs", 0, "--examples", 9999]
    with pytest.raises(BadInput, match=r"two halves of the 4 probes(.|\n)*--diagonal gauss-newton"):
        prune("obd", *words, "--diagonal", "probes", "--probes", 4, "-o", tmp_path / "no.pt")
    assert not (tmp_path / "no.pt").exists()
    exact = prune("obd", *words, "-o", tmp_path / "exact.pt")
    few = ["--diagonal", "probes", "--probes", 4, "--accept-noise"]
    noisy = prune("obd", *words, *few, "-o", tmp_path / "noisy.pt")
    assert "decides part of this cut" in capsys.readouterr().err
    assert exact["rank_agreement"] is None
    assert noisy["rank_agreement"] < 0.1
    assert load(tmp_path / "noisy.pt").metrics["cuts"][0]["agreement"]["spearman"] == noisy["rank_agreement"]
    assert exact["train_loss"] < noisy["train_loss"]
    expected = by_the_dense_hessian(dense, 0.8)
    assert all(torch.equal(mask, expected[name]) for name, mask in load(tmp_path / "exact.pt").masks.items())


def by_the_dense_hessian(path, sparsity):
    """Masks that keep the largest w^2 H_ii / 2 by torch.func.hessian, in float64, over the training part."""
    subject, checkpoint = load_subject(path), load(path)
    plan = checkpoint.training
    splits = make_splits(load_data(checkpoint.data), plan["validation"], plan["split_seed"], torch.device("cpu"))
    oracle = Dense(subject.model, *splits.train)
    saliency = oracle.w.square() * oracle.hessian().diag() / 2
    parts = saliency.split([value.numel() for value in oracle.named.values()])
    scores = {
        name: part.view_as(value)
        for part, (name, value) in zip(parts, oracle.named.items(), strict=True)
        if name.endswith("weight")
    }
    total = sum(score.numel() for score in scores.values())
    return keep(kept_count(total, sparsity))(scores)


def test_the_table_shows_the_agreement_of_ranks_where_scores_are_estimates(dense, tmp_path, capsys):
    from pruning.__main__ import main

    for method, there in (("snip", True), ("magnitude", False)):
        words = [method, dense, "--sparsity", 0.5, "--epochs", 0, "-o", tmp_path / f"{method}.pt"]
        with pytest.raises(SystemExit):
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert ("agreement of ranks" in out) == there
        assert ("two draws of 128 examples" in err) == there
        with pytest.raises(SystemExit):
            main([*map(str, words), "--json"])
        found = json.loads(capsys.readouterr().out)["rank_agreement"]
        assert (found is not None) == there
