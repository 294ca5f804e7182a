"""What benchmarks/ says of how far scores and masks depend on chance and on rounding."""

import doctest
import json
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import pruning.scorers
from benchmarks import networks, pruned, rank_stability, rounding
from benchmarks.networks import Trained
from pruning.composition.method import methods
from pruning.running.arguments import arguments_of
from pruning.scopes.entropy_budget import EntropyBudget
from pruning.scorers.agreement import Estimated

SMALL = {"small": Trained("digits", epochs=1, lr=0.05, images=1437, few=1437, model="mlp:hidden=6")}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A network that is trained in a second."""
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    for module in (rank_stability, rounding):
        monkeypatch.setattr(module, "OUT", tmp_path / f"{module.__name__}.json")
        monkeypatch.setattr(module, "NETWORKS", SMALL)
    monkeypatch.setattr(pruned, "NETWORKS", SMALL)
    return tmp_path


@pytest.mark.parametrize("module", [pruned, rounding])
def test_examples(module):
    assert doctest.testmod(module).failed == 0


def scorers_within(part):
    """Scorers that a scorer consists of, itself among them."""
    inner = [getattr(part, field.name) for field in fields(part)] if is_dataclass(part) else []
    return {type(part)} | {each for one in inner if hasattr(one, "score") for each in scorers_within(one)}


def test_every_scorer_is_in_the_table():
    modules = [import_module(f"pruning.scorers.{each.name}") for each in iter_modules(pruning.scorers.__path__)]
    known = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "score")
    }
    of_lines = [scorers_within(pruned.method(words).composition().scorer) for words in rank_stability.LINES]
    protocols = {"Scorer", "Estimated", "UnitScorer"}
    combined = {"FirstThen", "PerCost", "Relative"}  # of others
    assert {each.__name__ for each in known} - protocols - combined == {
        each.__name__ for each in set().union(*of_lines)
    }


@pytest.mark.parametrize("name", methods())
def test_the_help_tells_the_rank_stability_of_every_estimated_score(name):
    method = methods()[name]
    parts = method().composition()
    said = "python -m benchmarks.rank_stability" in " ".join(arguments_of(method).__doc__.split())
    of_weights = getattr(parts.scorer, "of", "weights") == "weights"  # ranks of units are not in the benchmark
    assert said == (of_weights and (isinstance(parts.scorer, Estimated) or isinstance(parts.scope, EntropyBudget)))


def test_scores_without_draws_agree_and_random_ones_do_not(small):
    lines = ("magnitude", "random", "snip", "egp", "taylor")
    report = rank_stability.main(rank_stability.RankStability(networks=("small",), methods=lines, seeds=2))
    found = report.summary["networks"]["small"]
    assert found["magnitude"]["seeds_spearman"] == pytest.approx(1)
    assert found["magnitude"]["seeds_common"] == found["taylor"]["seeds_common"] == 1
    assert abs(found["random"]["seeds_spearman"]) < 0.3
    assert 0.2 < found["snip"]["seeds_spearman"] < 1
    assert found["taylor"]["halves_spearman"] < 1
    written = json.loads(Path(rank_stability.OUT).read_text())
    assert written["networks"]["small"] == found
    assert "snip" in Path(rank_stability.OUT).with_suffix(".md").read_text()


def test_one_weight_more_in_the_first_cut_changes_masks_of_many_rounds_and_no_count(small):
    report = rounding.main(rounding.Rounding(networks=("small",), methods=("snip-it",), sparsity=(0.9,)))
    (row,) = report.summary["rows"]
    assert 0 <= row["changed"] < 1
    subject, parts = pruned.network("small"), pruned.method("snip-it").composition()
    assert rounding.changed(subject, parts, 0.9) == row["changed"]
