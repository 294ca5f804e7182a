"""Grouped queries: whole groups go, or equally many queries of each, and what is left computes the same."""

import copy

import numpy as np
import pytest
import torch
from oracles.grouped_queries import Grouped
from oracles.masked_units import same_outputs
from torch import nn
from torch.nn import functional

from minima.zoo.anatomy.exchangeable import exchangeable
from minima.zoo.anatomy.narrowing.narrow import narrow
from minima.zoo.anatomy.removable import removable

X = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
WAYS = ["sdpa", "interleaved", "tiled", "expanded", "folded"]


def found_in(model):
    found = removable(model, X[:1].to(model.q.weight.dtype))
    assert not found.stuck
    return found, {group.kind: group for group in found.groups}


@pytest.mark.parametrize("way", WAYS)
def test_units_are_whole_groups_and_a_query_of_each(way):
    model = Grouped(way)
    _, kinds = found_in(model)
    heads, queries = kinds["head"], kinds["query head"]
    assert (heads.name, heads.size, queries.name, queries.size) == ("Grouped", 3, "Grouped queries", 2)
    assert queries.crosses == heads.name
    rows = np.arange(12).reshape(6, 2)  # of each query head
    looks_at = np.arange(6) % 3 if way == "tiled" else np.arange(6) // 2
    by_key = [np.flatnonzero(looks_at == key) for key in range(3)]
    assert heads.made["q.weight", 0].tolist() == [rows[own].ravel().tolist() for own in by_key]
    by_rank = [np.sort([own[rank] for own in by_key]) for rank in (0, 1)]
    assert queries.made["q.weight", 0].tolist() == [rows[own].ravel().tolist() for own in by_rank]
    assert queries.read["o.weight", 1].tolist() == queries.made["q.weight", 0].tolist()
    assert {name for name, _ in queries.places} == {"q.weight", "q.bias", "o.weight"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("queries", [6, 9])
@pytest.mark.parametrize(("keys", "ranks"), [("111", "10"), ("111", "01"), ("101", "11"), ("011", "10"), ("001", "01")])
def test_the_narrow_network_computes_what_the_masked_one_does(way, queries, keys, ranks):
    model = Grouped(way, queries).double().eval()
    found, kinds = found_in(model)
    kept = {"head": keys, "query head": ranks.ljust(queries // 3, "1")}
    masked, places = copy.deepcopy(model), {}
    for kind, digits in kept.items():
        units = np.array([each == "1" for each in digits])
        places[kinds[kind].name] = units
        for (name, axis), entries in kinds[kind].places.items():
            masked.get_parameter(name).data.index_fill_(axis, torch.from_numpy(entries[~units].ravel()), 0.0)
    manifest = found.manifest(places)
    narrowed = copy.deepcopy(masked)
    narrow(narrowed, manifest)
    assert narrowed.q.out_features == 2 * keys.count("1") * kept["query head"].count("1")
    assert same_outputs(masked, narrowed, X)
    cost = found.cost(places)
    assert cost.parameters == sum(each.numel() for each in narrowed.parameters())
    assert cost == removable(narrowed, X[:1].double()).cost()


def test_multiply_adds_by_hand():
    found, _ = found_in(Grouped())
    tokens, width = 4, 2

    def expected(keys, ranks):
        heads = keys * ranks * width
        linear = 5 * heads + 2 * 5 * keys * width + heads * 4 + 4 * 3
        return tokens * linear + 2 * tokens * tokens * heads

    for keys in (1, 2, 3):
        for ranks in (1, 2):
            assert found.cost({"Grouped": keys, "Grouped queries": ranks}).multiply_adds == expected(keys, ranks)


@pytest.mark.parametrize("way", ["broadcast", "sdpa", "expanded"])
def test_of_one_key_for_all_queries_each_may_go(way):
    model = Grouped(way, queries=4, keys=1).double().eval()
    found, kinds = found_in(model)
    assert (set(kinds), kinds["query head"].size) == ({"query head", "neuron"}, 4)
    model.o.weight.data[:, 2:6] = 0
    narrowed = copy.deepcopy(model)
    narrow(narrowed, found.manifest({"Grouped queries": np.array([True, False, False, True])}))
    assert same_outputs(model, narrowed, X)


def test_keys_with_different_numbers_of_queries_stay():
    assert [group.name for group in removable(Grouped("uneven"), X[:1]).groups] == ["o"]


def test_queries_that_share_a_key_trade_places_with_it_alone():
    groups, _ = exchangeable(Grouped(), X[:1])
    heads = next(group for group in groups if "q.weight" in group.names)
    assert heads.places["q.weight", 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


class Plain(nn.Module):
    """Products of matrices without heads, and of one query head with several keys."""

    def __init__(self, way):
        super().__init__()
        self.way, self.one, self.two = way, nn.Linear(5, 4), nn.Linear(5, 8)

    def forward(self, x):
        if self.way == "matrices":
            return (self.one(x[0]).T @ self.two(x[0]))[None]
        keys = self.two(x).unflatten(-1, (2, 4)).transpose(1, 2)
        return functional.scaled_dot_product_attention(self.one(x)[:, None], keys, keys)


@pytest.mark.parametrize("way", ["matrices", "one query"])
def test_products_of_another_kind_hold_their_units(way):
    assert removable(Plain(way), X[:1]).groups == []
