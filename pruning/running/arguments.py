"""The flags all pruning methods share; a method's own flags join them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, fields, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import tyro

from minima.store.room import DEFAULT
from minima.zoo.device import DeviceName
from minima.zoo.subject.flags import Loading
from minima.zoo.training.recipe import Recipe
from pruning.composition.method import Method
from pruning.context.candidates import Heads
from pruning.context.starts import FromParent
from pruning.spaces.elements import Elements


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
        """The flags of the training recipe that were given on the command line."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Prune(Loading):
    """Flags of `python -m pruning METHOD`."""

    checkpoint: tyro.conf.Positional[Path]
    """checkpoint of the network to prune: the parent; a file of somebody else with --model and --data"""
    sparsity: tuple[float, ...]
    """fraction of the weights to remove, at least 0 and below 1; those of convolutions and linear layers count, not
    biases and normalisations. Several: a checkpoint at each"""
    out: Annotated[str, tyro.conf.arg(aliases=["-o"])]
    """file to write; with several sparsities its name contains {sparsity}, which stands for each of them"""
    each: bool = False
    """with several sparsities, a run of its own over all epochs for each (default: where the method cuts in steps, one
    run passes through all of them)"""
    epochs: int | None = None
    """epochs of training of the whole run, cuts included (default: as many as the parent was trained for; 0, no
    training, for a file that does not say it)"""
    initial: Path | None = None
    """file with the initial weights, for methods that start from them or go back to them (default: those in the
    parent's checkpoint; for a file of somebody else those that its factory draws under --seed)"""
    recipe: Annotated[RecipeFlags, tyro.conf.arg(name="")] = field(default_factory=RecipeFlags)
    validation: float | None = None
    """fraction of the training examples that is held out to decide by (default: as in the parent's training)"""
    seed: int | None = None
    """seed of all that the method draws at random (default: the parent's)"""
    order_seed: int | None = None
    """seed of the order in which the run takes the examples (default: the parent's); another one gives a sibling, which
    differs by nothing else"""
    keep: int = 0
    """also write weights and masks at every N-th epoch of the run to OUT.trajectory.h5 (0: none)"""
    keep_unit: Literal["epoch", "step"] = "epoch"
    """what --keep counts: epochs, or single steps of the optimiser"""
    keep_path: bool = False
    """let no cut separate the output from the input: where one would, the weights of one path stay, and others of the
    lowest scores go in their place"""
    accept_noise: bool = False
    """where scores are estimated from probes or from some of the examples, cut by them even if a second estimate ranks
    the weights quite otherwise (Spearman's correlation below 0.1), which is refused without this flag"""
    model: str | None = None
    """network of a foreign file: a zoo name, torchvision:NAME, timm:NAME, hf:FOLDER, path/to/file.py:factory; and of a
    checkpoint of ours again, if it is code"""
    data: str | None = None
    """data of a foreign file, as in minima.train; and of a checkpoint of ours again, if they are code
    (path/to/file.py:factory): it is run only when it is named here"""
    memory: float = DEFAULT
    """GiB that the run may take beside the data, and that what is compressed in a file may unpack to; what would take
    more is refused before it"""
    device: DeviceName = "auto"
    """where to compute"""
    overwrite: bool = False
    """replace a file that is there already and was made by another command line"""

    if TYPE_CHECKING:  # `arguments_of` adds the field
        method: Method


@dataclass(frozen=True, kw_only=True)
class PruneUnits(Prune):
    """Flags of `python -m pruning METHOD` of a method that removes whole units: how much, in one of five ways."""

    sparsity: tuple[float, ...] = ()
    """fraction of the weights to remove, at least 0 and below 1; those of convolutions and linear layers count, the
    columns that would have read removed units as well, biases and normalisations not. Units are whole, so the first
    cut at or beyond it counts. Several: a checkpoint at each"""
    units: tuple[float, ...] = ()
    """instead of --sparsity: fraction of the removable units (channels, neurons, attention heads) to remove; a name of
    several files then contains {units}"""
    flops: tuple[float, ...] = ()
    """instead of --sparsity: fraction of the multiply-adds of one example's forward pass to remove; a name of several
    files then contains {flops}"""
    parameters: tuple[float, ...] = ()
    """instead of --sparsity: fraction of the parameters to remove, biases and normalisations counted; a name of several
    files then contains {parameters}"""
    latency: tuple[float, ...] = ()
    """instead of --sparsity: fraction of the time of a forward pass to remove, as measured here over 64 examples, the
    narrower network and the whole one in turns; a name of several files then contains {latency}"""
    heads: Heads = "groups"
    """what is a unit of attention whose queries share keys (grouped queries). groups: a key and value with all queries
    that share it; queries: a query of each group, so that all keys stay; both: either may go"""


CONSTANT = "a constant rate, the last of that training (a tenth of its first where the last is 0 or unknown)"


def _training(method: type[Method]) -> str:
    """How a run trains where no flags say it."""
    own, others = {each.name for each in fields(method)}, "Flags from --optimiser to --patience that are not given are"
    of_the_parent = f"{others} those of the parent's training, its rule of the learning rate as well"
    if not isinstance(method().composition().start, FromParent):
        return of_the_parent + (f"; with --start parent, {CONSTANT}." if "start" in own else ".")
    flags = {"start": "--start initialisation", "rewind": "--rewind", "retrain": "--retrain"}
    rule = " or ".join(flag for name, flag in flags.items() if name in own)
    return f"{others} those of the parent's training, at {CONSTANT}" + (
        f"; with {rule}, its own rule." if rule else "."
    )


def _source(method: type[Method]) -> str:
    paper = "" if method.paper == "-" else f"Published: {method.paper}. "
    return f"{paper}It prunes {method.phase}."


def _paragraphs(method: type[Method]) -> list[str]:
    """Of its docstring, each in one line: a line that happens to begin with a flag or a number would stay one."""
    return [" ".join(each.split()) for each in inspect.cleandoc(method.__doc__ or "").split("\n\n")]


def arguments_of(method: type[Method]) -> type[Prune]:
    """`Prune` with the fields of `method` as further flags, under the field `method`."""
    flags = Annotated[method, tyro.conf.arg(name="")]  # type: ignore[valid-type]
    made = make_dataclass(
        f"{method.__name__}Arguments",
        [("method", flags, field(default_factory=method))],
        bases=(Prune if isinstance(method().composition().space, Elements) else PruneUnits,),
        frozen=True,
        kw_only=True,
    )
    made.__doc__ = "\n\n".join((*_paragraphs(method), f"{_source(method)} {_training(method)}"))
    return made
