"""Pruning attention whose queries share keys: whole groups, or equally many queries of each."""

import pytest
import torch
import tyro
from oracles.grouped_queries import Grouped
from oracles.masked_units import same_outputs, unsettle
from oracles.scoring import context_of

from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.train import main as train
from minima.zoo.subject.subject import load_subject
from minima.zoo.training.flags import Train
from pruning import prune, shrink_network
from pruning.methods.filters import Filters
from pruning.running.arguments import arguments_of
from pruning.running.command import main as run
from pruning.shrink.__main__ import main as shrink
from pruning.shrink.flags import Shrink
from pruning.spaces.units import Units
from pruning.unit_criteria.gate import Gate


class Classifier(Grouped):
    """Of whole sequences."""

    def forward(self, x):
        return super().forward(x).mean(1)


DRAWS = torch.Generator().manual_seed(0)
DATA = torch.randn(24, 4, 5, generator=DRAWS), torch.arange(24) % 3
LEFT = {"groups": {"Classifier": (3, 2)}, "queries": {"Classifier queries": (2, 1)}}
LEFT["both"] = LEFT["groups"] | LEFT["queries"]


@pytest.mark.parametrize("heads", ["groups", "queries", "both"])
@pytest.mark.parametrize("way", ["sdpa", "expanded"])
def test_what_goes_stays_away_and_leaves_a_smaller_network_that_computes_the_same(heads, way):
    model = unsettle(Classifier(way))
    recipe = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}
    found = prune(model, DATA, method="filters", sparsity=0.3, measure="units", heads=heads, epochs=2, recipe=recipe)
    small = shrink_network(found.model, DATA[0], found.masks)
    left = {name: sizes for name, sizes in small.units.items() if sizes[0] != sizes[1] and name != "o"}
    assert left == LEFT[heads]
    assert same_outputs(found.model, small.model, DATA[0], atol=1e-5)
    per_query = found.masks["q.weight"].unflatten(0, (3, 2, 2)).flatten(2).any(2)
    assert len(set(per_query.sum(1).tolist()) - {0}) == 1  # equally many in each group that is left
    assert bool(found.masks.get("k.weight", torch.ones(1)).all()) == (heads == "queries")


def test_either_kind_by_the_multiply_adds_that_it_saves():
    parts = Filters(scope="global", per="flops", criterion="gate").composition().counting("flops", "both")
    space = parts.space.on(Classifier(), DATA[0])
    masks = {name: torch.ones_like(each, dtype=torch.bool) for name, each in space.masked(Classifier()).items()}
    saved = space.saved(masks)
    tokens, width = 4, 2
    a_query = tokens * (5 + 4) * width + 2 * tokens * tokens * width
    assert saved["Classifier queries"] == 3 * a_query
    assert saved["Classifier"] == 2 * a_query + 2 * tokens * 5 * width
    found = prune(Classifier(), DATA, method=Filters(scope="global"), sparsity=0.5, measure="flops", heads="both")
    assert shrink_network(found.model, DATA[0]).after.multiply_adds <= 0.5 * space.network.cost().multiply_adds


def test_the_gate_of_a_query_head_is_on_what_the_head_gives():
    model, (x, y) = Classifier(), DATA
    space = Units("units", heads="both").on(model, x)
    masks = {name: torch.ones_like(each) > 0 for name, each in space.masked(model).items()}
    found = Gate().score(context_of(model, x, y, weights=space.weights(model), masks=masks, space=space))
    gates = torch.ones(12, requires_grad=True)
    model.o.register_forward_pre_hook(lambda _, given: (given[0] * gates,))
    torch.nn.functional.cross_entropy(model(x), y).backward()
    slopes = gates.grad.view(3, 2, 2).sum(2)  # of each group and each of its queries
    assert found["Classifier queries"].tolist() == pytest.approx(slopes.sum(0).abs().tolist(), rel=1e-4)
    assert found["Classifier"].tolist() == pytest.approx(slopes.sum(1).abs().tolist(), rel=1e-4)


