"""Pruning methods on small trained networks, at their first cut: what benchmarks of masks look at."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from benchmarks.networks import Trained

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Subject
    from pruning.composition.method import Method

NETWORKS = {
    "lenet300": Trained("digits", epochs=20, lr=0.05, images=1437, few=1437, model="lenet300"),
    "lenet5": Trained("digits", epochs=20, lr=0.05, images=1437, few=1437, model="lenet5"),
    "resnet20-narrow": Trained("digits", epochs=10, lr=0.05, images=1437, few=1437, model="resnet20:width=8"),
}
"""trained on the digits in seconds; all images of the train split"""


def network(name: str) -> Subject:
    """The network with the train split, trained if it is not yet."""
    from benchmarks.networks import train
    from minima.zoo.subject.subject import load_subject

    return load_subject(train(f"pruned-{name}", NETWORKS[name]))


def method(words: str) -> Method:
    """The method as it is typed behind `python -m pruning`.

    >>> method("obd --diagonal probes").diagonal
    'probes'
    """
    import tyro

    from pruning.composition.method import methods

    name, *flags = shlex.split(words)
    return tyro.cli(methods()[name], args=flags)
