"""The tape of a pass: which tensor is which through writing in place, views and computed weights, and what it keeps."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from minima.zoo.anatomy.costs.critical_path import critical_path
from minima.zoo.anatomy.tape import Recorder, Tape, Value, concrete, record
from minima.zoo.examples.inputs import DoesNotRun


class Net(nn.Module):
    """Two layers with something between them."""

    def __init__(self, middle):
        super().__init__()
        self.first, self.last, self.middle = nn.Linear(4, 6), nn.Linear(6, 2), middle

    def forward(self, x):
        return self.last(self.middle(self.first(x)))


def taped(middle, x=None):
    torch.manual_seed(0)
    return record(Net(middle), torch.randn(3, 4) if x is None else x)


def ancestors(tape):
    """For each operation the names of all that the output depends on through it, followed by operands alone."""
    made = {value: operation for operation in tape.operations for value in operation.made}
    found, waiting = [], [output for output in tape.outputs if output in made]
    while waiting:
        operation = made[waiting.pop()]
        if operation not in found:
            found.append(operation)
            waiting += [value for value in operation.operands if value in made]
    return sorted(operation.name for operation in found)


def added_by_a_slice(z):
    out = z.clone()
    out[:, :3].add_(torch.tanh(z)[:, :3])
    return out


def rectified_by_a_view(z):
    functional.relu(z.view(3, 2, 3), inplace=True)
    return z


def written_by_index(z):
    out = torch.zeros(3, 6)
    out[:, :] = torch.tanh(z)
    return out


def given_a_place(z):
    out = torch.empty(3, 6)
    torch.tanh(z, out=out)
    return out


def view_after_its_base(z):
    view = z.view(-1)
    z.tanh_()
    return view.view(3, 6)


@pytest.mark.parametrize(
    ("middle", "between"),
    [
        (torch.tanh, ["tanh"]),
        (lambda z: z.tanh_(), ["tanh"]),
        (lambda z: nn.Identity()(z).tanh(), ["tanh"]),
        (lambda z: z.contiguous().tanh(), ["tanh"]),  # handed on as it is
        (lambda z: checkpoint(torch.tanh, z, use_reentrant=False), ["tanh"]),
        (added_by_a_slice, ["add", "clone", "getitem", "getitem", "overwritten", "tanh"]),
        (rectified_by_a_view, ["overwritten", "relu", "view"]),
        (written_by_index, ["setitem", "tanh", "zeros"]),
        (given_a_place, ["empty", "tanh"]),
        (view_after_its_base, ["overwritten", "tanh", "view", "view"]),
    ],
)
def test_the_output_depends_on_what_its_numbers_depend_on(middle, between):
    names = ancestors(taped(middle))
    for name in ("linear", "linear"):
        names.remove(name)
    assert names == between


def test_writing_in_place_makes_another_value_and_leaves_the_first():
    linear, tanh, last = taped(lambda z: z.tanh_()).operations
    assert tanh.operands == linear.made
    assert tanh.made != linear.made
    assert last.operands[0] is tanh.made[0]


def test_what_is_handed_on_remains_the_value_that_it_is():
    linear, contiguous, tanh, _ = taped(lambda z: z.contiguous().tanh()).operations
    assert contiguous.operands == tanh.operands == linear.made


def test_parameters_and_buffers_stand_for_themselves_and_computed_weights_are_made():
    model = nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 4)), nn.BatchNorm1d(4))
    tape = record(model, torch.zeros(2, 3))
    linear = next(each for each in tape.operations if each.name == "linear")
    norm = next(each for each in tape.operations if each.name == "batch_norm")
    assert isinstance(linear.given("input", "weight")["weight"], Value)
    sources = {id(each) for operation in tape.operations for each in operation.operands}
    assert {id(parameter) for parameter in model.parameters()} <= sources
    assert norm.given("input", "mean")["mean"] is model[1].running_mean
    assert (linear.caller.path, norm.caller.path) == ("0", "1")


def test_a_parameter_that_a_conversion_hands_on_is_still_the_parameter():
    class Converted(nn.Linear):
        def forward(self, x):
            return functional.linear(x, self.weight.to(x.dtype), self.bias.contiguous())

    model = Converted(3, 2)
    *_, linear = record(model, torch.zeros(1, 3)).operations
    assert linear.operands[1] is model.weight


def test_an_argument_by_name_stands_where_it_would_by_place():
    model = Net(lambda z: torch.flatten(input=z, start_dim=1))
    flatten = next(each for each in record(model, torch.zeros(1, 4)).operations if each.name == "flatten")
    assert flatten.args[0] is flatten.operands[0]


def test_activations_live_no_longer_than_without_a_tape():
    """Of ten tensors made one from the other, each is gone when the next but one is made."""
    alive, tape = [], Tape()

    class Watched(nn.Module):
        def forward(self, z):
            made = [value for operation in tape.operations for value in operation.made]
            alive.append(sum(value.reference() is not None for value in made))
            return torch.tanh(z)

    Recorder(nn.Sequential(*(Watched() for _ in range(10))), tape).run(torch.zeros(1, 4))
    assert len(tape.operations) == 10
    assert max(alive) == 1
    assert all(value.reference() is None for operation in tape.operations for value in operation.made)


def test_indices_and_masks_stay():
    tape = taped(lambda z: z[:, torch.arange(6).flip(0)])
    getitem = next(each for each in tape.operations if each.name == "getitem")
    _, index = concrete(getitem.args)[1]
    assert index.tolist() == [5, 4, 3, 2, 1, 0]
    assert concrete(getitem.args)[0].device.type == "meta"


def test_what_ran_before_an_error_is_on_the_tape():
    def fail(z):
        raise ValueError(z.tanh().shape)

    model, tape = Net(fail), Tape()
    with pytest.raises(ValueError, match="3, 6"):
        Recorder(model, tape).run(torch.zeros(3, 4))
    assert [operation.name for operation in tape.operations] == ["linear", "tanh"]
    with pytest.raises(DoesNotRun):
        record(model, torch.zeros(3, 4))
    assert not torch.overrides._get_current_function_mode_stack()


def test_a_path_goes_through_what_a_view_wrote():
    assert critical_path(Net(rectified_by_a_view), torch.zeros(3, 4)) == {"layers": 2, "activations": 1}
