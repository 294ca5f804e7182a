"""The PSP-entropy of a network's neurons over the examples of a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entropy.information.layer import network_mean
from entropy.information.measurement import measure
from entropy.information.recorded import recorded_bytes
from entropy.information.recording import write_layer
from entropy.psp.grouping import read_groups
from entropy.psp.labelled import class_labels, counted_alone
from entropy.psp.positions import position_entropies_of
from entropy.psp.request import asked, request_of
from minima.store.command import note
from minima.store.disk import readable
from minima.zoo.anatomy.sites import told_unseen
from minima.zoo.examples.evaluation import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from entropy.information.layer import LayerEntropy
    from entropy.information.site import Site
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from entropy.psp.flags import NO_GROUPS, Counting, Psp

NAMED = 10
"""classes that a note names"""
LARGEST_TABLES = 2**30
"""bytes of what there is for every class and neuron that are written unasked"""


def compute(subject: Subject, place: Place, arguments: Psp) -> dict[str, Any]:
    """Measure a subject, write every neuron's numbers to its place, and return what the JSON object says of it."""
    subject = counted_alone(subject) if arguments.group_by is None else subject
    level, file = Level(subject.y, subject.task), _File(place, arguments)
    room = {"memory": arguments.memory, "results": file.foresee}
    if arguments.positions:
        grouped = arguments.group_by is not None
        layers, skipped, classes = position_entropies_of(subject, arguments, level, grouped, **room)
    else:
        labels, classes = _groups(subject, arguments)
        layers, skipped = layer_entropies_of(subject, labels, classes, arguments, arguments.seed, level, **room)
    occurring = layers[-1].labels
    absent = [label for label in range(classes) if label not in set(occurring)]
    explain(subject, layers, skipped, absent)
    what = "class label" if arguments.group_by is None else "group"
    place.scale("psp/class", list(occurring), "1", f"{what}; those without examples are left out")
    for layer in layers:
        write_layer(layer, place, file.tables)
    reached = level.evaluation()
    return {
        **reached.said(),
        "order": arguments.order,
        "neurons": "channel" if arguments.positions else arguments.neurons,
        "positions": arguments.positions,
        "compat": arguments.compat,
        "grouped_by": arguments.group_by and str(arguments.group_by),
        "classes": classes,
        "absent_classes": absent,
        "network_mean": network_mean(layers),
        "layers": [layer.summary() for layer in layers],
    }


class _File:
    """What of the layers the results file is to hold, decided before anything is counted."""

    def __init__(self, place: Place, arguments: Psp) -> None:
        self._place, self._arguments = place, arguments
        self.tables = arguments.tables != "none"
        """whether what there is for every class and neuron"""

    def foresee(self, sites: Sequence[Site], classes: int) -> int:
        """Its bytes, from the sites and how many classes occur; said, and refused where its disk has no room."""
        counting = asked(self._arguments, self._arguments.seed)
        found, places = recorded_bytes(sites, classes, counting), self._place.places
        if self._arguments.tables == "auto" and places * found.tables > LARGEST_TABLES:
            self.tables = False
            note(
                f"the file holds numbers for each neuron, not for each class and neuron: counts and p_on would take "
                f"{readable(places * found.tables)}. --tables all writes them"
            )
        size = found.neurons + self.tables * found.tables
        self._place.foresee(size)
        return places * size


def _groups(subject: Subject, arguments: Psp) -> tuple[Tensor, int]:
    """What the states are held against: the class, a file's groups, or nothing, all examples then being one group."""
    import torch

    if arguments.group_by is not None and arguments.group_by != NO_GROUPS:
        return read_groups(arguments.group_by, subject)
    if arguments.group_by is None:
        return class_labels(subject)
    return torch.zeros(len(subject.x), dtype=torch.int64, device=subject.device), 1


def layer_entropies_of(
    subject: Subject, labels: Tensor, classes: int, counting: Counting, seed: int, level: Level, **room: Any
) -> tuple[list[LayerEntropy], dict[str, tuple[int, ...]]]:
    """Every layer of one pass over the examples, whose outputs `level` sees as well; shapes that hold no neurons.

    `room`: `memory` and `results` of the `Request`.
    """
    return measure(
        subject.model,
        subject.x,
        labels,
        classes,
        neurons=counting.neurons,
        batch_size=subject.batch_size,
        available=subject.available,
        request=request_of(counting, seed, subject, level, **room),
    )


def explain(
    subject: Subject,
    layers: Sequence[LayerEntropy],
    skipped: dict[str, tuple[int, ...]],
    absent: list[int],
) -> None:
    """Say what the numbers leave out."""
    if len(layers) == 1:
        note(f"{subject.name}: no elementwise activation was found: the output layer is all there is to measure")
    if absent and len(layers[-1].labels) < 2:
        note(f"{subject.name}: all examples are of one class: the states cannot tell anything of it")
    if absent:
        note(f"{subject.name}: no examples of class {_first(absent)}: left out of every sum")
    for told in told_unseen(subject.model, skipped):
        note(f"{subject.name}: {told}")


def _first(absent: Sequence[int]) -> str:
    """The first of them, and how many more."""
    some = ", ".join(map(str, absent[:NAMED]))
    return f"{some} and {len(absent) - NAMED:,} more" if len(absent) > NAMED else some