def test_queries_of_one_key_go_only_when_asked_for_which_is_said():
    model = Classifier(queries=4, keys=1)
    kept = prune(model, DATA, method="filters", sparsity=0.5, measure="units")
    assert any("all queries share one key in Classifier" in note and "--heads queries" in note for note in kept.notes)
    assert kept.masks["q.weight"].all()
    gone = prune(model, DATA, method="filters", sparsity=0.5, measure="units", heads="queries")
    assert shrink_network(gone.model, DATA[0]).units["Classifier queries"] == (4, 2)


def test_queries_that_are_not_there_and_words_that_are_none_are_refused():
    plain = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))
    data = DATA[0][:, 0], DATA[1]
    with pytest.raises(BadInput, match="--heads queries: in this network no attention has queries that share a key"):
        prune(plain, data, method="filters", sparsity=0.5, heads="queries")
    with pytest.raises(BadInput, match="--heads both: this method removes single weights"):
        prune(plain, data, method="magnitude", heads="both")
    with pytest.raises(BadInput, match="heads 'all': known are groups, queries, both"):
        prune(plain, data, method="filters", heads="all")
    space = Units("units", heads="queries").on(Classifier(queries=12), DATA[0])
    masks = {name: torch.ones_like(each) > 0 for name, each in space.masked(Classifier(queries=12)).items()}
    with pytest.raises(BadInput, match=r"at most 0\.75 of the units can go"):
        space.check(masks, 1)


def test_a_number_of_queries_that_stands_in_the_code_is_refused_and_whole_groups_still_go():
    model = Classifier("literal")
    with pytest.raises(BadInput, match=r"--heads queries: Classifier queries: the size 2 .* is written in the code"):
        prune(model, DATA, method="filters", sparsity=0.5, heads="queries")
    found = prune(model, DATA, method="filters", sparsity=0.4, measure="units")
    assert not any("queries" in note for note in found.notes)
    small = shrink_network(found.model, DATA[0])
    assert small.units["Classifier"] == (3, 2)
    assert same_outputs(found.model, small.model, DATA[0], atol=1e-5)
    with torch.no_grad():
        model.o.weight.view(4, 3, 2, 2)[:, :, 0] = 0
    with pytest.raises(BadInput, match=r"Classifier queries: .* None of its query heads can be removed"):
        shrink_network(model, DATA[0])
    assert shrink_network(model, DATA[0], stuck="keep").removed == {}


CODE = """
from oracles.grouped_queries import Grouped
from torch import nn

class Rows(Grouped):
    def __init__(self):
        super().__init__("expanded")
        self.head = nn.Linear(4, 10)

    def forward(self, x):
        return super().forward(x[:, 0, :, :5]).mean(1)
"""


def test_from_the_command_line_to_a_smaller_file_that_is_built_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(CODE)
    named = ["--model", "net.py:Rows", "--overwrite"]
    train(tyro.cli(Train, args=[*named, "--data", "digits", "--epochs", "0", "-o", "net.pt"]))
    flags = arguments_of(Filters)

    def take(heads, *words):
        asked = ["net.pt", *named[:2], "--heads", heads, "--units", "0.4", "--epochs", "0", "-o", "queries.pt", *words]
        return run(tyro.cli(flags, args=asked)).summary

    assert take("queries")["units"] >= 0.4
    assert load(tmp_path / "queries.pt").method["heads"] == "queries"
    with pytest.raises(BadInput, match="made with another method"):
        take("both")
    assert "heads" not in (take("groups", "--overwrite"), load(tmp_path / "queries.pt"))[1].method
    take("queries", "--overwrite")
    said = shrink(tyro.cli(Shrink, args=["queries.pt", *named, "-o", "small.pt"])).summary
    assert said["units"]["Rows queries"] == {"before": 2, "after": 1}
    wide, small = (load_subject(tmp_path / name, model="net.py:Rows") for name in ("queries.pt", "small.pt"))
    assert small.model.times == 1
    assert same_outputs(wide.model, small.model, wide.x[:20], atol=1e-5)
