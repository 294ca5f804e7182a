"""The flags all pruning methods share; a method's own flags join them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, fields, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import tyro

from minima.store.command import Command
from minima.zoo.device import DeviceName
from minima.zoo.training.recipe import Recipe
from pruning.composition.method import Method


def _optional(recipe: type[Any]) -> type[Any]:
    """`recipe` with None for every field that is not given. It derives from it so that tyro finds the fields' help."""
    hints = get_type_hints(recipe)
    given = [(item.name, hints[item.name] | None, field(default=None)) for item in fields(recipe)]
    return make_dataclass(f"Optional{recipe.__name__}", given, bases=(recipe,), frozen=True)


@dataclass(frozen=True)
class RecipeFlags(_optional(Recipe)):  # type: ignore[misc]
    """How the run trains. What is left out comes from the parent's training: all of it for a method that starts at
    initialisation, rewinds or retrains, else at the constant rate the parent's training ended with (where that is 0, or
    unknown as after the plateau rule: a tenth of the initial rate)."""

    def given(self) -> dict[str, Any]:
        """The flags that were given."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Prune(Command):
    """Flags of `python -m pruning METHOD`."""

    checkpoint: tyro.conf.Positional[Path]
    """checkpoint to prune"""
    sparsity: tuple[float, ...]
    """fraction of the convolution and linear weights to remove; several: a checkpoint at each"""
    out: Annotated[str, tyro.conf.arg(aliases=["-o"])]
    """checkpoint to write; with several sparsities it contains {sparsity}"""
    each: bool = False
    """gradual methods: a run of its own, over all epochs, for every sparsity (default: one run passes through them)"""
    epochs: int | None = None
    """training of the whole run, cuts included (default: as many as the parent was trained for)"""
    recipe: Annotated[RecipeFlags, tyro.conf.arg(name="")] = field(default_factory=RecipeFlags)
    validation: float | None = None
    """fraction of the train split held out (default: as the parent's training)"""
    seed: int | None = None
    """of what the method draws at random (default: the parent's)"""
    order_seed: int | None = None
    """of the order of the examples (default: the parent's): another one gives a sibling"""
    keep: int = 0
    """write weights and masks of every N-th epoch of the run to OUT.trajectory.h5"""
    keep_unit: Literal["epoch", "step"] = "epoch"
    """unit of --keep"""
    keep_path: bool = False
    """let no cut separate the output from the input: where one would, the weights of one path stay, and others of the
    lowest scores go in their place"""
    accept_noise: bool = False
    """cut even where two estimates of the scores hardly agree on the ranks of the weights (refused otherwise)"""
    data: str | None = None
    """repeat the checkpoint's data here if it is code (path/to/file.py:factory)"""
    data_root: Path | None = None
    """folder with the datasets (default: the checkpoint's)"""
    device: DeviceName = "auto"
    """where to compute"""
    overwrite: bool = False
    """replace a file that was made otherwise"""

    if TYPE_CHECKING:  # `arguments_of` adds the field
        method: Method


def arguments_of(method: type[Method]) -> type[Prune]:
    """`Prune` with the fields of `method` as further flags, under the field `method`."""
    flags = Annotated[method, tyro.conf.arg(name="")]  # type: ignore[valid-type]
    made = make_dataclass(
        f"{method.__name__}Arguments",
        [("method", flags, field(default_factory=method))],
        bases=(Prune,),
        frozen=True,
        kw_only=True,
    )
    made.__doc__ = f"{inspect.cleandoc(method.__doc__ or '')}\n\n{method.paper}; {method.phase}."
    return made
