"""Every loss against torch's own over all examples at once, whatever the chunks; bad targets in words."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from minima.store.command import BadInput
from minima.store.messages import listening
from minima.zoo.examples.evaluation import Level
from minima.zoo.examples.task import Task
from minima.zoo.losses.loss import losses
from minima.zoo.losses.own import OwnLoss, own_loss
from minima.zoo.losses.spec import described, parse_loss

N, C = 23, 4


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def labels(*shape, classes=C):
    return torch.randint(0, classes, shape, generator=torch.Generator().manual_seed(1))


def void(targets, share=0.3):
    dropped = torch.rand(targets.shape, generator=torch.Generator().manual_seed(2)) < share
    return targets.masked_fill(dropped, -100)


WEIGHT = torch.tensor([1.0, 2.0, 0.5, 7.0])
CASES = {
    "cross-entropy": (draw(N, C), labels(N), functional.cross_entropy),
    "cross-entropy:label_smoothing=0.1": (
        *(draw(N, C), labels(N)),
        lambda z, y: functional.cross_entropy(z, y, label_smoothing=0.1),
    ),
    "cross-entropy:weight=1x2x0.5x7": (
        *(draw(N, C), labels(N)),
        lambda z, y: functional.cross_entropy(z, y, weight=WEIGHT.to(z)),
    ),
    "cross-entropy:weight=1x2x0.5x7,label_smoothing=0.2": (
        *(draw(N, C, 3, 2), void(labels(N, 3, 2))),
        lambda z, y: functional.cross_entropy(z, y, weight=WEIGHT.to(z), label_smoothing=0.2),
    ),
    "cross-entropy:ignore_index=2": (
        *(draw(N, C, 5), labels(N, 5)),
        lambda z, y: functional.cross_entropy(z, y, ignore_index=2),
    ),
    "cross-entropy:class_axis=2": (
        *(draw(N, C, C), labels(N, C)),
        lambda z, y: functional.cross_entropy(z.movedim(2, 1), y),
    ),
    "next-token": (
        *(draw(N, 6, C), void(labels(N, 6))),
        lambda z, x: functional.cross_entropy(z[:, :-1].movedim(2, 1), x[:, 1:]),
    ),
    "nll": (draw(N, C).log_softmax(1), labels(N), functional.nll_loss),
    "nll:outputs=probabilities,weight=1x2x0.5x7": (
        *(draw(N, C).softmax(1), labels(N)),
        lambda p, y: functional.nll_loss(p.log(), y, weight=WEIGHT.to(p)),
    ),
    "mse": (draw(N, 3, 2), draw(N, 3, 2) + 1, functional.mse_loss),
    "mse:half": (draw(N, 1), draw(N), lambda z, y: functional.mse_loss(z[:, 0], y) / 2),
    "one-hot-mse": (draw(N, C), labels(N), lambda z, y: functional.mse_loss(z, functional.one_hot(y, C).to(z))),
    "one-hot-mse:half,class_axis=2": (
        *(draw(N, C, C), labels(N, C)),
        lambda z, y: functional.mse_loss(z, functional.one_hot(y, C).to(z)) / 2,
    ),
    "bce": (draw(N, 3), labels(N, 3, classes=2), lambda z, y: functional.binary_cross_entropy_with_logits(z, y.to(z))),
    "bce:pos_weight=1x2x3": (
        *(draw(N, 3, 4), labels(N, 3, 4, classes=2).float()),
        lambda z, y: functional.binary_cross_entropy_with_logits(
            z, y.to(z), pos_weight=torch.tensor([1.0, 2.0, 3.0]).to(z)[:, None]
        ),
    ),
    "bce:outputs=probabilities": (
        *(draw(N, 2).sigmoid(), torch.rand(N, 2)),
        lambda p, y: functional.binary_cross_entropy(p, y.to(p)),
    ),
}


@pytest.mark.parametrize("spec", CASES)
@pytest.mark.parametrize("size", [1, 7, N])
def test_the_mean_is_torch_s_whatever_the_chunks(spec, size):
    outputs, targets, truth = CASES[spec]
    loss = parse_loss(spec)
    loss.check(outputs[:16], targets)
    level = Level(targets, Task(loss))
    for first in range(0, N, size):
        level.add(outputs[first : first + size].double(), targets[first : first + size])
    assert level.evaluation().loss == pytest.approx(truth(outputs.double(), targets).item(), rel=1e-10)
    weights = loss.weights(outputs[:2], targets)
    total = N if weights is None else weights.sum().item()
    sums = loss.terms(outputs.double(), targets).sums
    assert sums.sum().item() / total == pytest.approx(truth(outputs.double(), targets).item(), rel=1e-10)
    assert loss.mean(outputs, targets).item() == pytest.approx(truth(outputs, targets).item(), rel=1e-5)


@pytest.mark.parametrize("spec", CASES)
def test_a_spec_says_itself_again(spec):
    assert parse_loss(described(parse_loss(spec))) == parse_loss(spec)


FORMS = {
    "labels": (draw(N, C), labels(N)),
    "numbers": (draw(N, C), draw(N, C)),
    "log-probabilities": (draw(N, C).log_softmax(1), labels(N)),
    "tokens": (draw(N, 6, C), labels(N, 6)),
    "zeros and ones": (draw(N, 3), labels(N, 3, classes=2)),
}
"""outputs and targets that losses take"""


def accepted(loss):
    """Those of `FORMS` that a loss does not refuse."""
    for form, (outputs, targets) in FORMS.items():
        try:
            loss.check(outputs[:16], targets)
        except BadInput:
            continue
        yield form


@pytest.mark.parametrize("name", losses())
def test_any_loss_is_a_mean_by_weight_over_examples(name):
    loss = losses()[name]()
    forms = list(accepted(loss))
    assert forms, "none of the usual targets fit"
    assert parse_loss(described(loss)) == loss
    for outputs, targets in map(FORMS.__getitem__, forms):
        whole = loss.terms(outputs.double(), targets)
        each = [loss.terms(outputs[i : i + 1].double(), targets[i : i + 1]) for i in range(N)]
        assert whole.sums.shape == (N,)
        torch.testing.assert_close(torch.cat([one.sums for one in each]), whole.sums, rtol=1e-10, atol=1e-12)
        weights = loss.weights(outputs[:2], targets)
        total = torch.tensor(float(N)) if weights is None else weights.sum()
        if whole.weights is not None:
            torch.testing.assert_close(weights, whole.weights)
        mean = whole.sums.sum() / total
        torch.testing.assert_close(loss.mean(outputs.double(), targets), mean.to(torch.float64), rtol=1e-10, atol=0.0)
        leaf = outputs.double().requires_grad_()
        loss.summed(leaf, targets).backward()
        assert bool(leaf.grad.isfinite().all())
        level = Level(targets, Task(loss))
        level.add(outputs, targets)
        assert level.evaluation().loss == pytest.approx(mean.item(), rel=1e-5)


def test_the_losses_of_torch_are_all_compared_with_it():
    assert {spec.partition(":")[0] for spec in CASES} <= set(losses())
    assert {"cross-entropy", "next-token", "nll", "mse", "bce"} <= {spec.partition(":")[0] for spec in CASES}


def test_soft_labels_are_distributions_and_one_hot_rows_are_labels():
    outputs, shares = draw(N, C), draw(N, C).softmax(1)
    loss = parse_loss("cross-entropy")
    loss.check(outputs, shares)
    truth = functional.cross_entropy(outputs.double(), shares.double())
    assert loss.terms(outputs.double(), shares).sums.mean().item() == pytest.approx(truth.item(), rel=1e-10)
    rows = functional.one_hot(labels(N), C)
    loss.check(outputs, rows)
    assert loss.terms(outputs, rows).sums.mean().item() == pytest.approx(
        functional.cross_entropy(outputs, labels(N)).item(), rel=1e-6
    )
    assert loss.score(rows).value(loss.score(rows).sums(outputs, rows).sum(0)) == pytest.approx(
        (outputs.argmax(1) == labels(N)).double().mean().item()
    )


def test_scores_are_the_usual_ones():
    z, y = draw(N, 3), draw(N, 3) + 1
    score = parse_loss("mse").score(y)
    expected = 1 - ((z - y).double() ** 2).sum() / ((y - y.mean(0)).double() ** 2).sum()
    assert score.value(score.sums(z, y).sum(0)) == pytest.approx(expected.item(), rel=1e-6)
    assert math.isnan(parse_loss("mse").score(torch.ones(N, 1)).value(torch.zeros(1)))
    outputs, targets = draw(N, C, 5), void(labels(N, 5))
    score = parse_loss("cross-entropy").score(targets)
    counted = targets != -100
    expected = ((outputs.argmax(1) == targets) & counted).sum() / counted.sum()
    assert score.value(score.sums(outputs, targets).sum(0)) == pytest.approx(expected.item())
    bits = labels(N, 3, classes=2)
    score = parse_loss("bce").score(bits)
    assert score.value(score.sums(z, bits).sum(0)) == pytest.approx(((z > 0) == (bits > 0)).float().mean().item())


@pytest.mark.parametrize(
    ("spec", "outputs", "targets", "words"),
    [
        ("cross-entropy", draw(N, C), draw(N), "--loss mse"),
        ("cross-entropy", draw(N, C), draw(N, C), "no distributions"),
        ("cross-entropy", draw(N, 1), labels(N, classes=2), "--loss bce"),
        ("cross-entropy", draw(N, C, C), labels(N, C), "class_axis=1 or class_axis=2"),
        ("cross-entropy", draw(N, C), labels(N, 1), "store them as (N,)"),
        ("cross-entropy", draw(N, C, 5, 6), labels(N, 1, 5, 6), "store them as (N, 5, 6)"),
        ("cross-entropy", draw(N, C), labels(N) + 1, "expected 0 to 3"),
        ("cross-entropy", draw(N, C, 2), torch.full((N, 2), -100), "no position counts"),
        ("cross-entropy:weight=1x2", draw(N, C), labels(N), "each of the 4 classes"),
        ("nll", draw(N, C), labels(N), "--loss cross-entropy"),
        ("nll:outputs=probabilities", draw(N, C).log_softmax(1), labels(N), "--loss nll"),
        ("mse", draw(N, 3), draw(N, 2), "nothing is broadcast"),
        ("mse", draw(N, 3), draw(N), "nothing is broadcast"),
        ("mse", draw(N), draw(N).index_fill(0, torch.tensor([3]), torch.nan), "target of example 3 is NaN"),
        ("mse", draw(N, 3), labels(N), "--loss one-hot-mse"),
        ("one-hot-mse", draw(N, 3), draw(N), "--loss mse"),
        (
            "one-hot-mse",
            draw(N, 3),
            labels(N) - 1,
            "expected 0 to 2.\n--loss one-hot-mse",
        ),
        ("cross-entropy", draw(N, C), labels(N) + 1, "from 0, and these labels from 1: subtract 1"),
        ("nll", draw(N, C).log_softmax(1), labels(N) + 7, "--loss nll:ignore_index="),
        ("one-hot-mse", draw(N, 3), labels(N), "expected 0 to 2"),
        ("bce", draw(N, 3), 2 * draw(N, 3), "from 0 to 1"),
        ("bce:outputs=probabilities", draw(N, 3), torch.rand(N, 3), "--loss bce"),
        ("next-token", draw(N, C), labels(N), "logits (N, T, vocabulary)"),
    ],
)
def test_targets_that_do_not_fit_are_named(spec, outputs, targets, words):
    with pytest.raises(BadInput) as refusal:
        parse_loss(spec).check(outputs, targets)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("hinge", "Known: bce, cross-entropy"),
        ("mse:delta=1", "has no parameter 'delta'. It has: half"),
        ("bce:outputs=odds", "logits or probabilities"),
        ("cross-entropy:weight=axb", "numbers joined by x"),
        ("cross-entropy:label_smoothing=much", "label_smoothing=much"),
    ],
)
def test_specs_that_mean_nothing_are_named(spec, words):
    with pytest.raises(BadInput) as refusal:
        parse_loss(spec)
    assert words in str(refusal.value)


def test_outputs_that_look_like_probabilities_are_said():
    assert "nll:outputs=probabilities" in parse_loss("cross-entropy").notes(draw(N, C).softmax(1), labels(N))[0]
    assert "bce:outputs=probabilities" in parse_loss("bce").notes(torch.rand(N, 2), labels(N, 2, classes=2))[0]
    assert parse_loss("cross-entropy").notes(draw(N, C), labels(N)) == []


def weighted_mean(z, y):
    return functional.cross_entropy(z, y, weight=WEIGHT.to(z))


def contrastive(z, y):
    return (z @ z.T).logsumexp(1).mean()


@pytest.mark.parametrize("function", [weighted_mean, contrastive, lambda z, y: functional.cross_entropy(z, y) * len(y)])
def test_a_number_that_is_no_mean_over_examples_is_refused(function):
    with pytest.raises(BadInput, match="no mean over examples") as refusal:
        OwnLoss(function).check(draw(N, C), labels(N))
    assert "Return each example's loss" in str(refusal.value)


@pytest.mark.parametrize(
    "function",
    [
        nn.CrossEntropyLoss(),
        nn.CrossEntropyLoss(reduction="none"),
        lambda z, y: (functional.cross_entropy(z, y, reduction="none"), torch.ones(len(y))),
    ],
)
def test_the_three_forms_of_a_loss_of_one_s_own_are_one(function):
    loss, outputs, targets = OwnLoss(function), draw(N, C).double(), labels(N)
    loss.check(outputs, targets)
    truth = functional.cross_entropy(outputs, targets, reduction="none")
    torch.testing.assert_close(loss.terms(outputs, targets).sums, truth)


@pytest.mark.parametrize("mean", [False, True])
def test_a_loss_that_holds_class_weights_in_float32_takes_outputs_in_float64(mean):
    weight = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.0])[:C]

    def own(outputs, targets):
        each = functional.cross_entropy(outputs, targets, weight=weight, reduction="none")
        return each.mean() if mean else each

    loss, outputs, targets = OwnLoss(own), draw(N, C), labels(N)
    loss.check(outputs, targets)
    truth = functional.cross_entropy(outputs.double(), targets, weight=weight.double(), reduction="none")
    for given in (outputs, outputs.double()):
        torch.testing.assert_close(loss.terms(given, targets).sums, truth, rtol=1e-5, atol=1e-6)


def test_rounding_for_a_loss_is_told_once():
    weight = torch.ones(C)

    def own(outputs, targets):
        return functional.cross_entropy(outputs, targets, weight=weight, reduction="none")

    with listening() as heard:
        loss = OwnLoss(own, "mine")
        loss.check(draw(N, C), labels(N))
        assert heard == []
        loss.terms(draw(N, C).double(), labels(N))
        loss.terms(draw(N, C).double(), labels(N))
    assert [note.partition(",")[0] for note in heard] == ["mine: the loss takes no outputs in float64"]


def test_class_weights_in_float32_are_a_weighted_mean_in_words():
    with pytest.raises(BadInput, match="no mean over examples"):
        OwnLoss(nn.CrossEntropyLoss(weight=WEIGHT.float())).check(draw(N, C), labels(N))


def test_a_factory_and_a_class_make_a_loss():
    outputs, targets = draw(N, C), labels(N)
    for made in (own_loss(nn.CrossEntropyLoss, "here"), own_loss(lambda: functional.cross_entropy, "here")):
        made.check(outputs, targets)
        assert made.terms(outputs, targets).sums.shape == (N,)
    with pytest.raises(BadInput, match="expected a function"):
        own_loss(lambda: 3, "here")
