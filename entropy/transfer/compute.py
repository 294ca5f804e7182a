"""One checkpoint on a target: entropies, linear probe, fine-tuning, each kept as soon as it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from entropy.information.layer import LayerEntropy, mean, network_mean
from entropy.information.measurement import measure
from entropy.information.request import Request
from entropy.transfer.fine_tuning import fine_tune
from entropy.transfer.numbers import INTERVALS, NUMBERS
from entropy.transfer.probe import linear_probe
from minima.store.command import BadInput, note
from minima.store.hdf5 import record
from minima.store.memory import require_room
from minima.zoo.anatomy.head import Head, feature_count, features, find_head
from minima.zoo.examples.batches import default_batch_size
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.inputs import call, shapes
from minima.zoo.examples.needs import pass_bytes
from minima.zoo.losses.named.cross_entropy import CrossEntropy
from minima.zoo.losses.spec import described

if TYPE_CHECKING:
    from entropy.transfer.flags import Transfer
    from minima.store.hdf5.results import Place
    from minima.zoo.data.dataset import Dataset
    from minima.zoo.subject.subject import Subject

Summary = dict[str, Any]

OF_A_FEATURE = 60
"""bytes that a feature of an example takes while probes are fitted: as found, in float64, standardised, by parts"""


@dataclass(frozen=True)
class Target:
    """Other data, and the spec it goes by."""

    spec: str
    data: Dataset


def measure_on(target: Target, subject: Subject, place: Place, arguments: Transfer) -> Summary:
    """The numbers of a checkpoint on `target`, written to its place. A stopped run does no finished part again.

    Raises:
        BadInput: the target has one class or split only, or inputs that the network does not take.
    """
    if not isinstance(subject.task.loss, CrossEntropy) or subject.task.output is not None:
        raise BadInput(
            f"{subject.name}: entropy.transfer puts a fresh head in the place of a classifier's, by cross-entropy of "
            f"its only output, and this network was made with the loss {described(subject.task.loss)}"
            + (f" of its output {subject.task.output}" if subject.task.output is not None else "")
            + ".\nIf it is a classifier all the same, type --loss cross-entropy"
        )
    data = _taken(target.data, subject, arguments)
    if data.labelled(f"--to {arguments.to}") < 2:
        raise BadInput(f"--to {arguments.to}: there is only one class, nothing to tell apart. Choose two or more")
    _check_labels(data, subject.task.loss, arguments)
    _check_fit(data, subject, arguments)
    if arguments.epochs:
        _head(data, subject)
    kept = place.kept()
    if "probe" not in kept:
        _require_probing_room(data, subject, arguments)
    parts: dict[str, Callable[[Dataset, Subject, Transfer], Summary]] = {
        "entropy": _entropies,
        "probe": _probe,
        "fine-tuning": _fine_tuning,
    }
    for name, part in parts.items():
        if name not in place.kept():
            place.keep(name, part(data, subject, arguments))
    found = {key: value for part in place.kept().values() for key, value in part.items()}
    _write(found, place)
    sizes = {"train": len(data.x_train), "test": len(data.x_test)}
    return {"target": {"spec": target.spec, "classes": data.classes} | sizes} | found


def _taken(target: Dataset, subject: Subject, arguments: Transfer) -> Dataset:
    """The target as the network takes its own examples: floats in its own data type, whole numbers as it gets them."""
    for split, x in (("train", target.x_train), ("test", target.x_test)):
        if x is None:
            raise BadInput(
                f"--to {arguments.to}: these data have no {split} split, and a probe is fitted on train and judged on "
                f"test.\nAdd x_{split} and y_{split} to them"
            )
    return replace(target, x_train=subject.intake(target.x_train), x_test=subject.intake(target.x_test))


def _check_labels(target: Dataset, loss: CrossEntropy, arguments: Transfer) -> None:
    """Every example of the target has a class: probe, fresh head and entropies know no label that is left out."""
    for split, y in (("train", target.y_train), ("test", target.y_test)):
        out = (y < 0) | (y == loss.ignore_index)
        if bool(out.any()):
            label = int(y[out][0])
            raise BadInput(
                f"--to {arguments.to}: {int(out.sum()):,} examples of its {split} split are labelled {label}, which "
                "is no class, or one that the loss ignores.\nLeave them out of the target; if it is a class, type "
                "--loss cross-entropy"
            )


def _check_fit(target: Dataset, subject: Subject, arguments: Transfer) -> None:
    """One forward pass: the network takes the target's inputs."""
    try:
        with torch.no_grad():
            call(subject.model, target.x_test[:1].to(subject.device))
    except Exception as error:  # the user's own code may raise anything
        said = f"{type(error).__name__}: {error}"
        raise BadInput(
            f"--to {arguments.to}: its inputs have shape {shapes(target.x_test)}, {subject.name} was made for "
            f"{shapes(subject.x)} and does not take them: {said}"
        ) from error


