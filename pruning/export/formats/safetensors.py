"""Tensors by name in the format of safetensors, which holds no code and no sharing of memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pruning.export.format import Format
from pruning.export.tensors import contents, returned_with

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.examples.inputs import Inputs


@dataclass(frozen=True)
class Safetensors(Format):
    """Tensors for `safetensors.torch.load_file(FILE)`; tied ones stand there under each of their names."""

    name: ClassVar[str] = "safetensors"
    suffixes: ClassVar[tuple[str, ...]] = (".safetensors",)

    def write(self, model: nn.Module, x: Inputs, any_number: bool) -> bytes:  # noqa: ARG002 (nothing is run)
        import safetensors.torch

        return safetensors.torch.save(contents(model))

    def outputs(self, content: bytes, model: nn.Module, x: Inputs) -> Any:
        import safetensors.torch

        return returned_with(safetensors.torch.load(content), model, x)
