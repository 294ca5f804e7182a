"""Flags of `python -m pruning easier` and of the other methods that take layers out."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from minima.zoo.device import DeviceName
from minima.zoo.subject.flags import Loading
from pruning.composition.layer_method import LayerMethod
from pruning.running.arguments import RecipeFlags


@dataclass(frozen=True, kw_only=True)
class TakeLayers(Loading):
    """Flags of a method that takes layers out."""

    checkpoint: tyro.conf.Positional[Path]
    """checkpoint of the trained network; a file of somebody else with --model and --data"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """checkpoint to write, ending in .pt"""
    drop: float = 0.01
    """how far the score on the validation part (accuracy, a fraction) may fall below the parent's; without a score, how
    far the loss may rise, as a fraction of it. A round that goes beyond is taken back, and the last"""
    layers: int | None = None
    """rectifiers that are put out at most (default: as many as the score bears)"""
    rounds: int = 100
    """rounds at most"""
    epochs: int | None = None
    """epochs of training in each round (default: as many as the parent was trained for, as published)"""
    recipe: Annotated[RecipeFlags, tyro.conf.arg(name="")] = field(default_factory=RecipeFlags)
    validation: float | None = None
    """fraction of the training examples that is held out to judge by (default: as in the parent's training)"""
    order_seed: int | None = None
    """seed of the order in which rounds take the examples (default: the parent's)"""
    merge: Literal["smaller", "all", "none"] = "all"
    """which linear layers that then stand beside each other become one (as with python -m pruning.shrink); all: also
    where the one has more parameters than the two had"""
    keep_wide: bool = False
    """write the network as it was trained, with rectifiers put out, and merge and remove nothing"""
    examples: int = 64
    """how many are run at once to take times"""
    device: DeviceName = "auto"
    """where to compute"""
    overwrite: bool = False
    """replace a file that is there already and was made by another command line"""

    if TYPE_CHECKING:  # `arguments_of` adds the field
        method: LayerMethod


def arguments_of(method: type[LayerMethod]) -> type[TakeLayers]:
    """`TakeLayers` with the fields of `method` as further flags, under the field `method`."""
    flags: Any = Annotated[method, tyro.conf.arg(name="")]
    made = make_dataclass(
        f"{method.__name__}Arguments",
        [("method", flags, field(default_factory=method))],
        bases=(TakeLayers,),
        frozen=True,
        kw_only=True,
    )
    paragraphs = [" ".join(each.split()) for each in inspect.cleandoc(method.__doc__ or "").split("\n\n")]
    made.__doc__ = "\n\n".join(
        (
            *paragraphs,
            f"Published: {method.paper}. Flags from --optimiser to --patience that are not given are those of the "
            "parent's training, its rule of the learning rate as well.",
        )
    )
    return made
