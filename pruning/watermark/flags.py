"""Flags of `python -m pruning.watermark`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from minima.zoo.device import DeviceName
from minima.zoo.subject.flags import Naming
from minima.zoo.training.recipe import Recipe
from pruning.watermark.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Watermark(Naming):
    """Embed bits in a secret subset of a network's weights, as their signs, and train the others on while the loss is
    sharpened around the subset, so that who disturbs it hurts the network (after WaterMAS, of which only the abstract
    was available). `python -m pruning.robustness` reads the bits under attack."""

    checkpoint: tyro.conf.Positional[Path]
    """checkpoint of this suite to mark"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """checkpoint to write; it holds the key"""
    settings: Annotated[Settings, tyro.conf.arg(name="")]
    epochs: int = 5
    """passes over the training examples"""
    recipe: Annotated[Recipe, tyro.conf.arg(name="")] = field(default_factory=lambda: Recipe(lr=0.01))
    model: str | None = None
    """the network again where it is code of a file: path/to/file.py:factory"""
    data: str | None = None
    """the data again where they are code"""
    device: DeviceName = "auto"
    """where to compute"""
    overwrite: bool = False
    """replace a file that was made otherwise"""
