"""Networks by the specs that users type: of the zoo, of a library, or of their own code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import Checkpoint
from minima.store.command import BadInput
from minima.zoo.architecture.architecture import build, describe, parse_architecture, shapes_of
from minima.zoo.architecture.bounded import Held
from minima.zoo.architecture.library import build_from_folder, build_from_library, names_folder, names_library
from minima.zoo.code import call_factory, fingerprint, is_code
from minima.zoo.subject.foreign import check_shapes
from minima.zoo.subject.ready import ready

if TYPE_CHECKING:
    from torch import nn

    from minima.store.checkpoints.foreign import Foreign
    from minima.zoo.data.dataset import Dataset
MANY = 500
"""parameters that a network may have, whatever the file holds: what does not fit is then said by name"""


def entry_of(spec: str, dataset: Dataset) -> dict[str, Any]:
    """The entry `model` of a checkpoint; of code its absolute path, and its hash."""
    if is_code(spec):
        path, _, factory = spec.rpartition(":")
        return {"name": f"{Path(path).absolute()}:{factory}", "sha256": fingerprint(Path(path))}
    if spec.startswith("hf:"):
        folder = Path(spec.removeprefix("hf:")).absolute()
        return {"name": f"hf:{folder}", "sha256": fingerprint(folder / "config.json")}
    if names_library(spec):
        return {"name": spec, "input_shape": list(dataset.input_shape), "classes": dataset.outputs}
    return describe(parse_architecture(spec), dataset.input_shape, dataset.outputs)


def must_be_typed(name: str) -> bool:
    """Whether a checkpoint's entry names code, which is run only where the user repeats it.

    >>> must_be_typed("/home/me/nets.py:Net"), must_be_typed("timm:resnet18"), must_be_typed("lenet5")
    (True, True, False)
    """
    return is_code(name) or names_library(name)


def network_for(
    stored: Checkpoint | Foreign, entry: Mapping[str, Any], typed: str | None, dataset: Dataset, path: Path
) -> nn.Module:
    """The network for what a file holds, as `make_network` makes it; one that cannot be filled from the file is refused
    before it is built.

    Networks of the zoo are compared without being built, those of transformers by their size; code is the user's own.
    """
    from minima.zoo.anatomy.narrowing.narrow import apply_shrunk

    tensors = stored.state if isinstance(stored, Checkpoint) else stored.tensors
    held = Held(len(tensors), sum(tensor.numel() for tensor in tensors.values()))
    spec = str(entry["name"]) if typed is None else typed
    if not must_be_typed(spec):
        described = (
            entry if typed is None else describe(parse_architecture(typed), dataset.input_shape, dataset.outputs)
        )
        if isinstance(stored, Checkpoint):
            most = max(MANY, 2 * held.tensors)
            check_shapes(shapes_of(described, most, partial(apply_shrunk, entry=entry)), stored, path, spec)
        else:
            held.check(shapes_of(described).values(), spec)
    return make_network(entry, typed, dataset, held)


def make_network(entry: Mapping[str, Any], typed: str | None, dataset: Dataset, held: Held | None = None) -> nn.Module:
    """The network that was typed, else the one that a checkpoint's entry names, ready to be filled.

    Where the entry says that the network was made smaller, so is this one.

    Args:
        held: what the file holds that it is to be filled from.

    Raises:
        BadInput: the entry names code, which no file may choose to run; what was typed makes no network, or not the one
            that was made smaller.
    """
    from minima.zoo.anatomy.narrowing.narrow import apply_shrunk

    return apply_shrunk(ready(_made(entry, typed, dataset, held)), entry)


def _made(entry: Mapping[str, Any], typed: str | None, dataset: Dataset, held: Held | None) -> nn.Module:
    if typed is None:
        return build(entry)
    if names_folder(typed):
        return build_from_folder(typed, held)
    if names_library(typed):
        return build_from_library(typed, dataset.input_shape, dataset.outputs)
    if not is_code(typed):
        return build(describe(parse_architecture(typed), dataset.input_shape, dataset.outputs))
    from torch import nn

    made = call_factory(typed, "--model")
    if not isinstance(made, nn.Module):
        raise BadInput(f"--model {typed} returned a {type(made).__name__}, not a torch.nn.Module")
    return made


@contextmanager
def drawing_from(seed: int) -> Iterator[None]:
    """What is drawn at random inside the block, of torch, numpy or Python, comes from `seed`; afterwards their states
    are what they were."""
    import random

    import numpy as np
    import torch

    state, numbers = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(state)
            np.random.set_state(numbers)


def changed_since(entry: Mapping[str, Any], typed: str | None) -> list[str]:
    """Whether the user's code is another than the checkpoint was made with, in words."""
    before = entry.get("sha256")
    if typed is None or before is None or not is_code(typed):
        return []
    path = Path(typed.rpartition(":")[0])
    return [] if fingerprint(path) == before else [f"{path} has changed since the checkpoint was made: used as it is"]
