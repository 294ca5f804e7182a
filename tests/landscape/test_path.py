"""The way between two networks: P1-9, curves, unions of masks, batch norm, barriers."""

import copy
from pathlib import Path

import pytest
import torch
from oracles.small_networks import make
from torch import nn
from torch.nn.functional import cross_entropy

from landscape import loss_path, loss_surface
from landscape.objective.batch_norm import reestimate
from landscape.objective.comparable import parameters, state_of, union
from landscape.path.arc import Arc, check_ends
from landscape.path.barrier import barrier, rise_over_ends
from landscape.path.curves.line import Line
from landscape.path.levels import levels, positions
from minima.store.command import BadInput
from minima.zoo.data.dataset import Dataset
from minima.zoo.examples.task import CLASSIFICATION
from minima.zoo.subject.subject import Subject


def subject(case, name="a.pt", batch_size=5):
    return Subject(
        path=Path(name),
        step=None,
        checkpoint=None,
        model=case.model.eval(),
        masks=case.masks,
        x=case.x,
        y=case.y,
        rows=torch.arange(len(case.x)),
        available=len(case.x),
        dataset=Dataset(case.x, case.y, case.x, case.y, classes=3),
        classes=3,
        task=CLASSIFICATION,
        split="train",
        device=torch.device("cpu"),
        batch_size=batch_size,
    )


def pair(kind):
    """Two networks with the same data."""
    first, second = make(kind, seed=0), make(kind, seed=1)
    second.x, second.y = first.x, first.y
    return first, second


def straight(first, second):
    return Arc(Line(), state_of(first), state_of(second))


def test_interpolation_P1_9():
    line = Arc(Line(), {"x": torch.tensor([1.0, 0.0])}, {"x": torch.tensor([0.0, 1.0])})
    loss = lambda t: float(line.at(t)["x"].square() @ torch.tensor([4.0, 1.0])) / 2  # noqa: E731
    t = positions(21)
    losses = [loss(at) for at in t]
    assert (losses[0], losses[-1]) == (2.0, 0.5)
    assert min(losses) == pytest.approx(0.4)
    assert t[losses.index(min(losses))] == 0.8
    assert (losses[0] - 2 * losses[10] + losses[20]) / 0.5**2 == pytest.approx(5)
    assert barrier(t, losses) == 0  # a convex loss lies below its chord
    assert rise_over_ends(losses) == 0


def test_barriers_by_definition():
    assert barrier([0, 0.25, 1], [1.0, 2.0, 3.0]) == 0.5
    assert rise_over_ends([1.0, 2.0, 3.0]) == 0


@pytest.mark.parametrize("kind", ["masked", "batchnorm", "tied"])
def test_every_point_against_a_plain_loop(kind):
    first, second = pair(kind)
    line, t = straight(subject(first), subject(second, "b.pt")), positions(5)
    assert t == [0, 0.25, 0.5, 0.75, 1]
    a, b = first.model.state_dict(), second.model.state_dict()
    model = copy.deepcopy(first.model)
    for at, (loss, error) in zip(t, levels(line, subject(first), t), strict=True):
        model.load_state_dict(
            {n: a[n].lerp(b[n], at) if a[n].is_floating_point() else a[n] for n in a}  # running statistics too
        )
        logits = model(first.x)
        assert loss == pytest.approx(cross_entropy(logits, first.y).item(), rel=1e-5)
        assert error == pytest.approx((logits.argmax(1) != first.y).double().mean().item())
    apart = parameters(subject(first), line.first) - parameters(subject(first), line.last)
    names = dict(first.model.named_parameters())
    assert apart.square().sum() == pytest.approx(sum(float((a[n] - b[n]).square().sum()) for n in names), rel=1e-5)


def test_the_line_lives_on_the_union_of_the_masks():
    first, second = pair("masked")
    middle = straight(subject(first), subject(second)).at(0.5)
    either = union(first.masks, second.masks)
    for name, mask in first.masks.items():
        assert torch.equal(middle[name] != 0, mask | second.masks[name])
        assert torch.equal(either[name], mask | second.masks[name])
    assert union(first.masks, {}) == {}
    for case in (first, second):  # what a model holds under its mask is no part of the line
        for name, mask in case.masks.items():
            case.model.get_parameter(name).data[~mask] = 9.0
    again = straight(subject(first), subject(second)).at(0.5)
    assert all(torch.equal(middle[name], again[name]) for name in middle)


