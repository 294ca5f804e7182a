"""Exact counts: what is kept, how ties are broken, how layers share."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minima.store.command import BadInput
from pruning.context.counts import check_levels, kept_count
from pruning.scopes.each_layer import EachLayer, apportion
from pruning.scopes.whole_network import WholeNetwork
from pruning.selection.ranking import keep_highest

SHAPES = {"a": (3, 4), "b": (2, 2, 2), "c": (5,)}
SIZES = {name: int(np.prod(shape)) for name, shape in SHAPES.items()}
N = sum(SIZES.values())


def in_shapes(values):
    parts = torch.tensor(values, dtype=torch.float32).split(list(SIZES.values()))
    return {name: part.view(SHAPES[name]) for name, part in zip(SHAPES, parts, strict=True)}


# few distinct values: most scores tie
scores_with_ties = st.lists(st.integers(0, 3), min_size=N, max_size=N).map(in_shapes)


def everything():
    return {name: torch.ones(shape, dtype=torch.bool) for name, shape in SHAPES.items()}


def flat(masks):
    return torch.cat([masks[name].flatten() for name in SHAPES])


def cut(scores, alive, scope, kept):
    return keep_highest(scores, alive, scope.pools(None, alive, kept))


def test_ten_weights_at_a_fifth_lose_exactly_two():
    weights = torch.tensor([5.0, 1, 9, 3, 7, 2, 8, 4, 10, 6])
    alive = {"w": torch.ones(10, dtype=torch.bool)}
    masks = keep_highest({"w": weights}, alive, [(("w",), kept_count(10, 0.2))])
    assert (~masks["w"]).nonzero().flatten().tolist() == [1, 5]


@given(scores_with_ties, st.integers(0, N))
def test_ties_are_broken_as_by_a_stable_sort(scores, kept):
    masks = cut(scores, everything(), WholeNetwork(), kept)
    order = np.argsort(-flat(scores).numpy(), kind="stable")
    assert flat(masks).nonzero().flatten().tolist() == sorted(order[:kept].tolist())


@pytest.mark.parametrize("scope", [WholeNetwork(), EachLayer()], ids=["global", "layer"])
@given(scores=scores_with_ties, more=scores_with_ties, first=st.integers(1, N), second=st.integers(0, N))
def test_counts_are_exact_and_what_is_removed_stays_removed(scope, scores, more, first, second):
    once = cut(scores, everything(), scope, first)
    twice = cut(more, once, scope, min(first, second))
    assert flat(once).sum() == first
    assert flat(twice).sum() == min(first, second)
    assert not (flat(twice) & ~flat(once)).any()


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=6), st.data())
def test_shares_sum_respect_limits_and_are_proportional_where_there_is_room(layers, data):
    sizes = {str(index): size for index, (size, _) in enumerate(layers)}
    limits = {str(index): min(size, limit) for index, (size, limit) in enumerate(layers)}
    total = data.draw(st.integers(0, sum(limits.values())))
    shares = apportion(sizes, limits, total)
    assert sum(shares.values()) == total
    assert all(0 <= shares[name] <= limits[name] for name in sizes)
    free = [name for name in sizes if shares[name] < limits[name]]
    # layers with room left keep the same fraction, to a weight
    for one, two in product(free, free):
        difference = shares[one] / sizes[one] - shares[two] / sizes[two]
        assert difference <= 1 / sizes[one] + 1 / sizes[two] + 1e-12


def test_asking_for_more_than_is_left_is_an_error():
    alive = {"w": torch.tensor([True, False, True])}
    with pytest.raises(ValueError, match="only 2 are left"):
        keep_highest({"w": torch.ones(3)}, alive, [(("w",), 3)])
    with pytest.raises(ValueError, match="only 2 are left"):
        apportion({"w": 3}, {"w": 2}, 3)


def test_scores_that_are_not_finite_name_their_tensor():
    with pytest.raises(BadInput, match=r"1 of 3 scores of conv\.weight"):
        keep_highest({"conv.weight": torch.tensor([1.0, float("nan"), 2])}, {"conv.weight": torch.ones(3).bool()}, [])


@given(st.integers(1, 10**7), st.floats(0, 1, exclude_max=True))
def test_kept_count_is_the_rule_of_the_contract(total, sparsity):
    assert kept_count(total, sparsity) == total - round(sparsity * total)


@pytest.mark.parametrize("sparsity", [1.0, 1.2, -0.1, float("nan"), float("inf")])
def test_sparsities_outside_the_range_are_refused(sparsity):
    with pytest.raises(BadInput, match="--sparsity"):
        check_levels((sparsity,), 100, 100)


def test_sparsities_that_cannot_be_reached_are_refused():
    with pytest.raises(BadInput, match="only 40 left"):
        check_levels((0.5,), 100, 40)
    with pytest.raises(BadInput, match="leaves none"):
        check_levels((0.999,), 100, 100)
    assert check_levels((0.9, 0.6, 0.9), 100, 40) == (0.6, 0.9)


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.9])
def test_magnitude_removes_what_torch_prune_removes(sparsity):
    from oracles.pruning_battery import Run
    from torch import nn
    from torch.nn.utils import prune

    from pruning.methods.magnitude import OneShotMagnitude

    run = Run(OneShotMagnitude().composition(), asked=(sparsity,), stop_after=1)
    start = Run(OneShotMagnitude().composition(), asked=(0.0,), stop_after=1).engine.parent.state
    layers = nn.ModuleDict({name.replace(".", "_"): nn.Linear(1, 1) for name in run.engine.masks})
    for layer, name in zip(layers.values(), run.engine.masks, strict=True):
        layer.weight = nn.Parameter(start[name].clone())
    removed = run.engine.total - kept_count(run.engine.total, sparsity)
    pairs = [(layer, "weight") for layer in layers.values()]
    prune.global_unstructured(pairs, prune.L1Unstructured, amount=removed)
    for layer, mask in zip(layers.values(), run.engine.masks.values(), strict=True):
        assert torch.equal(layer.weight_mask.bool() if removed else torch.ones_like(mask), mask)
