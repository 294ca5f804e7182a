"""What a training left out of its backward passes, from what its checkpoint says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.store.hdf5 import record
from minima.zoo.training.backward import backward_of
from minima.zoo.training.equilibrium import watched

if TYPE_CHECKING:
    from minima.store.checkpoints.checkpoint import Checkpoint
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject

from pruning.equilibrium.numbers import COSTS, LAYERS


def compute(subject: Subject, place: Place) -> dict[str, Any]:
    """Read what a subject's training left out, write it to its place, return what the JSON object says of it."""
    found = _watched(subject)
    neurons, updated = found["neurons"], found["updated"]
    shares = [[count / whole for count, whole in zip(epoch, neurons, strict=True)] for epoch in updated]
    place.scale("equilibrium/layer", found["layers"], "1", "convolution or linear layer")
    place.scale("equilibrium/epoch", list(range(1, len(updated) + 1)), "1", "epoch")
    record.write(place, "equilibrium", LAYERS, {"updated": shares, "neurons": neurons})
    record.write(place, "equilibrium", COSTS, found)
    spent, whole = (sum(found[number.key]) for number in COSTS)
    trained = [sum(counts) for counts in zip(*updated, strict=True)]
    layers = [
        {"name": name, "neurons": count, "updated": total / (count * len(updated))}
        for name, count, total in zip(found["layers"], neurons, trained, strict=True)
    ]
    settings = subject.checkpoint.training.get("equilibrium") or {}
    return {
        "threshold": settings.get("threshold"),
        "epochs": len(updated),
        "updates": found["updates"],
        "skipped_updates": found["skipped_updates"],
        "backward_multiply_adds": spent,
        "full_backward_multiply_adds": whole,
        "backward_share": spent / whole,
        "layers": layers,
    }


def _watched(subject: Subject) -> dict[str, Any]:
    """What `minima.zoo.training.equilibrium.Watch.metrics` wrote; of a training that watched nothing, that all trained.

    Raises:
        BadInput: the file does not say how its network was trained, or it was not.
    """
    checkpoint = subject.checkpoint
    epochs, examples = _trained(checkpoint)
    if epochs < 1 or examples is None:
        raise BadInput(
            f"{subject.name}: the file says of no epoch of training. Name one that python -m minima.train wrote"
        )
    if "equilibrium" in checkpoint.metrics:
        return dict(checkpoint.metrics["equilibrium"])
    cost = backward_of(subject.model, subject.x)
    names = list(watched(subject.model, cost))
    if not names:
        raise BadInput(
            f"{subject.name}: the network has no linear layer or convolution whose weights train: there are no neurons "
            "to count"
        )
    neurons = [cost.neurons[name] for name in names]
    steps = -(-examples // checkpoint.training["recipe"]["batch_size"])
    spent = [examples * cost.whole] * epochs
    return {
        "layers": names,
        "neurons": neurons,
        "updated": [neurons] * epochs,
        "updates": steps * sum(neurons) * epochs,
        "skipped_updates": 0,
        "backward_multiply_adds": spent,
        "full_backward_multiply_adds": spent,
    }


def _trained(checkpoint: Checkpoint) -> tuple[int, int | None]:
    """Epochs, and examples of each."""
    train = checkpoint.metrics.get("train") or {}
    return int(checkpoint.metrics.get("epochs", checkpoint.training.get("epochs", 0))), train.get("samples")
