"""Networks by the specs that users type: of the zoo, of a library, or of their own code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.architecture.architecture import build, describe, parse_architecture
from minima.zoo.architecture.library import build_from_folder, build_from_library, names_folder, names_library
from minima.zoo.code import call_factory, fingerprint, is_code
from minima.zoo.subject.ready import ready

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.data.dataset import Dataset


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


def make_network(entry: Mapping[str, Any], typed: str | None, dataset: Dataset) -> nn.Module:
    """The network that was typed, else the one that a checkpoint's entry names, ready to be filled.

    Where the entry says that the network was made smaller, so is this one.

    Raises:
        BadInput: the entry names code, which no file may choose to run; what was typed makes no network, or not the one
            that was made smaller.
    """
    from minima.zoo.anatomy.narrowing.narrow import apply_shrunk

    return apply_shrunk(ready(_made(entry, typed, dataset)), entry)


def _made(entry: Mapping[str, Any], typed: str | None, dataset: Dataset) -> nn.Module:
    if typed is None:
        return build(entry)
    if names_folder(typed):
        return build_from_folder(typed)
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
