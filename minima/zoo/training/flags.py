"""Flags of `python -m minima.train`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from minima.store.room import DEFAULT
from minima.zoo.architecture.architecture import architectures
from minima.zoo.data.dataset import sources
from minima.zoo.device import DeviceName
from minima.zoo.subject.flags import Naming, data_flag
from minima.zoo.training.freezing import Form
from minima.zoo.training.recipe import Recipe

MODEL_FLAG = tyro.conf.arg(
    help=f"{', '.join(architectures())}, each with :key=value,... (default: lenet300); torchvision:NAME, timm:NAME, or "
    "path/to/file.py:factory, which is called without arguments; with --from, the checkpoint's again where it is code"
)
DOWNLOAD_FLAG = tyro.conf.arg(
    help="let torchvision fetch what is missing there of "
    + ", ".join(name for name, source in sources().items() if source.torchvision)
)


@dataclass(frozen=True, kw_only=True)
class Train(Naming):
    """Train a network and write a checkpoint; with --from, train checkpoints on, their masks frozen.

    A run that was stopped goes on where it was when the same line is typed again, to the same bytes.
    """

    out: Annotated[str, tyro.conf.arg(aliases=["-o"])]
    """checkpoint to write; with several --from it contains {stem}, which becomes each input's name"""
    model: Annotated[str | None, MODEL_FLAG] = None
    data: Annotated[str | None, data_flag("digits")] = None
    download: Annotated[bool, DOWNLOAD_FLAG] = False
    start: Annotated[tuple[Path, ...], tyro.conf.arg(name="from")] = ()
    """checkpoints to train on from, instead of a new network"""
    from_epoch: int | None = None
    """with --from: begin at its weights of this epoch, which --weights-at kept, instead of the last"""
    epochs: int = 30
    """passes over the training examples (with --from: further ones)"""
    recipe: Annotated[Recipe, tyro.conf.arg(name="")] = field(default_factory=Recipe)
    validation: float | None = None
    """fraction of the train split held out (default: 0.1; with --from as it was)"""
    seed: int | None = None
    """of the initial weights (default: 0)"""
    split_seed: int | None = None
    """of the held-out part (default: the seed; with --from as it was)"""
    order_seed: int | None = None
    """of the order of the examples (default: the seed): another one gives a sibling"""
    weights_at: tuple[int, ...] | None = None
    """epochs whose weights a new network's checkpoint also holds, for rewinding (default: 0)"""
    equilibrium: float | None = None
    """freeze neurons at equilibrium (NEq): of each epoch those whose outputs' similarity from epoch to epoch moves by
    less than this, such as 0.001; 0 freezes none (default: all train, and nothing is watched)"""
    equilibrium_momentum: float = 0.5
    """with --equilibrium: momentum of the velocity"""
    equilibrium_form: Form = "paper"
    """with --equilibrium: sign of the last velocity in the next, as in the paper or in its authors' code"""
    keep: int = 0
    """write the weights of every N-th epoch to OUT.trajectory.h5"""
    keep_unit: Literal["epoch", "step"] = "epoch"
    """unit of --keep"""
    memory: float = DEFAULT
    """GiB that training may take beside the data, and that what is compressed in a file may unpack to; what would take
    more is refused before it"""
    device: DeviceName = "auto"
    """where to compute"""
    overwrite: bool = False
    """replace a file that was made otherwise"""
