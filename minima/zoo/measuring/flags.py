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
    loss: str | None = None
    """cross-entropy, next-token, nll, mse or bce, each with :key=value,..., or path/to/file.py:name (default: the
    checkpoint's, else cross-entropy; of one logit bce)"""
    output: str | None = None
    """which of several outputs is measured: a name, or a place counted from 0 (default: logits, or the first)"""
    input_dtype: Literal["int64", "float32"] | None = None
    """how integer inputs are handed on (default: as int64, or as floats where the network takes no integers)"""
    input_shape: str | None = None
    """shape of one example, comma separated, where the arrays lie otherwise: 1,28,28"""
    scale: float | None = None
    """factor for integer inputs (default: 1/255 for images of 8 bits, 1 for others)"""
    labels_in: bool = False
    """hand the entry `labels` of a dict to the network too"""
    data_root: Path | None = None
    """folder with the datasets in torchvision's layout (default: the checkpoint's, $DATA_ROOT, data)"""
    mean: str | None = None
    """per channel, comma separated"""
    std: str | None = None
    """per channel, comma separated"""
    split: Literal["train", "test"] = "train"
    """which examples; train includes what training held out for validation"""
    samples: int | str | None = None
    """N examples of the split, drawn under --seed so that the classes come in their shares; first:N the first N in file
    order (default: all)"""
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


def input_shape(text: str | None) -> tuple[int, ...] | None:
    """The numbers of --input-shape.

    >>> input_shape("3,32,32")
    (3, 32, 32)
    """
    if text is None:
        return None
    parts = text.replace("x", ",").split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise BadInput(f"--input-shape {text}: expected the shape of one example, such as 3,32,32")
    return tuple(int(part) for part in parts)


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
        seed=arguments.seed,
        loss=arguments.loss,
        output=arguments.output,
        input_dtype=arguments.input_dtype,
        input_shape=input_shape(arguments.input_shape),
        scale=arguments.scale,
        labels_in=arguments.labels_in,
        batch_size=arguments.batch_size,
        device=arguments.device,
        zeros=arguments.zeros,
        entry=arguments.entry,
        dtype=arguments.dtype,
    )
