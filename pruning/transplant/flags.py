"""Flags of `python -m pruning.transplant`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from minima.store.command import Command


@dataclass(frozen=True, kw_only=True)
class Transplant(Command):
    """Put the mask of one network on the weights of another, without any training: the controls of pruning.

    With the dense parent's --from-epoch 0 the mask is rewound, with another network's it is re-initialised, with the
    --weights of another pruned network that one is seen through this mask; with --shuffle only the number of weights
    that each layer keeps is the mask's. Train it on by python -m minima.train --from.
    """

    mask: tyro.conf.Positional[Path]
    """checkpoint of the pruned network whose mask is taken"""
    weights: Path
    """checkpoint whose weights are taken, biases and normalisation included; where it has none left, they are 0"""
    from_epoch: int | None = None
    """take the weights that it had at this epoch, which --weights-at kept (0: its initialisation; default: the last)"""
    shuffle: bool = False
    """let each layer keep as many weights as the mask does, at places drawn at random"""
    seed: int = 0
    """of these places"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """checkpoint to write"""
    overwrite: bool = False
    """replace a file that was made otherwise"""
