"""What every registered measure keeps to: invariance as declared, masks, models untouched, seeds, batches."""

import copy
from dataclasses import fields, replace

import pytest
import torch
from oracles.rescaling import FIRST, rescale
from oracles.small_networks import make
from torch import nn

from landscape.objective.objective import Objective
from landscape.sharpness.measure import measures

SMALL = {"steps": 6, "restarts": 1, "probes": 6, "pairs": 4, "seeds": 2, "grid": 3, "batch": 8, "batches": 4}
"""parameters that cost, where a measure has them"""
ALL = measures()
LAST = {"mlp": ("fc2", "fc3"), "conv": ("conv2", "fc"), "batchnorm": ("conv2", "fc")}
"""the last layer and the one before it, which are all that relative_flatness can see"""
DEFAULT = {
    *("lambda_max", "trace", "adaptive_lambda_max", "adaptive_trace", "keskar", "sam", "adaptive_sam"),
    *("average", "adaptive_average", "filter_normalised"),
}
"""measured where none is named, which scripts rely on"""
MOVING = {"keskar", "sam", "average", "filter_normalised", "gradient_step"}
"""which look at the loss elsewhere, and so move weights that are removed where those may move"""
BY_DERIVATIVES = {"lambda_max", "trace", "batch_sharpness", "relative_flatness"}
"""which do not"""
DRAWN = {
    *("trace", "adaptive_trace", "average", "adaptive_average", "filter_normalised", "pac_bayes"),
    *("relative_flatness", "batch_sharpness"),
}
STARTED = {"keskar", "sam", "adaptive_sam"}
SETTLED = {"lambda_max", "adaptive_lambda_max", "gradient_step", *STARTED}
"""which errors measures have: of draws, of the starts of a maximisation, or neither"""


def cheap(name):
    measure = ALL[name]()
    return replace(measure, **{f.name: SMALL[f.name] for f in fields(measure) if f.name in SMALL})


def value(name, model, case, **keywords):
    objective = Objective(model, case.x, case.y, masks=case.masks, **keywords)
    return cheap(name).measure(objective, seed=3)


def test_the_default_list_holds_what_scripts_rely_on():
    assert {name for name, kind in ALL.items() if kind.default} >= DEFAULT


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", FIRST)
def test_invariance_is_what_it_says(name, kind):
    case = make(kind, dtype=torch.float64)
    plain = value(name, case.model, case).value
    pair = LAST[kind] if name == "relative_flatness" else FIRST[kind]
    layer = value(name, rescale(case.model, case.x, pair, 20.0), case).value
    unit = value(name, rescale(case.model, case.x, pair, 20.0, unit=1), case).value
    unmoved = {"none": (), "layer": (layer,), "unit": (layer, unit)}[ALL[name].invariant]
    moved = {"none": (layer, unit), "layer": (unit,), "unit": ()}[ALL[name].invariant]
    tolerance = 2e-3 if "lambda" in name else 1e-6
    for other in unmoved:
        assert other == pytest.approx(plain, rel=tolerance)
    for other in moved:
        assert abs(other / plain - 1) > 1e-3


def test_a_network_without_the_symmetry_is_refused():
    case = make("mlp")
    case.model.relu1 = nn.Tanh()
    with pytest.raises(ValueError, match="positively homogeneous"):
        rescale(case.model, case.x, FIRST["mlp"], 4.0)


class Watched(nn.Module):
    """A network that notes which weights are not zero where its mask says removed."""

    def __init__(self, model, masks):
        super().__init__()
        self.inner, self.masks, self.moved = model, masks, False

    def forward(self, x):
        state = dict(self.inner.named_parameters())
        self.moved |= any(bool(state[name][~mask].any()) for name, mask in self.masks.items())
        return self.inner(x)


@pytest.mark.parametrize("name", ALL)
def test_removed_weights_are_never_moved_unless_asked(name):
    case = make("masked")
    model = Watched(case.model, case.masks)
    masks = {f"inner.{key}": mask for key, mask in case.masks.items()}
    cheap(name).measure(Objective(model, case.x, case.y, masks=masks), 0)
    assert not model.moved
    objective = Objective(model, case.x, case.y, masks=masks, subspace="full")
    objective.gradient()
    model.moved = False  # by the check of derivatives
    cheap(name).measure(objective, 0)
    if name in MOVING:
        assert model.moved
    if ALL[name].relative or name in BY_DERIVATIVES:
        assert not model.moved


@pytest.mark.parametrize("name", ALL)
def test_relative_measures_are_the_same_in_both_subspaces(name):
    case = make("masked", dtype=torch.float64)
    some, full = (value(name, case.model, case, subspace=space).value for space in ("survivors", "full"))
    assert (some == pytest.approx(full, rel=1e-9)) == ALL[name].relative


@pytest.mark.parametrize("name", ALL)
def test_model_untouched_deterministic_and_whatever_the_batches(name):
    case = make("batchnorm", dtype=torch.float64)
    case.model.train()
    before, random = copy.deepcopy(case.model.state_dict()), torch.get_rng_state()
    first = value(name, case.model, case, batch_size=22)
    torch.rand(3)  # the global state has no say
    again = value(name, case.model, case, batch_size=22)
    ragged = value(name, case.model, case, batch_size=4)
    assert first == again
    assert ragged.value == pytest.approx(first.value, rel=1e-6)
    assert case.model.training
    assert all(p.grad is None and p.requires_grad for p in case.model.parameters())
    assert all(torch.equal(tensor, before[key]) for key, tensor in case.model.state_dict().items())
    torch.set_rng_state(random)


@pytest.mark.parametrize("name", ALL)
def test_stochastic_ones_change_with_the_seed_and_have_an_error(name):
    case = make("mlp", dtype=torch.float64)
    objective = Objective(case.model, case.x, case.y)
    one, other = (cheap(name).measure(objective, seed) for seed in (0, 1))
    assert one.data_stderr_new is None or one.data_stderr_new > 0
    if one.stderr is not None:
        assert one.value != other.value
    else:  # a converged maximum does not depend on where the search began
        assert one.value == pytest.approx(other.value, rel=0.05)


@pytest.mark.parametrize("name", sorted(DRAWN | SETTLED))
def test_which_errors_each_has(name):
    case = make("mlp", dtype=torch.float64)
    found = cheap(name).measure(Objective(case.model, case.x, case.y), 0)
    assert found.data_stderr_new > 0
    assert (found.seed_stderr is not None) == (name in STARTED)
    assert (found.stderr is not None) == (name in DRAWN)
