"""Criteria of whole units against their definitions, computed by brute force."""

import itertools
import math
from collections import OrderedDict

import pytest
import torch
from oracles.scoring import context_of
from torch import nn
from torch.nn.functional import cross_entropy

from minima.store.command import BadInput
from minima.zoo.examples.task import Task
from minima.zoo.losses.spec import parse_loss
from pruning import prune
from pruning.context.criterion import criteria, criterion_named
from pruning.context.probe import Probe
from pruning.methods.filters import Filters
from pruning.scorers.per_cost import PerCost
from pruning.spaces.units import Units
from pruning.unit_criteria.fermat import fermat_point
from pruning.unit_criteria.gate import Gate

EXAMPLES = 12


class Shortcut(nn.Module):
    """Batch norms, a shortcut, a depthwise convolution, pooling and a flattened read."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.inner, self.inner_norm = nn.Conv2d(4, 5, 3, padding=1), nn.BatchNorm2d(5)
        self.depth = nn.Conv2d(5, 5, 3, padding=1, groups=5)
        self.outer = nn.Conv2d(5, 4, 1)
        self.head = nn.Linear(4 * 9, 3)

    def inside(self, x):
        return torch.relu(self.depth(torch.relu(self.inner_norm(self.inner(x)))))

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        return self.head(nn.functional.max_pool2d(torch.relu(x + self.outer(self.inside(x))), 2).flatten(1))


@pytest.fixture(scope="module")
def context():
    return in_context(Shortcut())


def in_context(model, shape=(1, 6, 6), classes=3, **fields):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for parameter in model.parameters():
            nn.init.normal_(parameter, 0.1, 0.5)
        for norm in model.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.running_mean.normal_()
                norm.running_var.uniform_(0.5, 2)
        x, y = torch.randn(EXAMPLES, *shape).double(), torch.randint(0, classes, (EXAMPLES,))
    model = model.double().eval()
    space = Units().on(model, x)
    masks = {name: torch.ones_like(each, dtype=torch.bool) for name, each in space.masked(model).items()}
    found = {"weights": space.weights(model), "masks": masks, "space": space, "batch_size": 5}
    return context_of(model, x, y, **found | fields)


def scores(context, name, **fields):
    return criterion_named(name, **fields).score(context)


def test_the_groups_are_closed_over_shortcut_norm_depthwise_and_flatten(context):
    made = {group.name: {name for name, _ in group.made} for group in context.space.groups}
    read = {group.name: {name for name, _ in group.read} for group in context.space.groups}
    norm = {"norm.weight", "norm.bias"}
    assert made == {
        "stem": {"stem.weight", "outer.weight", "outer.bias"} | norm,
        "inner": {f"{layer}.{kind}" for layer in ("inner", "inner_norm", "depth") for kind in ("weight", "bias")},
    }
    assert read == {"stem": {"inner.weight", "head.weight"}, "inner": {"outer.weight"}}


@pytest.mark.parametrize("name", criteria())
def test_every_criterion_scores_every_unit(context, name):
    found = scores(context, name)
    assert {name: tuple(score.shape) for name, score in found.items()} == {"stem": (4,), "inner": (5,)}
    assert all(score.isfinite().all() for score in found.values())


def test_no_two_criteria_are_alike(context):
    found = {name: scores(context, name) for name in criteria()}
    for one, other in itertools.combinations(found, 2):
        assert not torch.equal(found[one]["inner"], found[other]["inner"])


def test_norms_are_those_of_all_the_rows_that_make_a_unit(context):
    model = context.model
    rows = [torch.cat([model.stem.weight[j].flatten(), model.outer.weight[j].flatten()]).tolist() for j in range(4)]
    assert scores(context, "l1")["stem"].tolist() == pytest.approx([sum(map(abs, row)) for row in rows])
    assert scores(context, "l2")["stem"].tolist() == pytest.approx([math.hypot(*row) for row in rows])
    assert scores(context, "largest")["stem"].tolist() == pytest.approx([max(map(abs, row)) for row in rows])
    pairs = [sum(math.dist(one, other) for other in rows) for one in rows]
    assert scores(context, "fpgm")["stem"].tolist() == pytest.approx(pairs)
    assert scores(context, "batch-norm")["stem"].tolist() == model.norm.weight.abs().tolist()


def test_a_filter_whose_weights_sum_to_zero_is_not_dead():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3))
    context = in_context(model, (2,))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, -1.0], [0.1, 0.1], [0.0, 0.0]]))
    for name in ("l1", "l2", "largest"):
        assert scores(context, name)["0"].argsort().tolist() == [2, 1, 0]


def test_filters_of_opposite_sign_are_apart():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 3))
    context = in_context(model, (2,))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, 4.0], [-3.0, -4.0]]))
    assert scores(context, "fpgm")["0"].tolist() == [10.0, 10.0]


@pytest.mark.parametrize("seed", range(4))
def test_the_fermat_point_has_the_least_sum_of_distances(seed):
    points = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    points[:2] = points[2] if seed == 3 else points[:2]  # then three of seven coincide
    found = fermat_point(points)

    def total(at):
        return float((points - at).norm(dim=1).sum())

    generator = torch.Generator().manual_seed(9)
    for scale in (1.0, 1e-3, 1e-5):
        for _ in range(50):
            step = scale * torch.randn(3, dtype=torch.float64, generator=generator)
            assert total(found + step) >= total(found) - 1e-12


def losses_of(model, x, y):
    with torch.no_grad():
        return cross_entropy(model(x), y)


def test_taylor_is_the_squared_slope_of_the_loss_as_a_units_value_fades(context):
    model, x, y = context.model, context.x, context.y
    expected = torch.zeros(5, dtype=torch.float64)
    for start in range(0, EXAMPLES, 5):
        rows = slice(start, start + 5)
        gate = torch.ones(5, dtype=torch.float64, requires_grad=True)
        stem = torch.relu(model.norm(model.stem(x[rows])))
        inner = model.inside(stem) * gate[:, None, None]
        pooled = nn.functional.max_pool2d(torch.relu(stem + model.outer(inner)), 2)
        (slope,) = torch.autograd.grad(cross_entropy(model.head(pooled.flatten(1)), y[rows]), gate)
        expected += slope.square() / 3
    assert scores(context, "taylor")["inner"].tolist() == pytest.approx(expected.tolist())


def test_a_gate_sits_behind_the_affine_map_and_before_the_norm(context):
    model, x, y = context.model, context.x, context.y
    gate = torch.ones(5, dtype=torch.float64, requires_grad=True)
    depth = torch.ones(5, dtype=torch.float64, requires_grad=True)
    stem = torch.relu(model.norm(model.stem(x)))
    inner = torch.relu(model.inner_norm(model.inner(stem) * gate[:, None, None]))
    inner = torch.relu(model.depth(inner) * depth[:, None, None])
    logits = model.head(nn.functional.max_pool2d(torch.relu(stem + model.outer(inner)), 2).flatten(1))
    first, second = torch.autograd.grad(cross_entropy(logits, y), (gate, depth))
    found = Gate(Probe(examples=EXAMPLES)).score(context)["inner"]
    assert found.tolist() == pytest.approx((first + second).abs().tolist())


def test_gates_of_a_small_net_by_hand():
    """z = (2, 1), y = v z with v = (1, -3), t = 0: dL/da = (-2, 3) for L = y^2 / 2."""
    model = nn.Sequential(OrderedDict(z=nn.Linear(1, 2), y=nn.Linear(2, 1, bias=False)))
    context = in_context(model, (1,))
    with torch.no_grad():
        model.z.weight.copy_(torch.tensor([[1.5], [0.0]]))
        model.z.bias.copy_(torch.tensor([0.5, 1.0]))
        model.y.weight.copy_(torch.tensor([[1.0, -3.0]]))
    one = torch.ones(1, 1, dtype=torch.float64)
    fields = {"x": one, "y": 0 * one, "task": Task(parse_loss("mse"))}
    from dataclasses import replace

    found = Gate(Probe(examples=1)).score(replace(context, **fields))["z"]
    assert found.tolist() == pytest.approx([2 * 2, 2 * 3])  # mse is y^2: twice the slopes


def test_activations_are_those_that_readers_see(context):
    model, x = context.model, context.x
    with torch.no_grad():
        seen = model.inside(torch.relu(model.norm(model.stem(x))))
    per_unit = seen.movedim(1, 0).flatten(1)
    assert scores(context, "apoz")["inner"].tolist() == pytest.approx((per_unit != 0).double().mean(1).tolist())
    assert scores(context, "mean-activation")["inner"].tolist() == pytest.approx(per_unit.abs().mean(1).tolist())
    on = (per_unit > 0).double().mean(1).tolist()
    bits = [-sum(p * math.log2(p) for p in (share, 1 - share) if p) for share in on]
    assert scores(context, "activation-entropy")["inner"].tolist() == pytest.approx(bits)
    means = seen.mean((2, 3))
    expected = [
        -sum(p * math.log2(p) for p in (torch.histc(means[:, j], 20) / EXAMPLES).tolist() if p) for j in range(5)
    ]
    assert scores(context, "histogram-entropy")["inner"].tolist() == pytest.approx(expected)


def test_a_shared_stream_is_averaged_over_its_readers(context):
    model, x = context.model, context.x
    with torch.no_grad():
        stem = torch.relu(model.norm(model.stem(x)))
        head = nn.functional.max_pool2d(torch.relu(stem + model.outer(model.inside(stem))), 2)
    parts = [(each != 0).double().mean((0, 2, 3)) for each in (stem, head)]
    assert scores(context, "apoz")["stem"].tolist() == pytest.approx((sum(parts) / 2).tolist())


class Tokens(nn.Module):
    """Tokens (n, t, d) through two layers, in one of several forms of the same network."""

    def __init__(self, form):
        super().__init__()
        self.form = form
        self.a, self.b, self.c, self.d = nn.Linear(3, 6), nn.Linear(6, 4), nn.Linear(4, 6), nn.Linear(6, 3)

    def mixed(self, x):
        hidden = torch.relu(self.a(x))
        if self.form == "by keyword":
            return self.b(input=hidden)
        if self.form == "as a function":
            return nn.functional.linear(hidden, self.b.weight, self.b.bias)
        if self.form == "written over":
            out = self.b(hidden)
            hidden.neg_()
            return out
        return self.b(hidden)

    def forward(self, x):
        n, t, _ = x.shape
        if self.form == "flattened":
            h = self.mixed(x.flatten(0, 1)).view(n, t, -1)
        elif self.form == "positions first":
            h = self.mixed(x.transpose(0, 1)).transpose(0, 1)
        elif self.form == "one by one":
            h = torch.stack([self.mixed(x[:, place]) for place in range(t)], 1)
        elif self.form == "unequal parts":
            h = torch.cat([self.mixed(x[:, :1]), self.mixed(x[:, 1:])], 1)
        else:
            h = self.mixed(x)
        return self.d(torch.relu(self.c(h.mean(1))))


FORMS = ["flattened", "positions first", "one by one", "unequal parts", "by keyword", "as a function", "written over"]


@pytest.mark.parametrize("tokens", [5, EXAMPLES])
@pytest.mark.parametrize("form", FORMS)
def test_a_network_written_in_another_form_has_the_same_scores_by_values(form, tokens):
    plain, other = (in_context(Tokens(each), (tokens, 3)) for each in ("plain", form))
    hidden = torch.relu(plain.model.a(plain.x))
    expected = (hidden != 0).double().mean((0, 1))
    for context in (plain, other):
        torch.testing.assert_close(scores(context, "apoz")["a"], expected)
    for name in ("apoz", "mean-activation", "activation-entropy", "histogram-entropy"):
        one, two = scores(plain, name), scores(other, name)
        for group in ("a", "c"):
            torch.testing.assert_close(one[group], two[group])


def test_saliency_for_each_multiply_add_counts_what_the_network_saves(context):
    positions = 36
    taps = positions * (4 * 9 + 9 + 4)  # inner row, depthwise filter, outer column
    found, plain = PerCost(criterion_named("l1")).score(context), scores(context, "l1")
    assert context.space.saved(context.masks)["inner"] == taps
    assert found["inner"].tolist() == pytest.approx((plain["inner"] / taps).tolist())


def test_removed_units_are_not_what_others_are_compared_with(context):
    from dataclasses import replace

    kept = {group.name: torch.arange(group.size) > 0 for group in context.space.groups}
    masks = context.space.spread(kept, context.masks)
    model = context.model
    rows = [torch.cat([model.stem.weight[j].flatten(), model.outer.weight[j].flatten()]).tolist() for j in range(4)]
    expected = [sum(math.dist(one, other) for other in rows[1:]) for one in rows[1:]]
    found = scores(replace(context, masks=masks), "fpgm")["stem"][1:]
    assert found.tolist() == pytest.approx(expected)


def test_what_is_not_there_is_said():
    context = in_context(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3)), (2,))
    with pytest.raises(BadInput, match=r"no batch normalisation.*\n.*pruning filters --criterion l1"):
        scores(context, "batch-norm")
    with pytest.raises(BadInput, match=r"--criterion l3: expected one of .*fermat"):
        criterion_named("l3")


def test_a_reader_that_is_also_given_parameters_is_seen_with_its_units_alone():
    """What the weight makes of a learned prompt says nothing of the units."""

    class Prompted(nn.Module):
        def __init__(self, prompted):
            super().__init__()
            self.a, self.b, self.prompted = nn.Linear(3, 6), nn.Linear(6, 2, bias=False), prompted
            self.prompt = nn.Parameter(torch.ones(1, 6))

        def forward(self, x):
            hidden = torch.relu(self.a(x))
            return self.b(hidden) + (nn.functional.linear(self.prompt, self.b.weight) if self.prompted else 0)

    torch.manual_seed(0)
    data = torch.randn(40, 3), torch.randint(0, 2, (40,))
    plain = Prompted(False)
    found = []
    for prompted in (False, True):
        model = Prompted(prompted)
        model.load_state_dict(plain.state_dict())
        found.append(
            prune(model, data, method=Filters(criterion="apoz"), sparsity=0.5, measure="units").masks["a.weight"]
        )
    assert torch.equal(*found)
