"""The flags that all measuring commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import tyro

from minima.store.command import BadInput, Command
from minima.zoo.device import DeviceName

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Choice


@dataclass(frozen=True, kw_only=True)
class Measuring(Command):
    """The flags of every measuring command."""

    shares_work: ClassVar[bool] = False
    """whether several ranks of torchrun are faster than one"""

    checkpoints: tyro.conf.Positional[tuple[Path, ...]]
    """checkpoints or trajectory files; several give one result with a `checkpoint` axis"""
    model: str | None = None
    """network of a foreign checkpoint: a zoo name, torchvision:NAME, timm:NAME, hf:FOLDER,
    path/to/file.py:factory"""
    data: str | None = None
    """digits[:classes=0-4][:labels=random], mnist, fashion-mnist, cifar10, cifar100, npz:FILE, file.py:factory
    (default: the file's)"""
    data_root: Path | None = None
    """folder with the datasets in torchvision's layout (default: the checkpoint's, $DATA_ROOT, data)"""
    mean: str | None = None
    """per channel, comma separated"""
    std: str | None = None
    """per channel, comma separated"""
    split: Literal["train", "test"] = "train"
    """which examples; train includes what training held out for validation"""
    samples: int | None = None
    """the first N examples of the split (default: all)"""
    batch_size: int | None = None
    """memory knob: examples per chunk; results depend on it only by rounding"""
    seed: int = 0
    """of everything drawn at random"""
    device: DeviceName = "auto"
    """where to compute"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """results file (default: beside the checkpoint, STEM.MEASURE.h5)"""
    overwrite: bool = False
    """replace a file that was made otherwise"""
    zeros: Literal["mask", "keep"] = "mask"
    """whether exact zeros of a foreign checkpoint count as removed weights"""
    entry: str | None = None
    """where in a foreign file the weights are, such as state_dict_ema; dotted where nested (default: found)"""
    dtype: Literal["float32", "float64"] | None = None
    """in which the network runs (default: its own; float32 for half precision)"""


def choice(arguments: Measuring) -> Choice:
    """How the flags want checkpoints to be read."""
    from minima.zoo.data.specs import per_channel
    from minima.zoo.subject.subject import Choice

    if not arguments.checkpoints:
        raise BadInput("no checkpoint is named: type it behind the command, such as runs/x.pt")
    if arguments.batch_size is not None and arguments.batch_size < 1:
        raise BadInput(f"--batch-size {arguments.batch_size}: expected at least 1")
    return Choice(
        model=arguments.model,
        data=arguments.data,
        data_root=arguments.data_root,
        mean=per_channel("--mean", arguments.mean),
        std=per_channel("--std", arguments.std),
        split=arguments.split,
        samples=arguments.samples,
        batch_size=arguments.batch_size,
        device=arguments.device,
        zeros=arguments.zeros,
        entry=arguments.entry,
        dtype=arguments.dtype,
    )
