"""An ordinary state dict, as `torch.save(model.state_dict())` writes it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pruning.export.format import Format
from pruning.export.tensors import contents, returned_with

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.examples.inputs import Inputs


@dataclass(frozen=True)
class StateDict(Format):
    """A state dict, for `model.load_state_dict(torch.load(FILE))`."""

    name: ClassVar[str] = "state-dict"
    suffixes: ClassVar[tuple[str, ...]] = (".pt", ".pth")

    def write(self, model: nn.Module, x: Inputs, any_number: bool) -> bytes:  # noqa: ARG002 (nothing is run)
        import torch

        buffer = io.BytesIO()
        torch.save(contents(model), buffer)
        return buffer.getvalue()

    def outputs(self, content: bytes, model: nn.Module, x: Inputs) -> Any:
        import torch

        return returned_with(torch.load(io.BytesIO(content), weights_only=True), model, x)
