"""The flags that say which network, data and loss are meant; shared by all commands that run one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from minima.store.command import BadInput, Command
from minima.store.room import DEFAULT
from minima.zoo.data.dataset import sources
from minima.zoo.losses.loss import losses


def data_flag(default: str) -> Any:
    """The help of a flag that names data, with every registered data set; `default`: what is taken where it is not."""
    files = "npz:FILE, npy:FOLDER, safetensors:FILE, file.py:factory"
    parts = "also digits:classes=0-4 and digits:labels=random"
    return tyro.conf.arg(help=f"{', '.join(sources())}, {files}, {parts} (default: {default})")


LOSS_FLAG = tyro.conf.arg(
    help=f"{', '.join(losses())}, each with :key=value,..., or path/to/file.py:name (default: the checkpoint's, else "
    "cross-entropy; of one logit bce)"
)
"""the help of a flag that names a loss, with every registered one"""


@dataclass(frozen=True, kw_only=True)
class Naming(Command):
    """Flags that name a network, its data and its loss."""

    model: str | None = None
    """network of a foreign checkpoint: one that minima.train knows (resnet20), torchvision:NAME, timm:NAME, hf:FOLDER,
    or path/to/file.py:factory"""
    data: Annotated[str | None, data_flag("the file's")] = None
    loss: Annotated[str | None, LOSS_FLAG] = None
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
    """what is taken from each channel of floating inputs once scaled, comma separated (default: as the data say)"""
    std: str | None = None
    """what each channel is then divided by, likewise"""
    memory: float = DEFAULT
    """GiB that what is compressed in a file may unpack to"""


@dataclass(frozen=True, kw_only=True)
class Loading(Naming):
    """Flags that name a network, its data and its loss, and say how somebody else's file is read."""

    zeros: Literal["mask", "keep"] = "mask"
    """whether exact zeros of a foreign checkpoint count as removed weights"""
    entry: str | None = None
    """where in a foreign file the weights are, such as state_dict_ema; dotted where nested (default: found)"""
    dtype: Literal["float32", "float64"] | None = None
    """in which the network runs (default: its own; float32 for half precision)"""


def reading(arguments: Naming) -> dict[str, Any]:
    """How arrays are read, where flags say it: the names are those of a checkpoint's entry `data`."""
    said = {
        "input_shape": input_shape(arguments.input_shape),
        "scale": arguments.scale,
        "labels_in": arguments.labels_in or None,
        "input_dtype": arguments.input_dtype,
    }
    return {key: value for key, value in said.items() if value is not None}


def named(arguments: Naming) -> dict[str, Any]:
    """What the flags say, as fields of a `Choice`."""
    from minima.zoo.data.specs import per_channel

    own = ("model", "data", "data_root", "loss", "output", "input_dtype", "scale", "labels_in")
    return {key: getattr(arguments, key) for key in own} | {
        "mean": per_channel("--mean", arguments.mean),
        "std": per_channel("--std", arguments.std),
        "input_shape": input_shape(arguments.input_shape),
    }


def loaded(arguments: Loading) -> dict[str, Any]:
    """The arguments that name a network, its data and its loss, with how a file is read."""
    return named(arguments) | {key: getattr(arguments, key) for key in ("zeros", "entry", "dtype")}


def input_shape(text: str | None) -> tuple[int, ...] | None:
    """The numbers that --input-shape gives; None where it was not given.

    >>> input_shape("3,32,32")
    (3, 32, 32)
    """
    if text is None:
        return None
    parts = text.replace("x", ",").split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise BadInput(f"--input-shape {text}: expected the shape of one example, such as 3,32,32")
    return tuple(int(part) for part in parts)