@pytest.mark.parametrize("batch_size", [22, 5, 1])
def test_reestimated_statistics_are_those_of_the_whole_data(batch_size):
    case = make("batchnorm")
    reference = copy.deepcopy(case.model).train()
    reference.bn1.momentum = 1.0
    reference(case.x)
    reestimate(case.model.eval(), case.x, batch_size)
    torch.testing.assert_close(case.model.bn1.running_mean, reference.bn1.running_mean)
    torch.testing.assert_close(case.model.bn1.running_var, reference.bn1.running_var)


def test_reestimation_holds_for_the_ends_too_and_changes_no_model():
    first, second = pair("batchnorm")
    line, before = straight(subject(first), subject(second)), copy.deepcopy(first.model.state_dict())
    ours = next(levels(line, subject(first), [0.0]))[0]
    anew = next(levels(line, subject(first), [0.0], reestimated=True))[0]
    assert ours != anew
    assert all(torch.equal(tensor, before[name]) for name, tensor in first.model.state_dict().items())
    reestimate(first.model, first.x)
    assert anew == pytest.approx(cross_entropy(first.model(first.x), first.y).item(), rel=1e-5)


def test_reestimation_is_that_of_eval_mode_whatever_the_mode():
    """In training mode dropout would draw, and each batch be normalised by itself."""
    layers = nn.Linear(4, 6), nn.Dropout(0.5), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)
    first, second = nn.Sequential(*layers), copy.deepcopy(nn.Sequential(*layers))
    for parameter in second.parameters():
        nn.init.normal_(parameter)
    x, y = torch.randn(31, 4), torch.arange(31) % 3
    found = loss_path(first.train(), second.train(), (x, y), points=3, batch_norm="re-estimate", batch_size=5)
    for t, loss in zip(found.t, found.losses, strict=True):
        plain = copy.deepcopy(first)
        for own, one, other in zip(plain.parameters(), first.parameters(), second.parameters(), strict=True):
            own.data = one.detach().lerp(other.detach(), t)
        plain[1].p, plain[2].momentum = 0.0, 1.0
        with torch.no_grad():
            plain(x)  # the whole data as one batch
            assert loss == pytest.approx(cross_entropy(plain.eval()(x), y).item(), rel=1e-4)


def test_other_running_statistics_are_not_estimated_anew():
    ends = [nn.Sequential(nn.Conv1d(2, 3, 2), nn.InstanceNorm1d(3, track_running_stats=True), nn.Flatten())] * 2
    data = torch.randn(8, 2, 4), torch.arange(8) % 9
    assert loss_path(*ends, data, points=2).barrier == 0
    with pytest.raises(BadInput, match="InstanceNorm1d"):
        loss_path(*ends, data, points=2, batch_norm="re-estimate")
    with pytest.raises(BadInput, match="InstanceNorm1d"):
        loss_surface(ends[0], data, grid="3x1", drawing={"batch_norm_statistics": "re-estimate"})


def test_a_loss_that_overflows_is_infinite():
    first, second = pair("mlp")
    for parameter in second.model.parameters():
        parameter.data.mul_(1e20)
    line = straight(subject(first), subject(second))
    losses = [loss for loss, _ in levels(line, subject(first), positions(3))]
    assert losses[1:] == [float("inf")] * 2
    assert barrier(positions(3), losses) == 0  # nothing rises above an infinite end


def test_networks_that_do_not_match():
    first, other = make("conv"), make("batchnorm")
    with pytest.raises(BadInput, match=r"conv1\.bias|bn1") as error:
        check_ends(subject(first), subject(other, "b.pt"))
    assert "\n" not in str(error.value)
    second = make("conv", seed=1)
    with pytest.raises(BadInput, match="different data"):
        check_ends(subject(first), subject(second, "b.pt"))


@pytest.mark.parametrize("mode", [True, False])
def test_networks_in_training_mode_are_aligned_like_those_in_eval_mode(mode):
    """A pass of a check in training mode would move running statistics and draw what is dropped."""
    ends = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        ends.append(nn.Sequential(nn.Linear(4, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.5), nn.Linear(9, 3)))
        ends[-1](3 * torch.randn(40, 4))
    x, y = torch.randn(31, 4), torch.arange(31) % 3
    first, second = (end.train(mode) for end in ends)
    found = loss_path(first, second, (x, y), points=3, align="weights")
    plain = loss_path(first, second, (x, y), points=3)
    assert found.distance < plain.distance
    assert found.losses[2] == pytest.approx(cross_entropy(second.eval()(x), y).item(), rel=1e-5)
