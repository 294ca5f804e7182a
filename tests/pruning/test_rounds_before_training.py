"""Halving and exponential rounds: hand-computed targets, what is refused, and runs whose cuts come before any step."""

import pytest
import torch

from minima.store.checkpoints.checkpoint import load, save
from minima.store.command import BadInput
from pruning.context.counts import kept_count
from pruning.schedules.event import Span
from pruning.schedules.exponential import Exponential
from pruning.schedules.halving import Halving, HalvingInTraining, halving

PRUNABLE = 64 * 12 + 12 * 10
BEFORE = ("snip", "snip-it", "grasp", "synflow", "prospr", "sbp-sr")
TOO_LITTLE = r"^0.4 is too little: .* half already.*\n.*whole units with filters"


def test_halving_by_hand():
    assert halving(0.98, 5) == pytest.approx([0.5, 0.74, 0.86, 0.92, 0.95, 0.965, 0.98], abs=1e-12)
    assert halving(0.98, 5)[-1] == 0.98
    assert halving(0.5, 1) == [0.5, 0.5, 0.5]


def test_halving_in_training_follows_the_published_epochs():
    span = Span(0.0, (0.98,), epochs=80, steps_per_epoch=3)
    published = HalvingInTraining(5, every=4, delay=4).events(span)
    assert [event.step // 3 for event in published] == [8, 12, 16, 20, 24, 28, 32]
    assert HalvingInTraining(5).events(span) == published
    assert [event.sparsity for event in published] == list(halving(0.98, 5))


def test_rounds_before_training_end_exactly_at_the_target_from_any_start():
    for schedule in (Exponential(100), Halving(5)):
        events = schedule.events(Span(0.3, (0.987,), 10, 5))
        assert {event.step for event in events} == {0}
        assert events[-1].sparsity == 0.987
    densities = [1 - event.sparsity for event in Exponential(4).events(Span(0.0, (0.99,), 10, 5))]
    assert densities == pytest.approx([0.01 ** (k / 4) for k in (1, 2, 3, 4)])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Halving(5).events(Span(0.0, (0.4,), 10, 5)), TOO_LITTLE),
        (lambda: HalvingInTraining(5).events(Span(0.0, (0.4,), 80, 5)), TOO_LITTLE),
        (lambda: HalvingInTraining(5).events(Span(0.0, (0.9,), 8, 5)), "--epochs 9"),
        (lambda: HalvingInTraining(5, every=0), "--every 0"),
        (lambda: HalvingInTraining(5, delay=-1), "--delay -1"),
        (lambda: Halving(-1), "--steps -1"),
        (lambda: Exponential(0), "--rounds 0"),
    ],
)
def test_what_cannot_be_reached_is_refused(make, said):
    with pytest.raises(BadInput, match=said):
        make()


@pytest.mark.parametrize("method", BEFORE)
def test_all_cuts_come_before_the_first_step_and_all_epochs_after_them(dense, tmp_path, prune, method):
    report = prune(method, dense, "--sparsity", 0.8, "-o", tmp_path / "sparse.pt")
    sparse = load(tmp_path / "sparse.pt")
    assert sum(int(mask.sum()) for mask in sparse.masks.values()) == kept_count(PRUNABLE, 0.8)
    assert {cut["epoch"] for cut in sparse.metrics["cuts"]} == {0}
    assert sparse.metrics["cuts"][-1]["survivors"] == kept_count(PRUNABLE, 0.8)
    assert report["epochs"] == 4
    assert sparse.training["recipe"] == load(dense).training["recipe"]
    assert report["accuracy"] > 0.5


@pytest.mark.parametrize("method", [name for name in BEFORE if name != "sbp-sr"])
def test_survivors_begin_at_the_parents_initialisation(dense, tmp_path, prune, method):
    prune(method, dense, "--sparsity", 0.8, "--epochs", 0, "-o", tmp_path / "sparse.pt")
    sparse, first = load(tmp_path / "sparse.pt"), load(dense).weights_at[0]
    for name, mask in sparse.masks.items():
        assert torch.equal(sparse.state[name], first[name] * mask)


def test_several_sparsities_are_runs_of_their_own(dense, tmp_path, prune):
    words = [dense, "--epochs", 0, "--rounds", 7]
    prune("synflow", *words, "--sparsity", 0.5, 0.9, "-o", tmp_path / "both-{sparsity}.pt")
    prune("synflow", *words, "--sparsity", 0.9, "-o", tmp_path / "one.pt")
    both, one = load(tmp_path / "both-0.9.pt"), load(tmp_path / "one.pt")
    assert all(torch.equal(both.masks[name], one.masks[name]) for name in one.masks)


def test_scores_that_overflow_are_said(dense, tmp_path, prune):
    parent = load(dense)
    for value in parent.weights_at[0].values():
        value.mul_(1e30)
    save(parent, tmp_path / "huge.pt")
    with pytest.raises(BadInput, match=r"scores of .*weight are not finite"):
        prune("snip", tmp_path / "huge.pt", "--sparsity", 0.8, "-o", tmp_path / "sparse.pt")
    assert not (tmp_path / "sparse.pt").exists()
