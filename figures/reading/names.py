"""The names the workflow gives its checkpoints: what is written in them is how figures know one from another."""

from __future__ import annotations

import re
from dataclasses import dataclass

PATTERN = re.compile(
    r"(?P<study>[a-z0-9]+)-(?P<model>[a-z0-9]+)-seed(?P<seed>\d+)"
    r"\.(?P<arm>[a-z][a-z0-9-]*?)(-(?P<sparsity>0\.\d+))?"
    r"(?P<sibling>\.sibling)?(?P<source>\.source)?(?P<finished>\.finished)?"
    r"(\.pt|\.trajectory\.h5@(?P<epoch>\d+))?"
)


@dataclass(frozen=True, order=True)
class Name:
    """What a checkpoint's file name says."""

    study: str
    model: str
    seed: int
    arm: str
    """how it was made: dense, dense-longer, or a pruning method and where it started"""
    sparsity: float
    """fraction of prunable weights asked to be removed; 0 for dense"""
    sibling: bool
    """same start, same method, another order of the examples"""
    source: bool
    """of a network that saw the source classes only, to be probed on the others"""
    finished: bool
    """after the common finish with the mask frozen"""
    epoch: int | None
    """moment of a trajectory"""


def parse(name: str) -> Name:
    """Read a checkpoint's file name.

    >>> parse("digits-lenet300-seed3.iterative-magnitude-0.95.finished.pt")
    Name(study='digits', model='lenet300', seed=3, arm='iterative-magnitude', sparsity=0.95, sibling=False,
         source=False, finished=True, epoch=None)
    >>> parse("digits-lenet5-seed0.dense-longer.pt").arm
    'dense-longer'
    >>> parse("digits-lenet300-seed0.lobster-0.99.finished.trajectory.h5@4").epoch
    4
    """
    found = PATTERN.fullmatch(name)
    if not found:
        raise ValueError(f"{name}: not a checkpoint's name of this workflow (STUDY-MODEL-seedN.ARM[-SPARSITY]...)")
    epoch = found["epoch"]
    return Name(
        study=found["study"],
        model=found["model"],
        seed=int(found["seed"]),
        arm=found["arm"],
        sparsity=float(found["sparsity"] or 0),
        sibling=found["sibling"] is not None,
        source=found["source"] is not None,
        finished=found["finished"] is not None,
        epoch=None if epoch is None else int(epoch),
    )
