"""Networks by name: a registry member is a frozen dataclass of hyper-parameters that builds a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.store.description import FINITE, FLAG, NAME, SIZE, Description, Fields, ListOf, check, shown
from minima.store.registry import members
from minima.zoo.architecture.bounded import in_words, shapes_only
from minima.zoo.architecture.library import names_library
from minima.zoo.code import is_code

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Architecture:
    """Base of the members of minima/zoo/architecture/models: hyper-parameters, and how they become a module."""

    name: ClassVar[str]

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """A freshly initialised network from inputs (N, *input_shape) to logits (N, classes)."""
        raise NotImplementedError


def architectures() -> dict[str, type[Architecture]]:
    """Every member of minima/zoo/architecture/models by name."""
    return members("minima.zoo.architecture.models", Architecture)


def parse_architecture(spec: str) -> Architecture:
    """`NAME` or `NAME:KEY=VALUE,...`, tuples joined by `x`.

    >>> parse_architecture("mlp:hidden=64x32")
    MLP(hidden=(64, 32))
    """
    name, _, settings = spec.partition(":")
    known = architectures()
    if is_code(spec) or names_library(spec):
        raise BadInput(
            f"--model {spec} names code, with which foreign checkpoints can be measured. "
            f"Networks to make here are {', '.join(known)}"
        )
    if name not in known:
        raise BadInput(f"--model {spec}: there is no network named {name!r}. Known: {', '.join(known)}")
    defaults = {field.name: field.default for field in fields(known[name])}
    values: dict[str, Any] = {}
    for setting in filter(None, settings.split(",")):
        key, _, text = setting.partition("=")
        if key not in defaults:
            offered = ", ".join(defaults) or "nothing"
            raise BadInput(f"--model {spec}: {name} has no setting {key!r}. It has: {offered}")
        values[key] = _parse_like(defaults[key], text, spec)
    return known[name](**values)


def describe(architecture: Architecture, input_shape: tuple[int, ...], classes: int) -> dict[str, Any]:
    """The entry `model` of a checkpoint, from which `build` makes the same module again."""
    return {
        "name": architecture.name,
        "arguments": asdict(architecture),
        "input_shape": list(input_shape),
        "classes": classes,
    }


def build(model: Mapping[str, Any]) -> nn.Module:
    """The network a checkpoint's `model` entry describes. Code is never run because a file names it.

    Raises:
        BadInput: there is no such network, or these settings make none.
    """
    make = _maker(model)
    with in_words(model["name"]):
        return make()


def shapes_of(
    model: Mapping[str, Any], most: int | None = None, further: Callable[[nn.Module], nn.Module] = lambda made: made
) -> dict[str, tuple[int, ...]]:
    """The shapes of the state dict of the network that an entry describes, which is not built: no memory is taken.

    Args:
        most: parameters; a network that has more is refused at the next.
        further: what else is made of the network.

    Raises:
        BadInput: there is no such network, these settings make none, or it has more parameters.
    """
    make = _maker(model)
    with in_words(model["name"]), shapes_only(most):
        return {name: tuple(tensor.shape) for name, tensor in further(make()).state_dict().items()}


def _maker(model: Mapping[str, Any]) -> Callable[[], nn.Module]:
    known = architectures()
    if model["name"] not in known:
        typed = model["name"] if is_code(model["name"]) or names_library(model["name"]) else "path/to/file.py:factory"
        raise BadInput(
            f"the checkpoint names the network {model['name']!r}, which is not in the zoo ({', '.join(known)}).\n"
            f"A file may not choose code to run: if you trust it, say so with --model {typed}"
        )
    absent = [key for key in ("arguments", "input_shape", "classes") if key not in model]
    if absent:
        raise BadInput(f"the checkpoint's network {model['name']} has no {absent[0]}. Name the network with --model")
    kind = known[model["name"]]
    _check_arguments(kind, model["arguments"])
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in model["arguments"].items()}
    return lambda: kind(**arguments).build(tuple(model["input_shape"]), model["classes"])


def _check_arguments(kind: type[Architecture], arguments: Mapping[str, Any]) -> None:
    """Each setting of a file is like its default: a size, a list of sizes, or a text."""
    known = {each.name: like(each.default) for each in fields(kind)}
    for key in arguments:
        if key not in known:
            offered = ", ".join(known) or "none"
            raise BadInput(
                f"the checkpoint's network {kind.name} has settings this version lacks: {shown(key)}. It has: {offered}"
            )
    check(arguments, Fields(may=known), f"the checkpoint's network {kind.name}", "arguments")


def like(default: Any) -> Description:
    """What a setting must be, by its default.

    >>> like((64, 32)), like("relu6").words
    (ListOf(each=Rule(words='a whole number, 1 or more', ...), 'a text that is not empty')
    """
    if isinstance(default, tuple):
        return ListOf(SIZE, most=1000)
    if isinstance(default, bool):
        return FLAG
    return SIZE if isinstance(default, int) else FINITE if isinstance(default, float) else NAME


def initialise(model: Mapping[str, Any], seed: int) -> nn.Module:
    """`build` with initial weights drawn from `seed`; the global random state is left as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(model)


def _parse_like(default: Any, text: str, spec: str) -> Any:
    try:
        if isinstance(default, tuple):
            value: Any = tuple(type(default[0])(part) for part in text.split("x"))
        else:
            value = type(default)(text)
    except ValueError as error:
        raise BadInput(f"--model {spec}: {text!r} is not like {default!r}") from error
    if any(isinstance(part, int) and part < 1 for part in (value if isinstance(value, tuple) else (value,))):
        raise BadInput(f"--model {spec}: expected whole numbers from 1 on, found {text}")
    return value
