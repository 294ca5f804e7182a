"""The base of the registry of formats: bytes of a network, and its outputs from these bytes alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.store.registry import members

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.examples.inputs import Inputs


@dataclass(frozen=True)
class Format:
    """A member of pruning/export/formats. Networks come in eval mode, on the CPU."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    traces: ClassVar[bool] = False
    """whether the network's code is in the file too, found by running it; else its tensors only"""

    def write(self, model: nn.Module, x: Inputs, any_number: bool) -> bytes:
        """The bytes of the exported file.

        Args:
            x: a few examples, for formats that run the network.
            any_number: the file is to take any number of examples, else as many as x has.
        """
        raise NotImplementedError

    def outputs(self, content: bytes, model: nn.Module, x: Inputs) -> Any:
        """What the file's network returns for x, in whatever structure; of `model` only the code may be used."""
        raise NotImplementedError


def formats() -> dict[str, type[Format]]:
    """Every member of pruning/export/formats by name."""
    return members("pruning.export.formats", Format)


def format_of(path: Path) -> Format:
    """The format that a file's name ends in.

    >>> format_of(Path("net.safetensors")).name
    'safetensors'
    """
    known = formats().values()
    for kind in known:
        if path.suffix in kind.suffixes:
            return kind()
    ends = ", ".join(suffix for kind in known for suffix in kind.suffixes)
    raise BadInput(f"--out {path}: its name says the format, and must end in one of {ends}")
