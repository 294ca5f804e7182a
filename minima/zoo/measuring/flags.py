"""The flags that all measuring commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import tyro

from minima.store.command import BadInput
from minima.zoo.device import DeviceName
from minima.zoo.subject.flags import Loading, loaded

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Choice


@dataclass(frozen=True, kw_only=True)
class Measuring(Loading):
    """The flags of every measuring command."""

    shares_work: ClassVar[bool] = False
    """whether several ranks of torchrun are faster than one"""
    as_before: ClassVar[tuple[str, ...]] = ()
    """flags that results made before there were any do not tell: at their defaults they are not told either"""

    checkpoints: tyro.conf.Positional[tuple[Path, ...]]
    """checkpoints, trajectory files or folders of transformers; several give one result with a `checkpoint` axis"""
    split: Literal["train", "test"] = "train"
    """which examples; train includes what training held out for validation"""
    samples: int | str | None = None
    """N examples of the split, drawn under --seed so that the classes come in their shares; first:N the first N in file
    order (default: all)"""
    batch_size: int | None = None
    """memory knob: examples per chunk; results depend on it only by rounding"""
    memory: float = 4.0
    """GiB that the work may take beside the network and its data; what would take more is refused before it"""
    seed: int = 0
    """of everything drawn at random"""
    device: DeviceName = "auto"
    """where to compute"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """results file (default: beside the checkpoint, STEM.MEASURE.h5)"""
    overwrite: bool = False
    """replace a file that was made otherwise"""


def choice(arguments: Measuring) -> Choice:
    """How the flags want checkpoints to be read."""
    from minima.zoo.subject.subject import Choice

    if not arguments.checkpoints:
        raise BadInput("no checkpoint is named: type it behind the command, such as runs/x.pt")
    if not 0 <= arguments.memory < float("inf"):
        raise BadInput(f"--memory {arguments.memory}: expected a number of GiB, 0 or more")
    if arguments.batch_size is not None and arguments.batch_size < 1:
        raise BadInput(f"--batch-size {arguments.batch_size}: expected at least 1")
    return Choice(
        **loaded(arguments),
        split=arguments.split,
        samples=arguments.samples,
        seed=arguments.seed,
        batch_size=arguments.batch_size,
        device=arguments.device,
    )
