"""The network that is pruned: a checkpoint of ours or a file of somebody else, with its data and its loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from minima.store.checkpoints.checkpoint import Checkpoint, read
from minima.store.checkpoints.safetensors_file import content_hash
from minima.store.command import BadInput, note
from minima.store.reading import unchanging
from minima.zoo.subject.flags import loaded
from minima.zoo.subject.network import drawing_from, make_network
from minima.zoo.subject.subject import Choice, Reader, Subject, fill
from minima.zoo.training.keeping import state_on_cpu

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.running.arguments import Prune


@dataclass(frozen=True)
class Parent:
    """The file that is pruned, and what is in it."""

    path: Path
    sha256: str
    subject: Subject
    """its network with its weights, its data and its loss"""
    checkpoint: Checkpoint
    """as a checkpoint of ours, whoever wrote it; `weights_at[0]` also where the initial weights come from elsewhere"""
    initial: str | None = None
    """the SHA-256 of the file that the initial weights are from, where they are not in this one"""


@unchanging()
def load_parent(arguments: Prune) -> Parent:
    """The file on the command line, read as every measuring command reads it.

    Raises:
        BadInput: it does not go with the network, the data and the loss.
    """
    path = arguments.checkpoint
    choice = Choice(**loaded(arguments), device=arguments.device, seed=arguments.seed or 0, same_data=True)
    subject = Reader(choice).read(path)
    parent = Parent(path, content_hash(path), subject, subject.checkpoint)
    if arguments.initial is None:
        return parent
    weights = _read_initial(arguments.initial, subject, choice)
    return replace(_beginning_with(parent, weights), initial=content_hash(arguments.initial))


def with_drawn_weights(parent: Parent, arguments: Prune) -> Parent:
    """The parent with initial weights as its factory draws them, for a file of somebody else that has none."""
    subject, seed = parent.subject, arguments.seed or 0
    name = _name(subject, arguments.model)
    with drawing_from(seed):
        network = make_network(parent.checkpoint.model, name, subject.dataset)
    _check_same(state_on_cpu(network), subject, f"--model {name}")
    note(
        f"{parent.path.name}: the method starts from initial weights, which the file does not hold: taking those that "
        f"{name} draws under --seed {seed}. Give the real ones with --initial FILE"
    )
    own = subject.checkpoint.state
    return _beginning_with(parent, {name: value.to(own[name].dtype) for name, value in network.state_dict().items()})


def _read_initial(path: Path, subject: Subject, choice: Choice) -> dict[str, Tensor]:
    """The weights in a file, of whatever kind, as those of the subject's network."""
    name = _name(subject, choice.model)
    network = make_network(subject.checkpoint.model, choice.model if subject.ours else name, subject.dataset)
    found = fill(network, read(path), path, replace(choice, entry=None, zeros="keep", model=name))
    for each in found.notes:
        note(each)
    _check_same(found.state, subject, f"--initial {path}")
    own = subject.checkpoint.state
    return {name: value.to(own[name].dtype) for name, value in found.state.items()}


def _name(subject: Subject, typed: str | None) -> str:
    """What the network is called: as it was typed, or as a folder that holds it says."""
    return typed or str(subject.checkpoint.model["name"])


def _check_same(state: dict[str, Tensor], subject: Subject, what: str) -> None:
    """The weights are of the same network, tensor by tensor."""
    own = subject.checkpoint.state
    other = [name for name in own if name not in state or state[name].shape != own[name].shape]
    if other:
        raise BadInput(f"{what}: its {other[0]} is not shaped like that of {subject.path}: another network")


def _beginning_with(parent: Parent, weights: dict[str, Tensor]) -> Parent:
    held = {**parent.checkpoint.weights_at, 0: weights}
    return replace(parent, checkpoint=replace(parent.checkpoint, weights_at=held))
