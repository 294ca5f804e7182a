"""How layers share a cut: ERK, sparsities given by hand, one layer after the other, budgets by entropy."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles.pruning_battery import Run
from torch import nn

from minima.store.command import BadInput
from minima.zoo.examples.task import CLASSIFICATION
from pruning.context.counts import kept_count
from pruning.methods.egp import Egp
from pruning.methods.iterative_magnitude import IterativeMagnitude
from pruning.scopes.entropy_budget import EntropyBudget, losses
from pruning.scopes.erdos_renyi import ErdosRenyi
from pruning.scopes.given import Given
from pruning.scopes.next_layer import NextLayer


def network(**shapes):
    weights = {name: torch.ones(shape) for name, shape in shapes.items()}
    return SimpleNamespace(weights=weights), {name: weight.bool() for name, weight in weights.items()}


def test_erdos_renyi_by_hand():
    """e = 1.875 would give the second layer more than it has: it stays dense, and e becomes 2."""
    context, alive = network(a=(10, 10), b=(10, 2))
    assert ErdosRenyi().pools(context, alive, 60) == [(("a",), 40), (("b",), 20)]


@given(st.lists(st.lists(st.integers(1, 9), min_size=2, max_size=4), min_size=1, max_size=5), st.floats(0, 1))
def test_erdos_renyi_totals_are_exact_and_densities_those_of_the_formula(shapes, density):
    context, alive = network(**{str(index): tuple(shape) for index, shape in enumerate(shapes)})
    sizes = {name: mask.numel() for name, mask in alive.items()}
    total = round(density * sum(sizes.values()))
    shares = {name: share for (name,), share in ErdosRenyi().pools(context, alive, total)}
    assert sum(shares.values()) == total
    assert all(share <= sizes[name] for name, share in shares.items())
    per_dimension = {name: share / sum(context.weights[name].shape) for name, share in shares.items()}
    below = [name for name in shares if shares[name] < sizes[name]]
    for name in below:  # those with room have one e; a saturated one would have a lower e than they
        slack = sum(1 / sum(context.weights[each].shape) for each in shares)
        assert all(per_dimension[name] >= other - slack for other in per_dimension.values())


def test_given_sparsities_are_kept_and_the_others_compete_for_the_rest():
    context, alive = network(**{"conv.weight": (10,), "fc.weight": (20,), "head.weight": (10,)})
    pools = Given(("conv=0.5", "head.weight=0.1")).pools(context, alive, 20)
    assert pools == [(("conv.weight",), 5), (("head.weight",), 9), (("fc.weight",), 6)]


@pytest.mark.parametrize(
    ("layers", "kept", "said"),
    [
        (("conv=0.5", "fc=0.5"), 16, r"15 to 15 of the 30 weights.* leaves 16; give a --sparsity from 0\.5 to 0\.5"),
        (("conv=0.5",), 4, "5 to 25 of the 30"),
        (("conv=0.5",), 26, "5 to 25 of the 30"),
        (("cnv=0.5",), 10, r"--layer cnv: .*it has: conv, fc"),
        (("conv",), 10, "LAYER=SPARSITY"),
        (("conv=1.5",), 10, "from 0 to 1"),
    ],
)
def test_given_sparsities_that_cannot_be_met_say_which_can(layers, kept, said):
    context, alive = network(**{"conv.weight": (10,), "fc.weight": (20,)})
    with pytest.raises(BadInput, match=said):
        Given(layers).pools(context, alive, kept)


def test_a_given_layer_that_is_sparser_already_is_said():
    context, alive = network(conv=(10,), fc=(20,))
    alive["conv"][:8] = False
    with pytest.raises(BadInput, match=r"keeps 5 of 10 weights, but only 2 are left; give at least conv=0\.8"):
        Given(("conv=0.5",)).pools(context, alive, 12)


def test_the_next_layer_alone_is_cut():
    context, alive = network(a=(10,), b=(20,), c=(30,))
    context.events = 1
    assert NextLayer().pools(context, alive, 48) == [(("a",), 10), (("b",), 8), (("c",), 30)]


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.05, 0.3]), st.integers(0, 500)), min_size=1, max_size=6),
    st.integers(0, 3),
    st.floats(0, 1),
)
def test_entropy_budgets_remove_exactly_what_is_asked_and_spare_the_silent_layers_to_the_last(layers, heads, part):
    importance = {str(index): value for index, (value, _) in enumerate(layers)}
    spare = {str(index): count for index, (_, count) in enumerate(layers)} | {f"head{k}": 50 for k in range(heads)}
    removed = round(part * sum(spare.values()))
    lost = losses(importance, spare, removed)
    assert sum(lost.values()) == removed
    assert all(0 <= lost[name] <= spare[name] for name in spare)
    candidates = [name for name in spare if importance.get(name, 0) > 0]
    if any(lost[name] for name in spare if name not in candidates):
        assert all(lost[name] == spare[name] for name in candidates)


def test_the_budget_of_a_real_network_is_that_of_its_entropies():
    """Two rectifiers whose entropies are known: h(1/2) and h(1/4), by weights that only copy the input."""
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 2)).eval()
    with torch.no_grad():
        for layer, bias in ((model[0], 0.0), (model[2], -1.5)):
            layer.weight.fill_(1.0)
            layer.bias.fill_(bias)
    x = torch.tensor([[-2.0], [-1.0], [1.0], [2.0]])
    found = EntropyBudget("egp").importance(SimpleNamespace(model=model, x=x, task=CLASSIFICATION))
    assert found == {"0.weight": pytest.approx(1.0), "2.weight": pytest.approx(0.811278, abs=1e-6)}


def test_a_part_of_every_layer_can_be_made_to_stay():
    emptied, spared = (Run(Egp(least=least).composition(), asked=(0.9,)).engine for least in (0.0, 0.5))
    assert not all(mask.any() for mask in emptied.masks.values())
    assert all(int(mask.sum()) >= int(0.5 * 0.1 * mask.numel()) for mask in spared.masks.values())
    assert emptied.alive == spared.alive == kept_count(spared.total, 0.9)


def test_the_control_cuts_as_much_at_the_same_moments():
    guided = Run(Egp(least=0.5).composition(), asked=(0.9,))
    control = Run(IterativeMagnitude(fraction=0.5, retrain="slr").composition(), asked=(0.9,))
    assert guided.engine.cuts == control.engine.cuts
    assert len(guided.engine.cuts) == 4