def _entropies(target: Dataset, subject: Subject, arguments: Transfer) -> Summary:
    x, y = (tensor.to(subject.device) for tensor in target.split(arguments.split))
    layers, _ = measure(
        subject.model,
        x,
        y,
        target.labelled("entropy.transfer"),
        batch_size=arguments.batch_size or default_batch_size(x),
        request=Request(memory=arguments.memory),
    )
    hidden = [layer for layer in layers if not layer.output]
    if not hidden:
        note(f"{subject.name}: no elementwise activation was found: there are no hidden neurons")
    return {
        "entropy": network_mean(layers),
        "entropy_alive": mean(np.concatenate([_alive(layer) for layer in hidden])) if hidden else np.nan,
        "entropy_last_hidden": mean(hidden[-1].entropy) if hidden else np.nan,
    }


def _alive(layer: LayerEntropy) -> Any:
    return layer.entropy[~(layer.dead | layer.always_on)]


def _require_probing_room(target: Dataset, subject: Subject, arguments: Transfer) -> None:
    """Say what memory the features of all of the target and a probe on them take, or refuse it."""
    examples = len(target.x_train) + len(target.x_test)
    width = feature_count(subject.model, target.x_test[:1].to(subject.device))
    size = arguments.batch_size or default_batch_size(target.x_train)
    passed = size * pass_bytes(subject.model, target.x_test[:1].to(subject.device))
    what = f"a probe on {width} features of {examples:,} examples"
    require_room(OF_A_FEATURE * examples * width + passed, arguments.memory, what, "name a smaller target with --to")


def _head(target: Dataset, subject: Subject) -> Head:
    return find_head(subject.model, target.x_test[:1].to(subject.device))


def _probe(target: Dataset, subject: Subject, arguments: Transfer) -> Summary:
    size = arguments.batch_size or default_batch_size(target.x_train)
    train, test = (
        features(subject.model, x.to(subject.device), size).double().cpu().numpy()
        for x in (target.x_train, target.x_test)
    )
    found = linear_probe(train, target.y_train.numpy(), test, target.y_test.numpy(), arguments.seed)
    return {
        "features": train.shape[1],
        "probe_accuracy": found.accuracy,
        "probe_interval": wilson_interval(found.accuracy, len(test)),
        "probe_strength": found.strength,
    }


def _fine_tuning(target: Dataset, subject: Subject, arguments: Transfer) -> Summary:
    if not arguments.epochs:
        return {"fine_tuned_accuracy": None, "fine_tuned_interval": None}
    head = _head(target, subject)
    tuned = fine_tune(subject.model, head, subject.masks, target, arguments.recipe, arguments.epochs, arguments.seed)
    x, y = target.x_test.to(subject.device), target.y_test.to(subject.device)
    accuracy = evaluate(tuned, x, y, arguments.batch_size).accuracy
    return {"fine_tuned_accuracy": accuracy, "fine_tuned_interval": wilson_interval(accuracy, len(x))}


def wilson_interval(accuracy: float, samples: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an accuracy (fraction) measured on so many samples: the error of few test images.

    >>> low, high = wilson_interval(0.9, 100)
    >>> round(low, 4), round(high, 4)
    (0.8256, 0.9448)
    """
    from scipy.stats import binomtest

    found = binomtest(round(accuracy * samples), samples).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def _write(found: Summary, place: Place) -> None:
    """Every number under /transfer; what was not measured is NaN."""
    record.write(place, "transfer", NUMBERS, found)
    place.scale("transfer/end", ["low", "high"], "1", "end of an interval")
    ends = {number.key: found[number.key] or (None, None) for number in INTERVALS}
    record.write(place, "transfer", INTERVALS, ends)
